"""How many people in each arm tell the drug from therapy, from unblinding, and relaxed beliefs from a window?

`run_power` is the computation of `pcmodel power`.  Everybody is simulated in every arm and studies draw different
people into each.  Two explanations are compared by the log likelihood of what is measured, each at the size that fits
a study best; a rival's own truth is the size at which it looks most like the effect in question.  Rivals that give
everybody the same likelihood cannot be distinguished by any number of people: **alike**.
"""

from collections.abc import MutableMapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.runtime.progress import Progress
from pcmodel.sessions.planning.explanations import QUESTIONS, Strengths
from pcmodel.sessions.planning.options import StudyPlan, arms_of, days_of
from pcmodel.sessions.planning.outcome import (
    Measure,
    Outcome,
    Simulate,
    check_outcome,
)
from pcmodel.sessions.planning.rivals import (
    Rivals,
    gaps,
    profiles_of,
    simulate_rivals,
)
from pcmodel.sessions.planning.studies import (
    Curve,
    attribution_curve,
    superiority_curve,
)
from pcmodel.sessions.protocol.content import Protocol

SAME = 0.02  # nats a person, below which explanations are not distinguishable
ENOUGH = 0.9  # required probability of the right attribution
POWER = 0.8  # required power of the test between two arms


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
    rival_size: at which it is most similar to the effect; 1 as the model has it, NaN where its size changes nothing.
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

    def outcome(self, strengths: Strengths) -> Outcome:
        """Of the pool of people, who are the same whatever the strengths."""
        found = self.simulate(
            self.protocol,
            arms=self.arms,
            days=self.days,
            num_people=self.plan.pool,
            seed=self.seed,
            strengths=strengths,
        )
        return check_outcome(found, strengths)


def run_power(
    plan: StudyPlan,
    protocol: Protocol,
    *,
    seed: int,
    simulate: Simulate,
    progress: Any = None,
    stored: MutableMapping[int, Rivals] | None = None,
) -> PowerResults:
    """Simulate, compare and count.

    simulate: the function that simulates the people of a protocol.
    stored: what was simulated by number of the question; what is found is used, and the rest is added.
    Raises UserError for unknown arms and for days outside of the protocol.
    """
    arms, days = arms_of(plan, protocol), days_of(plan, protocol)
    study = _Study(plan, protocol, arms, days, seed, simulate)
    store: MutableMapping[int, Rivals] = {} if stored is None else stored
    asked = [name for name in plan.questions if name in QUESTIONS]
    numbers = {name: list(QUESTIONS).index(name) for name in asked}
    rounds = 1 + len(asked) * (2 * plan.sizes + 1)
    with (progress or Progress(silent=True)).stage("simulate", rounds) as stage:
        whole = study.outcome(Strengths())
        stage.advance()
        for name, number in numbers.items():
            if number not in store:
                store[number] = simulate_rivals(
                    study.outcome,
                    QUESTIONS[name],
                    sizes=plan.sizes,
                    measure=_measure(plan, seed),
                    advance=stage.advance,
                )
    told = [
        _compare(plan, name, store[number], seed) for name, number in numbers.items()
    ]
    points = np.asarray(whole.points, float)
    improvement = (points[..., :1] - points[..., 1:]).mean(axis=1)
    found = _superiority(study, whole) if "therapy" in plan.questions else None
    return PowerResults(arms, days, plan.participants, improvement, found, tuple(told))


def _measure(plan: StudyPlan, seed: int) -> Measure:
    return Measure(plan.noise, plan.guess, seed)


def _compare(plan: StudyPlan, name: str, found: Rivals, seed: int) -> Attribution:
    question, measure = QUESTIONS[name], _measure(plan, seed)
    profiles = profiles_of(found, measure)
    pairs = profiles(np.arange(plan.pool))
    ahead = np.stack([gaps(pair, truth) for truth, pair in enumerate(pairs)])
    largest = float(np.abs(ahead).max())
    if not np.isfinite(largest):
        raise UserError("its likelihoods are not finite", where=f"question {name!r}")
    verdict, needed = "alike", 0
    half = np.full(len(plan.participants), 0.5)
    right = Curve(half, half, half)
    if largest >= SAME:
        right = attribution_curve(
            profiles,
            plan.pool,
            participants=plan.participants,
            num_studies=plan.studies,
            rng=np.random.default_rng(seed),
        )
        needed = enough(plan.participants, right.share, ENOUGH)
        verdict = "told apart" if needed else "not told apart"
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


def _superiority(study: _Study, whole: Outcome) -> Superiority:
    plan, last = study.plan, len(study.days) - 1
    values = _measure(plan, study.seed).draw(whole)[:2, :, :, last]
    points = np.asarray(whole.points, float)[:2]
    gap = float(np.subtract(*(points[..., 0] - points[..., -1]).mean(axis=1)))
    spread = float(np.sqrt(values.var(axis=(1, 2), ddof=1).mean()))
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
