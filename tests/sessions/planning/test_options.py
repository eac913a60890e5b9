"""What is asked of a study: arms, days, numbers, strengths."""

import random

import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.sessions.planning import power
from pcmodel.sessions.planning.explanations import QUESTIONS, Strengths
from pcmodel.sessions.planning.options import StudyPlan, arms_of, days_of
from pcmodel.sessions.planning.power import run_power
from tests.sessions.planning.linear_people import (
    PROTOCOL,
    linear,
    plan_of,
)


def test_strengths_of_the_questions():
    unblinding, window = QUESTIONS["unblinding"], QUESTIONS["window"]
    assert (
        unblinding.strengths(False, 1.0) == window.strengths(False, 1.0) == Strengths()
    )
    assert unblinding.strengths(True, 3.0) == Strengths(0.0, 0.0, 3.0)
    assert unblinding.strengths(False, 0.0) == Strengths(0.0, 0.0, 1.0)
    assert window.strengths(True, 2.0) == Strengths(0.0, 2.0, 1.0)
    assert window.strengths(False, 0.5) == Strengths(0.5, 1.0, 1.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sizes": 8}, "sizes: must be odd"),
        ({"pool": 30}, "pool: studies of 40 in each arm cannot be drawn from 30"),
        ({"questions": ()}, "questions: cannot be"),
        ({"questions": ("therapy", "therapy")}, "each once"),
        ({"questions": ("placebo",)}, "'therapy' or 'unblinding' or 'window'"),
        ({"participants": ()}, "participants: cannot be"),
        ({"noise": 0.0}, "noise: cannot be 0.0; expected a number, above 0"),
        ({"noise": float("nan")}, "noise"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(UserError, match=words):
        plan_of(**options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"arms": ("drug_alone",)}, "arms: cannot be drug_alone; expected two or more"),
        ({"arms": ("drug_alone", "drug_alone")}, "each once"),
        ({"arms": ("drug_alone", "placebo")}, "no arm is called 'placebo'"),
        ({"days": (21, 7)}, "days in order, 1 to 84"),
        ({"days": (0, 7)}, "days in order"),
        ({"days": (7, 85)}, "days in order"),
    ],
)
def test_arms_and_days_outside_of_the_protocol_are_refused(options, words):
    with pytest.raises(UserError, match=words):
        run_power(plan_of(**options), PROTOCOL, seed=0, simulate=linear())


def test_arms_and_days_that_are_not_named_are_the_protocols():
    plan = StudyPlan("psilocybin_depression")
    assert arms_of(plan, PROTOCOL) == (
        "drug_and_therapy",
        "therapy_alone",
        "active_placebo",
    )
    assert days_of(plan, PROTOCOL) == (1, 8, 21, 43, 69, 84)


def test_an_enough_size_stays_enough():
    sizes = (10, 20, 40, 80)
    rng = random.Random(0)
    for _ in range(50):
        shares = np.array([rng.choice([0.5, 0.9, 0.95]) for _ in sizes])
        found = power.enough(sizes, shares, 0.9)
        later = [s for n, s in zip(sizes, shares, strict=True) if n >= (found or 81)]
        assert all(share >= 0.9 for share in later)
        before = [n for n in sizes if n < (found or 1000)]
        assert not before or shares[len(before) - 1] < 0.9
