"""Continuous outcomes: without coupling the Gaussian filter's lowest level is a Kalman filter."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import norm

from pcmodel.behaviour import perception
from pcmodel.behaviour.perception import HgfParameters, make_inputs
from pcmodel.behaviour.perception.hgf import ContinuousHgf


def test_an_uncoupled_filter_is_kalman_s_with_drift_and_its_evidence():
    """Prevents an evidence of another level, or without the outcome's own noise.

    Textbook filter: the mean drifts, the variance grows by exp(omega), outcomes carry exp(-log precision).
    """
    outcomes = 1.0 + np.random.default_rng(0).normal(size=12)
    outcomes[4] = np.nan
    parameters = HgfParameters(
        initial_mean=jnp.asarray([0.4, 3.0]),
        initial_log_precision=jnp.asarray([0.3, 1.0]),
        omega=jnp.asarray([-1.5, -3.0]),
        kappa=jnp.asarray([0.0]),
        drift=jnp.asarray([0.05, 0.0]),
        sensory_log_precision=jnp.asarray(0.7),
    )
    trace = jax.jit(perception.perceive, static_argnums=0)(
        ContinuousHgf(), parameters, make_inputs(outcomes)
    )
    mean, variance, noise = 0.4, np.exp(-0.3), np.exp(-0.7)
    for t, outcome in enumerate(outcomes):
        mean, variance = mean + 0.05, variance + np.exp(-1.5)
        np.testing.assert_allclose(trace.prediction.outcome[t], mean, rtol=1e-10)
        evidence = 0.0
        if np.isfinite(outcome):
            evidence = norm.logpdf(outcome, mean, np.sqrt(variance + noise))
            gain = variance / (variance + noise)
            mean, variance = mean + gain * (outcome - mean), (1 - gain) * variance
        np.testing.assert_allclose(trace.log_evidence[t], evidence, rtol=1e-9)
        np.testing.assert_allclose(trace.belief.mean[0][t], mean, rtol=1e-9)
        np.testing.assert_allclose(
            trace.belief.precision[0][t], 1 / variance, rtol=1e-9
        )
    assert bool(trace.belief.valid.all())
