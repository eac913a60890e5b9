"""The experiments on brain networks: at toy size as a user runs them, and what they share."""

import json

import numpy as np
import pytest

from experiments._brain import Setting, activity_of, observe, paired, person
from pcmodel.brain.dynamics import EyesClosed
from pcmodel.cli import main
from pcmodel.report import UNPERTURBED

EXPERIMENTS = {
    "network_integration": "Noise changes no correlation of activity at rest",
    "ego_dissolution": "Neither noise nor all gains alike move the self's hold at rest",
    "prior_versus_sensory": "Means cannot tell them apart",
    "diversity": "A fixed input changes no covariance",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_runs_and_its_theorem_holds(name, tmp_path):
    out = tmp_path / "run"
    assert main(["run", name, "--smoke", "--output", str(out)]) == 0
    verdicts = json.loads((out / "result.json").read_text())["summary"]["verdicts"]
    outcomes = {verdict["name"]: verdict["outcome"] for verdict in verdicts}
    assert outcomes[EXPERIMENTS[name]] == "holds"


def test_changes_are_paired_within_people():
    before = np.array([1.0, 2.0, 3.0, 5.0])
    after = before + np.array([1.0, 2.0, 1.0, 2.0])
    found = paired(before, after)
    spread = np.std([1, 2, 1, 2], ddof=1)
    assert found.change == 1.5 and found.t == pytest.approx(1.5 / (spread / 2))
    assert paired(before, before * (1 + 1e-13)).t == 0.0
    assert paired(before, before + 1.0).t == np.inf


def test_noise_scales_what_is_seen_and_the_self_keeps_its_share():
    """A temperature: hold unchanged at rest, fMRI standing further out of the scanner's noise."""
    setting = Setting(people=3, strength=2.0, selectivity=2.0, seed=5)
    holds = [observe("self", name, "closed", setting) for name in ("placebo", "noise")]
    np.testing.assert_allclose(*holds, rtol=1e-9)
    within = [
        observe("networks", name, "closed", setting)[:, 0]
        for name in ("placebo", "noise")
    ]
    assert np.all(within[1] > 1.2 * within[0])
    share = "networks, noise in proportion"
    same = [observe(share, name, "closed", setting) for name in ("placebo", "noise")]
    np.testing.assert_allclose(*same, rtol=1e-9)


def test_placebo_resembles_the_recordings_it_was_set_from():
    """Within .214 and between .028 in nine people."""
    setting = Setting(people=4, strength=2.0, selectivity=2.0, seed=11)
    found = observe("networks", "placebo", "closed", setting).mean(axis=0)
    assert found[0] == pytest.approx(0.214, abs=0.04)
    assert found[1] == pytest.approx(0.028, abs=0.03)


def test_seeds_are_people():
    first, again, other = (
        activity_of(person(1, number, UNPERTURBED), EyesClosed(), None).covariance
        for number in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1
