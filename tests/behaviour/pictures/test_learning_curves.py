"""Curves against sums written out, and what they are drawn along."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.pictures.conditions import (
    EVERYBODY,
    Conditions,
    find_conditions,
)
from pcmodel.behaviour.pictures.learning_curves import (
    change_points,
    learning_curves,
    since_change,
)

ALL = Conditions((EVERYBODY,), np.zeros(3, int))


def series_of(values, **covariates):
    shape = next(iter(values.values())).shape
    return Series(
        values,
        np.ones(shape, bool),
        np.arange(shape[0]),
        {k: np.asarray(v) for k, v in covariates.items()},
        {},
    )


def test_bands_are_quantiles_of_means_over_the_same_series_and_trials():
    rng = np.random.default_rng(0)
    observed = rng.integers(0, 2, (3, 90)).astype(float)
    observed[1, 50:] = np.nan
    observed[:, 7] = np.nan
    drawn = rng.integers(0, 2, (30, 3, 90)).astype(float)
    found = learning_curves(series_of({"response": observed}), ALL, observed, drawn)
    assert found.what == "share of responses 1" and found.along == "trial"
    curve = found.curves[0]
    for k, middle in enumerate(curve.place):  # bins of three trials
        trials = [round(middle) - 2, round(middle) - 1, round(middle)]
        cells = [
            (s, t) for s in range(3) for t in trials if np.isfinite(observed[s, t])
        ]
        assert curve.observed[k] == pytest.approx(np.mean([observed[c] for c in cells]))
        means = [np.mean([draw[c] for c in cells]) for draw in drawn]
        wanted = np.quantile(means, (0.05, 0.5, 0.95))
        np.testing.assert_allclose(
            (curve.low[k], curve.middle[k], curve.high[k]), wanted
        )
    assert len(curve.place) == 30


def test_choices_of_many_options_are_told_as_repetitions():
    choice = np.asarray([[1.0, 1.0, 2.0, np.nan, 2.0, 2.0]])
    one = Conditions((EVERYBODY,), np.zeros(1, int))
    observed = choice + 1.0 - 1.0
    found = learning_curves(
        series_of({"choice": choice}), one, observed, observed[None]
    )
    assert "repeat" in found.what
    # The first choice repeats none, nor do those beside a missing one.
    np.testing.assert_array_equal(found.curves[0].place, [2.0, 3.0, 6.0])
    np.testing.assert_array_equal(found.curves[0].observed, [1.0, 0.0, 1.0])
    two = learning_curves(
        series_of({"choice": choice}), one, choice - 1, choice[None] - 1
    )
    assert two.what == "share of choices of option 2"


def test_trials_around_changes():
    changes = np.zeros((2, 20), bool)
    changes[0, [4, 6]] = True
    found = since_change(changes)
    wanted = [-3, -2, -1, 0, 1, 0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(found[0, 1:12], wanted)
    assert found[0, 0] > 100 and found[0, 17] > 100 and (found[1] > 100).all()
    hidden = np.repeat([100.0, 103.0, 200.0], 5)[None]
    values = {"helicopter": hidden, "noise_sd": np.full((1, 15), 10.0)}
    jumps = change_points(series_of(values))
    assert jumps is not None
    np.testing.assert_array_equal(np.flatnonzero(jumps[0]), [10])  # not the drift of 3
    starts = np.zeros((1, 15))
    starts[0, 10] = 1.0
    assert change_points(series_of({**values, "block_start": starts})) is None
    reports = hidden + np.arange(15.0)
    one = Conditions((EVERYBODY,), np.zeros(1, int))
    found = learning_curves(series_of(values), one, reports, reports[None])
    np.testing.assert_array_equal(found.curves[0].place, np.arange(-3.0, 5.0))
    np.testing.assert_array_equal(found.curves[0].observed, np.arange(7.0, 15.0))


def test_conditions_are_told_by_the_labels_of_the_table():
    series = series_of(
        {"response": np.zeros((4, 2))},
        drug=["placebo", "LSD", "placebo", "LSD"],
        group=["a", "a", "b", "b"],
        age=[20.5, 31.0, 44.0, 18.0],
        dose=[0.0, 100.0, 0.0, 100.0],
        id=["p", "q", "r", "s"],
    )
    both = find_conditions(series, ["omega2 ~ drug * group", "log_beta ~ drug"])
    assert both.words == ("placebo, a", "LSD, a", "placebo, b", "LSD, b")
    np.testing.assert_array_equal(both.place, [0, 1, 2, 3])
    assert find_conditions(series, ["omega2 ~ dose"]).words == ("dose 0", "dose 100")
    assert find_conditions(series, []).words == (EVERYBODY,)
