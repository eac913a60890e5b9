"""A start that was broken off does not silently run into the run that followed."""

from shlex import quote

import pytest

from tests.behaviour.dataset.small_tables import both, check, follow, options, table


def crashed(name="", cells=("", ""), *, people="abc"):
    """Four trials of `b` stand above the table, in which all are with twelve each."""
    more = f"{name}," * bool(name)
    rows = [f"b,{f'{cells[0]},' * bool(name)}1,0" for _ in range(4)]
    rows += [
        f"{who},{f'{cells[1]},' * bool(name)}{t % 2},{t // 2 % 2}"
        for who in people
        for t in range(12)
    ]
    return table(f"subject,{more}outcome,response", *rows)


OUTCOMES = [t % 2 for t in range(12)]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("file name", ("b_1.csv", "b_2.csv")),
        ("run", (1, 2)),
        ("start", ("9h", "10h")),
        ("note", ("x", "y")),
    ],
)
def test_a_broken_start_that_a_column_tells_is_asked_about(
    name, cells, tmp_path, capsys
):
    text = crashed(name, cells)
    said = both(tmp_path, capsys, text)
    assert f"column {name!r}, row 2: is of 'b' as row 18 is" in said
    (afresh, carried, without) = options(said)
    assert afresh == ("--series", name) and quote(f"block={name}") in said
    series, rows = follow(tmp_path, capsys, text, *without)
    assert series.values["outcome"].tolist() == [OUTCOMES] * 3
    series, rows = follow(tmp_path, capsys, text, *afresh)
    assert rows["series"].startswith("4,")
    series, rows = follow(tmp_path, capsys, text, *carried)
    assert rows["series"].startswith("3,") and series.present.sum() == 40


def test_a_broken_start_that_no_column_tells_is_noted(tmp_path, capsys):
    (tmp_path / "data.csv").write_text(crashed())
    code, rows, _ = check(capsys, tmp_path / "data.csv")
    assert code == 0 and rows["rows apart"].startswith("those of 1 series stand in")


def test_rows_that_stand_together_or_were_sorted_are_not_noted(tmp_path, capsys):
    header, *rows = crashed("note", ("x", "y")).splitlines()
    together = sorted(rows[4:], key=lambda row: row[0])
    by_trial = [rows[4 + 12 * who + t] for t in range(12) for who in range(3)]
    for lines in (together, by_trial):
        _, told = follow(tmp_path, capsys, table(header, *lines))
        assert "rows apart" not in told
