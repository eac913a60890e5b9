"""Codes of missing values are asked for, or named by the user for one column or all."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Reading
from tests.behaviour.dataset.small_tables import (
    complaint,
    load,
    options,
    table,
    trials,
)

nan = np.nan


@pytest.mark.parametrize("code", ["999", "9999", "-9", "-1", "99", "9"])
def test_codes_of_missing_confidence_are_asked_for(code, tmp_path):
    text = trials("confidence", ["1", "4", code, "3", "2"])
    said = complaint(tmp_path, text, judged=("confidence",))
    assert f"column 'confidence', row 4 {code!r}" in said and "--missing" in said
    reading = Reading(missing=(code,))
    series = load(tmp_path, text, judged=("confidence",), reading=reading)
    np.testing.assert_array_equal(series.values["confidence"], [[1, 4, nan, 3, 2]])
    (_, named), (_, advice) = options(said)
    assert named == f"confidence={code}"
    kept = Reading(missing=(advice,))
    series = load(tmp_path, text, judged=("confidence",), reading=kept)
    assert series.values["confidence"][0, 2] == float(code)


TWO = trials("confidence", ["1", "4", "999", "3", "2"])


TWO = TWO.replace("confidence\n", "confidence,rt\n")


TWO = "\n".join(
    line + (f",{t}" if i else "")
    for i, (line, t) in enumerate(
        zip(TWO.split("\n"), ("", ".5", ".6", "999", ".7", "0"), strict=False)
    )
)


BOTH = ("confidence", "reaction_time")


@pytest.mark.parametrize(
    ("missing", "part"),
    [
        (("confidence=999",), "column 'rt', row 4 '999': looks like a code"),
        (("rt=999", "rt=0"), "column 'confidence', row 4 '999': looks like a code"),
        (("rt=n/a", "rt=0"), "column 'confidence', row 4 '999': looks like a code"),
        (("999",), "column 'rt', row 6 '0': is no time"),
        (("9999",), "'9999', which does not occur in any column that is read"),
        (("rt=998",), "'998', which does not occur in column 'rt'"),
        (("rtt=999",), "no column is called 'rtt', did you mean 'rt'"),
        (("trial=3",), "'trial', whose values are not read or must be known"),
        (("n/a",), "'n/a', which is a missing value anyhow"),
        (("=3",), "cannot be read: '=3'"),
        (("rt=",), "cannot be read: 'rt='"),
    ],
)
def test_a_code_settles_nothing_but_itself(missing, part, tmp_path):
    reading = Reading(missing=missing)
    assert part in complaint(tmp_path, TWO, judged=BOTH, reading=reading)


@pytest.mark.parametrize(
    "missing",
    [
        ("999", "rt=0"),
        ("confidence=999", "rt=999", "rt=0"),
        ("confidence=999", "reaction_time=999.0", "reaction_time=0"),
    ],
)
def test_codes_belong_to_one_column_or_to_all(missing, tmp_path):
    reading = Reading(missing=missing)
    values = load(tmp_path, TWO, judged=BOTH, reading=reading).values
    np.testing.assert_array_equal(values["confidence"], [[1, 4, nan, 3, 2]])
    np.testing.assert_allclose(values["reaction_time"], [[0.5, 0.6, nan, 0.7, nan]])
    # Outcomes that are 0 stay: the code is that of times alone.
    assert np.isfinite(values["outcome"]).all()


def test_a_code_may_stand_in_rows_that_are_left_out(tmp_path):
    reading = Reading(missing=("rt=999", "rt=0"), where="trial != 2 and trial != 4")
    values = load(tmp_path, TWO, judged=("reaction_time",), reading=reading).values
    np.testing.assert_allclose(values["reaction_time"], [[0.5, 0.6, 0.7]])


def test_a_missing_code_is_no_arm_and_no_age(tmp_path):
    rows = [f"a,{t},{c},{t % 2}" for t, c in enumerate((1, 2, 3, 4, 5, 2, 9))]
    text = table("subject,trial,choice,outcome", *rows)
    assert "row 8 '9'" in complaint(tmp_path, text, task="bandit")
    series = load(tmp_path, text, task="bandit", reading=Reading(missing=("9",)))
    assert np.nanmax(series.values["choice"]) == 5
    text = trials("age", ["20"] * 2 + ["31"] * 2 + ["999"] * 2, people=3)
    said = complaint(tmp_path, text, covariates=("age",))
    assert "column 'age', row 6 '999', row 7 '999': looks like a code" in said


def test_a_code_of_which_only_one_occurs_is_asked_for(tmp_path):
    text = table("subject,trial,outcome,response", "a,1,0,1", "a,2,1,1")
    assert "column 'response': holds no value but 1" in complaint(tmp_path, text)
    for codes, value in ((("0", "1"), 1.0), (("1", "2"), 0.0)):
        series = load(tmp_path, text, reading=Reading(codes={"response": codes}))
        assert series.values["response"].tolist() == [[value, value]]


@pytest.mark.parametrize("pair", [("0", "999"), ("1", "9"), ("0", "-1"), ("0", "2")])
def test_a_code_for_missing_is_no_response(pair, tmp_path):
    rows = [f"a,{i},{i % 2},{pair[i == 2]}" for i in range(4)]
    text = table("subject,trial,outcome,response", *rows)
    said = complaint(tmp_path, text)
    row = 4 if pair[1] != "2" else 2
    assert f"column 'response', row {row} {pair[row == 4]!r}" in said
    assert "may stand for a missing value" in said
    series = load(tmp_path, text, reading=Reading(codes={"response": pair}))
    assert series.values["response"].tolist() == [[0, 0, 1, 0]]


def test_times_before_the_question_are_no_value_or_no_trial(tmp_path):
    cells = ["0.5", "-0.2", "0.75", "-0.1"]
    text, judged = trials("rt", cells), ("reaction_time",)
    said = complaint(tmp_path, text, judged=judged)
    assert "is no time that a response takes" in said
    (_, missing), (_, where) = options(said)
    reading = Reading(missing=tuple(missing.split(",")))
    series = load(tmp_path, text, judged=judged, reading=reading)
    times = series.values["reaction_time"]
    np.testing.assert_array_equal(times, [[0.5, nan, 0.75, nan]])
    series = load(tmp_path, text, judged=judged, reading=Reading(where=where))
    np.testing.assert_array_equal(series.values["reaction_time"], [[0.5, 0.75]])
