"""Rows that are no trials of their own are refused, whatever software wrote them."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Reading
from tests.behaviour.dataset.small_tables import (
    advised,
    complaint,
    load,
    options,
    table,
)

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
    where, _ = advised(said)
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


def test_rows_that_are_trials_each_are_said_by_the_column_that_numbers_them(tmp_path):
    text = phases("choice,n/a,{y}", "told,{u},n/a", "{row}")
    said = complaint(tmp_path, text)
    assert options(said)[0] == ("--columns", "trial=trial")
    series = load(tmp_path, text, columns={"trial": "trial"})
    assert series.present.sum() == 2 * len(RESPONSES)
    said = complaint(tmp_path, phases("choice,n/a,{y}", "told,{u},n/a"))
    assert "number them and name that column (--columns trial=COLUMN)" in said
