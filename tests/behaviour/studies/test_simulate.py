"""Made-up studies are ones that every task's models take, and that reverse."""

import numpy as np
import pytest

from pcmodel.behaviour.studies.calibrate import CheckPlan, plan_study
from pcmodel.behaviour.studies.simulate import SIDE, WINS, draw_wins, make_up


@pytest.mark.parametrize(
    ("task", "model"),
    [
        ("binary", "hgf2"),
        ("bandit", "rescorla_wagner"),
        ("rating", "hgf2"),
        pytest.param("helicopter", "kalman", marks=pytest.mark.slow),
    ],
)
def test_all_responses_of_a_made_up_study_are_scored(task, model):
    plan = CheckPlan(task, model, participants=3, trials=30, options=3)
    hierarchy = plan_study(plan, seed=0)
    responses = np.asarray(hierarchy.model.responses(hierarchy.data))
    assert responses.shape == (6, 30)
    scored = np.isfinite(responses)
    assert scored.all() or (task == "helicopter" and scored[:, 2:].mean() > 0.9)
    assert hierarchy.participant.tolist() == [0, 0, 1, 1, 2, 2]


def test_the_good_option_moves_on():
    wins = draw_wins(np.random.default_rng(0), (500, 2 * SIDE), 3)
    shares = wins.reshape(500, 2, SIDE, 3).mean(axis=2)
    good = shares.argmax(axis=-1)
    assert ((good[:, 0] + 1) % 3 == good[:, 1]).mean() > 0.95
    assert shares.max(axis=-1).mean() == pytest.approx(WINS, abs=0.03)


def test_the_drug_is_within_people_and_the_seed_decides():
    first, again = (
        make_up("binary", num_participants=2, num_trials=9, seed=s) for s in (1, 1)
    )
    other = make_up("binary", num_participants=2, num_trials=9, seed=2)
    assert first.covariates["drug"].tolist() == ["placebo", "drug"] * 2
    np.testing.assert_array_equal(first.values["outcome"], again.values["outcome"])
    assert (first.values["outcome"] != other.values["outcome"]).any()
