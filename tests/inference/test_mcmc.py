"""One problem's chain: tuned to the acceptance asked for, and in the posterior."""

from functools import partial

import jax
import numpy as np
import pytest

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.ais import prior
from pcmodel.inference.mcmc import HmcOptions, laplace, run_chain


def linear_problem():
    """A linear hierarchy 3-2, its posterior mean and covariance in whitened units."""
    rng = np.random.default_rng(0)
    weight, data = rng.normal(size=(3, 2)), rng.normal(size=3)
    network = pcmodel.linear_gaussian([weight], [4.0, 0.5])
    root = np.sqrt(4.0 / 0.5) * weight
    covariance = np.linalg.inv(np.eye(2) + root.T @ root)
    return pose(network, data).problem, covariance @ root.T @ (2 * data), covariance


@pytest.mark.parametrize("target", [pytest.param(0.65, marks=pytest.mark.slow), 0.9])
def test_a_chain_is_tuned_to_the_acceptance_asked_for_and_draws_the_posterior(target):
    """Prevents steps that are never tuned, and draws of another Gaussian than the exact one."""
    problem, mean, covariance = linear_problem()
    options = HmcOptions(burn_in=1500, target_acceptance=target, num_leapfrog=3)
    run = jax.jit(partial(run_chain, num_samples=4000, sampling=options))
    chain = run(problem, jax.random.key(0))
    assert abs(float(chain.acceptance) - target) < 0.05
    draws = np.asarray(chain.whitened)
    batches = (draws - mean).reshape(40, 100, 2)

    def error(values):
        return values.mean(axis=1).std(axis=0, ddof=1) / np.sqrt(40)

    assert np.all(np.abs(draws.mean(axis=0) - mean) < 4 * error(batches))
    products = batches[..., :, None] * batches[..., None, :]
    off = products.mean(axis=(0, 1)) - covariance
    assert np.all(np.abs(off) < 4 * error(products))
    assert np.all(error(products) < 0.1 * np.diag(covariance).max())


def test_a_chain_begins_around_the_exact_mode_with_the_exact_spread():
    """Prevents a mass that is not the posterior's."""
    problem, mean, covariance = linear_problem()
    around = jax.jit(lambda problem: laplace(problem, pcmodel.GaussNewton()))(problem)
    np.testing.assert_allclose(around.mean, mean, rtol=1e-8)
    np.testing.assert_allclose(around.root @ around.root.T, covariance, rtol=1e-9)


@pytest.mark.parametrize("target", [0.0, 1.0, -0.2, 1.3, float("nan")])
def test_an_acceptance_that_no_chain_can_have_is_refused(target):
    """Prevents tuning that never ends; what lies within is taken."""
    with pytest.raises(pcmodel.UserError, match="target_acceptance"):
        HmcOptions(target_acceptance=target)
    least = HmcOptions(
        target_acceptance=0.5, jitter=0.0, burn_in=0, thinning=1, num_leapfrog=1
    )
    assert (least.burn_in, least.thinning, least.num_leapfrog) == (0, 1, 1)


def test_the_prior_of_whitened_errors_is_standard_normal():
    """Prevents a comparison from the prior that begins somewhere else."""
    around = prior(linear_problem()[0])
    np.testing.assert_array_equal(around.mean, np.zeros(2))
    assert around.root is None
