"""Likelihoods by annealing: right where the answer is known, and never above it on average."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hierarchies import network_of, random_hierarchy
from oracles import KnownUnits, exact_posterior

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.ais import annealed_log_likelihood, prior


def curved(precision=30.0):
    """One unit seen through tanh by two: log p(y) by quadrature over the unit."""
    layer = pcmodel.Dense(1, 2, rngs=nnx.Rngs(0))
    layer.weight[...] = jnp.asarray([[1.5], [-0.7]])
    logs = [np.log(precision), np.log(0.5)]
    network = pcmodel.Network([layer], (2, 1), log_precisions=logs)
    data = np.array([1.1, -0.8])
    x = np.linspace(-12, 12, 40_001)
    error = data[:, None] - np.array([[1.5], [-0.7]]) * np.tanh(x)
    log_joint = -0.5 * (precision * error**2).sum(axis=0) - 0.25 * x**2
    log_joint += np.log(precision / (2 * np.pi)) + 0.5 * np.log(0.5 / (2 * np.pi))
    return network, data, np.log(np.trapezoid(np.exp(log_joint), x))


def test_a_nonlinear_likelihood_is_that_of_quadrature():
    """Prevents a missing normaliser or Jacobian, which a linear test could share."""
    network, data, exact = curved()
    found = pcmodel.log_likelihood(
        network, data, key=jax.random.key(0), num_steps=60, num_particles=400
    )
    size = float(found.effective_sample_size)
    assert 40 < size <= 400 and 0.6 < found.acceptance < 1
    assert abs(found.log_likelihood - exact) < 4 / np.sqrt(size)
    laplace = pcmodel.posterior(network, data).log_evidence
    assert abs(laplace - exact) > 0.1  # what is approximate shows here


@pytest.mark.parametrize("clamp", [None, "hidden1"])
def test_a_linear_hierarchy_has_its_exact_evidence(clamp):
    """At one step too: its Laplace posterior is the posterior, and every weight the same."""
    rng = np.random.default_rng(2)
    hierarchy = random_hierarchy(rng, (3, 2, 2), ("full", "unit", "scalar"))
    data, middle = rng.normal(size=(4, 3)), rng.normal(size=2)
    found = pcmodel.log_likelihood(
        network_of(hierarchy),
        data,
        key=jax.random.key(0),
        num_steps=1,
        num_particles=2,
        clamp=None if clamp is None else {clamp: middle},
    )
    for got, example in zip(found.log_likelihood, data, strict=True):
        known = [KnownUnits(0, np.arange(3), example)]
        known += [KnownUnits(1, np.arange(2), middle)] if clamp else []
        exact = exact_posterior(hierarchy, known).log_evidence
        np.testing.assert_allclose(got, exact, rtol=0.02)


@pytest.mark.slow
def test_discrete_data_have_the_probabilities_that_sum_to_one():
    """Prevents a constant missing from the likelihood of discrete data."""
    network = pcmodel.dense(
        (3, 2, 2),
        precisions=(None, 2.0, 1.0),
        likelihood=pcmodel.Bernoulli(),
        scale=2.0,
        rngs=nnx.Rngs(1),
    )
    every = np.stack(np.meshgrid(*[[0.0, 1.0]] * 3), axis=-1).reshape(8, 3)
    found = pcmodel.log_likelihood(
        network, every, key=jax.random.key(1), num_steps=20, num_particles=200
    )
    np.testing.assert_allclose(np.exp(found.log_likelihood).sum(), 1, rtol=0.03)


@pytest.mark.slow
def test_few_steps_from_the_prior_are_below_on_average_and_more_come_closer():
    """The stochastic lower bound, and unbiasedness before the logarithm."""
    network, data, exact = curved()
    problem = pose(network, data).problem

    def bounds(num_steps):
        one = partial(
            annealed_log_likelihood,
            problem,
            num_steps=num_steps,
            num_particles=1,
            start=prior,
        )
        keys = jax.random.split(jax.random.key(0), 4000)
        return np.asarray(jax.jit(jax.vmap(one))(keys).log_likelihood)

    few, many = bounds(2), bounds(40)
    assert few.mean() < exact - 0.5 and few.mean() < many.mean() < exact
    weights = np.exp(many - exact)
    error = weights.std() / np.sqrt(len(weights))
    assert abs(weights.mean() - 1) < 4 * error and error < 0.1


@pytest.mark.parametrize("options", [{"num_steps": 0}, {"num_particles": 0}])
def test_no_steps_or_particles_are_refused(options):
    """Prevents an empty mean."""
    network, data, _ = curved()
    with pytest.raises(pcmodel.UserError, match="at least 1"):
        pcmodel.log_likelihood(network, data, key=jax.random.key(0), **options)
