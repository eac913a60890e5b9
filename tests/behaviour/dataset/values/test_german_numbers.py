"""Decimal commas and points between thousands are numbers as they were meant, or asked about."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Reading
from tests.behaviour.dataset.small_tables import (
    advised,
    both,
    complaint,
    follow,
    load,
    options,
)

AGE = ("--formula", "omega2 ~ age")


def people(column, cells, *, separator=";"):
    """Two trials of each person, of whom one cell is told."""
    lines = [separator.join(("id", "trial", "outcome", "response", column))]
    for i, cell in enumerate(cells):
        lines += [
            separator.join((f"p{i}", f"{t}", f"{t}", f"{1 - t}", cell)) for t in (0, 1)
        ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("word", ["k.A.", "#NV", "unbekannt", "weiß nicht"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_word_among_decimal_commas_is_asked_about(word, separator, tmp_path, capsys):
    """They would be labels, a level for every age."""
    text = people("age", ("21,5", "34,5", word, "40"), separator=separator)
    said = both(tmp_path, capsys, text, *AGE, covariates=("age",))
    assert (
        f"column 'age', row 6 {word!r}, row 7 {word!r}: is a word among numbers" in said
    )
    assert "'21" not in said
    ways = [*advised(said), "age != n/a", f'age != "{word}"']
    for way in ways:
        series, _ = follow(
            *(tmp_path, capsys, text, "--missing", f"age={word}", "--where", way),
            *AGE,
            covariates=("age",),
        )
        assert series.covariates["age"].tolist() == [21.5, 34.5, 40.0]
    assert len(ways) == 3
    series = load(tmp_path, text, covariates=("age",), reading=Reading(where=ways[2]))
    assert series.covariates["age"].tolist() == [21.5, 34.5, 40.0]


def test_words_beside_commas_in_quotation_marks_are_asked_about(tmp_path):
    text = people("age", ('"21,5"', '"34,5"', "unknown"), separator=",")
    said = complaint(tmp_path, text, covariates=("age",))
    assert "row 2 '21,5', row 3 '21,5', row 4 '34,5', row 5 '34,5': has a comma" in said
    assert "row 6 'unknown', row 7 'unknown': is a word among numbers" in said
    (kept,) = set(advised(said))
    said = complaint(tmp_path, text, covariates=("age",), reading=Reading(where=kept))
    assert "has a comma; write a point" in said


def test_times_with_commas_beside_a_word(tmp_path, capsys):
    text = people("rt", ("0,5", "0,75", "keine"))
    judged = ("--judgements", "reaction_time")
    said = both(tmp_path, capsys, text, *judged)
    assert "row 6 'keine', row 7 'keine': is not a number" in said
    ((_, missing),) = options(said)
    series, _ = follow(tmp_path, capsys, text, *judged, "--missing", missing)
    np.testing.assert_array_equal(
        series.values["reaction_time"], [[0.5] * 2, [0.75] * 2, [np.nan] * 2]
    )


DOSE = ("--formula", "omega2 ~ dose")
SEVERAL = {  # columns of doses, and what has decimal commas beside
    "980 without a point": ("1.250", "980", "1.100", "875"),
    "50 without a point": ("1.250", "50", "1.100", "75"),
    "decimal commas elsewhere": ("1.250", "2.125", "1.100", "3.875"),
    "large numbers beside": ("1.251", "980", "1.108", "875"),
    "millions": ("1.250.000", "980", "2.100.000", "875"),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_points_between_thousands_are_asked_about(name, tmp_path, capsys):
    cells = SEVERAL[name]
    text = people("dose", cells)
    if "elsewhere" in name:
        lines = text.splitlines()
        text = "\n".join([lines[0] + ";age", *(f"{x};21,5" for x in lines[1:])])
    said = both(tmp_path, capsys, text, *DOSE, covariates=("dose",))
    thousands = [cell for cell in cells if "." in cell]
    first = thousands[0].replace(".", "")
    assert f"row 2 {thousands[0]!r}" in said and f"write {first}" in said
    plain = text.replace(".", "")
    series, _ = follow(tmp_path, capsys, plain, *DOSE, covariates=("dose",))
    assert series.covariates["dose"][0] == float(first)
    if name == "millions":
        return
    assert f"or {thousands[0]}0, and so in all its rows" in said
    for cell in thousands:
        text = text.replace(f";{cell}", f";{cell}0")
    series, _ = follow(tmp_path, capsys, text, *DOSE, covariates=("dose",))
    assert series.covariates["dose"].tolist() == [float(cell) for cell in cells]


@pytest.mark.parametrize(
    "cells",
    [
        ("1.25", "980", "1.100", "875"),
        ("0.512", "1.034", "2.250", "300"),
        ("1.125", "2", "3.375", "0"),
        ("1.250", "2.500", "1.100", "n/a"),
    ],
)
def test_decimal_points_are_read(cells, tmp_path):
    text = people("dose", cells).replace("n/a", "3.333")
    found = load(tmp_path, text, covariates=("dose",)).covariates["dose"]
    numbers = [3.333 if cell == "n/a" else float(cell) for cell in cells]
    assert found.tolist() == numbers


def test_rows_are_not_chosen_by_the_size_of_a_number_with_two_meanings(tmp_path):
    text = people("dose", SEVERAL["980 without a point"])
    said = complaint(tmp_path, text, reading=Reading(where="dose > 900"))
    assert "column 'dose', row 2" in said and "may be 1250" in said
    series = load(tmp_path, text, reading=Reading(where='dose != "1.250"'))
    assert len(series.participant) == 3


def test_rows_that_are_left_out_still_show_how_numbers_are_written(tmp_path):
    text = people("dose", ("1.251", "980", "1.104", "2.003"))
    asked = {"covariates": ("dose",), "reading": Reading(where="dose != 980")}
    assert "may be 1251" in complaint(tmp_path, text, **asked)


@pytest.mark.parametrize("separator", [";", ","])
def test_times_of_more_than_a_thousand_milliseconds(separator, tmp_path, capsys):
    text = people("rt_ms", ("987", "1.034", "875", "650"), separator=separator)
    judged = ("--judgements", "reaction_time", "--columns", "reaction_time=rt_ms")
    said = both(tmp_path, capsys, text, *judged)
    assert "row 4 '1.034', row 5 '1.034': may be 1034" in said
    series, _ = follow(tmp_path, capsys, text.replace(".", ""), *judged)
    np.testing.assert_allclose(series.values["reaction_time"][:, 0].max(), 1.034)
