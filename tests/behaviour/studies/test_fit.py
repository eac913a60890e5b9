"""What a fit's page has to say because its numbers cannot."""

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.posterior.caveats import notes_of, varies_in_words
from pcmodel.behaviour.studies.fit import Plan, plan_hierarchy


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
    found = plan_hierarchy(plan, series)
    return " ".join(notes_of(formulas, found, others, is_bandit=task == "bandit"))


def test_a_condition_without_differences_between_people_is_said(series):
    """`(0 | participant)` pools everyone: trials would count as people."""
    said = notes(series, "omega2 ~ drug + (0 | participant)")
    assert "Nobody differs in omega2" in said
    assert "Nobody" not in notes(series, "omega2 ~ drug")


def test_an_effect_within_people_that_is_the_same_in_all_is_said(series):
    said = notes(series, "omega2 ~ drug")
    assert "drug[drug] on omega2 are taken to be the same in everybody" in said
    varying = notes(series, "omega2 ~ drug + (drug | participant)")
    assert "taken to be the same" not in varying


def test_a_varying_effect_without_a_common_one_is_said(series):
    """Prevents differences between people from being taken for what a drug does."""
    said = notes(series, "omega2 ~ (drug | participant)")
    assert "drug[drug] on omega2 varies over people around 0" in said
    for formula in ("omega2 ~ drug + (drug | participant)", "omega2 ~ drug"):
        assert "around 0" not in notes(series, formula)


def test_what_differs_between_people_is_said(series):
    plan = Plan(
        "", "bandit", "ehgf3", formulas=("omega2 ~ drug + (drug | participant)",)
    )
    said = varies_in_words(plan_hierarchy(plan, series))
    assert "People differ in omega2 (drug[drug] too), log_beta, stickiness." in said
    assert "The same for everybody: omega3." in said
    plan = Plan("", "bandit", "ehgf3", pooled=True)
    assert "People do not differ." in varies_in_words(plan_hierarchy(plan, series))


def test_a_rival_that_lost_a_formula_is_said(series):
    said = notes(series, "omega2 ~ drug", rivals=("rescorla_wagner", "hgf2"))
    assert "rescorla_wagner was fitted without omega2 ~ drug" in said
    assert "hgf2 was" not in said


def test_replications_of_a_bandit_lose_its_reversals(series):
    assert "reversals are lost" in notes(series)


def test_effects_that_tell_all_people_apart_are_said(series):
    """The person again, under another name: prevents a spread that is its prior alone from being read."""
    who = series._replace(covariates={"code": np.asarray(["a", "a", "b", "b"])})
    assert "tell every participant apart" in notes(who, "omega2 ~ code")
    assert "apart" not in notes(who, "omega2 ~ code + (0 | participant)")
    assert "apart" not in notes(series, "omega2 ~ drug")


def test_a_raw_polynomial_is_not_said_to_be_centred_by_center():
    """`center()` takes one mean from all columns of a polynomial."""
    size = 8
    values = {"choice": np.tile([1.0, 2.0], (size, 3)), "outcome": np.ones((size, 6))}
    ages = np.asarray([20.0, 25, 31, 37, 44, 52, 61, 70])
    traits = {"age": ages, "sex": np.asarray(list("fmfmfmfm"))}
    given = Series(values, np.ones((size, 6), bool), np.arange(size), traits, {})
    said = notes(given, "omega2 ~ sex * poly(age, 2, raw=True)")
    assert "where poly(age, 2, raw=True) = 0" in said
    assert "with poly(age, 2, raw=True) without raw it is that" in said
    assert "center(" not in said
