"""Studies drawn from simulated people: sums, halves, profiles and the best size."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from pcmodel.sessions.planning.outcome import Measure, Outcome
from pcmodel.sessions.planning.rivals import Rivals, profiles_of
from pcmodel.sessions.planning.studies import (
    best_over_sizes,
    best_size,
    finds,
    totals,
)


def test_studies_are_sums_over_the_people_drawn(monkeypatch):
    """Also in pieces: one study at a time."""
    profile = np.random.default_rng(0).standard_normal((2, 3, 3, 2, 5))
    whole = totals(profile, 4, 3000, np.random.default_rng(1))
    assert whole.shape == (3000, 2, 5)
    expected = 4 * profile.mean(axis=(1, 2)).sum(axis=0)
    np.testing.assert_allclose(whole.mean(axis=0), expected, atol=0.2)
    assert (whole <= 4 * profile.max(axis=(1, 2)).sum(axis=0) + 1e-9).all()
    variance = 4 * profile.var(axis=(1, 2)).sum(axis=0)
    np.testing.assert_allclose(whole.var(axis=0), variance, rtol=0.15)
    monkeypatch.setattr("pcmodel.sessions.planning.studies.CHUNK", 1)
    again = totals(profile, 4, 3000, np.random.default_rng(2))
    np.testing.assert_allclose(again.mean(axis=0), whole.mean(axis=0), atol=0.2)


def test_one_person_drawn_alone_is_that_person():
    profile = np.random.default_rng(0).standard_normal((1, 1, 1, 2, 5))
    found = totals(profile, 1, 7, np.random.default_rng(0))
    np.testing.assert_array_equal(found, np.tile(profile[0, 0, 0], (7, 1, 1)))


def drawn_rivals(rng, people=10):
    points = rng.standard_normal((5, 2, people, 3))
    believed = rng.random((5, 2, people))
    own = (points, believed, points + 0.1, believed, points[2] + 0.2, believed[2])
    return Rivals(*own, np.asarray(1.0), np.asarray(2.0))


def test_nobody_is_predicted_from_people_of_the_own_half():
    """Prevents explanations that know the very people whom they are tried on."""
    rivals, measure = drawn_rivals(np.random.default_rng(0)), Measure(1.0, True, 0)
    pool = np.arange(10)
    before = profiles_of(rivals, measure)(pool)
    changed = rivals.effect_points.copy()
    changed[:, :, 4, 1:] += 3.0
    after = profiles_of(rivals._replace(effect_points=changed), measure)(pool)
    # Even people stand first.
    evens = [place for place in range(5) if place != 2]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old[:, evens], new[:, evens])
        assert (old[:, 5:, :, 0] != new[:, 5:, :, 0]).all()
        np.testing.assert_array_equal(old[:, :, :, 1][:, 5:], new[:, :, :, 1][:, 5:])


def test_profiles_are_densities_under_the_other_half():
    rivals, measure = drawn_rivals(np.random.default_rng(1)), Measure(0.5, False, 3)
    pool = np.array([0, 0, 3, 5, 8, 9])  # a bootstrap sample
    own, _ = profiles_of(rivals, measure)(pool)
    values = measure.draw(Outcome(rivals.effect_points[2], rivals.effect_believed[2]))
    errors = 0.25 * np.array([[2.0, 1.0], [1.0, 2.0]])
    for place, person in enumerate([0, 0, 8, 3, 5, 9]):
        other = [p for p in pool if p % 2 != person % 2]
        for account, points in enumerate((rivals.effect_points, rivals.rival_points)):
            gaps = points[1, 1][other, :1] - points[1, 1][other, 1:]
            density = multivariate_normal(gaps.mean(axis=0), np.cov(gaps.T) + errors)
            expected = density.logpdf(values[1, person])
            np.testing.assert_allclose(own[1, place, :, account, 1], expected)


@pytest.mark.parametrize("pool", [[0, 0, 0, 0], [1, 3, 1, 1], [0, 1]])
def test_pools_that_lack_a_half_have_profiles(pool):
    rivals, measure = drawn_rivals(np.random.default_rng(2)), Measure(1.0, True, 0)
    for profile in profiles_of(rivals, measure)(np.array(pool)):
        assert np.isfinite(profile).all()


@pytest.mark.parametrize("peak", [-3.0, 0.0, 0.13, 1.0, 1.99, 2.0, 9.0])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_the_best_of_a_parabola_is_exact_within_the_sizes(peak, scale):
    grid = np.linspace(0.0, 2.0, 9)
    profile = scale * (5.0 - (grid - peak) ** 2)
    inside = np.clip(peak, 0.0, 2.0)
    assert best_size(profile, grid) == pytest.approx(inside, abs=1e-6)
    best = scale * (5.0 - (inside - peak) ** 2)
    assert best_over_sizes(profile[None])[0] == pytest.approx(best, rel=1e-9)


def test_the_best_of_a_flat_or_a_hollow_profile_is_its_largest():
    hollow = np.array([[3.0, 0.0, -1.0, 0.0, 2.0], [1.0] * 5])
    np.testing.assert_array_equal(best_over_sizes(hollow), [3.0, 1.0])


def test_an_effect_is_found_ahead_of_the_rival_and_of_none():
    def total(none, best, rival):
        return np.array([[[none, best, none], [rival, rival, rival]]])

    assert finds(total(0.0, 2.0, 1.0))[0]
    assert not finds(total(0.0, 1.9, 1.0))[0]  # 2 x 1.9 < 3.84
    assert not finds(total(0.0, 3.0, 3.1))[0]
