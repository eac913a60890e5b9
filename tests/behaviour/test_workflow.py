"""What a fit's page has to say because its numbers cannot."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.workflow import Plan, notes_of, plan_hierarchy


@pytest.fixture
def series():
    """Two people, each under both drugs."""
    values = {"choice": np.tile([1.0, 2.0, 3.0], (4, 3)), "outcome": np.ones((4, 9))}
    return Series(
        values,
        np.ones((4, 9), bool),
        np.asarray([0, 0, 1, 1]),
        {"drug": np.asarray(["placebo", "drug"] * 2)},
        {},
    )


def notes(series, *formulas, rivals=(), task="bandit"):
    plan = Plan("", task, "ehgf3", formulas=formulas, compare_with=rivals)
    others = {name: plan_hierarchy(plan, series, name) for name in rivals}
    return " ".join(notes_of(plan, plan_hierarchy(plan, series), others))


def test_a_condition_without_differences_between_people_is_said(series):
    """`omega2 ~ drug` pools everyone: trials would count as people."""
    assert "Nobody differs in omega2" in notes(series, "omega2 ~ drug")
    assert "Nobody" not in notes(series, "omega2 ~ drug + (1 | participant)")


def test_a_rival_that_lost_a_formula_is_said(series):
    said = notes(series, "omega2 ~ drug", rivals=("rescorla_wagner", "hgf2"))
    assert "rescorla_wagner was fitted without omega2 ~ drug" in said
    assert "hgf2 was" not in said


def test_replications_of_a_bandit_lose_its_reversals(series):
    assert "reversals are lost" in notes(series)
