"""Rows that are no trials of their own are refused, whatever software wrote them."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Reading
from tests.behaviour.dataset.tables import advised, complaint, load, table

RESPONSES, OUTCOMES = (0, 1, 0, 1, 1, 0, 0, 1), (0, 0, 1, 1, 0, 0, 1, 1)


def phases(choice, feedback, number="{trial}"):
    """A row for the choice and one for the feedback of each trial."""
    rows = []
    for trial, (y, u) in enumerate(zip(RESPONSES, OUTCOMES, strict=True)):
        for phase, cells in enumerate((choice, feedback)):
            cell = number.format(trial=trial, row=2 * trial + phase)
            rows.append(f"a,{cell},{cells.format(u=u, y=y)}")
    return table("subject,trial,phase,outcome,response", *rows)


@pytest.mark.parametrize("number", ["{trial}", "{row}", "n/a"])
@pytest.mark.parametrize(
    ("choice", "feedback"),
    [
        ("choice,n/a,{y}", "feedback,{u},n/a"),
        ("choice,n/a,{y}", "feedback,{u},{y}"),
        ("choice,{u},{y}", "feedback,{u},n/a"),
    ],
)
def test_phases_of_one_trial_are_no_two_trials(choice, feedback, number, tmp_path):
    text = phases(choice, feedback, number)
    text = text.replace(",trial,", ",k,") if number == "n/a" else text
    said = complaint(tmp_path, text)
    assert "column 'response', row" in said and "write one row per trial" in said
    assert "stands twice" not in said
    if number == "{row}":  # said to be a trial of its own, it is one
        series = load(tmp_path, text, columns={"trial": "trial"})
        assert series.present.shape == (1, 16)
    else:
        name = {"{trial}": "trial", "n/a": "k"}[number]
        said = complaint(tmp_path, text, columns={"trial": name})
        assert "write one row per trial" in said


@pytest.mark.parametrize("number", ["trial", "k"])
def test_events_that_all_say_the_whole_trial_are_one_trial(number, tmp_path):
    rows = []
    for trial, (y, u) in enumerate(zip(RESPONSES, OUTCOMES, strict=True)):
        rows += [f"a,{trial},{event},{u},{y}" for event in ("cue", "act", "end")]
    text = table(f"subject,{number},event,outcome,response", *rows).replace("cue", "go")
    said = complaint(tmp_path, text)
    assert "column 'event', row 2: has 3 rows for each trial" in said
    assert "stands twice" not in said
    (where,) = advised(said)
    series = load(tmp_path, text, reading=Reading(where=where))
    assert series.values["response"].tolist() == [list(RESPONSES)]
    kept = Reading(where="event in (go, act, end)")
    if number == "k":
        assert load(tmp_path, text, reading=kept).present.sum() == 24


@pytest.mark.parametrize("rest", ["", "a,98,choice,n/a,1"])
def test_feedback_with_a_key_of_its_own_is_no_trial(rest, tmp_path):
    """Whether or not each choice has its feedback."""
    rows = []
    for trial, (y, u) in enumerate(zip(RESPONSES * 2, OUTCOMES * 2, strict=True)):
        rows += [f"a,{2 * trial},choice,{u},{y}", f"a,{2 * trial + 1},feedback,{u},0"]
    rows += [rest] * bool(rest)
    text = table("subject,trialnum,trialcode,outcome,response", *rows)
    said = complaint(tmp_path, text)
    assert "column 'trialcode', row 3: 'feedback' is a phase of trials" in said
    (where,) = advised(said)
    series = load(tmp_path, text, reading=Reading(where=where))
    assert series.values["response"][0, :16].tolist() == list(RESPONSES * 2)
    other = text.replace("feedback", "z")
    if not rest:
        said = complaint(tmp_path, other)
        assert "column 'trialcode', row 2: has 2 rows for each trial" in said
        (where,) = advised(said)
        series = load(tmp_path, other, reading=Reading(where=where))
        assert series.values["response"].tolist() == [list(RESPONSES * 2)]


def test_trials_of_two_types_in_turn_are_trials(tmp_path):
    rows = [f"a,{i},{'AB'[i % 2]},{i // 3 % 2},{i // 5 % 2}" for i in range(40)]
    sound = table("subject,trialnum,trial_type,outcome,response", *rows)
    assert load(tmp_path, sound).present.sum() == 40


def test_trials_without_a_response_or_an_outcome_are_trials(tmp_path):
    rows = [
        f"a,{t},{t % 2 if t % 3 else 'n/a'},{1 if t % 5 else ''}" for t in range(12)
    ]
    text = table("subject,trial,outcome,response", *rows, "a,12,1,0")
    values = load(tmp_path, text).values
    assert np.isnan(values["outcome"]).sum() == 4
    # A test without feedback, after learning with it.
    rows = [f"a,{t},{t % 2 if t < 9 else ''},{t // 2 % 2}" for t in range(18)]
    text = table("subject,trial,outcome,response", *rows)
    assert load(tmp_path, text).present.sum() == 18


def rows_of(names, cells):
    """Rows of one person with these cells beside the outcome and the response."""
    rows = [f"a,{cell},{i % 2},{i // 2 % 2}" for i, cell in enumerate(cells)]
    return table(f"subject,{names},outcome,response", *rows)


@pytest.mark.parametrize(
    ("column", "first", "later"),
    [
        ("practice_trial", ("1", "1"), "0"),
        ("Is-Practice Trial", ("yes", "yes"), "no"),
        ("Procedure[Trial]", ("PracProc", "PracProc"), "TrialProc"),
        ("Running", ("prac", "prac"), "main"),
        ("Running[Block]", ("BlockPracticeTrials",) * 2, "Block1"),
        ("Anything", ("PracticeTrials",) * 2, "Trials"),
        ("test_part", ("instr", "instr"), "test"),
        ("display", ("Practice 1", "Practice 2"), "Trial"),
        ("practice_trials.thisN", ("0", "1"), ""),
        ("PracList.Sample", ("1", "2"), "NULL"),
        ("practice_response", ("f", "j"), ""),
        ("exclude_trial", ("TRUE", "TRUE"), "FALSE"),
        ("exclusion", ("too fast", "too slow"), ""),
        ("rt_outlier", ("1", "1"), "0"),
        ("valid_trial", ("0", "0"), "1"),
        ("include", ("no", "no"), "yes"),
        ("main_trial", ("0", "0"), "1"),
        ("session", ("practice", "practice"), "1"),
        ("PracticeMode", ("On", "On"), "Off"),
        ("state", ("excluded", "excluded"), "kept"),
        ("section", ("attention_check",) * 2, "task"),
    ],
)
def test_practice_and_exclusions_of_other_names_are_asked_about(
    column, first, later, tmp_path
):
    text = rows_of(column, (*first, *[later] * 6))
    said = complaint(tmp_path, text)
    assert f"column {column!r}, row 2 {first[0]!r}" in said and "row 4" not in said
    wheres = advised(said)
    series = load(tmp_path, text, reading=Reading(where=" and ".join(wheres)))
    assert series.present.sum() == 6
    kept = " and ".join(
        where.replace("!=", "~").replace("==", "!=").replace("~", "==")
        for where in wheres[:1]
    )
    assert load(tmp_path, text, reading=Reading(where=kept)).present.sum() >= 1


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("group", ["training"] * 8),
        ("training_hours", ["3"] * 8),
        ("training_group", ["1"] * 8),
        ("phase", ["nonpractice", "post-training"] * 4),
        ("bad_outcome", ["1", "0"] * 4),
        ("practical", ["practical", "other"] * 4),
        ("excluded", ["", "0"] * 4),
        ("good", ["0", "1"] * 4),
        ("reject", ["accept", "reject"] * 4),
        ("drop", ["140", "0"] * 4),
    ],
)
def test_trials_beside_practice_stay_trials(column, cells, tmp_path):
    rows = "".join(f"b,x,{i % 2},{i // 2 % 2}\n" for i in range(2))
    text = rows_of(column, cells) + (rows if column == "group" else "")
    assert load(tmp_path, text).present.sum() == 8 + 2 * (column == "group")


def test_loops_of_which_one_may_be_practice_are_asked_about(tmp_path):
    cells = [*(f"{i},,0" for i in range(2)), *(f",{i},{i // 3}" for i in range(6))]
    text = rows_of("loop1.thisN,trials.thisN,k", cells)
    said = complaint(tmp_path, text)
    assert "column 'loop1.thisN', row 2: counts the trials of another loop" in said
    assert "than 'trials.thisN'" in said
    for where, count in zip(advised(said), (6, 8), strict=True):
        assert load(tmp_path, text, reading=Reading(where=where)).present.sum() == count
    other = text.replace("a,0,,0", "b,0,,0").replace("a,1,,0", "b,1,,0")
    assert load(tmp_path, other).present.sum() == 8  # of other people


def test_a_row_is_named_once_for_being_empty(tmp_path):
    rows = ["fix,a1,n/a,n/a", "go,a2,1,0", "fix,a1,n/a,n/a", "go,a2,0,1"]
    lines = [f"s,{row}" for row in rows]
    text = table("subject,type,screen,outcome,response", *lines)
    said = complaint(tmp_path, text)
    assert said.count("has neither outcome nor response") == 1
