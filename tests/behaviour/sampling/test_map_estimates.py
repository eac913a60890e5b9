"""Modes and Laplace errors of single series are exact where the model is linear."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from pcmodel.behaviour.sampling.map_estimates import find_mode


def test_a_linear_model_gives_its_posterior_and_evidence():
    rng = np.random.default_rng(0)
    design, values = rng.normal(size=(30, 3)), rng.normal(size=30) * 2.0

    def terms(place):
        error = jnp.asarray(values) - jnp.asarray(design) @ place
        return -0.5 * error**2 - 0.5 * np.log(2.0 * np.pi)

    found = jax.jit(lambda start: find_mode(terms, start))(jnp.full(3, 2.0))
    covariance = np.linalg.inv(design.T @ design + np.eye(3))
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-5)
    np.testing.assert_allclose(found.place, covariance @ design.T @ values, rtol=1e-6)
    exact = multivariate_normal(cov=np.eye(30) + design @ design.T).logpdf(values)
    assert float(found.log_evidence) == pytest.approx(exact, rel=1e-7)
    assert bool(found.settled)


def test_a_mode_is_found_in_a_curved_valley():
    """Against another optimiser; scoring's own metric is poor there."""

    def terms(place):
        a, b = place
        return jnp.stack([-5.0 * (b - a**2) ** 2, -3.0 * (2.0 - a) ** 2])

    found = jax.jit(lambda start: find_mode(terms, start))(jnp.asarray([-1.0, 1.0]))
    exact = minimize(
        lambda v: float(-terms(v).sum() + 0.5 * (v @ v)), [1.0, 1.0], method="BFGS"
    )
    np.testing.assert_allclose(found.place, exact.x, atol=1e-4)
    assert bool(found.settled)
