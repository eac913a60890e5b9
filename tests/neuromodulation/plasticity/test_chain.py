"""The chain of stages agrees with its differential equations and with decimals, also where rates coincide."""

from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from plasticity_oracle import chain_by_decimals, chains_by_ode, largest

from pcmodel.neuromodulation.plasticity.chain import (
    falling_at,
    peak,
    peak_time,
    through,
)

content = jax.jit(through)
over = jax.jit(jax.vmap(through, in_axes=(0, None)))
slopes_of = jax.jit(jax.grad(through, argnums=(0, 1)))


def rates_of(kind, number, random):
    """Rates around a size: all equal, nearly equal, two groups of them, or of any size."""
    size = 10 ** random.uniform(-3, 3)
    if kind == "any":
        return size * 10 ** random.uniform(-4, 4, number)
    spread = 0.0 if kind == "equal" else 10 ** random.uniform(-10, 0)
    rates = size * (1 + spread * random.uniform(0, 1, number))
    if kind == "groups":
        rates[random.integers(number)] *= 10 ** random.uniform(-3, 3)
    return rates


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["equal", "near", "groups", "any"])
@pytest.mark.parametrize(("dtype", "digits"), [(np.float64, 1e-13), (np.float32, 2e-5)])
def test_contents_are_exact_whatever_the_rates(number, kind, dtype, digits):
    random = np.random.default_rng(number)
    for _ in range(12):
        rates = rates_of(kind, number, random).astype(dtype)
        time = dtype(10 ** random.uniform(-3, 1.5) / np.exp(np.log(rates).mean()))
        exact = chain_by_decimals(time, rates)
        got = content(jnp.asarray(time), jnp.asarray(rates))
        assert got.dtype == dtype
        # The exponent itself is rounded, by its own size.
        allowed = digits * max(1.0, float((rates * time).min()))
        if exact > 1e-30:
            assert abs(float(got) / exact - 1) < allowed, (rates, time)


def test_contents_solve_the_equations_of_the_stages():
    days, stages = np.linspace(0, 40, 41), (0.05, 0.1, 0.35, 6.7, 60.0)
    common, _ = chains_by_ode(days, [(0.0, 1.0)], stages, {})
    for number in (1, 2, 3, 4, 5):
        got = over(jnp.asarray(days), 1 / jnp.asarray(stages[:number]))
        np.testing.assert_allclose(got, common[number - 1], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_equal_stages_are_a_gamma_density(number):
    time, order = np.linspace(0, 30, 61), number - 1
    got = over(jnp.asarray(time), jnp.full(number, 1.0))
    exact = time**order * np.exp(-time) / factorial(order)
    np.testing.assert_allclose(got, exact, rtol=1e-13, atol=0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("time", [0.0, 1e-8, 1.0, 1e4, 1e8])
@pytest.mark.parametrize("rate", [1e-8, 1.0, 1e8])
def test_contents_are_shares_at_any_time_and_rate(dtype, time, rate):
    """And so are their derivatives finite."""
    rates = jnp.asarray([rate, rate, 2 * rate, 1.0, 0.01], dtype)
    time = jnp.asarray(time, dtype)
    value, slopes = content(time, rates), slopes_of(time, rates)
    assert 0 <= float(value) <= 1
    assert np.isfinite(slopes[0]) and np.all(np.isfinite(slopes[1]))


@pytest.mark.parametrize(
    "rates",
    [
        (20.0, 10.0, 3.0, 0.15),
        (1.0, 1.0, 1.0),
        (3.0, 3.0 + 1e-9, 3.0, 3.0),
        (0.2, 5.0, 0.2, 0.2),
    ],
)
def test_derivatives_are_those_of_finite_differences(rates):
    """In the time and in every rate; past a peak they differ in sign."""
    rates = np.asarray(rates)
    for time in (0.05, 0.7, 8.0):
        slopes = slopes_of(jnp.asarray(time), jnp.asarray(rates))
        step = 1e-5

        def at(dt=0.0, place=0, dk=0.0, time=time):
            moved = rates + dk * np.eye(len(rates))[place]
            return chain_by_decimals(time + dt, moved)

        numeric = (at(dt=step * time) - at(dt=-step * time)) / (2 * step * time)
        np.testing.assert_allclose(slopes[0], numeric, rtol=1e-6, atol=1e-10)
        for place, rate in enumerate(rates):
            dk = step * rate
            numeric = (at(place=place, dk=dk) - at(place=place, dk=-dk)) / (2 * dk)
            np.testing.assert_allclose(slopes[1][place], numeric, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize(
    "days",
    [(0.3,), (0.05, 0.1), (0.05, 0.1, 0.35, 6.7), (1.0, 1.0, 1.0), (9.0, 0.1, 0.1)],
)
def test_the_peak_is_the_largest_content(days):
    got = float(peak(1 / jnp.asarray(days)))
    assert got == pytest.approx(largest(days), rel=1e-7)


def test_the_peak_of_equal_stages_is_at_the_mode_of_a_gamma_density():
    assert float(peak_time(jnp.full(4, 2.0))) == pytest.approx(3 / 2.0, rel=1e-7)


@pytest.mark.parametrize("time", [0.5, 3.7, 17.0, 400.0])
def test_a_closing_time_constant_does_what_it_says(time):
    onset = jnp.asarray([0.02, 0.02, 0.08])
    days = falling_at(onset, jnp.asarray(time))
    rates = 1 / jnp.append(onset, days)
    left = content(jnp.asarray(time), rates) / peak(rates)
    assert float(left) == pytest.approx(0.1, rel=1e-9)
    assert float(peak_time(rates)) < time


def test_no_closing_is_fast_enough_for_a_slow_onset():
    assert np.isnan(falling_at(jnp.asarray([0.02, 0.02, 5.0]), jnp.asarray(3.7)))
