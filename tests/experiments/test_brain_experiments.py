"""The experiments on brain networks: at toy size as a user runs them, and what they share."""

import json

import numpy as np
import pytest

from experiments._brain import (
    HELD,
    People,
    Setting,
    activity_of,
    observe,
    paired,
    person,
)
from experiments._brain_scans import bold_seen, image, scanner_noise
from experiments.network_integration.context import distance
from pcmodel.brain.dynamics import EyesClosed
from pcmodel.cli import main
from pcmodel.errors import UserError
from pcmodel.report import UNPERTURBED, Perturbation

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
        image("networks", name, "closed", setting)[:, 0]
        for name in ("placebo", "noise")
    ]
    assert np.all(within[1] > 1.2 * within[0])
    share = "networks, noise in proportion"
    same = [image(share, name, "closed", setting) for name in ("placebo", "noise")]
    np.testing.assert_allclose(*same, rtol=1e-9)


def test_placebo_resembles_the_recordings_it_was_set_from():
    """Within .214 and between .028 in nine people."""
    setting = Setting(people=4, strength=2.0, selectivity=2.0, seed=11)
    found = image("networks", "placebo", "closed", setting).mean(axis=0)
    assert found[0] == pytest.approx(0.214, abs=0.04)
    assert found[1] == pytest.approx(0.028, abs=0.03)


def test_seeds_are_people():
    first, again, other = (
        activity_of(person(1, number, UNPERTURBED), EyesClosed(), None).covariance
        for number in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_a_scanners_noise_is_the_share_that_is_set():
    """Half of what is recorded; noise over signal doubled: two thirds."""
    setting = Setting(people=3, strength=2.0, selectivity=2.0, seed=5)
    signal = np.diag(bold_seen(0, "placebo", "closed", setting, UNPERTURBED).regions)
    names = bold_seen(0, "placebo", "closed", setting, UNPERTURBED).names
    for factor, share in ((1.0, 1 / 2), (2.0, 2 / 3), (0.5, 1 / 3)):
        noise = scanner_noise(0, setting, Perturbation("scanner.noise", "", factor))
        own = np.array([noise[name] for name in names])
        np.testing.assert_allclose(own / (own + signal), share, rtol=1e-9)
    kinds = ("networks", "networks, noise in proportion")
    for kind in kinds:
        plain = image(kind, "placebo", "closed", setting)
        noisy = image(
            kind, "placebo", "closed", setting, Perturbation("scanner.noise", "", 2.0)
        )
        assert np.all(noisy[:, 0] < plain[:, 0])


def test_a_task_holds_a_region_that_comparisons_leave_out():
    setting = Setting(people=3, strength=2.0, selectivity=2.0, seed=5)
    task, closed = (
        bold_seen(0, "placebo", one, setting, UNPERTURBED) for one in ("task", "closed")
    )
    assert set(closed.names) - set(task.names) == {HELD}
    assert len(closed.fine_names) - len(task.fine_names) == 2
    pairs = [image("pairs", "placebo", one, setting) for one in ("task", "closed")]
    assert pairs[0].shape == pairs[1].shape == (3, 29 * 28 // 2)
    moved = distance(*pairs)
    assert np.all(moved > 0) and np.all(distance(pairs[0], pairs[0]) == 0)
    by_hand = np.sqrt(((pairs[1][1] - pairs[0][1]) ** 2).sum() / 406)
    assert moved[1] == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"people": 2}, "people"),
        ({"strength": 0.0}, "strength"),
        ({"selectivity": float("nan")}, "selectivity"),
    ],
)
def test_people_who_do_not_fit_are_refused_in_a_sentence(options, words):
    with pytest.raises(UserError, match=words):
        People(**options)
