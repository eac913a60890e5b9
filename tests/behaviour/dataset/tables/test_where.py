"""Rows are chosen by an expression, and slips in it are said."""

import pytest

from pcmodel.behaviour.dataset import Reading
from pcmodel.errors import UserError
from tests.behaviour.dataset.small_tables import (
    both,
    complaint,
    follow,
    load,
    options,
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


DRUGS = table(
    "participant,trial,outcome,response,Drug Name,RT (ms)",
    *(
        f"a,{t},{t % 2},{t // 2 % 2},{'High Dose' if t < 3 else 'Placebo'},{t}00"
        for t in range(6)
    ),
)


@pytest.mark.parametrize(
    ("where", "mended", "kept"),
    [
        ("Drug Name == Placebo", "`Drug Name` == Placebo", 3),
        ("trial > 0 and Drug  Name != Placebo", None, 2),
        ("Drug Name in (Placebo)", "`Drug Name` in (Placebo)", 3),
        ("RT (ms) > 200", "`RT (ms)` > 200", 3),
        ("`Drug Name` == High Dose", '`Drug Name` == "High Dose"', 3),
        ("`Drug Name` in (Placebo, High Dose)", None, 6),
        ("Drug Name == High Dose", "`Drug Name` == High Dose", 3),
    ],
)
def test_names_and_values_of_several_words_say_how_they_are_written(
    where, mended, kept, tmp_path, capsys
):
    said = both(tmp_path, capsys, DRUGS, "--where", where)
    assert mended is None or mended in said
    for _ in range(2):
        marked = options(said)[0][1]
        try:
            series, _ = follow(tmp_path, capsys, DRUGS, "--where", marked)
        except UserError as error:  # its value lacks marks as well
            said = str(error)
        else:
            break
    assert series.present.sum() == kept


def test_a_name_like_one_of_several_words_is_shown_as_it_is_written(tmp_path):
    said = complaint(tmp_path, DRUGS, reading=Reading(where="drug_name == Placebo"))
    assert "did you mean '`Drug Name`'" in said
