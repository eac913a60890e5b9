"""Outcomes of a cohort: symptoms, response, effects between arms, relapse, and who improves.

Intervals are those of simulated people (the model's own uncertainty is told by `perturbations` of its numbers): two
standard errors to either side. The same people are in all arms, so that a difference is taken person by person.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Bool, Float

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Finite, PositiveShare
from pcmodel.sessions.cohort import Cohort
from pcmodel.sessions.person.traits import Traits

WELL = 0.5
"""Belief at which there are no symptoms, belief units: the mean of the healthy phenotype."""
POINTS = 10.0
"""Symptom points per belief unit; the scale is this model's own, not a clinical one."""
HALVED = 0.5
"""Share of the symptoms at the start whose loss counts as a response, as trials have it."""


@checked_arguments
def arm_of(cohort: Cohort, name: str) -> int:
    """The number of an arm; UserError for an unknown one."""
    if name not in cohort.arms:
        raise unknown_name("arm", name, cohort.arms, where="this cohort")
    return cohort.arms.index(name)


@checked_arguments
def day_of(cohort: Cohort, day: Finite) -> int:
    """The number of the reading of a day; UserError for one without."""
    found = np.flatnonzero(cohort.days == day)
    if not len(found):
        raise UserError(
            f"there is no reading of day {day:g}",
            expected=f"a whole day from {cohort.days[0]:g} to {cohort.days[-1]:g}",
        )
    return int(found[0])


@checked_arguments
def symptoms(cohort: Cohort) -> Float[np.ndarray, "arms people days"]:
    """Symptom points, 0 or more: `POINTS` for each belief unit below `WELL`."""
    return np.maximum(POINTS * (WELL - np.asarray(cohort.belief, float)), 0.0)


@checked_arguments
def negative_confidence(cohort: Cohort) -> Float[np.ndarray, "arms people days"]:
    """Probability that each person gives to the belief being negative, P(self < 0)."""
    sharpness = jnp.exp(0.5 * cohort.log_precision)
    return np.asarray(ndtr(-cohort.belief * sharpness), float)


@checked_arguments
def improvement(cohort: Cohort, *, day: Finite) -> Float[np.ndarray, "arms people"]:
    """Symptom points lost from the first reading to that of a day; negative where there are more."""
    points = symptoms(cohort)
    return points[..., 0] - points[..., day_of(cohort, day)]


@checked_arguments
def responded(
    cohort: Cohort, *, day: Finite, share: PositiveShare = HALVED
) -> Bool[np.ndarray, "arms people"]:
    """Whether at least a share of the symptoms at the start is gone; false for who had none."""
    points = symptoms(cohort)
    start = points[..., 0]
    return (start > 0) & (points[..., day_of(cohort, day)] <= (1 - share) * start)


class Estimate(NamedTuple):
    """A number over people, and two standard errors to either side."""

    value: float
    low: float
    high: float


class Effect(NamedTuple):
    """The difference in improvement between two arms.

    points: symptom points, person by person.
    standardised: the mean difference over the standard deviation of improvement within arms (pooled), as trials tell it;
        NaN where that is 0.
    response: difference in the share of people who responded.
    """

    points: Estimate
    standardised: float
    response: Estimate


@checked_arguments
def effect(cohort: Cohort, first: str, second: str, *, day: Finite) -> Effect:
    """How much more one arm improves than another by a day.

    Raises UserError for unknown arms and days, and for fewer than two people.
    """
    a, b = arm_of(cohort, first), arm_of(cohort, second)
    gained, answered = improvement(cohort, day=day), responded(cohort, day=day)
    refuse_few(gained.shape[1])
    pooled = np.sqrt(0.5 * (gained[a].var(ddof=1) + gained[b].var(ddof=1)))
    difference = gained[a] - gained[b]
    return Effect(
        estimate(difference),
        float(difference.mean() / pooled) if pooled > 0 else np.nan,
        estimate(answered[a].astype(float) - answered[b]),
    )


class Share(NamedTuple):
    """One arm's improvement as a share of another's.

    of_change: of improvement since the start, as trials tell it.
    beyond_untreated: after subtracting that of an untreated arm; NaN without one.
    """

    of_change: Estimate
    beyond_untreated: Estimate


@checked_arguments
def share_of(
    cohort: Cohort, part: str, whole: str, *, day: Finite, untreated: str | None = None
) -> Share:
    """How much of the whole's improvement a part of the treatment gives: a ratio of means.

    Raises UserError for unknown arms and days, fewer than two people, and a whole that does not improve.
    """
    gained = improvement(cohort, day=day)
    a, b = gained[arm_of(cohort, part)], gained[arm_of(cohort, whole)]
    nothing = Estimate(np.nan, np.nan, np.nan)
    if untreated is None:
        return Share(ratio(a, b, whole), nothing)
    alone = gained[arm_of(cohort, untreated)]
    return Share(ratio(a, b, whole), ratio(a - alone, b - alone, whole))


def ratio(part: np.ndarray, whole: np.ndarray, name: str) -> Estimate:
    """The ratio of two means over the same people, its error by linearisation."""
    refuse_few(len(part))
    if not whole.mean() > 0:
        raise UserError(
            f"does not improve ({whole.mean():.3g} points)",
            where=f"arm {name!r}",
            expected="an arm whose improvement can be shared out",
        )
    value = part.mean() / whole.mean()
    error = (part - value * whole).std(ddof=1) / whole.mean() / np.sqrt(len(part))
    return Estimate(float(value), float(value - 2 * error), float(value + 2 * error))


class Relapse(NamedTuple):
    """What becomes of those who had responded.

    responders: people who had, by arm.
    relapsed: share of them who have not any more, by arm; NaN where nobody had.
    """

    responders: np.ndarray
    relapsed: np.ndarray


@checked_arguments
def relapse(cohort: Cohort, *, before: Finite, after: Finite) -> Relapse:
    """The share of those who had responded by one day and have not any more on another."""
    if not before < after:
        raise UserError(
            f"day {after:g} is not after day {before:g}", where="relapse: after"
        )
    had, have = responded(cohort, day=before), responded(cohort, day=after)
    number = had.sum(axis=1)
    lost = (had & ~have).sum(axis=1)
    return Relapse(number, np.where(number > 0, lost / np.maximum(number, 1), np.nan))


@checked_arguments
def correlations(
    cohort: Cohort,
    people: Traits,
    arm: str,
    *,
    day: Finite,
    traits: Sequence[str] = ("suggestibility", "expectancy", "alliance_growth"),
) -> dict[str, Estimate]:
    """The rank correlation of improvement with traits over the people of one arm.

    Intervals by Fisher's transformation. Raises UserError for an unknown trait, one in which people do not differ,
    improvement that does not differ, and fewer than four people.
    """
    gained = improvement(cohort, day=day)[arm_of(cohort, arm)]
    if len(gained) < 4:
        raise UserError(f"there are {len(gained)} people", expected="four or more")
    found = {}
    for name in traits:
        if name not in Traits._fields:
            raise unknown_name("trait", name, Traits._fields)
        found[name] = rank_correlation(
            np.asarray(getattr(people, name), float), gained, name
        )
    return found


def rank_correlation(one: np.ndarray, other: np.ndarray, name: str) -> Estimate:
    """Spearman's, with an interval of two standard errors on Fisher's scale."""
    for values, what in ((one, name), (other, "improvement")):
        if np.ptp(values) == 0:
            raise UserError(
                f"everybody has the same {what}",
                where="correlations",
                expected="people who differ",
            )
    r = float(np.corrcoef(ranked(one), ranked(other))[0, 1])
    z = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    error = np.sqrt(1.06 / (len(one) - 3))  # Fieller, Hartley & Pearson 1957
    return Estimate(r, float(np.tanh(z - 2 * error)), float(np.tanh(z + 2 * error)))


def ranked(values: np.ndarray) -> np.ndarray:
    """Ranks from 0; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - 0.5 * (counts + 1))[inverse]


def estimate(values: np.ndarray) -> Estimate:
    """The mean over people."""
    refuse_few(len(values))
    value, error = values.mean(), values.std(ddof=1) / np.sqrt(len(values))
    return Estimate(float(value), float(value - 2 * error), float(value + 2 * error))


def refuse_few(number: int) -> None:
    """UserError for fewer than two people, who have no spread."""
    if number < 2:
        raise UserError(f"there is {number} person", expected="two or more")
