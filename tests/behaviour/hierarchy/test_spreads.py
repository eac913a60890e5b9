"""The standard normal of a spread: the half-normal's quantile, exact in both tails."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, special, stats

from pcmodel.behaviour.hierarchy.priors.spreads import log_slope, log_spread, normal_of

PLACES = np.array(
    [-30.0, -12.0, -5.001, -4.999, -3.0, -1e-9, 0.0, 1e-9, 0.3, 2.0, 9.0, 35.0]
)


def by_root(normal: float) -> float:
    """Log of the spread whose half-normal probability is the normal one, by bracketing."""
    if normal > 0.0:

        def above(spread):
            tail = np.log(2.0) + stats.norm.logsf(spread)
            return tail - stats.norm.logsf(normal)

        return float(np.log(optimize.brentq(above, 1e-6, 50.0, xtol=1e-15)))

    def below(log):
        inside = np.log(special.erf(np.exp(log) / np.sqrt(2.0)))
        return inside - stats.norm.logcdf(normal)

    return float(optimize.brentq(below, -700.0, 1.0, xtol=1e-14))


def test_it_is_the_quantile_of_the_half_normal():
    with jax.enable_x64(True):
        found = np.asarray(log_spread(jnp.asarray(PLACES)))
    expected = [by_root(float(place)) for place in PLACES]
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


def test_single_precision_has_the_same_numbers():
    places = PLACES[PLACES < 12.0]  # right of them single precision has no tail
    with jax.enable_x64(False):
        found = np.asarray(log_spread(jnp.asarray(places, jnp.float32)))
        slope = jax.vmap(jax.grad(log_spread))(jnp.asarray(places, jnp.float32))
    expected = [by_root(float(place)) for place in places]
    np.testing.assert_allclose(found, expected, rtol=3e-5, atol=3e-6)
    assert np.isfinite(slope).all() and (np.asarray(slope) > 0.0).all()


def tail(place: float) -> float:
    """Of the normal's upper tail what its leading exponential leaves."""
    return float(special.erfcx(place / np.sqrt(2.0)))


def off(wide: float, place: float) -> float:
    """Zero where the spread is that much wider than its normal."""
    rest = np.log(tail(place + wide)) - np.log(tail(place))
    return float(np.log(2.0) - wide * (place + 0.5 * wide) + rest)


@pytest.mark.parametrize("is_double", [True, False])
def test_far_to_the_right_it_stays_the_quantile(is_double):
    """Prevents wide tails of a prior from being cut off where a probability has no digits left."""
    places = [9.999, 10.001, 12.5, 37.0, 300.0, 1e4, 1e8]
    with jax.enable_x64(is_double):
        at = jnp.asarray(places)
        found = np.asarray(jnp.exp(log_spread(at)))
        slope = np.asarray(jax.vmap(jax.grad(log_spread))(at)) * found
        bend = np.asarray(jax.vmap(jax.grad(lambda z: log_slope(z, log_spread(z))))(at))
    for place, spread, rise in zip(places, found, slope, strict=True):
        gap = np.sqrt(place**2 + 2 * np.log(2.0)) - place
        wide = optimize.brentq(off, 0.2 * gap, 2.0 * gap, args=(place,), xtol=1e-18)
        assert spread == pytest.approx(place + wide, rel=1e-12 if is_double else 2e-6)
        ratio = tail(place + wide) / tail(place)
        assert rise == pytest.approx(ratio, rel=1e-10 if is_double else 1e-5)
    assert np.isfinite(bend).all()


def test_slope_and_volume_are_those_of_differences():
    """A wrong Jacobian samples another posterior and looks well doing it."""
    with jax.enable_x64(True):
        at = jnp.asarray(PLACES)
        slope = jax.vmap(jax.grad(log_spread))(at)
        steps = (log_spread(at + 1e-6) - log_spread(at - 1e-6)) / 2e-6
        volume = log_slope(at, log_spread(at))
    np.testing.assert_allclose(slope, steps, rtol=1e-7)
    np.testing.assert_allclose(np.exp(volume), steps, rtol=1e-7)


def test_the_half_normal_prior_becomes_normal():
    with jax.enable_x64(True):
        at = jnp.asarray(PLACES[(np.abs(PLACES) < 20)])
        found = log_spread(at)
        prior = stats.halfnorm.logpdf(np.exp(found)) + np.asarray(found)
        density = prior + np.asarray(log_slope(at, found))
    np.testing.assert_allclose(density, stats.norm.logpdf(at), rtol=1e-9)


@pytest.mark.parametrize("spread", [1e-8, 1e-3, 0.5, 0.6744897501960817, 1.0, 8.0])
def test_the_inverse_returns(spread):
    with jax.enable_x64(True):
        back = float(jnp.exp(log_spread(normal_of(jnp.asarray(spread)))))
    assert back == pytest.approx(spread, rel=1e-9)
