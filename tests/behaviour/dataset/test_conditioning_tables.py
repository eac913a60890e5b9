"""Tables of conditioning: names of columns, times, contexts, looks, and what is refused."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import find_task, load_series
from pcmodel.errors import UserError

HEADER = "subject,group,day,hours,tone,shock,freezing"
ROWS = (
    "r1,a,1,0.0,1,1,",
    "r1,a,1,0.05,1,1,0.4",
    "r1,a,2,23.95,0,n/a,0.1",
    "r1,a,2,24.0,1,0,0.9",
    "r1,a,2,24.05,1,0,1.0",
    "r2,b,1,0.0,1,1,",
    "r2,b,1,0.05,1,1,0.3",
    "r2,b,2,23.95,0,,0.0",
    "r2,b,2,24.0,1,0.5,0.8",
    "r2,b,2,24.05,1,0,n/a",
)


def read(tmp_path, rows=ROWS, header=HEADER, **options):
    path = tmp_path / "rats.csv"
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return load_series(path, find_task("conditioning"), **options)


def changed(number, row):
    """The rows with one in another's place, counted from 1 as in the file below its header."""
    return tuple(row if i == number else own for i, own in enumerate(ROWS, start=1))


def test_usual_names_are_known_and_days_are_one_memory(tmp_path):
    series = read(tmp_path, covariates=("group",))
    assert series.present.shape == (2, 5) and series.present.all()
    np.testing.assert_array_equal(series.values["time"][0], [0, 0.05, 23.95, 24, 24.05])
    np.testing.assert_array_equal(series.values["outcome"][1], [1, 1, np.nan, 0.5, 0])
    np.testing.assert_array_equal(series.values["stimulus"][0], [1, 1, 0, 1, 1])
    assert np.isnan(series.values["response"][1, -1])
    assert series.covariates["group"].tolist() == ["a", "b"]
    assert any("carried on over sessions" in note for note in series.notes)


def test_rows_are_sorted_by_time(tmp_path):
    rows = [ROWS[i] for i in (4, 0, 3, 1, 2, 5, 6, 7, 8, 9)]
    np.testing.assert_array_equal(
        read(tmp_path, rows).values["time"], read(tmp_path).values["time"]
    )


def test_a_table_without_stimulus_has_it_in_every_trial(tmp_path):
    rows = [
        ",".join(part for i, part in enumerate(row.split(",")) if i != 4)
        for row in ROWS
        if ",n/a," not in row and ",0,," not in row
    ]
    series = read(tmp_path, rows, HEADER.replace("tone,", ""))
    assert np.all(series.values["stimulus"][series.present] == 1.0)


def test_contexts_are_words(tmp_path):
    rows = [f"{row},{'box' if ',1,0' in row else 'arena'}" for row in ROWS]
    series = read(tmp_path, rows, HEADER + ",context", covariates=())
    assert set(np.unique(series.values["context"])) == {1.0, 2.0}


@pytest.mark.parametrize(
    ("number", "row", "told"),
    [
        (5, "r1,a,2,24.0,1,0,1.0", ["row 6", "'hours'", "the time of row 5"]),
        (5, "r1,a,2,,1,0,1.0", ["row 6", "'hours'"]),
        (4, "r1,a,2,24.0,1,n/a,0.9", ["row 5", "'shock'", "write 0 where nothing"]),
        (4, "r1,a,2,24.0,1,0,1.2", ["row 5", "'freezing'", "1.2"]),
        (4, "r1,a,2,24.0,1,0,-0.1", ["row 5", "'freezing'"]),
        (4, "r1,a,2,noon,1,0,0.9", ["row 5", "'hours'", "noon"]),
        (4, "r1,a,2,24.0,,0,0.9", ["row 5", "'tone'"]),
        (4, "r1,a,2,24.0,1,often,0.9", ["row 5", "'shock'", "often"]),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path, number, row, told):
    with pytest.raises(UserError) as error:
        read(tmp_path, changed(number, row))
    for part in told:
        assert part in str(error.value)


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(UserError, match=r"'time' or 'time_h'.*for the time"):
        read(tmp_path, header=HEADER.replace("hours", "when"))
    with pytest.raises(UserError, match="no usable response"):
        read(tmp_path, [row.rsplit(",", 1)[0] + "," for row in ROWS])
