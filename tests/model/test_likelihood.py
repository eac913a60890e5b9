"""Discrete data: probabilities, energy and curvature agree with one another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, softmax

from pcmodel import Bernoulli, Categorical

LOGITS = jnp.asarray([0.7, -1.9, 0.2, 2.5])
GAINS = {
    Bernoulli(): jnp.asarray([0.3, 2.0, 1.0, 0.8]),
    Categorical(): jnp.asarray([0.6] * 4),
}


@pytest.mark.parametrize("likelihood", GAINS, ids=lambda kind: kind.name)
def test_the_root_of_the_fisher_information_squares_to_the_energy_s_curvature(
    likelihood,
):
    """Prevents draws and evidence of discrete data from another curvature than the energy has.

    In natural parameters the Hessian in the logits is the information, whatever the data; push is the
    transpose of pull.
    """
    gain = GAINS[likelihood]
    data = jnp.asarray([0.0, 1.0, 0.0, 0.0])

    @jax.jit
    def all_three(logits):
        def energy(at):
            return jnp.sum(likelihood.energy_terms(at, data, gain))

        identity = jnp.eye(4)
        push = jax.vmap(lambda v: likelihood.push_root(logits, gain, v))(identity).T
        pull = jax.vmap(lambda v: likelihood.pull_root(logits, gain, v))(identity).T
        return jax.hessian(energy)(logits), push, pull, jax.grad(energy)(logits)

    hessian, push, pull, gradient = all_three(LOGITS)
    np.testing.assert_allclose(pull @ push, hessian, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(pull, push.T, rtol=1e-12)
    mean = softmax(LOGITS) if isinstance(likelihood, Categorical) else expit(LOGITS)
    np.testing.assert_allclose(likelihood.mean(LOGITS), mean, rtol=1e-12)
    np.testing.assert_allclose(gradient, gain * (mean - data), rtol=1e-10)


@pytest.mark.parametrize("likelihood", GAINS, ids=lambda kind: kind.name)
def test_data_are_drawn_with_the_probabilities_of_their_mean(likelihood):
    """Prevents simulated choices or pixels from another model than the fitted one."""
    keys = jax.random.split(jax.random.key(0), 20_000)
    draws = np.asarray(jax.vmap(lambda key: likelihood.sample(key, LOGITS))(keys))
    assert set(np.unique(draws)) == {0.0, 1.0}
    if isinstance(likelihood, Categorical):
        np.testing.assert_array_equal(draws.sum(axis=1), 1)
    mean = np.asarray(likelihood.mean(LOGITS))
    error = np.sqrt(mean * (1 - mean) / len(draws))
    assert np.all(np.abs(draws.mean(axis=0) - mean) < 4 * error)
