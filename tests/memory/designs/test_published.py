"""The table of reference outputs, from a program independent of this one: every row's design gives its number.

V within 0.002 is asked for; most rows agree to the digits that are told.
"""

from functools import cache

import numpy as np
import pytest

from pcmodel.memory import CauseOptions, CauseParameters, learn_causes
from pcmodel.memory.designs.published import (
    amnestic,
    cue_specificity,
    extinction_only,
    reinstatement,
    renewal,
    retrieval_extinction,
)

ROOM = CauseOptions(num_causes=25)


@cache
def run(make, parameters=(), options=None, **given):
    """V and response at the test, causes, and the acquisition cause's weight at the end of extinction."""
    design = make(**given)
    history = learn_causes(
        design.trials,
        CauseParameters()._replace(**dict(parameters)),
        options=options or CauseOptions(),
    )
    assert not history.truncated and not history.diverged
    test = design.index("test")[0]
    return (
        float(history.prediction[test]),
        float(history.response[test]),
        float(history.num_causes),
        float(history.weights[test - 1, -1, 0, 0]),
    )


TABLE = [
    (extinction_only, {}, 0.991, 0.0438),
    (retrieval_extinction, {"interval": 3}, 0.067, 0.0050),
    (retrieval_extinction, {"interval": 100}, 0.847, 0.0303),
    (reinstatement, {}, 0.035, 0.0019),
    (reinstatement, {"extinguished_before": 3}, 0.750, 0.0267),
    (retrieval_extinction, {"age": 29 * 20}, 0.408, 0.0177),
    (renewal, {"context": "A*"}, 0.214, 0.012),
    (renewal, {"context": "B"}, 1.000, 0.466),
    (amnestic, {}, 0.647, 0.0238),
    (amnestic, {"amnesia": 0.0}, 1.000, 0.0821),
    (amnestic, {"exposures": 3}, 0.9987, 0.0501),
    (amnestic, {"exposures": 3, "amnesia": 0.0}, 0.9994, 0.0526),
    (amnestic, {"age": 40}, 0.927, 0.0345),
    (amnestic, {"acquisition": 2}, 0.893, 0.0324),
    (amnestic, {"us": 1.0}, 1.000, 0.0633),
]


@pytest.mark.parametrize(("make", "given", "response", "value"), TABLE)
def test_the_rows_of_the_table(make, given, response, value):
    found = run(make, **given)
    np.testing.assert_allclose(found[0], value, atol=6e-4 if value < 0.1 else 2e-3)
    np.testing.assert_allclose(found[1], response, atol=6e-4)


def test_a_reminder_is_specific_to_its_cue():
    """V within 0.002 of the reference; its responses, at a threshold of 0.0016, are met in order alone."""
    threshold = (("response_threshold", 0.0016), ("response_scale", 0.00008))
    reminded, other, safe = (
        run(cue_specificity, threshold, tested=cue)
        for cue in ("reminded", "not reminded", "safe")
    )
    for found, value in ((reminded, 0.00147), (other, 0.00156), (safe, 0.0)):
        np.testing.assert_allclose(found[0], value, atol=0.002)
    assert reminded[1] < 0.1 < other[1] and safe[1] < 1e-3


@pytest.mark.parametrize(
    ("recovery", "value"),
    [
        (1, 0.0147),
        (5, 0.0226),
        (10, 0.0287),
        (20, 0.0362),
        (50, 0.0452),
        (100, 0.0476),
        (200, 0.0438),
        (400, 0.0347),
    ],
)
def test_spontaneous_recovery_rises_and_falls_again(recovery, value):
    found = run(extinction_only, recovery=recovery)
    np.testing.assert_allclose(found[0], value, atol=6e-5)


FRAGILE = [
    ({"concentration": 0.01}, 0.0006, 0.0004),
    ({"concentration": 0.05}, 0.0027, 0.0022),
    ({"concentration": 0.10}, 0.0438, 0.0050),
    ({"concentration": 0.13}, 0.0405, 0.0066),
    ({"concentration": 0.2}, 0.0342, 0.0252),
    ({"concentration": 0.3}, 0.0277, 0.0221),
    ({"outcome_log_precision": -np.log(0.1)}, 0.0569, 0.0534),
    ({"outcome_log_precision": -np.log(0.2)}, 0.0505, 0.0368),
    ({"outcome_log_precision": -np.log(1.6)}, 0.0133, 0.0104),
    ({"learning_rate": 0.1}, 0.0353, 0.0314),
    ({"learning_rate": 0.2}, 0.0108, 0.0088),
    ({"learning_rate": 0.5}, 0.0444, 0.0038),
]


@pytest.mark.parametrize(("changed", "without", "after"), FRAGILE)
def test_where_the_benefit_of_retrieval_lives(changed, without, after):
    changed = tuple(changed.items())
    found = [
        run(make, changed, ROOM) for make in (extinction_only, retrieval_extinction)
    ]
    np.testing.assert_allclose([f[0] for f in found], [without, after], atol=6e-5)


WHY = [
    ({"outcome_log_precision": -np.log(0.2)}, (0.717, 2), (0.529, 2)),
    ({}, (0.621, 2), (0.0005, 1)),
    ({"outcome_log_precision": -np.log(0.6)}, (0.0007, 1), (0.0005, 1)),
    ({"concentration": 0.05}, (0.0006, 1), (0.0004, 1)),
    ({"concentration": 0.2}, (0.658, 3), (0.491, 3)),
]


@pytest.mark.parametrize(("changed", "without", "after"), WHY)
def test_how_many_memories_there_are(changed, without, after):
    """The benefit is that of one memory over two; the acquisition cause's weight shows which survived."""
    changed = tuple(changed.items())
    for make, (weight, causes) in (
        (extinction_only, without),
        (retrieval_extinction, after),
    ):
        found = run(make, changed, ROOM)
        assert found[2] == causes
        np.testing.assert_allclose(found[3], weight, atol=6e-4)
