"""What is simulated: reminders at intervals, and what brings an extinguished response back."""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from pcmodel.memory.designs import Design
from pcmodel.memory.designs.published import (
    amnestic,
    extinction_only,
    reinstatement,
    renewal,
    retrieval_extinction,
    spontaneous_recovery,
)
from pcmodel.report import NOT_EXAMINED, Examined

from .._conditioning import AtTest, Memory, at_test, learn_all, stacked
from .._options import at_least

DAYS = (0.0, 1.0, 2.0, 4.0, 6.0, 10.0, 14.0)
"""Tests after extinction in Quirk 2002."""
SAVINGS = 12
"""Trials of the second extinction."""


@dataclass(frozen=True)
class Config:
    """Options.

    points: intervals, ages and delays in each sweep.
    memory: parameters of the model.
    units_per_day: of the clock, for tests after days.
    calibrated_concentration: with which recovery takes its published course; units_per_day_calibrated: its clock.
    """

    points: int = 40
    memory: Memory = field(default_factory=Memory)
    units_per_day: float = 20.0
    calibrated_concentration: float = 0.2
    units_per_day_calibrated: float = 100.0

    def __post_init__(self):
        at_least(5, points=self.points)

    @classmethod
    def smoke(cls) -> "Config":
        """Few points."""
        return cls(points=5)

    @property
    def calibrated(self) -> Memory:
        """The parameters that were set from Quirk's days."""
        return replace(self.memory, concentration=self.calibrated_concentration)


class Course(NamedTuple):
    """The acquisition memory, trial by trial and iteration by iteration.

    position: trial, iterations as fractions of it.  weight: of the first cause.  share: posterior of the first cause.
    outcome: of the trials, by position.
    """

    position: np.ndarray
    weight: np.ndarray
    share: np.ndarray


class Recovery(NamedTuple):
    """Quirk's design: acquisition's last response, by days the response and the value over acquisition's.

    first, second: responses over trials of the first and, after the last day, the second extinction.
    """

    acquired: float
    response: np.ndarray
    value: np.ndarray
    first: np.ndarray
    second: np.ndarray


class Results(NamedTuple):
    """What is simulated; the second of a pair is without a reminder.

    intervals, by_interval, alone: retrieval-extinction by interval; extinction without a reminder.
    ages, by_age: units from acquisition to retrieval, (2, ages) responses.
    strengths, by_strength: acquisition trials, (2, strengths) responses.
    delays, by_delay: units from extinction to the test, (2, delays) responses.
    similarity, by_context: of the extinction context to that of acquisition, (2, similarities) responses after it.
    returns: responses by what brings them back, with a reminder and without.
    amnesia: responses by condition, with the agent and without.
    courses: the acquisition memory with a reminder, and without.
    recovery: Quirk's design with the paper's parameters, and calibrated.
    calibrated: responses 200 units after extinction with a reminder and without, calibrated.
    tested: numbers of the claims, by name.
    """

    intervals: np.ndarray
    by_interval: AtTest
    alone: AtTest
    ages: np.ndarray
    by_age: np.ndarray
    strengths: np.ndarray
    by_strength: np.ndarray
    delays: np.ndarray
    by_delay: np.ndarray
    similarity: np.ndarray
    by_context: np.ndarray
    returns: dict[str, np.ndarray]
    amnesia: dict[str, np.ndarray]
    courses: tuple[Course, Course]
    recovery: tuple[Recovery, Recovery]
    calibrated: np.ndarray
    tested: Examined = NOT_EXAMINED


def simulate(config: Config, *, seed: int, progress) -> Results:
    """Every sweep; nothing is random."""
    p = config.memory.parameters()
    num = config.points
    intervals = np.unique(np.r_[0, np.round(np.geomspace(1, 400, num))])
    ages = np.unique(np.round(np.geomspace(1, 600, num)))
    strengths = np.unique(np.round(np.geomspace(1, 40, min(num, 12)))).astype(int)
    delays = np.unique(np.round(np.geomspace(1, 1000, num)))
    similarity = np.linspace(0, 1, max(num // 2, 5))

    def response(designs: list[Design]) -> np.ndarray:
        return at_test(designs, p).response

    with progress.stage("sweeps", total=4) as stage:
        by_interval = at_test([retrieval_extinction(i) for i in intervals], p)
        stage.advance()
        by_age = np.array(
            [
                response([retrieval_extinction(age=a) for a in ages]),
                response([extinction_only(age=a) for a in ages]),
            ]
        )
        stage.advance()
        by_delay = np.array(
            [
                response([retrieval_extinction(recovery=d) for d in delays]),
                response([extinction_only(recovery=d) for d in delays]),
            ]
        )
        stage.advance()
        by_context = np.array(
            [response([in_context(s, r) for s in similarity]) for r in (3.0, None)]
        )
        stage.advance()
    return Results(
        intervals,
        by_interval,
        at_test([extinction_only()], p),
        ages,
        by_age,
        strengths,
        np.array(
            [
                response([retrieval_extinction(acquisition=int(s)) for s in strengths]),
                response([with_strength(int(s)) for s in strengths]),
            ]
        ),
        delays,
        by_delay,
        similarity,
        by_context,
        {name: response(list(pair)) for name, pair in returns().items()},
        {name: response(list(pair)) for name, pair in amnesias().items()},
        (
            course(retrieval_extinction(), config.memory),
            course(extinction_only(), config.memory),
        ),
        (
            recovery(config.memory, config.units_per_day),
            recovery(config.calibrated, config.units_per_day_calibrated),
        ),
        at_test(
            [retrieval_extinction(), extinction_only()],
            config.calibrated.parameters(),
        ).response,
    )


def in_context(similarity: float, retrieval: float | None) -> Design:
    """Renewal after extinction in a context of some similarity to that of acquisition and test."""
    design = renewal("B", retrieval=retrieval)
    return replace(
        design,
        contexts={"A": {"context": 1.0}, "B": {"context": float(similarity)}},
    )


def with_strength(acquisition: int) -> Design:
    """Extinction without a reminder after more or less acquisition."""
    base = retrieval_extinction(0.0, acquisition=acquisition)
    return base  # an interval of 0 is extinction that goes on


def returns() -> dict[str, tuple[Design, Design]]:
    """What brings a response back, with a reminder and without."""
    return {
        "time\n(200 units)": (retrieval_extinction(), extinction_only()),
        "a shock without\nsignal": (reinstatement(), reinstatement(retrieval=None)),
        "the context of\nacquisition (like)": (
            renewal("A*"),
            renewal("A*", retrieval=None),
        ),
        "the context of\nacquisition (unlike)": (
            renewal("B"),
            renewal("B", retrieval=None),
        ),
    }


def amnesias() -> dict[str, tuple[Design, Design]]:
    """Suzuki's boundary conditions, with the agent and without."""
    cases: dict[str, dict[str, Any]] = {
        "young, weak,\nbrief reminder": {},
        "long reminder": {"exposures": 3},
        "older memory": {"age": 40},
        "stronger memory": {"acquisition": 2},
        "shock at\nthe reminder": {"us": 1.0},
    }
    return {
        name: (amnestic(**given), amnestic(amnesia=0.0, **given))
        for name, given in cases.items()
    }


def course(design: Design, memory: Memory) -> Course:
    """The acquisition memory over the trials before the test."""
    history = learn_all(stacked([design]), memory.parameters())
    last = design.index("test")[0]
    position, weight, share = [], [], []
    for t in range(last):
        count = int(history.iterations[0, t])
        for i in range(count):
            position.append(t + 1 + i / count)
            weight.append(float(history.weights[0, t, i, 0, 0]))
            share.append(float(history.posterior[0, t, i, 0]))
    return Course(np.array(position), np.array(weight), np.array(share))


def recovery(memory: Memory, units_per_day: float, perturbation=None) -> Recovery:
    """Quirk's design: tests after days, and a second extinction after the last."""
    designs = [
        spontaneous_recovery(day, units_per_day=units_per_day, savings=SAVINGS)
        for day in DAYS
    ]
    p = memory.parameters() if perturbation is None else memory.parameters(perturbation)
    history = learn_all(stacked(designs), p)
    test = designs[0].index("test")[0]
    acquired = designs[0].index("acquisition")[-1]
    response, value = np.asarray(history.response), np.asarray(history.prediction)
    first = designs[0].index("extinction")
    return Recovery(
        float(response[0, acquired]),
        response[:, test] / response[0, acquired],
        value[:, test] / value[0, acquired],
        response[-1, first],
        response[-1, test : test + SAVINGS],
    )
