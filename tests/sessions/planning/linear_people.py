"""People whose outcomes are linear in the strengths and normal, and plans for them: for tests."""

import numpy as np

from pcmodel.sessions.planning.options import StudyPlan
from pcmodel.sessions.planning.outcome import Outcome
from pcmodel.sessions.protocol.read import read_protocol

PROTOCOL = read_protocol("psilocybin_depression").protocol
ARMS = ("drug_and_therapy", "therapy_alone")
SPREAD = 2.0
BASE = np.array([1.0, 0.7])
# Improvement by strength, (arms, days): what each part of a treatment does.
RELAXATION = np.array([[1.5, 0.5], [0.0, 0.0]])
WINDOW = np.array([[0.4, 1.2], [0.0, 0.0]])
EXPECTATION = np.array([[0.5, 0.5], [0.2, 0.2]])


def linear(
    relaxation=RELAXATION, window=WINDOW, expectation=EXPECTATION, spread=SPREAD
):
    """A function that simulates people: a common level of each, and the parts' sums."""

    def simulate(protocol, *, arms, days, num_people, seed, strengths):
        level = spread * np.random.default_rng(seed).standard_normal(num_people)
        gain = BASE + strengths.relaxation * relaxation
        gain = gain + strengths.window * window + strengths.expectation * expectation
        points = np.zeros((len(arms), num_people, 1 + len(days))) + 30.0
        points[..., 1:] -= gain[:, None] + level[None, :, None]
        return Outcome(points, np.full((len(arms), num_people), 0.5))

    return simulate


def plan_of(**options):
    given = {"pool": 2000, "participants": (10, 40), "studies": 1500, "sizes": 9}
    given |= {"arms": ARMS, "days": (7, 21), "noise": 1.0} | options
    return StudyPlan("psilocybin_depression", **given)


def covariance(noise, spread=SPREAD):
    """Of the two improvements of a person."""
    return spread**2 * np.ones((2, 2)) + noise**2 * (np.eye(2) + np.ones((2, 2)))
