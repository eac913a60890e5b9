"""Reaction times in microseconds are read where that is said, and asked about else."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Reading
from tests.behaviour.dataset.small_tables import complaint, load, trials

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
