"""Outcomes and arms as they are given, and as a filter sees them."""

import numpy as np
import pytest

from pcmodel.behaviour.perception import make_inputs
from pcmodel.errors import UserError


def test_missing_outcomes_are_masked_and_keep_their_arm():
    """By NaN or by a mask, on any leading axes; without arms there is one."""
    outcome = np.ma.masked_array([[1.0, np.nan, 0.25], [0.0, 1.0, 3.0]], mask=False)
    outcome[1, 1] = np.ma.masked
    found = make_inputs(outcome, arm=[[2, 1, 0], [0, 3, 1]])
    np.testing.assert_array_equal(found.outcome, [[1.0, 0.0, 0.25], [0.0, 0.0, 3.0]])
    seen = [[True, False, True], [True, False, True]]
    np.testing.assert_array_equal(found.seen, seen)
    np.testing.assert_array_equal(found.arm, [[2, 1, 0], [0, 3, 1]])
    assert np.issubdtype(found.arm.dtype, np.integer)
    np.testing.assert_array_equal(make_inputs([1.0, 0.0]).arm, [0, 0])
    np.testing.assert_array_equal(make_inputs([1, 0]).seen, [True, True])


@pytest.mark.parametrize(
    ("outcome", "arm", "said"),
    [
        ([1.0, np.inf], None, "outcome: is infinite"),
        ([1.0, -np.inf], None, "outcome: is infinite"),
        ([1.0, 0.0], [0, -1], "arm: .*from -1 to 0"),
        ([1.0, 0.0], [0.5, 1], r"arm: .*from 0\.5 to 1"),
        ([1.0, 0.0], [[0, 1]], r"arm: has shape \(1, 2\)"),
        ([1.0, 0.0], [], r"arm: has shape \(0,\)"),
        ([1.0, 0.0], [0, np.nan], "arm"),
    ],
)
def test_outcomes_and_arms_that_are_none_are_refused(outcome, arm, said):
    with pytest.raises(UserError, match=said):
        make_inputs(outcome, arm=arm)
