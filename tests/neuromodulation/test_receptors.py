"""Identities of receptor pharmacology, against the published forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pharmacology import black_leff
from scipy.optimize import brentq

from pcmodel.neuromodulation.pharmacology.receptors import (
    maximum,
    occupancy,
    operational,
    stimulus,
)

CASES = [(2.0, 0.19, 1.0), (0.3, 4.0, 1.0), (7.0, 1.5, 2.0), (1.0, 30.0, 1.4)]


def response(ratios, efficacies, slope=1.0):
    whole = stimulus(jnp.asarray(ratios), jnp.asarray(efficacies))
    return float(operational(whole, jnp.asarray(slope)))


@pytest.mark.parametrize(("k", "tau", "n"), CASES)
def test_one_agonist_follows_black_and_leff(k, tau, n):
    for concentration in (0.01, 1.0, 50.0):
        got = response([concentration / k], [tau], n)
        np.testing.assert_allclose(
            got, black_leff(concentration, k, tau, n), rtol=1e-12
        )


@pytest.mark.parametrize(("k", "tau", "n"), CASES)
def test_maximum_and_potency_are_what_the_curve_shows(k, tau, n):
    """Emax by a huge dose; EC50 = K / ((2 + tau^n)^(1/n) - 1), as bisection of the curve finds it."""
    top = response([1e12], [tau], n)
    np.testing.assert_allclose(
        maximum(jnp.asarray(tau), jnp.asarray(n)), top, rtol=1e-8
    )
    half = brentq(
        lambda c: response([c / k], [tau], n) - top / 2, 1e-9, 1e6, xtol=1e-13
    )
    np.testing.assert_allclose(k / ((2 + tau**n) ** (1 / n) - 1), half, rtol=1e-7)


def test_a_schild_plot_has_slope_one_and_the_right_intercept():
    """Dose ratios read off shifted curves; log(ratio - 1) against log B."""
    k, tau, kb = 2.0, 1.5, 0.7
    level = response([3.0], [tau])

    def agonist_needed(antagonist):
        return brentq(
            lambda c: response([c / k, antagonist / kb], [tau, 0.0]) - level,
            1e-9,
            1e9,
            xtol=1e-12,
        )

    antagonist = np.logspace(-1, 3, 9)
    ratios = np.asarray([agonist_needed(b) for b in antagonist]) / agonist_needed(0.0)
    np.testing.assert_allclose(ratios, 1 + antagonist / kb, rtol=1e-8)
    slope, intercept = np.polyfit(np.log10(antagonist), np.log10(ratios - 1), 1)
    np.testing.assert_allclose(slope, 1, atol=1e-8)
    np.testing.assert_allclose(-intercept, np.log10(kb), atol=1e-8)


def test_an_antagonist_leaves_the_maximum():
    free = response([1e12, 0.0], [1.5, 0.0])
    blocked = response([1e12, 50.0], [1.5, 0.0])
    np.testing.assert_allclose(blocked, free, rtol=1e-8)


def test_a_partial_agonist_lowers_a_full_one_and_raises_none():
    alone = response([9.0, 0.0], [10.0, 0.5])
    together = response([9.0, 30.0], [10.0, 0.5])
    partial = response([0.0, 30.0], [10.0, 0.5])
    assert partial < together < alone


def test_places_are_shared_whatever_the_order():
    ratios = jnp.asarray([0.5, 3.0, 1.2])
    shares = occupancy(ratios)
    np.testing.assert_allclose(jnp.sum(shares), 4.7 / 5.7, rtol=1e-12)
    np.testing.assert_allclose(occupancy(ratios[::-1]), shares[::-1], rtol=1e-12)


def test_no_drug_gives_exactly_nothing_and_the_right_slope():
    assert response([0.0], [2.0]) == 0.0
    slope = jax.grad(
        lambda x: operational(stimulus(x[None], jnp.asarray([2.0])), jnp.asarray(1.0))
    )(jnp.asarray(0.0))
    np.testing.assert_allclose(slope, 2.0, rtol=1e-12)


@pytest.mark.parametrize(("n", "expected"), [(1.0, 1.0), (2.0, 0.0)])
def test_the_response_leaves_zero_with_the_power_it_has(n, expected):
    """Prevents a fit that starts at no drug from a slope that is not there."""
    slope = jax.grad(operational)(jnp.asarray(0.0), jnp.asarray(n))
    np.testing.assert_allclose(slope, expected, atol=1e-12)
