"""How the E-step's chains tune themselves, written out."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.whitened import objective, unroll
from pcmodel.learning import Hmc
from pcmodel.learning.e_step import Expectation
from pcmodel.learning.persistent_hmc import RIDGE, metric_root


def batch_of(gradients, acceptance):
    """What a batch of chains reports: gradients are (examples, chains, free)."""
    number = len(gradients)
    return Expectation(
        (), jnp.full(number, jnp.nan), jnp.asarray(acceptance), jnp.asarray(gradients)
    )


@pytest.mark.parametrize("full_metric", [256, 1], ids=["full", "diagonal"])
def test_the_shared_curvature_is_the_mean_over_all_gradients_seen(full_metric):
    """Prevents a mass from the last batch alone, from sums, or from one chain of each example.

    As long as the running mean is a plain one; afterwards every batch has its share.
    """
    rng = np.random.default_rng(0)
    network = pcmodel.linear_gaussian([rng.normal(size=(3, 2))], [2.0, 1.0])
    problem = pose(network, rng.normal(size=3)).problem
    e_step = Hmc(num_chains=2, full_metric=full_metric, target_acceptance=0.8)
    shared = e_step.init(problem, 7, jax.random.key(0)).shared
    np.testing.assert_allclose(jnp.exp(shared.log_step_size), e_step.step_size)
    adapt = jax.jit(e_step.adapt)
    seen = rng.normal(size=(3, 3, 2, 2))
    for number, gradients in enumerate(seen):
        shared = adapt(shared, batch_of(gradients, [0.8, 0.7, 0.9]))
        assert shared.unvisited == max(7 - 3 * (number + 1), 0)
    flat = seen.reshape(-1, 2)
    moment = flat.T @ flat / len(flat)
    expected = moment if full_metric > 1 else np.diag(moment)
    np.testing.assert_allclose(shared.curvature, expected, rtol=1e-12)
    # At the wanted acceptance, on average over the batch, steps stay as long as they were.
    np.testing.assert_allclose(jnp.exp(shared.log_step_size), e_step.step_size)
    longer, shorter = (
        adapt(shared, batch_of(seen[0], [rate] * 3)).log_step_size
        for rate in (0.9, 0.7)
    )
    assert longer > shared.log_step_size > shorter
    np.testing.assert_allclose(longer + shorter, 2 * shared.log_step_size, rtol=1e-12)


@pytest.mark.parametrize("batches", [0, 5, 10_000])
def test_tuning_slows_down_and_never_stops(batches):
    """Half the missed acceptance at first, falling like a root of time to two per cent of it."""
    network = pcmodel.linear_gaussian([np.ones((1, 1))], [1.0, 1.0])
    e_step = Hmc(target_acceptance=0.5)
    shared = e_step.init(
        pose(network, np.zeros(1)).problem, 1, jax.random.key(0)
    ).shared
    late = shared._replace(batches=jnp.asarray(float(batches)))
    moved = e_step.adapt(late, batch_of(np.ones((1, 2, 1)), [1.0]))
    gain = max(0.02, 0.5 / np.sqrt(1 + batches / 5))
    change = float(moved.log_step_size - late.log_step_size)
    np.testing.assert_allclose(change, gain * 0.5, rtol=1e-12)
    weight = max(0.05, 1 / (1 + batches))
    old = float(jnp.squeeze(late.curvature))
    expected = (1 - weight) * old + weight * 1.0
    np.testing.assert_allclose(moved.curvature, [[expected]], rtol=1e-12)


def test_the_metric_s_root_squares_to_the_inverse_curvature():
    """Prevents a mass that is the curvature's inverse, or its root transposed."""
    root = np.random.default_rng(1).normal(size=(3, 3))
    curvature = root @ root.T
    found = np.asarray(metric_root(jnp.asarray(curvature)))
    expected = np.linalg.inv(curvature + RIDGE * np.eye(3))
    np.testing.assert_allclose(found @ found.T, expected, rtol=1e-9)
    diagonal = metric_root(jnp.asarray([0.5, 4.0]))
    np.testing.assert_allclose(diagonal**2, 1 / (np.asarray([0.5, 4.0]) + RIDGE))


def test_what_chains_report_is_their_mean_and_belongs_to_their_points():
    """Prevents a sum of chains from passing for an acceptance, and gradients of other points from tuning the mass."""
    rng = np.random.default_rng(2)
    network = pcmodel.linear_gaussian([rng.normal(size=(3, 2))], [2.0, 1.0])
    problem = pose(network, rng.normal(size=3)).problem
    e_step = Hmc(num_chains=3, num_trajectories=2, step_size=1e-5, num_leapfrog=2)
    memory = e_step.init(problem, 1, jax.random.key(0))
    own = jax.tree.map(lambda leaf: leaf[0], memory.examples)

    @jax.jit
    def visit(key):
        found, after = e_step.expect(problem, key, own, memory.shared)
        slope = jax.vmap(jax.grad(partial(objective, problem)))(after.whitened)
        latents = jax.vmap(lambda z: unroll(problem, z).latents)(after.whitened)
        return found, slope, latents

    found, slope, latents = visit(jax.random.key(1))
    np.testing.assert_allclose(found.acceptance, 1.0, atol=1e-3)
    np.testing.assert_allclose(found.gradient, slope, rtol=1e-9)
    for got, expected in zip(found.latents, latents, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    assert np.isnan(found.residual)
