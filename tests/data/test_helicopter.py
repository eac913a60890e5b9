"""The embedded data are the file that was chosen, and read as documented."""

import hashlib
from importlib import resources

import numpy as np

from pcmodel.data.helicopter import load_helicopter

SHA256 = "3fbee7c63f8be27d689dc8e0a6f88abf75e735c688f204ff940b2591589d33b5"


def test_file_is_the_recorded_one():
    content = resources.files("pcmodel.data").joinpath("helicopter.csv").read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256


def test_licence_and_citation_travel_with_the_file():
    notice = resources.files("pcmodel.data").joinpath("HELICOPTER_LICENSE.txt")
    words = notice.read_text("utf-8")
    for phrase in ("MIT License", "Rasmus Bruckner", "nh9bq", "559f9f12"):
        assert phrase in words


def test_ten_people_did_a_hundred_trials_at_each_noise_level():
    data = load_helicopter()
    assert data.report.shape == (10, 200)
    assert data.participant.tolist() == list(range(34, 44))
    for noise_sd in (10.0, 25.0):
        assert np.all((data.noise_sd == noise_sd).sum(axis=1) == 100)
    assert np.all(np.flatnonzero(data.block_start[0]) == [0, 100])
    assert np.all(data.block_start.sum(axis=1) == 2)


def test_people_update_more_after_a_seen_helicopter():
    """The reading of catch trials: shown with the outcome, used for the next report."""
    data = load_helicopter()
    after = np.abs(data.report[:, 1:] - data.helicopter[:, :-1])
    change = data.change_point[:, :-1] & ~data.block_start[:, 1:]
    seen = data.helicopter_seen[:, :-1]
    assert after[change & seen].mean() < 0.75 * after[change & ~seen].mean()
