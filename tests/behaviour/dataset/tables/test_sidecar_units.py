"""Times of files whose side-cars give other units are converted each by its own."""

import json

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Reading, find_task, load_series, with_judgements
from pcmodel.errors import UserError
from tests.behaviour.dataset.small_tables import check

TASK = with_judgements(find_task("binary"), ("reaction_time",))
HEADER = "trial\toutcome\tresponse\tresponse_time\n"
BODY = "1\t0\t0\t500\n2\t1\t1\t700\n3\t1\tn/a\tn/a\n"


def load(folder, **options):
    return load_series(folder, TASK, **options)


def complaint(folder, **options):
    with pytest.raises(UserError) as caught:
        load(folder, **options)
    return str(caught.value)


SECONDS = (HEADER + BODY).replace("500", "0.5").replace("700", "0.7")


@pytest.fixture
def study(tmp_path):
    """Sessions of seconds beside some of milliseconds, each with its side-car."""
    for who, ses, unit in (
        (w, s, u) for w in ("01", "02") for s, u in (("1", "ms"), ("2", "s"))
    ):
        stem = f"sub-{who}/ses-{ses}/beh/sub-{who}_ses-{ses}_task-coin_beh"
        path = tmp_path / "study" / stem
        path.parent.mkdir(parents=True)
        path.with_suffix(".tsv").write_text(SECONDS if unit == "s" else HEADER + BODY)
        told = {"response_time": {"Units": unit}}
        path.with_suffix(".json").write_text(json.dumps(told))
    return tmp_path / "study"


def test_each_file_is_converted_by_its_own_side_car(study, capsys):
    series = load(study)
    np.testing.assert_allclose(
        series.values["reaction_time"], [[0.5, 0.7, np.nan]] * 4, rtol=1e-12
    )
    said = ("--judgements", "reaction_time")
    code, rows, _ = check(capsys, study, *said)
    assert code == 0 and rows["response_time"] == "ms, s, by each file's side-car"
    # Whoever says one unit for all is told of those whose times are of another.
    text = complaint(study, reading=Reading(units={"reaction_time": "ms"}))
    assert (
        "sub-01_ses-2_task-coin_beh.tsv, column 'response_time', row 2: has a med"
        in text
    )
    assert "not all are in ms" in text


def test_a_file_of_no_unit_beside_others_that_differ_is_named(study, capsys):
    odd = study / "sub-02/ses-2/beh/sub-02_ses-2_task-coin_beh.json"
    odd.write_text("{}")
    said = complaint(study)
    assert f"{odd.stem}.tsv, column 'response_time': has no unit" in said
    code, _, printed = check(capsys, study, "--judgements", "reaction_time")
    assert code == 2 and "has no unit" in printed
    odd.write_text(json.dumps({"response_time": {"Units": "min"}}))
    assert "is in 'min', as the side-car says" in complaint(study)
    # A unit that the times deny.
    odd.write_text(json.dumps({"response_time": {"Units": "ms"}}))
    assert "has a median of 0.6 ms in one person" in complaint(study)
