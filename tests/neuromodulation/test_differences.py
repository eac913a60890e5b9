"""Divided differences of exponentials against the matrix exponential (Opitz), and routes at their edges."""

from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from pcmodel.neuromodulation import Bolus, Infusion, Oral
from pcmodel.neuromodulation.pharmacology.kinetics import (
    Kinetics,
    difference_2,
    difference_3,
)

SPREADS = np.asarray([0, 1e-7, 9e-5, 1.2e-4, 1e-3, 0.01, 0.029, 0.035, 0.055, 0.3, 4])


def by_matrix(time, *rates):
    """The corner of exp(t A), A with the rates on its diagonal and ones beside it."""
    chain = np.diag(-np.asarray(rates)) + np.diag(np.ones(len(rates) - 1), 1)
    return expm(time * chain)[0, -1]


@pytest.mark.parametrize("time", [0.4, 2.7])
def test_differences_over_two_rates_are_exact_however_near_they_are(time):
    low = np.full(len(SPREADS), 0.6)
    high = low + SPREADS / time
    exact = [by_matrix(time, *pair) for pair in zip(low, high, strict=True)]
    at = jnp.full(len(SPREADS), time)
    for pair in ((low, high), (high, low)):
        found = difference_2(at, *map(jnp.asarray, pair))
        np.testing.assert_allclose(found, exact, rtol=1e-11)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("middle", [0.0, 1 / 3, 1.0])
def test_differences_over_three_rates_join_their_series(order, middle):
    """The series ends where it errs by 3e-8; two rates may be one."""
    time = 5.0
    rates = 0.3 + np.outer([0.0, middle, 1.0], SPREADS / time)
    exact = [by_matrix(time, *three) for three in rates.T]
    at = jnp.full(len(SPREADS), time)
    found = difference_3(at, *map(jnp.asarray, rates[list(order)]))
    np.testing.assert_allclose(found, exact, rtol=8e-8)


def kinetics(effect_site):
    values = (0.25, 1.9, 0.4, 70.0, effect_site, 0.6)
    return Kinetics(*map(jnp.asarray, values))


@pytest.mark.parametrize("route", [Oral(), Bolus(), Infusion(0.8)], ids=str)
def test_an_effect_site_of_infinite_rate_is_plasma_to_the_bit(route):
    """And the limit of fast ones; its derivatives are numbers."""
    times = jnp.asarray([-0.5, 0.0, 0.3, 0.9, 3.0])

    @jax.jit
    def total(one):
        plasma, site = route.per_mg(one, times)
        return jnp.sum(site), (plasma, site)

    slopes, (plasma, site) = jax.grad(total, has_aux=True)(kinetics(np.inf))
    np.testing.assert_array_equal(plasma, site)
    _, (_, near) = total(kinetics(1e7))
    np.testing.assert_allclose(near[2:], plasma[2:], rtol=1e-5)
    assert all(np.isfinite(slope) for slope in slopes)


def test_injections_are_there_at_once_in_the_volume_they_are_diluted_in():
    """A share of 0.6 arrives when swallowed, so the apparent volume of 70 L is one of 42 L."""
    times = jnp.asarray([-1e-9, 0.0, 0.5, 2.0])
    plasma, site = Bolus().per_mg(kinetics(1.5), times)
    expected = 1000 / 42 * np.exp(-0.4 * np.asarray(times)[1:])
    np.testing.assert_allclose(plasma, [0.0, *expected], rtol=1e-12)
    assert np.all(np.asarray(site)[:2] == 0) and site[2] > 0
    plasma, _ = Infusion(0.5).per_mg(kinetics(1.5), times)
    filled = 1000 / 42 / 0.5 * -np.expm1(-0.4 * 0.5) / 0.4
    expected = [0.0, 0.0, filled, filled * np.exp(-0.4 * 1.5)]
    np.testing.assert_allclose(plasma, expected, rtol=1e-12)
