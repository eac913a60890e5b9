"""Low doses of LSD: what they do, and how long, beside what was published; nothing was calibrated on it.

Published: Holze et al. 2021, Clin Pharmacol Ther (5, 10, 20 µg, 23 people) and Neuropsychopharmacology 46:537 (25-200 µg, 16
people); spread of durations: Holze et al. 2019 (100 µg, 27 people).
"""

from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from pcmodel.neuromodulation import Dose, threshold_of, transducer_of
from pcmodel.neuromodulation.participant import of_person
from pcmodel.report import UNPERTURBED, Parameter, Perturbation

from .._claims import Claim
from .._dosing import hours_felt, take

CLOCK = np.linspace(0, 48, 577)
STAGES = {"fades in": transducer_of, "threshold": threshold_of}
LEAST = of_person("transducer", "least")
PLASMA = {  # mg: mean Cmax and its 95 % interval, ng/mL
    0.005: (0.151, 0.127, 0.181),
    0.01: (0.279, 0.243, 0.320),
    0.02: (0.500, 0.413, 0.607),
}
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


def low_doses(people: int, seed: int) -> LowDoses:
    """Curves for the figure, and the two responses that contradict each other."""
    doses = np.geomspace(0.003, 0.2, 15)
    effect = {
        stage: np.asarray(
            [
                group(mg, people, seed, UNPERTURBED, stage).effect[1:].mean()
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


LSD = (
    Parameter("LSD K at 5-HT2A", "ligands.k_2a", "LSD"),
    Parameter("LSD effect-site rate", "kinetics.effect_site", "LSD"),
    Parameter("LSD volume", "kinetics.volume", "LSD"),
)
STAGE = (
    Parameter("second-stage midpoint", "physiology.half"),
    Parameter("second-stage power", "physiology.power"),
    Parameter("smallest effect that is felt", "physiology.least"),
)


def plasma(perturbation: Perturbation, *, people: int, seed: int) -> np.ndarray:
    """Mean Cmax after 5, 10, 20 µg, ng/mL."""
    return np.asarray(
        [group(mg, people, seed, perturbation).plasma[1:].mean() for mg in PLASMA]
    )


def peaks(perturbation: Perturbation, *, people: int, seed: int) -> np.ndarray:
    """Mean peak effect after 5, 10, 20 µg (%), then the least that is felt (%)."""
    means = [group(mg, people, seed, perturbation).effect[1:].mean() for mg in PLASMA]
    return np.asarray(
        [*means, 100 * LEAST * perturbation.factor_of("physiology.least")]
    )


def clock(perturbation: Perturbation, *, people: int, seed: int) -> np.ndarray:
    """Mean hours at which the effect of 10 µg begins, peaks and ends; mean peak (%); least felt (%)."""
    found = group(0.01, people, seed, perturbation)
    hours = [np.nanmean(x[1:]) for x in (found.begins, found.peaks, found.ends)]
    felt = 100 * LEAST * perturbation.factor_of("physiology.least")
    return np.asarray([*hours, found.effect[1:].mean(), felt])


def lasting(perturbation: Perturbation, *, people: int, seed: int) -> np.ndarray:
    """Mean hours 25 and 200 µg are felt."""
    return np.asarray(
        [group(mg, people, seed, perturbation).felt[1:].mean() for mg in LASTS]
    )


def spread(perturbation: Perturbation, *, people: int, seed: int) -> np.ndarray:
    """SD of the hours 100 µg is felt, two standard errors of it, and the interval of the published one."""
    felt = group(0.1, 10 * people, seed, perturbation).felt[1:]
    own = felt.std(ddof=1)
    error = 2 * own / np.sqrt(2 * (len(felt) - 1))
    return np.asarray([own, error, *interval_of_sd(SPREAD, STUDIED)])


def inside(numbers: np.ndarray) -> bool | None:
    """Whether an SD lies in the published interval; None where its own error reaches over an end."""
    own, error, low, high = numbers
    if min(abs(own - low), abs(own - high)) <= error:
        return None
    return bool(low < own < high)


def interval_of_sd(sd: float, number: int) -> tuple[float, float]:
    """95 % interval of the SD of a normal variable, from that of a sample."""
    from scipy.stats import chi2

    low, high = chi2.ppf((0.975, 0.025), number - 1)
    least, most = (sd * float(np.sqrt((number - 1) / q)) for q in (low, high))
    return least, most


def near_clock(hours: np.ndarray) -> bool:
    """Within half an hour of the published beginning and peak, and an hour of the end."""
    published = np.asarray([BEGINS, PEAKS, ENDS])
    return bool(np.all(np.abs(hours - published) <= (0.5, 0.6, 1.0)))


def claims(options) -> tuple[Claim, ...]:
    """Low doses; every one predicted."""
    return (in_plasma(options), *felt_or_not(options), in_time(options), *long(options))


def in_plasma(options) -> Claim:
    """Whether concentrations are right to begin with."""
    return Claim(
        "LSD in plasma after 5, 10 and 20 µg",
        "mean Cmax in the published intervals, 0.127-0.181, 0.243-0.320 and 0.413-0.607 ng/mL; kinetics are those of 100 µg",
        "predicted",
        partial(plasma, **options),
        lambda v: bool(
            all(
                low <= x <= high
                for x, (_, low, high) in zip(v, PLASMA.values(), strict=True)
            )
        ),
        lambda v: ", ".join(f"{x:.3f}" for x in v) + " ng/mL",
        (LSD[2], Parameter("LSD absorption rate", "kinetics.absorption", "LSD")),
    )


def felt_or_not(options) -> tuple[Claim, ...]:
    """5, 10 and 20 µg."""
    measure = partial(peaks, **options)

    def words(at: int):
        return lambda v: f"mean peak {v[at]:.2g} % (felt from {v[3]:.2g} %)"

    return (
        Claim(
            "5 µg of LSD is not felt",
            "mean peak effect below a twentieth of the scale (published: none)",
            "predicted",
            measure,
            lambda v: bool(v[0] < v[3]),
            words(0),
            (*LSD, *STAGE),
        ),
        Claim(
            "10 µg of LSD is felt",
            "mean peak effect a twentieth of the scale or more (published: above placebo)",
            "predicted",
            measure,
            lambda v: bool(v[1] >= v[3]),
            words(1),
            (*LSD, *STAGE),
        ),
        Claim(
            "20 µg of LSD is felt",
            "the same (published: above placebo, bad effects as well)",
            "predicted",
            measure,
            lambda v: bool(v[2] >= v[3]),
            words(2),
            (*LSD, *STAGE),
        ),
    )


def in_time(options) -> Claim:
    """When it begins and ends."""
    return Claim(
        "10 µg begins, peaks and ends as published",
        f"felt, and passing a tenth of its peak at {BEGINS} h (+- 0.5) and {ENDS} h (+- 1), with the peak at {PEAKS} h (+- 0.6)",
        "predicted",
        partial(clock, **options),
        lambda v: bool(near_clock(v[:3]) and v[3] >= v[4]),
        lambda v: f"{v[0]:.1f}, {v[1]:.1f}, {v[2]:.1f} h, of an effect of {v[3]:.2g} %",
        (*LSD, *STAGE),
    )


def long(options) -> tuple[Claim, ...]:
    """How long low and high doses are felt, and how people differ."""
    return (
        Claim(
            "25 and 200 µg are felt for as long as published",
            "means of 6.7 and 11 h, within a quarter",
            "predicted",
            partial(lasting, **options),
            lambda v: bool(
                all(
                    abs(x / known - 1) <= 0.25
                    for x, known in zip(v, LASTS.values(), strict=True)
                )
            ),
            lambda v: f"{v[0]:.1f} and {v[1]:.1f} h",
            (*LSD, *STAGE),
        ),
        Claim(
            "People differ in how long 100 µg lasts as published",
            f"SD inside the 95 % interval of the published {SPREAD:g} h of {STUDIED} people",
            "predicted",
            partial(spread, **options),
            inside,
            lambda v: (
                f"{v[0]:.2f} +- {v[1]:.2f} h (published interval {v[2]:.2f} to {v[3]:.2f})"
            ),
            (
                *(
                    Parameter(f"variation of {name}", f"variation.{name}")
                    for name in (
                        "clearance",
                        "volume",
                        "absorption",
                        "affinity",
                        "onset",
                    )
                ),
                STAGE[1],
            ),
        ),
    )
