"""How many people in each arm tell the drug from therapy, from unblinding, and relaxed beliefs from a window?

`run_power` is the computation of `pcmodel power`.  Everybody is simulated in every arm and studies draw different
people into each.  Two explanations are compared by the log likelihood of what is measured, each at the size that fits
a study best; a rival's own truth is the size at which it looks most like the effect in question.  Rivals that give
everybody the same likelihood cannot be distinguished by any number of people: **alike**.
"""

from collections.abc import MutableMapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.runtime.progress import Progress
from pcmodel.sessions.planning.explanations import QUESTIONS, Question, Strengths
from pcmodel.sessions.planning.likelihood import log_likelihood, moments
from pcmodel.sessions.planning.options import StudyPlan, arms_of, days_of
from pcmodel.sessions.planning.outcome import Outcome, Simulate, measured
from pcmodel.sessions.planning.studies import (
    Curve,
    attribution_curve,
    best_size,
    superiority_curve,
)
from pcmodel.sessions.protocol.content import Protocol

SAME = 0.02  # nats a person, below which explanations are not distinguishable
ENOUGH = 0.9  # required probability of the right attribution
POWER = 0.8  # required power of the test between two arms
NUM_DOUBLINGS = 4  # of the grid of a rival's sizes
REFERENCE, STUDY = (
    0,
    1,
)  # people from whom predictions are taken, and those who are studied


class ProfilePair(NamedTuple):
    """Log likelihoods of effect and rival at each size, nats.

    effect_true: where the effect is true.
    rival_true: where the rival is true.
    rival_size: at which it is most similar to the effect.
    rival_limit: the largest size that was tried.
    """

    effect_true: Float[np.ndarray, "arms people 2 sizes"]
    rival_true: Float[np.ndarray, "arms people 2 sizes"]
    rival_size: Float[np.ndarray, ""]
    rival_limit: Float[np.ndarray, ""]


class Superiority(NamedTuple):
    """Whether the treated arm improves more than its control, on the last day.

    treated: name of the arm.
    control: name of the arm.
    day: of the test.
    difference: mean over people, symptom points.
    standardised: over the standard deviation within arms, errors of measurement included.
    power: of Welch's test, two-sided at 5 %.
    needed: people in each arm from which on the power is enough; 0 where none of the sizes is.
    """

    treated: str
    control: str
    day: int
    difference: float
    standardised: float
    power: Curve
    needed: int


class Attribution(NamedTuple):
    """The effect compared with one rival.

    question: its name in `QUESTIONS`.
    effect: in words.
    rival: in words.
    rival_size: at which it is most similar to the effect; 1 as the model has it.
    rival_limit: the largest size that was tried.
    nats: truth minus the other, mean over people, arms and both truths.
    largest: the largest such difference of any one person.
    right: probability of the right attribution.
    needed: people in each arm from which on it is enough; 0 where none of the sizes is.
    verdict: "told apart", "not told apart" or "alike".
    """

    question: str
    effect: str
    rival: str
    rival_size: float
    rival_limit: float
    nats: float
    largest: float
    right: Curve
    needed: int
    verdict: str


class PowerResults(NamedTuple):
    """The answers to a plan's questions.

    arms: names.
    days: of follow-up that were measured.
    participants: people in each arm.
    improvement: mean in each arm on each of the days as the model has it, symptom points.
    superiority: the answer to "therapy"; None where it was not asked.
    told: those to the other questions.
    """

    arms: tuple[str, ...]
    days: tuple[int, ...]
    participants: tuple[int, ...]
    improvement: Float[np.ndarray, "arms days"]
    superiority: Superiority | None
    told: tuple[Attribution, ...]


class _Study(NamedTuple):
    """A plan with what it is about."""

    plan: StudyPlan
    protocol: Protocol
    arms: tuple[str, ...]
    days: tuple[int, ...]
    seed: int
    simulate: Simulate

    def outcome(self, which: int, strengths: Strengths) -> Outcome:
        """Of the people of the reference, or of those who are studied."""
        return self.simulate(
            self.protocol,
            arms=self.arms,
            days=self.days,
            num_people=self.plan.pool,
            seed=2 * self.seed + which,
            strengths=strengths,
        )

    def measured(self, strengths: Strengths) -> np.ndarray:
        """Measurements of the people who are studied; the same errors whatever the strengths."""
        return measured(
            self.outcome(STUDY, strengths),
            noise=self.plan.noise,
            has_guess=self.plan.guess,
            rng=np.random.default_rng((self.seed, STUDY)),
        )


def run_power(
    plan: StudyPlan,
    protocol: Protocol,
    *,
    seed: int,
    simulate: Simulate,
    progress: Any = None,
    stored: MutableMapping[int, ProfilePair] | None = None,
) -> PowerResults:
    """Simulate, compare and count.

    simulate: the function that simulates the people of a protocol.
    stored: profiles by number of the question; those found are used, and new ones are added.
    Raises UserError for unknown arms and for days outside of the protocol.
    """
    arms, days = arms_of(plan, protocol), days_of(plan, protocol)
    study = _Study(plan, protocol, arms, days, seed, simulate)
    store: MutableMapping[int, ProfilePair] = {} if stored is None else stored
    asked = [name for name in plan.questions if name in QUESTIONS]
    rounds = 1 + len(asked) * (2 * plan.sizes + 2)
    with (progress or Progress(silent=True)).stage("simulate", rounds) as stage:
        points = np.asarray(study.outcome(STUDY, Strengths()).points, float)
        stage.advance()
        for name in asked:
            number = list(QUESTIONS).index(name)
            if number not in store:
                store[number] = _profiles(study, QUESTIONS[name], stage)
    told = [
        _compare(plan, name, store[list(QUESTIONS).index(name)], seed) for name in asked
    ]
    improvement = (points[..., :1] - points[..., 1:]).mean(axis=1)
    found = _superiority(study) if "therapy" in plan.questions else None
    return PowerResults(arms, days, plan.participants, improvement, found, tuple(told))


def _profiles(study: _Study, question: Question, stage: Any) -> ProfilePair:
    """Log likelihoods of the people of both truths, under both explanations at every size."""
    grid = np.linspace(0.0, 2.0, study.plan.sizes)
    truth = study.measured(question.strengths(False, 1.0))
    stage.advance()
    tables = partial(_tables, study, question, stage)
    effect = tables(False, grid)
    own = _under(truth, effect)
    wide, rival = grid, tables(True, grid)
    other = _under(truth, rival)
    for _ in range(NUM_DOUBLINGS):
        if other.sum(axis=(0, 1)).argmax() < len(wide) - 1:
            break
        wide = 2.0 * wide
        rival = tables(True, wide)
        other = _under(truth, rival)
    size = best_size(other.sum(axis=(0, 1)), wide)
    mirror = study.measured(question.strengths(True, size))
    stage.advance()
    both = [_under(mirror, effect), _under(mirror, rival)]
    return ProfilePair(
        np.stack([own, other], axis=2),
        np.stack(both, axis=2),
        np.asarray(size),
        np.asarray(wide[-1]),
    )


def _tables(
    study: _Study, question: Question, stage: Any, is_rival: bool, grid: np.ndarray
) -> list[Any]:
    """The moments of an explanation at every size."""
    found = []
    for size in grid:
        outcome = study.outcome(REFERENCE, question.strengths(is_rival, float(size)))
        found.append(
            moments(outcome, noise=study.plan.noise, has_guess=study.plan.guess)
        )
        stage.advance()
    return found


def _under(
    values: np.ndarray, tables: list[Any]
) -> Float[np.ndarray, "arms people sizes"]:
    return np.stack([log_likelihood(values, own) for own in tables], axis=-1)


def _compare(plan: StudyPlan, name: str, found: ProfilePair, seed: int) -> Attribution:
    question = QUESTIONS[name]
    pairs = (found.effect_true, found.rival_true)
    ahead = np.stack([_gaps(pair, truth) for truth, pair in enumerate(pairs)])
    right = attribution_curve(
        *pairs,
        participants=plan.participants,
        num_studies=plan.studies,
        rng=np.random.default_rng(seed),
    )
    needed = enough(plan.participants, right.share, ENOUGH)
    verdict = "told apart" if needed else "not told apart"
    largest = float(np.abs(ahead).max())
    if largest < SAME:
        half = np.full(len(plan.participants), 0.5)
        right, needed, verdict = Curve(half, half, half), 0, "alike"
    return Attribution(
        name,
        question.effect,
        question.rival,
        float(found.rival_size),
        float(found.rival_limit),
        float(ahead.mean()),
        largest,
        right,
        needed,
        verdict,
    )


def _gaps(
    pair: Float[np.ndarray, "arms people 2 sizes"], truth: int
) -> Float[np.ndarray, "arms people"]:
    """Log likelihood of the truth minus the other's, nats, each at the best size for all people."""
    best = pair.sum(axis=(0, 1)).argmax(axis=-1)
    at = [pair[:, :, account, best[account]] for account in (0, 1)]
    return at[truth] - at[1 - truth]


def _superiority(study: _Study) -> Superiority:
    plan = study.plan
    values = study.measured(Strengths())[:2, :, len(study.days) - 1]
    spread = float(np.sqrt(values.var(axis=1, ddof=1).mean()))
    gap = float(values[0].mean() - values[1].mean())
    power = superiority_curve(
        values,
        participants=plan.participants,
        num_studies=plan.studies,
        rng=np.random.default_rng(study.seed),
    )
    return Superiority(
        study.arms[0],
        study.arms[1],
        study.days[-1],
        gap,
        gap / spread,
        power,
        enough(plan.participants, power.share, POWER),
    )


def enough(
    participants: tuple[int, ...], shares: Float[np.ndarray, " sizes"], least: float
) -> int:
    """The smallest study from which on all have at least this share; 0: none has.

    >>> enough((10, 20, 40), np.array([0.9, 0.7, 0.8]), 0.8)
    40
    """
    found = 0
    for size, share in sorted(zip(participants, shares, strict=True), reverse=True):
        if share < least:
            break
        found = size
    return found
