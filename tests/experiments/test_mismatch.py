"""What the mismatch experiment reads of roving sequences, and when a verdict holds."""

import numpy as np
import pytest

from experiments.mismatch.claims import (
    Changes,
    all_three,
    lsd_blunts,
    psilocybin_is_mild,
)
from experiments.mismatch.simulate import (
    fall_in_trains,
    run_lengths,
    slope_of_changes,
)
from pcmodel.paradigms.oddball import Mismatch

TONES = np.array([0] * 9 + [1] + [2] * 3 + [0] * 6 + [1] * 2)


def test_runs_are_counted_from_one():
    expected = [*range(1, 10), 1, 1, 2, 3, 1, 2, 3, 4, 5, 6, 1, 2]
    np.testing.assert_array_equal(run_lengths(TONES), expected)


def test_the_slope_is_that_of_a_regression_on_the_train_before():
    size = np.zeros((2, len(TONES)))
    places, before = [9, 10, 13, 19], np.log([9, 1, 3, 6])
    size[0, places], size[1, places] = 1 + 2 * before, 5.0
    found = slope_of_changes(TONES, size)
    np.testing.assert_allclose(found, [2.0, 0.0], atol=1e-12)


def test_the_fall_is_from_first_to_late():
    size = np.ones((1, len(TONES)))
    size[:, run_lengths(TONES) == 6] = 0.25
    np.testing.assert_allclose(fall_in_trains(TONES, size), [0.75])
    assert np.isnan(fall_in_trains(TONES[:3], size[:, :3])).all()


@pytest.mark.parametrize(
    ("found", "mild", "blunts"),
    [
        (Changes(-0.6, -0.2, -0.2, -0.1), True, True),
        (Changes(-0.6, 0.5, -0.2, -0.1), False, True),
        (Changes(-0.01, 0.0, -0.2, 0.1), False, False),
        (Changes(-0.6, -0.2, 0.1, -0.4), True, False),
    ],
)
def test_verdicts_hold_where_they_say(found, mild, blunts):
    assert psilocybin_is_mild(found) == mild and lsd_blunts(found) == blunts
    assert all_three(found) == (mild and blunts)


def test_measures_are_read_of_stored_arrays_too():
    """Results of an experiment are numpy's."""
    lengths = np.array([[1.0, 3.0], [2.0, 5.0]])
    found = Mismatch(*(lengths,) * 5, lengths[..., None], np.zeros(1))  # pyright: ignore
    np.testing.assert_array_equal(found.growth, [2, 3])
    np.testing.assert_array_equal(found.growth_of_highest, [2, 3])
    np.testing.assert_array_equal(found.adaptation, [-2, -1.5])
