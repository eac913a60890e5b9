"""Separators, commas, and lines that software writes above and below a table."""

import pytest

from pcmodel.behaviour.dataset import Reading
from tests.behaviour.dataset.small_tables import (
    advised,
    both,
    complaint,
    follow,
    load,
    table,
)

NOTES = ("x; y", "x;", "z;z")


def noted(name="note", notes=NOTES):
    rows = [f"a,{i},{i % 2},{i // 2},{note}" for i, note in enumerate(notes)]
    return table(f"subject,trial,outcome,response,{name}", *rows)


@pytest.mark.parametrize("name", ["note", "no;te", '"rated; 0 to 1"'])
@pytest.mark.parametrize("notes", [NOTES, ("x;y", "x", "y;;z")])
def test_other_separators_inside_of_cells_separate_nothing(name, notes, tmp_path):
    assert load(tmp_path, noted(name, notes)).values["response"].tolist() == [[0, 0, 1]]


def test_a_line_break_inside_a_cell_is_said(tmp_path):
    said = complaint(tmp_path, noted(notes=("x", '"two\nlines"', "y")))
    assert "row 3 'a,1,1,0,\"two'" in said and "any line break inside a cell" in said


def test_commas_of_thousands_harm_only_where_they_are_read(tmp_path):
    text = noted(notes=("1.234", "1.234", "2.345")).replace(",", ";").replace(".", ",")
    text = text.replace("a;2", "b;2")
    assert load(tmp_path, text).present.sum() == 3
    said = complaint(tmp_path, text, covariates=("note",))
    assert "row 2 '1,234', row 3 '1,234', row 4 '2,345': has a comma" in said
    text = noted(notes=('"1,5"', '"1,5"', '"2,5"')).replace("a,2", "b,2")
    said = complaint(tmp_path, text, covariates=("note",))
    assert "row 4 '2,5': has a comma; write a point" in said


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
@pytest.mark.parametrize(
    "above",
    [
        ("C:\\lab one\\Task, x.log",),
        ("C:\\lab\\Task.xlsx\t\t\t\t",),
        ("# made today", "# by us, and others"),
        ("Scenario - prl", "Logfile written - 03/04/2021 10:00:00", ""),
    ],
)
def test_lines_above_the_header_are_named(separator, above, tmp_path):
    text = noted(notes=("x", "y", "z")).replace(",", separator)
    said = complaint(tmp_path, "\n".join((*above, text)))
    row = len(above) + 1
    assert (
        f"data.csv, row 1: has a path or a remark above the header, which is row {row}"
        in said
    )
    assert load(tmp_path, text).present.sum() == 3


@pytest.mark.parametrize("last", ["END OF FILE", "END OF FILE,,,,", ",End of data,,,"])
def test_the_line_that_ends_a_file_is_named(last, tmp_path):
    said = complaint(tmp_path, noted() + last + "\n")
    assert "row 5" in said and "marks the end of the file" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("label", ["Mean", "Grand Total", "a Total", "SD", "average"])
def test_rows_of_totals_are_nobody(label, tmp_path):
    text = table("subject,outcome,response", "a,0,1", "a,1,0", "a,1,0", f"{label},1,1")
    said = complaint(tmp_path, text)
    assert f"column 'subject', row 5 {label!r}: is a row of totals" in said
    without, every = advised(said)
    assert load(tmp_path, text, reading=Reading(where=without)).present.sum() == 3
    assert load(tmp_path, text, reading=Reading(where=every)).present.sum() == 4
    twice = table(text.strip(), f"{label},0,1")
    assert load(tmp_path, twice).present.sum() == 5


def test_rows_about_questions_are_no_trials(tmp_path):
    lines = noted().splitlines()
    about = ["Who?,Which?,What?,And?,Notes?", ",".join(['"{""ImportId"":""Q""}"'] * 5)]
    said = complaint(tmp_path, table(lines[0], *about, *lines[1:]))
    assert "data.csv, row 3: is a row of Qualtrics about the questions" in said


def test_tables_of_a_row_for_each_person_are_to_be_long(tmp_path):
    text = table(
        "subject,choice_1,choice_2,outcome_1,outcome_2", "a,0,1,1,0", "b,1,0,1,0"
    )
    said = complaint(tmp_path, text)
    assert "one row is one trial: put 'choice_1', 'choice_2' and so on below" in said


ROWS = [f"{who},{i},{i % 2},{i // 2}" for who in "ab" for i in range(4)]
HEADER = "subject,trial,outcome,response"


@pytest.mark.parametrize(
    "text",
    [
        table(HEADER, *ROWS, ",,,", '"",,"",', ""),
        table(HEADER, *ROWS, "\u00a0,,,", "\u2009,\u202f, ,\t"),
        table(HEADER, *ROWS[:3], " , ,\u00a0,", *ROWS[3:]),
        table(HEADER + ",,", *(f"{row},," for row in ROWS)),
        table(HEADER, *(f"{row},," for row in ROWS)),
        table(HEADER, *(f"{row},\u00a0,,," for row in ROWS)),
        table(HEADER + ",,", *ROWS),
        table(HEADER + ",,,", *(f"{row}," for row in ROWS)),
        table("," + HEADER, *(f",{row}" for row in ROWS)),
    ],
)
def test_blank_rows_and_columns_at_the_end_say_nothing(text, tmp_path):
    series = load(tmp_path, text)
    assert series.present.shape == (2, 4) and series.present.all()
    assert series.values["response"].tolist() == [[0, 0, 1, 1]] * 2


@pytest.mark.parametrize(
    ("row", "part", "better"),
    [
        (f"{ROWS[2]},,", "remove the separators at its end", ROWS[2]),
        ("a,2,0", "write n/a where nothing is known", "a,2,0,n/a"),
        ("a,2,0,1,5", "enclose a cell that holds the separator", 'a,2,0,"1"'),
    ],
)
def test_a_row_of_another_width_is_told_with_what_mends_it(row, part, better, tmp_path):
    said = complaint(tmp_path, table(HEADER, *ROWS[:2], row, *ROWS[3:]))
    assert "row 4" in said and "another number of cells than the header's 4" in said
    assert part in said
    text = table(HEADER, *ROWS[:2], better, *ROWS[3:])
    assert load(tmp_path, text).present.sum() == 8


def test_a_stray_cell_below_no_name_is_named(tmp_path):
    rows = [f"{row},{'x' * (i == 5)}" for i, row in enumerate(ROWS)]
    said = complaint(tmp_path, table(HEADER + ",", *rows))
    assert "row 7 'x': column 5 has no name; give it one, or empty it" in said
    text = table(HEADER + ",", *(row.rstrip("x") for row in rows))
    assert load(tmp_path, text).present.sum() == 8


def test_rows_without_a_person_are_left_out_by_the_advice(tmp_path):
    """As R writes the rows that a condition with n/a picks."""
    text = table(HEADER, *ROWS, "NA,NA,NA,NA", "NA,NA,NA,NA")
    wheres = advised(complaint(tmp_path, text))
    assert wheres == ["subject != n/a", "trial != n/a"]
    for where in wheres:
        assert load(tmp_path, text, reading=Reading(where=where)).present.sum() == 8


@pytest.mark.parametrize(
    ("separator", "rows"),
    [
        (",", ["1,0,1", "1,1,1", "1,0,1", "1,1,0"]),
        (" ", ["1 0 1", "1 1 1", "1 0 1", "1 1 0"]),
        (";", ["1,0;0;1", "1,0;1;1", "1,0;0;1", "1,0;1;0"]),
        (",", ["p1,0,1", "p1,1,1", "p1,0,1", "p1,1,0"]),
        (",", ["p1,0,left", "p1,1,left", "p1,0,left", "p1,1,right"]),
    ],
)
def test_a_matrix_without_a_header_is_told_so(separator, rows, tmp_path, capsys):
    """Its trials repeat the first one, which is no header that stands there once more."""
    codes = ("--codes", "response=left,right") if "left" in rows[0] else ()
    said = both(tmp_path, capsys, table(*rows), *codes)
    assert "data.csv, row 1" in said and "there is no header" in said
    assert "a row above it of 3 names" in said and "once more" not in said
    names = separator.join(("participant", "outcome", "response"))
    series, _ = follow(tmp_path, capsys, table(names, *rows), *codes)
    assert series.values["outcome"].tolist() == [[0.0, 1.0, 0.0, 1.0]]


def test_numbers_that_count_the_columns_are_no_names(tmp_path, capsys):
    rows = ["p1,0,1", "p1,1,1", "p1,0,0"]
    said = both(tmp_path, capsys, table("0,1,2", *rows))
    assert "or in its place, if its numbers count the columns" in said


def test_a_header_that_stands_twice_may_be_a_trial(tmp_path, capsys):
    rows = ["p1,hit,left", "p1,hit,right", "p1,hit,left", "p1,miss,right"]
    said = both(tmp_path, capsys, table(*rows))
    assert "row 3: is the header once more; remove it, or, if row 1 is a trial" in said
    codes = ("--codes", "response=left,right", "--codes", "outcome=miss,hit")
    names = "participant,outcome,response"
    series, _ = follow(tmp_path, capsys, table(names, *rows), *codes)
    assert series.present.sum() == 4
