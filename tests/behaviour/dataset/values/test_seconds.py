"""Reaction times are in seconds, whatever the unit that is said, or it is asked for."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Reading
from tests.behaviour.dataset.small_tables import (
    both,
    complaint,
    follow,
    load,
    options,
    table,
    trials,
)

nan = np.nan
MICRO = ["500000", "750000", "n/a", "1500000"]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        *(("rt", unit) for unit in ("us", "\u00b5s", "\u03bcs", "microseconds")),
        *((name, "") for name in ("rt_us", "Reaction Time (us)", "response_time_us")),
    ],
)
def test_microseconds_are_read_where_they_are_named(name, unit, tmp_path):
    series = load(
        tmp_path,
        trials(name, MICRO),
        judged=("reaction_time",),
        columns={"reaction_time": name},
        reading=Reading(units={"reaction_time": unit} if unit else {}),
    )
    np.testing.assert_allclose(
        series.values["reaction_time"], [[0.5, 0.75, np.nan, 1.5]]
    )


@pytest.mark.parametrize("name", ["rt", "rt_ms", "rt_s"])
def test_microseconds_of_no_name_are_asked_about(name, tmp_path):
    said = complaint(tmp_path, trials(name, MICRO), judged=("reaction_time",))
    assert f"column {name!r}, row 2" in said and "--units reaction_time=s" in said


def test_times_of_a_column_that_ends_in_us_by_chance(tmp_path):
    text = trials("rt_previous", ["500", "750", "n/a", "1500"])
    options = {
        "judged": ("reaction_time",),
        "columns": {"reaction_time": "rt_previous"},
    }
    series = load(tmp_path, text, **options)
    np.testing.assert_allclose(
        series.values["reaction_time"], [[0.5, 0.75, np.nan, 1.5]]
    )


def test_a_contrast_of_two_conditions_is_no_missing_code(tmp_path):
    text = trials("session,side", ["1,-1"] * 3 + ["2,1"] * 3)
    series = load(tmp_path, text, covariates=("side",))
    assert series.covariates["side"].tolist() == [-1.0, 1.0]
    text = trials("session,side", ["1,-1", "2,0", "3,1"] * 2)
    said = complaint(tmp_path, text, covariates=("side",))
    assert "looks like a code for a missing value; name it (--missing side=-1)" in said


ASK = ("--judgements", "reaction_time")


def of_people(*medians, header="subject,trial,outcome,response,rt", ends=None):
    rows = [
        f"p{i},{t},{t % 2},{t // 2 % 2},{median * (1 + t / 10):g}"
        for i, median in enumerate(medians)
        for t in range(4)
    ]
    return table(header, *rows)


@pytest.mark.parametrize("unit", ["ms", "s"])
def test_a_unit_that_is_said_does_not_hide_people_of_another(unit, tmp_path, capsys):
    text = of_people(400, 0.5, 600) if unit == "ms" else of_people(0.4, 500, 0.6)
    said = both(tmp_path, capsys, text, *ASK, "--units", f"reaction_time={unit}")
    assert (
        "column 'rt', row 6: has a median of" in said and f"all are in {unit}" in said
    )
    without = ("--where", 'subject != "p1"')
    assert options(said) == [without]
    units = ("--units", f"reaction_time={unit}")
    series, _ = follow(tmp_path, capsys, text, *ASK, *units, *without)
    np.testing.assert_allclose(series.values["reaction_time"][:, 0], [0.4, 0.6])


def test_a_unit_that_is_said_does_not_hide_sessions_of_another(tmp_path, capsys):
    rows = [
        f"p{i},{s},{t},{t % 2},{t // 2 % 2},{(0.5, 500)[s] * (1 + t / 10):g}"
        for i in range(3)
        for s in range(2)
        for t in range(4)
    ]
    text = table("subject,session,trial,outcome,response,rt", *rows)
    said = both(tmp_path, capsys, text, *ASK, "--units", "reaction_time=ms")
    assert "column 'rt', row 2, row 10, row 18: has a median of 0.575" in said


def test_slow_people_are_of_the_unit_that_is_said(tmp_path, capsys):
    """One person decides in minutes, and all times are small for what they are said to be."""
    text, units = of_people(4, 15, 120), ("--units", "reaction_time=s")
    series, _ = follow(tmp_path, capsys, text, *ASK, *units)
    np.testing.assert_allclose(series.values["reaction_time"][:, 0], [4, 15, 120])
    text = of_people(0.5, 0.6)
    series, rows = follow(tmp_path, capsys, text, *ASK, "--units", "reaction_time=ms")
    np.testing.assert_allclose(series.values["reaction_time"][:, 0], [5e-4, 6e-4])
    assert rows["odd"] == "reaction times shorter than 10 ms: 8"


SECONDS = ["0.5", "0.75", "n/a", "1.5"]


MS = ["500", "750", "n/a", "1500"]


@pytest.mark.parametrize(
    ("name", "cells", "units"),
    [
        ("rt", SECONDS, {}),
        ("rt", MS, {}),
        ("rt", MS, {"reaction_time": "ms"}),
        ("RT_ms", MS, {}),
        ("rt_s", SECONDS, {}),
        ("rt", SECONDS, {"reaction_time": "s"}),
    ],
)
def test_reaction_times_are_in_seconds(name, cells, units, tmp_path):
    series = load(
        tmp_path,
        trials(name, cells),
        judged=("reaction_time",),
        reading=Reading(units=units),
    )
    np.testing.assert_allclose(series.values["reaction_time"], [[0.5, 0.75, nan, 1.5]])


@pytest.mark.parametrize("cells", [SECONDS + MS, ["31"] * 4 + ["55"] * 4])
def test_units_that_cannot_be_known_are_refused(cells, tmp_path):
    text = trials("rt", cells, people=2)
    said = complaint(tmp_path, text, judged=("reaction_time",))
    assert (
        "column 'rt', row" in said
        and "--units reaction_time=s or --units reaction_time=ms" in said
    )
    wrong = Reading(units={"reaction_time": "min"})
    said = complaint(tmp_path, text, judged=("reaction_time",), reading=wrong)
    assert "expected s or ms" in said


@pytest.mark.parametrize(("cells", "odd"), [(SECONDS, "700"), (MS, "0.7")])
def test_one_time_in_another_unit_is_refused(cells, odd, tmp_path):
    text = trials("rt", [*cells, odd])
    said = complaint(tmp_path, text, judged=("reaction_time",))
    assert f"column 'rt', row 6 {odd!r}: is of another unit" in said


JUDGED = ("--judgements", "reaction_time")
MIXED = ["0.81", "1341", "0.64", "0.72", "902", "0.55", "1.1", "780", "0.9"]


@pytest.mark.parametrize(
    ("name", "unit"), [("rt", ""), ("rt", "s"), ("rt_s", ""), ("rt_s", "s")]
)
def test_a_known_unit_does_not_settle_times_of_another(name, unit, tmp_path, capsys):
    """A third of them, in the table's or the user's own unit of the others."""
    said_unit = ("--units", f"reaction_time={unit}") if unit else ()
    asked = (*JUDGED, "--columns", f"reaction_time={name}", *said_unit)
    said = both(tmp_path, capsys, trials(name, MIXED), *asked)
    for row, cell in ((3, "1341"), (6, "902"), (9, "780")):
        assert f"row {row} {cell!r}" in said
    assert "is of another unit, or a code" in said and "median is 0.9 s" in said
    ((option, where),) = options(said)
    series, _ = follow(tmp_path, capsys, trials(name, MIXED), *asked, "--where", where)
    assert option == "--where"
    assert series.values["reaction_time"].tolist() == [
        [0.81, 0.64, 0.72, 0.55, 1.1, 0.9]
    ]


def test_milliseconds_by_name_hold_no_seconds(tmp_path, capsys):
    cells = ["812", "1.1", "640", "720", "0.95", "550"]
    asked = (*JUDGED, "--columns", "reaction_time=rt_ms")
    for unit in ((), ("--units", "reaction_time=ms")):
        said = both(tmp_path, capsys, trials("rt_ms", cells), *asked, *unit)
        assert "row 3 '1.1', row 6 '0.95': is of another unit" in said
    many = [*(f"{700 + i}" for i in range(20)), *(f"0.{71 + i}" for i in range(9))]
    said = both(tmp_path, capsys, trials("rt_ms", many), *asked)
    assert "bring all to one unit" in said and not options(said)


def test_a_long_time_is_one_where_the_unit_was_said(tmp_path, capsys):
    cells = ["0.81", "75.5", "0.64", "0.72"]
    asked = (*JUDGED, "--columns", "reaction_time=rt_s")
    said = both(tmp_path, capsys, trials("rt_s", cells), *asked)
    assert "row 3 '75.5'" in said
    unit = options(said)[0]
    series, _ = follow(tmp_path, capsys, trials("rt_s", cells), *asked, *unit)
    assert series.values["reaction_time"].max() == 75.5
