"""Names of people and rows of the table come with the numbers, and are shown nowhere."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import find_task, load_series
from pcmodel.behaviour.dataset.origin import numbered

ODD = ('Ä, "Jo"', "007", "-1", "e=1", " b ", "日本")


@pytest.fixture
def series(tmp_path):
    """Two sessions each, of which the second rows stand first, in the order 2, 1, 3."""
    rows = ["subject,visit,drug,trial,outcome,choice"]
    for who in ODD:
        for visit, drug in ((1, "placebo"), (2, "drug")):
            name = who.replace('"', '""')
            for trial in (2, 1, 3)[: 2 + visit - 1]:
                rows.append(f'"{name}",{visit},{drug},{trial},{trial % 2},{trial // 2}')
    path = tmp_path / "odd.csv"
    path.write_text("\n".join(rows), "utf-8")
    return load_series(path, find_task("binary"), covariates=("drug",))


def test_every_trial_is_found_again_in_the_table(series):
    origin = series.origin
    assert origin.people == tuple(name.strip() for name in ODD)
    assert origin.of_series()["subject"].tolist() == [
        name for name in origin.people for _ in range(2)
    ]
    assert origin.of_series()["drug"].tolist() == ["placebo", "drug"] * len(ODD)
    assert list(origin.columns)[:3] == ["subject", "visit", "drug"]
    assert origin.telling == ("subject", "visit", "drug")
    # Trials are in their order, rows in that of the file.
    assert origin.columns["trial"][1].tolist() == ["1", "2", "3"]
    assert origin.row[:2].tolist() == [[1, 0, -1], [3, 2, 4]]
    np.testing.assert_array_equal(origin.present, series.present)
    assert sorted(origin.row[origin.row >= 0]) == list(range(series.present.sum()))
    for i, s in zip(*np.nonzero(series.present), strict=True):
        value = origin.columns["outcome"][i, s]
        assert float(value) == series.values["outcome"][i, s]


def test_names_are_not_shown(series):
    for thing in (series, series.origin):
        assert "007" not in repr(thing) and "007" not in str(thing)


def test_people_of_no_table_are_numbered():
    present = np.array([[True, True], [True, False], [True, True]])
    origin = numbered(np.array([0, 0, 1]), present)
    assert origin.people == ("1", "2")
    assert origin.row.tolist() == [[0, 1], [2, -1], [3, 4]]
    of_series = origin.of_series()
    assert of_series["participant"].tolist() == ["1", "1", "2"]
    assert of_series["series"].tolist() == ["1", "2", "1"]
    assert origin.columns["trial"].tolist() == [["1", "2"], ["1", ""], ["1", "2"]]
