"""Numbers of the pictures of people, beliefs and chains, from draws that are known."""

import jax
import numpy as np
import pytest

from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models import Parameter
from pcmodel.behaviour.pictures.mixing import NUM_BINS, mixing, rank_counts
from pcmodel.behaviour.pictures.of_a_fit import Pictures, picture_fit
from pcmodel.behaviour.pictures.people import forests
from pcmodel.behaviour.pictures.words import effect_in_words
from pcmodel.behaviour.posterior.diagnostics import Diagnostics
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.cli.pages.fit_figures.sections import draw_pictures, picture_sections
from pcmodel.record.arrays import flatten_arrays, rebuild
from tests.behaviour.gaussian import GaussianModel, make_series

GOOD = Diagnostics(1.0, 900.0, 0, 0.0, 0.9, 2000)
MODEL = GaussianModel(
    (
        Parameter(
            "level", 1.0, 2.0, 1.0, natural="rate3", transform="exp", unit="1 / s"
        ),
        Parameter("held", 0.25, 1.0, free=False),
    )
)


def fitted(num_people, num_series_each=1, chains=2):
    people = np.repeat(np.arange(num_people), num_series_each)
    rng = np.random.default_rng(0)
    series = make_series(rng.normal(size=(len(people), 6)), people=people)
    hierarchy = build_hierarchy(MODEL, series)
    sites = {
        "level": rng.normal(size=(chains, 150, 1)),
        "level_series": rng.normal(size=(chains, 150, len(people))),
    }
    if num_people > 1:
        sites["level_sd"] = rng.gamma(2.0, size=(chains, 150, 1))
    stats = {"diverging": rng.random((chains, 150)) < 0.02}
    return Posterior(hierarchy, sites, stats, GOOD, "NUTS"), series


def test_people_are_averaged_on_the_real_line_and_told_on_the_natural_scale():
    posterior, _ = fitted(3, 2)
    found = forests(posterior)[0]
    assert found.name == "rate, level 3" and found.unit == "1 / s"
    assert found.people == ("1", "2", "3")
    drawn = posterior.sites["level_series"].reshape(-1, 6)
    for i in range(3):
        own = np.exp(drawn[:, 2 * i : 2 * i + 2].mean(axis=1))
        assert found.mean[i] == pytest.approx(own.mean())
        ends = np.quantile(own, (0.025, 0.975))
        np.testing.assert_allclose((found.low[i], found.high[i]), ends)
    assert found.group[0] == pytest.approx(np.exp(drawn.mean(axis=1)).mean())


def test_ranks_are_counted_over_all_chains():
    """A chain that lies above the other has all its draws in the upper half."""
    draws = np.stack([np.arange(100.0), 100.0 + np.arange(100.0)])
    counts = rank_counts(draws)
    half = NUM_BINS // 2
    np.testing.assert_array_equal(counts[0], [10] * half + [0] * half)
    np.testing.assert_array_equal(counts[1], [0] * half + [10] * half)


def test_the_numbers_that_mix_worst_come_first():
    posterior, _ = fitted(4)
    posterior.sites["level_sd"][1] += 50.0
    found = mixing(posterior)
    assert found is not None
    assert found.names == ("level: SD between people", "level: average")
    assert found.rhat[0] > 1.5 > found.rhat[1]
    assert mixing(posterior._replace(diagnostics=None)) is None


@pytest.mark.parametrize("people", [1, 8, 60])
def test_pictures_are_saved_drawn_and_refused(people):
    posterior, series = fitted(people)
    replicated = np.random.default_rng(1).normal(size=(40, people, 6))
    with jax.enable_x64(True):
        found = picture_fit(posterior, series, (), replicated)
    again = rebuild(Pictures, flatten_arrays(found))
    assert again.trajectories[0].title == "1"
    for refused in (False, True):
        drawn = draw_pictures(again, refused=refused)
        shown = [
            panel.figure
            for section in picture_sections(again, refused=refused)
            for panel in section.panels
        ]
        assert sorted(shown) == sorted(drawn)
        # Estimates of people are withheld with those of the group.
        assert ("people" in drawn) == (not refused and people > 1)


@pytest.mark.parametrize(
    ("parameter", "column", "is_spread", "words"),
    [
        ("omega2", "group[patient]", False, "omega2: group patient"),
        ("omega2", "drug[T.LSD]:group[b]", False, "omega2: drug LSD x group b"),
        ("omega2", "drug[LSD]", True, "omega2: drug LSD, SD between people"),
        ("log_report_sd", "Intercept", False, "log report sd: average"),
        ("log_report_sd", "Intercept", True, "log report sd: SD between people"),
        ("log_report_sd", "age", False, "log report sd: age"),
    ],
)
def test_effects_in_words(parameter, column, is_spread, words):
    """A parameter that is itself named as an SD is no spread over people."""
    assert effect_in_words(parameter, column, is_spread=is_spread) == words
