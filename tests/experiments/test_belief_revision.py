"""The main job at toy size, as a user runs it."""

import json

import numpy as np
import pytest

from experiments.belief_revision.claims import CLAIMS, Alike, Landing, Relaxed
from experiments.belief_revision.config import BehaviourSettings
from pcmodel.cli import main
from pcmodel.errors import UserError
from pcmodel.report.declared.claims import verdict


@pytest.mark.slow
# Chains this short disagree.
@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_the_main_job_runs_reports_and_keeps_its_theorems(tmp_path):
    """A theorem that fails at any size is an error in the software."""
    out = tmp_path / "run"
    assert main(["run", "belief_revision", "--smoke", "--output", str(out)]) == 0
    verdicts = json.loads((out / "result.json").read_text())["summary"]["verdicts"]
    exact = (
        "All gains alike move nothing",
        "Raised senses equal relaxed everything-else in the mode",
        "Relaxation without evidence moves nothing",
        "Linear networks revise monotonically",
        "No order effect without nonlinearity",
    )
    outcomes = {verdict["name"]: verdict["outcome"] for verdict in verdicts}
    assert {outcomes[name] for name in exact} == {"holds"}
    assert "<html" in (out / "report.html").read_text()[:200].lower()


LOW, HIGH = np.array([0.1, 0.0, 0.2]), np.array([0.8, 0.7, 0.9])
LATE, EARLY = np.array([np.inf, 0.9, np.inf]), np.array([0.4, 0.3, 0.5])


@pytest.mark.parametrize(
    ("claim", "found", "outcome", "said"),
    [
        (0, (0.02, (LATE, EARLY), (LOW, HIGH)), "holds", "never -> 0.40; flips 10% ->"),
        (0, (0.02, (EARLY, LATE), (LOW, HIGH)), "fails", "0.40 -> never"),
        (0, (0.02, (LATE, EARLY), (LOW, LOW)), "fails", "flips 10% -> 10% (gain 1 -> 0.02)"),
        (2, (0.02, HIGH, LOW, LOW), "holds", "trained 80%, untrained 10%, matched noise 10%"),
        (2, (0.02, HIGH, HIGH, LOW), "fails", "untrained 80%"),
        (2, (0.02, HIGH, LOW, HIGH), "fails", "noise 80%"),
        (5, (9e-6, 9e-5, 9e-4), "holds", "mode moved 9.0e-06"),
        (5, (0.0, 0.0, 2e-3), "fails", "of the settling time 2.0e-03"),
    ],
)  # fmt: skip
def test_claims_fall_either_way(claim, found, outcome, said):
    """Prevents intervals that overlap, and controls that do as well, from counting as evidence."""
    record = {0: Relaxed, 2: Landing, 5: Alike}[claim](*map(np.asarray, found))
    judged = verdict(CLAIMS[claim], record)
    assert judged.outcome == outcome
    assert said in judged.observed


@pytest.mark.parametrize(
    "options",
    [
        {"num_warmup": 0},
        {"target_accept": 2.0},
        {"trial_counts": (50, 1)},
        {"num_participants": 11},
        {"rating_sd": float("nan")},
    ],
)
def test_options_about_people_are_refused_before_the_run(options):
    (name,) = options
    with pytest.raises(UserError, match=f"^behaviour.{name}"):
        BehaviourSettings(**options)
