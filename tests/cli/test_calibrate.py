"""`pcmodel calibrate`: replications survive an interrupt, and the page says what they show."""

import json

import numpy as np
import pytest

from pcmodel.behaviour.studies.sbc import Calibration, Replication
from pcmodel.cli import main
from pcmodel.cli.pages.calibrate_page import analyse, band
from pcmodel.record.replications import StoredReplications

ROW = Replication(
    *(np.arange(3.0) + i for i in range(5)),
    np.asarray(2),
    np.asarray(1.0),
    np.asarray(400.0),
)


def test_replications_come_back_and_a_torn_file_is_missing(tmp_path):
    """Prevents half of a file, left by a kill, from counting as a replication."""
    stored = StoredReplications(tmp_path / "own", Replication)
    assert 4 not in stored and len(stored) == 0
    stored[4] = ROW
    again = StoredReplications(tmp_path / "own", Replication)
    for found, expected in zip(again[4], ROW, strict=True):
        np.testing.assert_array_equal(found, expected)
    whole = (tmp_path / "own" / "00004.npz").read_bytes()
    (tmp_path / "own" / "00004.npz").write_bytes(whole[: len(whole) // 2])
    assert 4 not in again
    again.clear()
    assert len(again) == 0


def calibration(rng, *, shift=0.0, size=400):
    """Posteriors of unit width about truths plus noise, and `shift`."""
    truth = rng.normal(size=(size, 2))
    mean = truth + rng.normal(size=(size, 2)) + shift
    draws = mean + rng.normal(size=(99, size, 2))
    return Calibration(
        ("a", "b"),
        truth,
        mean,
        mean - 1.645,
        mean + 1.645,
        (draws < truth).sum(axis=0),
        np.zeros(size, int),
        np.ones(size),
        np.full(size, 400.0),
    )


@pytest.mark.parametrize(("shift", "outcome"), [(0.0, "holds"), (0.6, "fails")])
def test_a_biased_fit_fails_both_checks(shift, outcome):
    found = analyse(None, calibration(np.random.default_rng(0), shift=shift))
    assert {verdict.outcome for verdict in found.verdicts} == {outcome}


def test_three_replications_decide_nothing():
    """They would hold whatever the intervals are."""
    rng = np.random.default_rng(0)
    found = analyse(None, calibration(rng, size=3))
    assert {verdict.outcome for verdict in found.verdicts} == {"inconclusive"}


def test_the_band_is_that_of_kolmogorov():
    """95 % of samples: 1.358 over the root of the size, for large sizes."""
    assert band(400) == pytest.approx(1.358 / 20.0, rel=0.05)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("binary", "hgf9"), "did you mean"),
        (("dice", "hgf2"), "no task is called 'dice'"),
        (("binary", "hgf2", "--participants", "0"), "expected 1 or more"),
        (("binary", "hgf2", "--formula", "omega2 ~ age"), "is called 'age'"),
        (("rating", "hgf2", "--scale", "0"), "expected two numbers, LOW,HIGH"),
        (("binary", "hgf2", "--nonsense"), "does not know the option"),
    ],
)
def test_bad_input_is_one_message(words, part, capsys, tmp_path):
    assert main(["calibrate", *words, "--output", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert part in said and "Traceback" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_an_interrupted_calibration_ends_as_an_uninterrupted_one(tmp_path):
    out = tmp_path / "out"
    words = ["calibrate", "binary", "hgf2", "--smoke", "--quiet", "--output", str(out)]
    assert main(words) == 0
    with np.load(out / "arrays.npz") as arrays:
        whole = dict(arrays)
    status = json.loads((out / "status.json").read_text())
    (out / "status.json").write_text(json.dumps(status | {"status": "interrupted"}))
    kept, lost, torn = sorted(out.glob("replications-*/*.npz"))
    before = kept.stat().st_mtime_ns
    lost.unlink()
    torn.write_bytes(b"PK")
    assert main(words) == 0
    assert kept.stat().st_mtime_ns == before
    with np.load(out / "arrays.npz") as arrays:
        for name, values in whole.items():
            np.testing.assert_array_equal(arrays[name], values)
    assert "Ranks of the truth are uniform" in (out / "report.html").read_text()
