"""Low doses of LSD: what they do, and how long, beside what was published; nothing was calibrated on it.

Published: Holze et al. 2021, Clin Pharmacol Ther (5, 10, 20 µg, 23 people) and Neuropsychopharmacology 46:537 (25-200 µg, 16
people); spread of durations: Holze et al. 2019 (100 µg, 27 people).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

from pcmodel.neuromodulation import Dose, threshold_of, transducer_of
from pcmodel.neuromodulation.participant import of_person
from pcmodel.report import UNPERTURBED, Perturbation

from .._dosing import hours_felt, take
from .config import Config

CLOCK = np.linspace(0, 48, 577)
STAGES = {"fades in": transducer_of, "threshold": threshold_of}
LEAST = of_person("transducer", "least")
LITTLE = (0.005, 0.01, 0.02)
"""mg"""
CMAX, CMAX_LOW, CMAX_HIGH = np.asarray(
    [(0.151, 0.279, 0.500), (0.127, 0.243, 0.413), (0.181, 0.320, 0.607)]
)
"""Means after them and their 95 % intervals, ng/mL."""
BEGINS, PEAKS, ENDS = 1.1, 2.5, 5.1
"""Hours after 10 µg, means."""
LASTS = {0.025: 6.7, 0.2: 11.0}
"""Mean hours felt, by mg."""
SPREAD, STUDIED = 2.0, 27
"""SD of hours 100 µg is felt, and of how many people."""


class Group(NamedTuple):
    """One dose of LSD in everyone, typical first.

    plasma ng/mL, effect %: peaks.  begins, peaks, ends: hours at which the effect passes a tenth of its own
    peak, however small.  felt: hours, 0 where the peak is too small to be felt.  response: largest at 5-HT2A.
    """

    plasma: np.ndarray
    effect: np.ndarray
    begins: np.ndarray
    peaks: np.ndarray
    ends: np.ndarray
    felt: np.ndarray
    response: np.ndarray


@lru_cache(maxsize=512)
def group(
    mg: float,
    people: int,
    seed: int,
    perturbation: Perturbation = UNPERTURBED,
    stage: str = "fades in",
) -> Group:
    """LSD in everyone."""
    course, persons = take(
        [Dose("LSD", mg)],
        CLOCK,
        people=people,
        seed=seed,
        perturbation=perturbation,
        transducer=STAGES[stage],
    )
    effect = np.asarray(course.effect_2a)
    begins, ends = np.transpose([crossings(one) for one in effect])
    return Group(
        np.asarray(course.plasma[:, 0]).max(1),
        100 * effect.max(1),
        begins,
        CLOCK[effect.argmax(1)],
        ends,
        hours_felt(CLOCK, effect, persons),
        np.asarray(course.response_2a).max(1),
    )


def crossings(effect: np.ndarray) -> tuple[float, float]:
    """When an effect first and last passes a tenth of its peak; NaN without one."""
    above = np.flatnonzero(effect > 0.1 * effect.max())
    if not len(above) or above[0] == 0 or above[-1] == len(effect) - 1:
        return np.nan, np.nan
    level, first, last = 0.1 * effect.max(), above[0], above[-1]
    begins = np.interp(level, effect[[first - 1, first]], CLOCK[[first - 1, first]])
    ends = np.interp(level, effect[[last + 1, last]], CLOCK[[last + 1, last]])
    return float(begins), float(ends)


class LowDoses(NamedTuple):
    """LSD by dose (mg).

    effect: mean peak over people, % of the scale, by second stage (doses,).  times, courses: the typical
    participant's effect after 5, 10, 20 and 100 µg, % (doses, times).
    shelf: response at 5-HT2A of the typical participant at the peak of 10 µg of LSD, and of psilocybin 25 mg at the end of
    its published 5.5 h.
    """

    dose: np.ndarray
    effect: dict[str, np.ndarray]
    shown: np.ndarray
    times: np.ndarray
    courses: np.ndarray
    shelf: np.ndarray


SHOWN = (0.005, 0.01, 0.02, 0.1)


def low_doses(config: Config, seed: int) -> LowDoses:
    """Curves for the figure, and the two responses that contradict each other."""
    doses = np.geomspace(0.003, 0.2, 15)
    effect = {
        stage: np.asarray(
            [
                group(mg, config.people, seed, UNPERTURBED, stage).effect[1:].mean()
                for mg in doses
            ]
        )
        for stage in STAGES
    }
    courses = [take([Dose("LSD", mg)], CLOCK)[0].effect_2a[0] for mg in SHOWN]
    return LowDoses(
        doses,
        effect,
        np.asarray(SHOWN),
        CLOCK,
        100 * np.asarray(courses),
        np.asarray([group(0.01, 0, seed).response[0], response_at_the_end()]),
    )


def response_at_the_end() -> float:
    """Response 5.5 h after the effect of psilocybin 25 mg began: a tenth of its peak was left, by definition."""
    course, _ = take([Dose("psilocybin", 25.0)], CLOCK)
    begins, _ = crossings(np.asarray(course.effect_2a[0]))
    return float(np.interp(begins + 5.5, CLOCK, np.asarray(course.response_2a[0])))


def in_everyone(
    field: str, doses, config: Config, seed: int, perturbation: Perturbation
) -> np.ndarray:
    """Means over people after some doses."""
    found = (group(mg, config.people, seed, perturbation) for mg in doses)
    return np.asarray([getattr(each, field)[1:].mean() for each in found])


def least(perturbation: Perturbation) -> float:
    """The smallest effect that is felt, %."""
    return 100 * LEAST * perturbation.factor_of("physiology.least")


class Plasma(NamedTuple):
    """Mean Cmax after 5, 10, 20 µg, ng/mL."""

    peak: np.ndarray


def plasma(config: Config, seed: int, perturbation: Perturbation) -> Plasma:
    return Plasma(in_everyone("plasma", LITTLE, config, seed, perturbation))


class Peaks(NamedTuple):
    """Mean peak effect after 5, 10, 20 µg, and the least that is felt, %."""

    five: float
    ten: float
    twenty: float
    least: float


def peaks(config: Config, seed: int, perturbation: Perturbation) -> Peaks:
    five, ten, twenty = in_everyone("effect", LITTLE, config, seed, perturbation)
    return Peaks(five, ten, twenty, least(perturbation))


class Clock(NamedTuple):
    """Mean hours at which the effect of 10 µg begins, peaks and ends; its mean peak, and the least felt, %."""

    begins: float
    peaks: float
    ends: float
    size: float
    least: float


def clock(config: Config, seed: int, perturbation: Perturbation) -> Clock:
    found = group(0.01, config.people, seed, perturbation)
    begins, peaks, ends = (
        float(np.nanmean(x[1:])) for x in (found.begins, found.peaks, found.ends)
    )
    return Clock(begins, peaks, ends, found.effect[1:].mean(), least(perturbation))


class Lasting(NamedTuple):
    """Mean hours felt after the doses of `LASTS`."""

    felt: np.ndarray


def lasting(config: Config, seed: int, perturbation: Perturbation) -> Lasting:
    return Lasting(in_everyone("felt", LASTS, config, seed, perturbation))


class Spread(NamedTuple):
    """SD of the hours 100 µg is felt, two standard errors of it, and the interval of the published one."""

    own: float
    error: float
    low: float
    high: float


def spread(config: Config, seed: int, perturbation: Perturbation) -> Spread:
    felt = group(0.1, 10 * config.people, seed, perturbation).felt[1:]
    own = felt.std(ddof=1)
    error = 2 * own / np.sqrt(2 * (len(felt) - 1))
    # 95 % interval of the SD of a normal variable, from that of a sample.
    low, high = SPREAD * np.sqrt((STUDIED - 1) / chi2.ppf((0.975, 0.025), STUDIED - 1))
    return Spread(own, error, low, high)
