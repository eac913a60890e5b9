"""Rows are chosen by an expression, and slips in it are said."""

import pytest

from pcmodel.behaviour.dataset import Reading
from tests.behaviour.dataset.small_tables import (
    complaint,
    load,
    table,
)

PHASES = table(
    "subject,trial,phase,outcome,response,rt",
    *("a,1,practice,0,0,0.4", "a,2,practice,0,1,0.5", "a,3,cue,n/a,n/a,n/a"),
    *("a,4,test,1,1,0.6", "a,5,test,0,0,0.7", "a,6,late test,1,0,9"),
)


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("phase == test", [1, 0]),
        ("phase in (test, 'late test')", [1, 0, 1]),
        ("phase not in (practice, cue)", [1, 0, 1]),
        ("phase != practice and `phase` != cue and rt < 5", [1, 0]),
        ("(phase == test or phase == 'late test') and trial >= 5.0", [0, 1]),
        ("trial==5 or trial == 6 and rt > 100", [0]),
        ("phase == practice or phase == test", [0, 0, 1, 0]),
    ],
)
def test_rows_are_chosen_by_an_expression(where, kept, tmp_path):
    series = load(tmp_path, PHASES, reading=Reading(where=where))
    assert series.values["outcome"].tolist() == [kept]


@pytest.mark.parametrize(
    ("where", "part"),
    [
        ("", "row 2 'practice', row 3 'practice': is no trial of the task"),
        ("", "row 4 'cue': is no trial"),
        ("phase == tset", "but it holds 'cue', 'late test', 'practice', 'test'"),
        ("phas == test", "did you mean 'phase'"),
        ("phase = test", "cannot be read from"),
        ("phase == test &", "cannot be read from '&' on"),
        ("phase > 3", "is not a number, and --where compares it by size"),
        ("trial > many", "which is no number"),
        ("trial > 9", "keeps no row"),
        ("(trial > 2", "not closed"),
        ("trial >", "ends too early"),
        ("trial of", "where a comparison belongs"),
    ],
)
def test_rows_that_are_no_trials_and_slips_are_refused(where, part, tmp_path):
    assert part in complaint(tmp_path, PHASES, reading=Reading(where=where))
