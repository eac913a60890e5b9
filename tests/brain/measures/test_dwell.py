"""Stays below a threshold: against quadrature of the bivariate normal, a Markov chain, and samples."""

import itertools

import numpy as np
import pytest
from scipy import integrate, stats

from pcmodel import UserError
from pcmodel.brain.measures import gaussian_dwell, series_dwell


def leaving_by_quadrature(standard, r):
    """P(X < a, Y > a) as the integral of phi(x) P(Y > a | x), by scipy."""
    width = np.sqrt((1 - r) * (1 + r))

    def density(x):
        return stats.norm.pdf(x) * stats.norm.sf((standard - r * x) / width)

    near = max(20 * width, 1e-3)
    edges = [standard - 40, standard - near, standard - near / 20, standard]
    pieces = [
        integrate.quad(density, a, b, epsabs=0, epsrel=1e-11, limit=400)[0]
        for a, b in itertools.pairwise(edges)
    ]
    return sum(pieces)


@pytest.mark.parametrize("standard", [-6.0, -1.3, 0.0, 0.7, 2.5, 6.0])
@pytest.mark.parametrize("r", [-0.9, 0.0, 0.3, 0.99, 1 - 1e-6])
def test_a_stay_is_the_share_over_the_rate_of_leaving(standard, r):
    variance, step = 3.0, 0.1
    mean = 0.5 - standard * np.sqrt(variance)
    found = gaussian_dwell(mean, variance, r * variance, step=step, threshold=0.5)
    assert found.share == pytest.approx(stats.norm.cdf(standard), rel=1e-9)
    expected = step * stats.norm.cdf(standard) / leaving_by_quadrature(standard, r)
    assert found.stay == pytest.approx(expected, rel=1e-6)
    assert found.log_stay == pytest.approx(np.log(expected), abs=1e-6)


def test_independent_looks_stay_geometrically():
    """Mean stay 1 / P(out), in steps."""
    for standard in (-2.0, 0.0, 1.0, 5.0):
        found = gaussian_dwell(-standard, 1.0, 0.0, step=2.0)
        assert found.stay == pytest.approx(2.0 / stats.norm.sf(standard), rel=1e-9)


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1e4, 1e8])
def test_units_do_not_matter(scale):
    one = gaussian_dwell(-0.4, 1.0, 0.8, step=0.1)
    other = gaussian_dwell(-0.4 * scale, scale**2, 0.8 * scale**2, step=0.1)
    assert other.stay == pytest.approx(one.stay, rel=1e-9)
    assert other.share == pytest.approx(one.share, rel=1e-9)


def test_a_long_series_agrees_within_monte_carlo_error():
    """An autoregressive process; twelve runs give the error of the mean."""
    rng, phi, number = np.random.default_rng(3), 0.9, 40_000
    found = []
    for _ in range(12):
        noise = rng.standard_normal(number) * np.sqrt(1 - phi**2)
        values = np.empty(number)
        last = rng.standard_normal()
        for place in range(number):
            last = phi * last + noise[place]
            values[place] = last
        found.append(series_dwell(values - 0.5, step=0.1).stay)
    expected = gaussian_dwell(-0.5, 1.0, phi, step=0.1).stay
    error = np.std(found, ddof=1) / np.sqrt(12)
    assert abs(np.mean(found) - expected) < 4 * error
    assert error < 0.03 * expected


def test_a_series_by_hand():
    found = series_dwell([-1.0, -1, 1, -1, 1, 1], step=2.0)
    assert found.share == 0.5 and found.stay == pytest.approx(2.0 * 3 / 2)
    assert series_dwell([-1.0, -2.0], step=1.0).stay == np.inf
    never = series_dwell([1.0, 2.0], step=1.0)
    assert np.isnan(never.stay) and "never" in never.undefined


def test_limits():
    assert gaussian_dwell(-100.0, 1.0, 0.5, step=1.0).stay == np.inf
    never = gaussian_dwell(100.0, 1.0, 0.5, step=1.0)
    assert never.share == 0 and "never" in never.undefined
    frozen = gaussian_dwell(-1.0, 1.0, 1.0, step=1.0)
    assert frozen.stay == np.inf
    seesaw = gaussian_dwell(0.0, 1.0, -1.0, step=1.0)
    assert seesaw.stay == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gaussian_dwell(0.0, 0.0, 0.0, step=1.0), "variance"),
        (lambda: gaussian_dwell(0.0, 1.0, 1.1, step=1.0), "lagged"),
        (lambda: gaussian_dwell(np.nan, 1.0, 0.1, step=1.0), "mean"),
        (lambda: gaussian_dwell(0.0, 1.0, 0.1, step=0.0), "step"),
        (lambda: series_dwell([[0.0, 1.0]], step=1.0), "series"),
        (lambda: series_dwell([0.0], step=1.0), "series"),
        (lambda: series_dwell([0.0, np.nan], step=1.0), "series"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(call, words):
    with pytest.raises(UserError, match=words):
        call()
