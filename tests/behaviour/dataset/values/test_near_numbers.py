"""A column of numbers never turns into labels because of how some are written."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Reading, find_task, load_series, understood
from pcmodel.behaviour.dataset.values.near_numbers import why_no_number
from pcmodel.errors import UserError
from tests.behaviour.dataset.small_tables import advised, options

BINARY = find_task("binary")


def load(folder, cells, *, name="x", **options):
    """A covariate with one cell for each person."""
    lines = [f"subject,trial,outcome,response,{name}"]
    for i, cell in enumerate(cells):
        lines += [f'p{i},{t},{t % 2},{t // 2 % 2},"{cell}"' for t in range(4)]
    path = folder / "data.csv"
    path.write_text("\n".join(lines), "utf-8")
    return load_series(path, BINARY, covariates=(name,), **options)


def complaint(*arguments, **options):
    with pytest.raises(UserError) as caught:
        load(*arguments, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("cell", "part"),
    [
        ("0,5", "has a comma"),
        ("1,250", "has a comma"),
        ("10%", "has a percent sign"),
        ("10.5 %", "has a percent sign"),
        (">89", "is nearly a number"),
        ("89+", "is nearly a number"),
        ("~12", "is nearly a number"),
        ("−1", "has a minus sign of print"),
        ("1.2.3", "is nearly a number"),
        ("12 mg", "has the unit 'mg'"),
        ("12µg", "has the unit 'μg'"),
        ("30 years", "has the unit 'years'"),
        ("1e", "is nearly a number"),
        ("1 250", "has a space among its digits"),
        ("1\u2009250", "has a space among its digits"),
        ("1\u00a0250", "has a space among its digits"),
        ("250px", "has the unit 'px'"),
        ("250\u00a0pixels", "has the unit 'pixels'"),
        ("1e999", "is nearly a number"),
    ],
)
def test_cells_that_are_nearly_numbers_are_refused(cell, part, tmp_path):
    for cells in (("20", "31", cell), (cell, cell, cell)):
        said = complaint(tmp_path, cells)
        assert "data.csv, column 'x'" in said
        assert part in said
    said = complaint(tmp_path, ("20", "31", cell))
    assert f"row 10 {cell!r}" in said
    (kept,) = advised(said)
    series = load(tmp_path, ("20", "31", cell), reading=Reading(where=kept))
    assert series.covariates["x"].tolist() == [20.0, 31.0]
    codes = [found for found in options(said) if found[0] == "--codes"]
    assert bool(codes) == ("," not in cell)
    for _, listed in codes:
        reading = Reading(codes={"x": tuple(listed.removeprefix("x=").split(","))})
        series = load(tmp_path, ("20", "31", cell), reading=reading)
        assert series.covariates["x"].tolist() == ["20", "31", cell]


@pytest.mark.parametrize(
    "cells",
    [
        ("18-25", "26-35", ">35"),
        ("S1", "S2", "S3"),
        ("2-back", "0-back", "2-back"),
        ("placebo", "10 mg", "20 mg"),
        ("2d", "3d", "3d"),
        ("1a", "1b", "2a"),
        ("+", "-", "+"),
    ],
)
def test_labels_with_digits_stay_labels(cells, tmp_path):
    series = load(tmp_path, cells)
    assert series.covariates["x"].tolist() == list(cells)
    assert not any(why_no_number(cell) for cell in ("18-25", "S1", "2d", "3", "n/a"))


@pytest.mark.parametrize("mark", ["-", "?", ".", "--"])
def test_a_mark_among_labels_is_no_level(mark, tmp_path):
    """It would be a group of its own, of people of whom nothing is known."""
    said = complaint(tmp_path, ("low", "high", mark))
    assert f"row 10 {mark!r}" in said and "is a mark among labels" in said
    (kept,) = advised(said)
    series = load(tmp_path, ("low", "high", mark), reading=Reading(where=kept))
    assert series.covariates["x"].tolist() == ["low", "high"]
    reading = Reading(codes={"x": ("low", "high", mark)})
    series = load(tmp_path, ("low", "high", mark), reading=reading)
    assert series.covariates["x"].tolist() == ["low", "high", mark]


@pytest.mark.parametrize("code", ["999", "-9", "99.0"])
def test_a_code_of_missing_values_among_labels_is_no_level(code, tmp_path):
    """It would be one group in C(x), beside people of whom the same is said by n/a."""
    cells = ("low", "high", code)
    said = complaint(tmp_path, cells)
    assert f"{code!r}: looks like a code for a missing value; name it" in said
    named = [value for name, value in options(said) if name == "--missing"]
    reading = Reading(missing=tuple(named), where="x != n/a")
    assert load(tmp_path, cells, reading=reading).covariates["x"].tolist() == [
        "low",
        "high",
    ]
    for settled in (Reading(missing=("x=n/a",)), Reading(codes={"x": cells})):
        series = load(tmp_path, cells, reading=settled)
        assert series.covariates["x"].tolist() == list(cells)
    assert len(load(tmp_path, ("low", "high", "7")).covariates["x"]) == 3


def test_labels_that_are_listed_are_labels(tmp_path):
    """The way to say that what looks like numbers is none."""
    reading = Reading(codes={"x": ("0 mg", "10 mg")})
    series = load(tmp_path, ("0 mg", "10 mg"), reading=reading)
    assert series.covariates["x"].tolist() == ["0 mg", "10 mg"]
    reading = Reading(codes={"x": ("1", "2", "3")})
    series = load(tmp_path, ("1", "2", "3", "2"), reading=reading)
    assert series.covariates["x"].tolist() == ["1", "2", "3", "2"]
    said = complaint(tmp_path, ("1", "2", "4"), reading=reading)
    assert "row 10 '4'" in said
    assert "is none of the codes 1, 2, 3" in said
    for codes in ({"x": ("1",)}, {"x": ("1", "1.0")}, {"y": ("1", "2")}):
        assert "codes:" in complaint(tmp_path, ("1", "2"), reading=Reading(codes=codes))


def test_numbers_and_labels_are_told_apart(tmp_path):
    rows = dict(understood(load(tmp_path, ("20", "31")), BINARY))
    assert rows["x, numbers"] == "20 (1), 31 (1) (series)"
    rows = dict(understood(load(tmp_path, ("old", "young")), BINARY))
    assert rows["x, labels"] == "old (1), young (1) (series)"
    many = load(tmp_path, [f"{20 + i}" for i in range(20)])
    np.testing.assert_array_equal(many.covariates["x"], 20.0 + np.arange(20))
    assert dict(understood(many, BINARY))["x, numbers"] == "20 to 39"
