"""What tables do not say of themselves is asked for, or told by the user."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Reading
from tests.behaviour.dataset.small_tables import (
    advised,
    complaint,
    load,
    table,
    trials,
)

nan = np.nan

LONG = trials("drug", ["a"] * 60 + ["b"] * 60, people=2)


@pytest.mark.parametrize("mark", ["open", "pair"])
def test_stray_quotation_marks_swallow_no_trial(mark, tmp_path):
    lines = LONG.splitlines()
    lines[41] = '"' + lines[41]
    if mark == "pair":
        lines[71] = lines[71] + '"'
    said = complaint(tmp_path, "\n".join(lines))
    assert "data.csv, row 42 '\"p1,40,0,0,a': cannot be read as a table" in said


def test_a_line_is_a_row_whatever_stands_between(tmp_path):
    """Rows are numbered as an editor numbers lines: blank ones and `sep=` count."""
    text = "sep=;\n\nsubject;trial;outcome;response\n\na;1;0;1\na;2;1;0\na;x;1;1\n"
    assert "row 7 'x'" in complaint(tmp_path, text)
    assert load(tmp_path, text.replace("x", "3")).present.sum() == 3


def test_cells_may_hold_the_separator_in_quotation_marks(tmp_path):
    text = table(
        '"subject","trial","outcome","rated, 0 to 1","response"',
        '"Doe, J ""JD""",1,0,x,1',
        '"Doe, J ""JD""",2,1,y,0',
    )
    assert load(tmp_path, text).values["response"].tolist() == [[1, 0]]


def test_a_comma_in_a_bare_header_is_said(tmp_path):
    text = table(
        "subject,trial,outcome,response,rated, 0 to 1", "a,1,0,1,3", "a,2,1,0,4"
    )
    said = complaint(tmp_path, text)
    assert "data.csv, row 1: has 6 names, and every row has 5 cells" in said


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [f"{x}," for x in lines],
        lambda lines: [lines[0], *(f"{x}," for x in lines[1:])],
        lambda lines: [f"{'' if i == 0 else i},{x}" for i, x in enumerate(lines)],
        lambda lines: [x.replace(",", " ") for x in lines],
        lambda lines: [x.replace(",", "  ") for x in lines],
        lambda lines: [x.replace(",", "|") for x in lines],
        lambda lines: ["sep=,", *lines],
        lambda lines: [*lines, ",,,,", ""],
    ],
)
def test_common_exports_are_read(change, tmp_path):
    lines = LONG.splitlines()
    series = load(tmp_path, "\n".join(change(lines)), covariates=("drug",))
    plain = load(tmp_path, LONG, covariates=("drug",))
    assert series.covariates["drug"].tolist() == ["a", "b"]
    np.testing.assert_array_equal(series.values["response"], plain.values["response"])


def test_names_of_rows_without_a_name_are_refused(tmp_path):
    lines = [f"r{i},{x}" if i else x for i, x in enumerate(LONG.splitlines())]
    assert "has 5 names, and every row has 6 cells" in complaint(
        tmp_path, "\n".join(lines)
    )


def test_decimal_commas_are_read_where_commas_do_not_separate(tmp_path):
    text = trials("rt", ["0,5", "1,25", "n/a", "2"]).replace(",", ";", 0)
    rows = ["a;1;0;1;0,5", "a;2;1;0;1,25", "a;3;1;0;n/a", "a;4;1;0;2"]
    text = table("subject;trial;outcome;response;rt", *rows)
    series = load(tmp_path, text, judged=("reaction_time",))
    np.testing.assert_array_equal(
        series.values["reaction_time"], [[0.5, 1.25, nan, 2.0]]
    )
    thousands = text.replace("0,5", "1,250").replace("1,25;", "1,250;")
    thousands = thousands.replace("1,25\n", "1,500\n")
    said = complaint(tmp_path, thousands, judged=("reaction_time",))
    assert "row 2 '1,250', row 3 '1,500': has a comma" in said
    assert load(tmp_path, thousands).present.sum() == 4  # where it is not read


NAMED = table(
    "{0},{1},{2},outcome,response",
    *("a,1,2,1,0", "a,2,1,1,1", "a,1,1,0,1", "a,2,2,0,0", "a,2,3,0,1"),
)


@pytest.mark.parametrize(
    "names",
    [
        ("Subject", "Session", "Trial"),
        ("subjID", "ses", "trial_num"),
        ("Participant ID", "Session_ID", "TrialNumber"),
        ("PID", "visit", "trial.index"),
    ],
)
def test_columns_are_known_by_their_usual_names(names, tmp_path):
    values = load(tmp_path, NAMED.format(*names)).values
    np.testing.assert_array_equal(values["response"], [[1, 0, nan], [1, 0, 1]])


def test_an_order_that_is_not_understood_is_refused(tmp_path):
    text = NAMED.format("subject", "session", "this_trial_is")
    said = complaint(tmp_path, text)
    assert "column 'this_trial_is', row 4 '1'" not in said
    assert "column 'this_trial_is'" in said and "--columns trial=this_trial_is" in said


def test_trials_counted_anew_in_each_block_follow_by_block(tmp_path):
    rows = [f"a,block{b},{t},{b % 2},{t % 2}" for b in (10, 2) for t in (2, 1, 3)]
    text = table("subject,block,trial,outcome,response", *rows)
    series = load(tmp_path, text)
    assert series.values["outcome"].tolist() == [[0, 0, 0, 0, 0, 0]]
    text = text.replace("block10,1,0", "block10,1,1")
    series = load(tmp_path, text)
    assert series.values["outcome"].tolist() == [[0, 0, 0, 1, 0, 0]]
    assert any("belief is carried on" in note for note in series.notes)
    afresh = load(tmp_path, text, series_by=("block",))
    assert afresh.values["outcome"].shape == (2, 3)


@pytest.mark.parametrize(
    ("one", "other"),
    [("P01", "p01"), ("1", "01"), ("P1", "P01"), ("P1", "P 1"), ("1", "1.0")],
)
def test_ids_that_differ_as_slips_do_are_refused(one, other, tmp_path):
    text = trials("x", "aaaabbbb", people=2)
    text = text.replace("p1,", f"{one},").replace("p2,", f"{other},")
    said = complaint(tmp_path, text)
    assert f"column 'subject', row 6 {other!r}: differs only in case" in said
    assert f"{one!r} (row 2)" in said


def test_labels_of_conditions_that_differ_in_case_are_refused(tmp_path):
    text = LONG.replace(",a\n", ",Placebo\n").replace(",b\n", ",placebo\n")
    said = complaint(tmp_path, text, covariates=("drug",))
    assert "column 'drug', row 62 'placebo': differs only in case" in said


def test_none_is_a_label_of_conditions_and_missing_among_numbers(tmp_path):
    text = LONG.replace(",a\n", ",none\n").replace(",1,b", ",None,b")
    series = load(tmp_path, text, covariates=("drug",))
    assert series.covariates["drug"].tolist() == ["none", "b"]
    assert series.num_missing["response"] == 30
    said = complaint(
        tmp_path, text, covariates=("drug",), reading=Reading(missing=("none",))
    )
    assert "column 'drug'" in said and "is missing, and must be known" in said


def test_words_are_read_by_a_code_that_is_known(tmp_path):
    text = table("subject,trial,outcome,response", "a,1,True,right", "a,2,False,left")
    said = complaint(tmp_path, text)
    assert "row 2 'right', row 3 'left'" in said and "--codes response=" in said
    reading = Reading(codes={"response": ("left", "right")})
    series = load(tmp_path, text, reading=reading)
    assert series.values["response"].tolist() == [[1, 0]]
    assert series.values["outcome"].tolist() == [[1, 0]]
    said = complaint(tmp_path, text.replace("left", "Left"), reading=reading)
    assert "row 3 'Left': is neither 'left' (0) nor 'right' (1)" in said


def test_two_columns_that_could_be_one_are_asked_about(tmp_path):
    text = table("subject,trial,u,stimulus,response", "a,1,0,1,1", "a,2,1,0,0")
    said = complaint(tmp_path, text)
    assert "both 'u' and 'stimulus' could be the outcome" in said
    series = load(tmp_path, text, columns={"outcome": "stimulus"})
    assert series.values["outcome"].tolist() == [[1, 0]]


def test_a_word_among_numbers_is_no_level(tmp_path):
    text = trials("age", ["20", "20", "31", "31", "forty", "forty"], people=3)
    said = complaint(tmp_path, text, covariates=("age",))
    assert "row 6 'forty', row 7 'forty': is a word among numbers" in said


def test_a_word_counts_alike_in_outcome_and_response(tmp_path):
    text = table("subject,trial,outcome,response", "a,1,left,right", "a,2,right,left")
    codes = {"outcome": ("left", "right"), "response": ("right", "left")}
    said = complaint(tmp_path, text, reading=Reading(codes=codes))
    assert "'right' counts as 0 here and as 1 in the outcome" in said


def test_sessions_and_people_of_other_names_are_asked_for(tmp_path):
    text = NAMED.format("subject", "mri_session", "trial").replace("a,2", "b,2")
    assert load(tmp_path, text).values["outcome"].shape == (2, 3)
    text = text.replace("b,2", "a,2").replace("trial", "k")
    said = complaint(tmp_path, text)
    assert "column 'mri_session': seems to name sessions" in said
    series = load(tmp_path, text, columns={"session": "mri_session"})
    assert series.values["outcome"].shape == (2, 3)
    text = table("id,outcome,response", *(f"{i},{i % 2},{i // 2}" for i in range(4)))
    assert "column 'id': differs in every row" in complaint(tmp_path, text)


def test_a_trial_number_that_is_a_code_is_refused(tmp_path):
    said = complaint(tmp_path, LONG.replace("p1,7,", "p1,999,"))
    assert "column 'trial', row 9 '999': looks like a code" in said


def test_headers_that_are_none_are_said(tmp_path):
    quoted = "\n".join(f'"{line}"' for line in LONG.splitlines())
    assert "remove the quotation marks around whole lines" in complaint(
        tmp_path, quoted
    )
    bare = "\n".join(LONG.splitlines()[1:])
    assert (
        "row 1: must hold the names of the columns, and holds numbers: 'p1, 0, 0, 0, a'"
        in complaint(tmp_path, bare)
    )


def test_composed_and_decomposed_letters_are_one(tmp_path):
    rows = ("\u00e9,1,0,1", "e\u0301,2,1,0")
    series = load(tmp_path, table("subject,trial,outcome,response", *rows))
    assert series.values["response"].tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("column", "cells", "row"),
    [
        ("block", ("practice", "1", "1"), "row 2 'practice': is no trial"),
        ("Is Practice", ("TRUE", "FALSE", "FALSE"), "row 2 'TRUE': is no trial"),
        ("excluded", ("0", "1", "0"), "row 3 '1': is to be left out"),
        ("trial_type", ("go", "arrow", "go"), "row 3 'arrow': has neither outcome nor"),
    ],
)
def test_rows_to_be_left_out_are_asked_about(column, cells, row, tmp_path):
    shown = ("0,1", "n/a,n/a", "1,0") if "arrow" in cells else ("0,1", "0,0", "1,0")
    rows = [
        f"a,{i},{cell},{x}"
        for i, (cell, x) in enumerate(zip(cells, shown, strict=True))
    ]
    text = table(f"subject,trial,{column},outcome,response", *rows)
    said = complaint(tmp_path, text)
    assert row in said
    without, every = advised(said)
    assert load(tmp_path, text, reading=Reading(where=without)).present.sum() == 2
    assert load(tmp_path, text, reading=Reading(where=every)).present.sum() == 3


def test_two_columns_of_people_that_differ_are_asked_about(tmp_path):
    text = table("participant,subject,trial,outcome,response", "x,a,1,0,1", "y,a,2,1,0")
    said = complaint(tmp_path, text)
    assert "both 'participant' and 'subject' could be the participant" in said
    assert load(tmp_path, text.replace("y,a", "x,a")).num_participants == 1
