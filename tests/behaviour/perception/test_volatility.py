"""The four volatility updates against the log posterior they approximate, differentiated by machine.

Up to a constant it is I(y) = -log(a + v(y)) / 2 - b / (a + v(y)) / 2 - precision (y - mean)^2 / 2 with
v(y) = exp(kappa y + omega), a the child's variance before the step and b its variance after it plus the squared error.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.perception import (
    enhanced_pyhgf,
    enhanced_tapas,
    standard,
    unbounded_pyhgf,
)
from pcmodel.behaviour.perception.volatility import Child, GaussianBelief, log_lambert_w

MANY = 300


def cases(spread=1.0):
    """Random levels with random children, nothing of which is 1; the spread is that of their logarithms."""
    rng = np.random.default_rng(8)

    def positive(middle):
        return middle * np.exp(spread * rng.normal(size=MANY))

    mean, omega, kappa = (
        rng.normal(size=MANY),
        -1 + rng.normal(size=MANY),
        positive(0.7),
    )
    before, volatility = positive(0.6), np.exp(kappa * mean + omega)
    child = Child(
        previous_variance=before,
        predicted_precision=1 / (before + volatility),
        variance=positive(0.5),
        error=rng.normal(size=MANY) * positive(1.0),
        omega=omega,
        kappa=kappa,
        volatility=volatility,
    )
    level = GaussianBelief(mean, positive(1.5))
    return jax.tree.map(jnp.asarray, (level, child))


def log_spread(y, child):
    """log(a + v)."""
    return jnp.logaddexp(
        jnp.log(child.previous_variance), child.kappa * y + child.omega
    )


def likelihood(y, child):
    """What the child says of its volatility: I(y) without the level's own prediction."""
    log, squares = log_spread(y, child), child.variance + child.error**2
    return -0.5 * log - 0.5 * squares * jnp.exp(-log)


def posterior(y, level, child):
    return likelihood(y, child) - 0.5 * level.precision * (y - level.mean) ** 2


slope = jax.vmap(jax.grad(likelihood))
bend = jax.vmap(jax.grad(jax.grad(likelihood)))
bend_of_log = jax.vmap(jax.grad(jax.grad(log_spread)))


def assert_gaussians_equal(found, mean, precision, rtol=1e-10):
    np.testing.assert_allclose(found.precision, precision, rtol=rtol)
    np.testing.assert_allclose(found.mean, mean, rtol=rtol, atol=rtol)


def test_the_standard_update_is_a_newton_step_from_the_prediction():
    level, child = cases()
    precision = level.precision - bend(level.mean, child)
    mean = level.mean + slope(level.mean, child) / precision
    assert np.any(precision < 0)  # as published
    assert_gaussians_equal(standard(level, child), mean, precision, 1e-8)


def test_the_step_starts_from_the_volatility_that_was_predicted():
    """With a drift the mean has moved on; the step's variance is that of before."""
    level, child = cases()
    moved = level._replace(mean=level.mean + 0.3)
    away = child._replace(omega=child.omega - 0.3 * child.kappa)  # v as it was
    precision = level.precision - bend(moved.mean, away)
    mean = moved.mean + slope(moved.mean, away) / precision
    assert_gaussians_equal(standard(moved, child), mean, precision, 1e-8)


def test_enhanced_updates_take_the_mean_first():
    """By the level's predicted precision; TAPAS bends there and never down, pyhgf at the prediction."""
    level, child = cases()
    mean = level.mean + slope(level.mean, child) / level.precision
    gained = jnp.maximum(0.0, -bend(mean, child))
    assert 0 < np.sum(gained == 0) < MANY
    assert_gaussians_equal(
        enhanced_tapas(level, child), mean, level.precision + gained, 1e-8
    )
    kept = level.precision - bend(level.mean, child)
    assert_gaussians_equal(enhanced_pyhgf(level, child), mean, kept, 1e-8)


def steep_mode(level, child):
    """The peak where the step's variance dwarfs the other, by bisection of the slope."""
    b = child.variance + child.error**2

    def slope(y):
        inverse = np.exp(-np.clip(child.kappa * y + child.omega, -600.0, 600.0))
        pull = level.precision * (y - level.mean)
        return -0.5 * child.kappa * (1.0 - b * inverse) - pull

    low, high = level.mean - 300.0, level.mean + 300.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (
            np.where(slope(middle) > 0, middle, low),
            np.where(slope(middle) > 0, high, middle),
        )
    return low


@pytest.mark.parametrize("spread", [0.4, 1.2])
def test_the_unbounded_update_mixes_two_expansions_by_their_height(spread):
    """At the prediction, where only the logarithm bends, and at the steep mode, where all does if it bends down."""
    level, child = cases(spread)
    near_precision = level.precision + 0.5 * bend_of_log(level.mean, child)
    near = level.mean + slope(level.mean, child) / near_precision
    at = jnp.asarray(steep_mode(level, child))
    far_precision = level.precision - bend(at, child)
    up = far_precision <= 0
    far_precision = jnp.where(
        up, level.precision + 0.5 * bend_of_log(at, child), far_precision
    )
    pull = level.precision * (at - level.mean)
    far = at + (slope(at, child) - pull) / far_precision
    heights = jnp.stack([posterior(y, level, child) for y in (near, far)])
    weights = jax.nn.softmax(heights, axis=0)
    means, variances = (
        jnp.stack([near, far]),
        1 / jnp.stack([near_precision, far_precision]),
    )
    mean = jnp.sum(weights * means, axis=0)
    variance = jnp.sum(weights * (variances + means**2), axis=0) - mean**2
    assert np.mean((weights[0] > 0.1) & (weights[1] > 0.1)) > 0.2
    assert_gaussians_equal(unbounded_pyhgf(level, child), mean, 1 / variance, 1e-6)


def test_newton_finds_lambert_s_function_to_rounding():
    """w exp(w) = z, for arguments far beyond what has an exponential."""
    log_z = np.concatenate([np.linspace(-40, 40, 801), np.logspace(2, 6, 81)])
    u = np.asarray(log_lambert_w(jnp.asarray(log_z)))
    np.testing.assert_allclose(np.exp(u) + u, log_z, rtol=1e-13, atol=1e-13)
