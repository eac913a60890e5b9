"""Precision learning: EM finds the precisions that made the data; the mode alone cannot.

The weights are held at the truth throughout, so that a wrong precision can only be the
fault of the E-step's second moments or of the M-step.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hierarchies import network_of, random_hierarchy
from oracles import KnownUnits, as_matrix, exact_posterior

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.learning import Learning, MovingAverage, PointEstimate, PosteriorSamples
from pcmodel.learning.em import em_step, init_learning
from pcmodel.learning.precisions.m_step import move_precision
from pcmodel.model.precision import factor, precision_matrix
from pcmodel.networks.pure import as_model

ONE_STEP = pcmodel.GaussNewton(max_iterations=1)
"""Exact for a linear network."""

SAMPLES = PosteriorSamples(solver=ONE_STEP)
POINT = PointEstimate(solver=ONE_STEP)


def precisions_by_step(
    network, data, e_step, *, steps, over_relaxation=1.0, frozen=(), seed=1
):
    """Precision of each level after each full-batch EM step, (steps, levels).

    Over-relaxation multiplies every move of a log-precision: the same fixed point,
    reached sooner.
    """
    pure = as_model(network)
    structure = pose(pure, np.asarray(data)).problem.structure
    empty = jnp.zeros((len(data), 0))
    values = (jnp.asarray(data), *(empty for _ in pure.model.widths[1:]))
    learning = Learning(
        optimiser=optax.set_to_zero(),
        precision_step=MovingAverage(1.0),
        frozen_precisions=frozen,
        e_step=e_step,
    )

    def step(state, key):
        moved, _ = em_step(state, values, key, structure=structure, learning=learning)
        log_precisions = tuple(
            old + over_relaxation * (new - old)
            for old, new in zip(state.log_precisions, moved.log_precisions, strict=True)
        )
        following = moved._replace(log_precisions=log_precisions)
        return following, jnp.stack(log_precisions)

    state = init_learning(
        pure.weights, pure.log_precisions, learning, structure=structure
    )
    keys = jax.random.split(jax.random.key(seed), steps)
    _, history = jax.jit(lambda state: jax.lax.scan(step, state, keys))(state)
    return np.exp(np.asarray(history))


def sampled_case(precisions, num_examples, *, start=(1.0, 1.0, 1.0), scale=1.0):
    """Data of a linear 20-10-5 hierarchy, and that network with precisions `start`."""
    rng = np.random.default_rng(0)
    weights = [scale * rng.normal(size=shape) for shape in ((20, 10), (10, 5))]
    truth = pcmodel.linear_gaussian(weights, precisions)
    data = pcmodel.sample(truth, jax.random.key(0), num_examples)[0]
    return pcmodel.linear_gaussian(weights, start), data


@pytest.mark.slow
def test_em_recovers_precisions_that_rise_towards_the_top():
    """Prevents precisions from being learned in the wrong order, or all drawn together.

    N = 1,500, where the data's own sampling error is about 1 % (2 % measured at N = 2,000).
    """
    truth = (1.0, 2.0, 4.0)
    start, data = sampled_case(truth, 1500)
    found = precisions_by_step(start, data, SAMPLES, steps=10, over_relaxation=1.5)
    np.testing.assert_allclose(found[5:].mean(axis=0), truth, rtol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("truth", [(4.0, 2.0, 1.0), (1.0, 2.0, 4.0)])
def test_em_recovers_the_precisions_to_three_per_cent(truth):
    """Prevents a bias of the M-step from hiding in sampling noise.

    N = 10,000, bottom to top.  With N = 2,000 the mean of the last steps was measured
    as (4.077, 1.965, 0.984) and (1.018, 1.967, 3.935).
    """
    start, data = sampled_case(truth, 10_000)
    found = precisions_by_step(start, data, SAMPLES, steps=20, over_relaxation=1.5)
    np.testing.assert_allclose(found[10:].mean(axis=0), truth, rtol=0.03)


@pytest.mark.slow
def test_a_point_estimate_loses_the_hidden_precisions_where_samples_keep_them():
    """Prevents precision learning at the mode from passing for learning at all.

    Both begin at the truth.  Where signal exceeds noise several times over the mode
    settles at a wrong precision instead of none, so the weights are moderate here.
    """
    truth = (4.0, 2.0, 1.0)
    start, data = sampled_case(truth, 200, start=truth, scale=0.3)
    point = precisions_by_step(start, data, POINT, steps=30)
    samples = precisions_by_step(start, data, SAMPLES, steps=30)
    # 4.3, 5.1, 6.4, ..., 2e10 after eleven steps, and soon no number at all.
    assert np.all(np.diff(point[:11, 1]) > 0) and point[10, 1] > 1e6
    np.testing.assert_allclose(samples[10:].mean(axis=0), truth, rtol=0.1)


def reference_case(num_examples):
    """x ~ N(0, 1), y = 1.5 x + noise of variance 0.5; the network begins at variance 1."""
    truth = pcmodel.linear_gaussian([np.array([[1.5]])], [2.0, 1.0])
    data = pcmodel.sample(truth, jax.random.key(3), num_examples)[0]
    return pcmodel.linear_gaussian([np.array([[1.5]])], [1.0, 1.0]), data


def test_em_recovers_the_noise_of_the_scalar_reference():
    """Prevents the posterior-variance term from being weighted wrongly.

    The maximum of the likelihood is known: mean y^2 - 1.5^2. N = 20,000; the
    tolerance is three standard deviations of what the draws leave after averaging.
    """
    start, data = reference_case(20_000)
    found = precisions_by_step(
        start, data, SAMPLES, steps=110, over_relaxation=3.0, frozen=(1,)
    )
    best = np.mean(np.asarray(data) ** 2) - 1.5**2
    np.testing.assert_allclose(np.mean(1 / found[30:, 0]), best, rtol=0.05)
    np.testing.assert_array_equal(found[:, 1], 1.0)


def test_without_the_posterior_variance_the_scalar_reference_collapses():
    """Prevents a network that ignores its own uncertainty from looking well calibrated.

    Closed form of the collapse: v becomes mean y^2 * (v / (1.5^2 + v))^2.
    """
    start, data = reference_case(500)
    found = precisions_by_step(start, data, POINT, steps=4, frozen=(1,))[:, 0]
    expected, variance = [], 1.0
    for _ in range(4):
        variance = np.mean(np.asarray(data) ** 2) * (variance / (2.25 + variance)) ** 2
        expected.append(1 / variance)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found[-1] > 1e6


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unit", "full"])
def test_the_m_step_is_the_inverse_of_residual_plus_posterior_second_moment(kind):
    """Prevents unit variances, or covariances between units, from being pooled away.

    The oracle's exact posterior of each example; 1 % of sampling noise is left.
    """
    rng = np.random.default_rng(5)
    widths, count = (3, 2, 2), 40
    hierarchy = random_hierarchy(rng, widths, (kind,) * 3)
    data = rng.normal(size=(count, 3))
    pure = as_model(network_of(hierarchy))
    structure = pose(pure, data).problem.structure
    learning = Learning(
        optax.set_to_zero(),
        precision_step=MovingAverage(1.0),
        e_step=PosteriorSamples(1000, ONE_STEP),
    )
    state = init_learning(
        pure.weights, pure.log_precisions, learning, structure=structure
    )
    step = jax.jit(partial(em_step, structure=structure, learning=learning))
    empty = jnp.zeros((count, 0))
    moved, _ = step(state, (jnp.asarray(data), empty, empty), jax.random.key(0))
    to_errors, constant = errors_of(hierarchy)
    second = np.zeros((7, 7))
    for example in data:
        exact = exact_posterior(hierarchy, [KnownUnits(0, np.arange(3), example)])
        mean = to_errors @ exact.mean - constant
        second += np.outer(mean, mean) + to_errors @ exact.covariance @ to_errors.T
    for level, width in enumerate(widths):
        units = hierarchy.units(level)
        moment = second[np.ix_(units, units)] / count
        expected = np.linalg.inv(moment) if kind == "full" else 1 / np.diag(moment)
        own = factor(moved.log_precisions[level], jnp.ones(()), width)
        tolerance = 0.03 * np.abs(expected).max()
        np.testing.assert_allclose(
            precision_matrix(own), as_matrix(expected, width), atol=tolerance
        )


def errors_of(hierarchy):
    """The matrix and constant with errors = matrix @ latents - constant."""
    matrix = np.eye(hierarchy.offsets()[-1])
    for level, weight in enumerate(hierarchy.weights):
        matrix[np.ix_(hierarchy.units(level), hierarchy.units(level + 1))] = -weight
    return matrix, np.concatenate([*hierarchy.biases, hierarchy.prior_mean])


@pytest.mark.parametrize("kind", ["scalar", "unit", "full"])
def test_a_moving_average_of_variances_has_the_same_fixed_point(kind):
    """Prevents the rate from biasing the precision, as averaging log-precisions would."""
    rng = np.random.default_rng(2)
    errors = rng.normal(size=(50, 2, 3)) @ rng.normal(size=(3, 3))
    shape = {"scalar": (), "unit": (3,), "full": (3, 3)}[kind]
    at_once = move_precision(jnp.zeros(shape), jnp.asarray(errors), rate=1.0)
    unmoved = move_precision(at_once, jnp.asarray(errors), rate=0.05)
    np.testing.assert_allclose(unmoved, at_once, rtol=1e-9, atol=1e-12)
    half = move_precision(jnp.zeros(shape), jnp.asarray(errors), rate=0.5)

    def covariance(log_precision):
        matrix = precision_matrix(factor(log_precision, jnp.ones(()), 3))
        return np.linalg.inv(matrix)

    expected = 0.5 * np.eye(3) + 0.5 * covariance(at_once)
    np.testing.assert_allclose(covariance(half), expected, rtol=1e-9, atol=1e-12)
