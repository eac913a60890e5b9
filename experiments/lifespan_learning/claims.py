"""The published claims, in people and in simulated people; each may fall either way."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from pcmodel.report import Claim, Verdict

from .simulate import AGES, CHILDREN, CONDITIONS, OLDER, YOUNGER, Group, Results

OTHERS = (CHILDREN, OLDER)
"""Compared with younger adults."""
SOURCES = {"measured": "people", "simulated": "simulated from their fits"}
PULLS = {"pull": "people", "start_weight": "fitted weight"}


class Interval(NamedTuple):
    """A mean or a difference of means with its 95 % interval."""

    middle: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.middle:.3f} ({self.low:.3f} to {self.high:.3f})"


class ByAge(NamedTuple):
    """Intervals, and the key of AGES that each is of."""

    age: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Young(NamedTuple):
    """The interval of younger adults, and the lowest end of the others' intervals."""

    middle: float
    low: float
    high: float
    others: float


class Largest(NamedTuple):
    """The largest mean of an age group, in its standard errors."""

    errors: float


def mean_interval(values: np.ndarray) -> Interval:
    """Student's interval of a mean."""
    values = values[np.isfinite(values)]
    middle, count = values.mean(), len(values)
    half = stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count)
    return Interval(float(middle), float(middle - half), float(middle + half))


def gap_interval(one: np.ndarray, other: np.ndarray) -> Interval:
    """Welch's interval of a difference of means."""
    found: Any = stats.ttest_ind(one, other, equal_var=False, nan_policy="omit")
    low, high = found.confidence_interval(0.95)
    return Interval(float(np.nanmean(one) - np.nanmean(other)), float(low), float(high))


def by_age(intervals: dict[int, Interval]) -> ByAge:
    """The intervals as arrays."""
    return ByAge(np.asarray(list(intervals)), *np.asarray(list(intervals.values())).T)


def of_age(group: Group, source: str, age: int, what: str = "rate") -> np.ndarray:
    """What was measured of one age group; of simulated people where a mode was found."""
    use = group.settled | (source == "measured")
    return getattr(getattr(group, source), what)[use & (group.age == age)]


def pulls(results: Results, what: str) -> dict[int, np.ndarray]:
    """How far people follow a mark that is moved, by age: as measured, or as fitted."""
    group = results.conditions["shifting"]
    values = group.measured.pull if what == "pull" else group.start_weight
    return {age: values[group.age == age] for age in (CHILDREN, YOUNGER, OLDER)}


def rate_gap(results: Results, condition: str, source: str, other: int) -> Interval:
    """Learning rate of younger adults less that of others."""
    group = results.conditions[condition]
    return gap_interval(of_age(group, source, YOUNGER), of_age(group, source, other))


def rate_gaps(results: Results, condition: str, source: str) -> ByAge:
    """Both of these."""
    return by_age({a: rate_gap(results, condition, source, a) for a in OTHERS})


def rises(results: Results, condition: str, source: str) -> ByAge:
    """Learning rate after change points less that on other trials."""
    group = results.conditions[condition]
    own = partial(of_age, group, source)
    each = {a: own(a, "changed") - own(a, "calm") for a in np.unique(group.age)}
    return by_age({age: mean_interval(values) for age, values in each.items()})


def mean_pull(results: Results, what: str, age: int) -> Interval:
    """Of an age."""
    return mean_interval(pulls(results, what)[age])


def young_pull(results: Results, what: str) -> Young:
    """Of younger adults, beside the others."""
    lows = [mean_pull(results, what, age).low for age in OTHERS]
    return Young(*mean_pull(results, what, YOUNGER), min(lows))


def pull_gaps(results: Results, what: str) -> ByAge:
    """Of the others less younger adults."""
    values = pulls(results, what)
    return by_age({a: gap_interval(values[a], values[YOUNGER]) for a in OTHERS})


def costs(results: Results) -> ByAge:
    """Within people: how much further from the helicopter where the mark is moved, on trials without a change."""
    stable, moving = results.conditions["stable"], results.conditions["shifting"]
    _, here, there = np.intersect1d(stable.person, moving.person, return_indices=True)
    rise = moving.measured.error[there] - stable.measured.error[here]
    age = stable.age[here]
    ages = (CHILDREN, YOUNGER, OLDER)
    return by_age({a: mean_interval(rise[age == a]) for a in ages})


def largest_null(results: Results) -> Largest:
    """With pushes exchanged between trials."""
    group = results.conditions["shifting"]
    each = [group.null.pull[group.age == a] for a in np.unique(group.age)]
    errors = [abs(v.mean()) / (v.std(ddof=1) / np.sqrt(len(v))) for v in each]
    return Largest(max(errors))


def signs(found: Any) -> np.ndarray:
    """1 or -1 where an interval lies on one side of zero, 0 elsewhere."""
    return np.asarray(found.low > 0.0, int) - np.asarray(found.high < 0.0, int)


def decided(held: np.ndarray) -> bool | None:
    """All positive holds, one negative fails."""
    return False if np.min(held) < 0 else True if np.min(held) > 0 else None


def is_above_zero(found: Any) -> bool | None:
    """Every interval."""
    return decided(signs(found))


def is_apart(found: Young) -> bool | None:
    """Younger adults around zero and below the others."""
    return False if found.low > 0 else True if found.high < found.others else None


def costs_others_alone(found: ByAge) -> bool | None:
    """Above zero; in younger adults it is not."""
    young = np.where(signs(found) > 0, -1, 1)
    return decided(np.where(found.age == YOUNGER, young, signs(found)))


def is_noise(found: Largest) -> bool:
    """Three standard errors: three groups, and a check that must not cry wolf."""
    return found.errors < 3.0


def in_words(found: ByAge, less: str = "") -> str:
    """Age by age."""
    rows = zip(found.age, found.middle, found.low, found.high, strict=True)
    return "; ".join(f"{less}{AGES[a]} {Interval(*own).text}" for a, *own in rows)


predicted = partial(Claim, kind="predicted", holds=is_above_zero, observed=in_words)
one_interval = partial(predicted, observed="{middle:.3f} ({low:.3f} to {high:.3f})")


def rate_claims() -> Iterator[Claim]:
    """In each condition, of people and then of their simulated twins."""
    for condition in CONDITIONS.values():
        for source, name in SOURCES.items():
            own = {"condition": condition, "source": source}
            where = f"({name}, {condition})"
            for other in OTHERS:
                yield one_interval(
                    name=f"Younger adults learn more than {AGES[other]} {where}",
                    prediction="difference of learning rates above zero",
                    measure=partial(rate_gap, other=other, **own),
                )
            yield predicted(
                name=f"Learning rates rise after change points {where}",
                prediction="in every age group",
                measure=partial(rises, **own),
            )


def pull_claims() -> Iterator[Claim]:
    """Children and older adults above zero; younger adults not, and below the others."""
    for what, name in PULLS.items():
        title = f"Drawn to where the mark was put ({name})"
        for age in OTHERS:
            yield one_interval(
                name=f"{title}: {AGES[age]}",
                prediction=f"{what} above zero",
                measure=partial(mean_pull, what=what, age=age),
            )
        yield one_interval(
            name=f"{title}: not younger adults",
            prediction=f"interval of {what} holds zero and lies below both of the others",
            measure=partial(young_pull, what=what),
            holds=is_apart,
        )
        yield predicted(
            name=f"{title}: more than younger adults",
            prediction="children and older adults both",
            measure=partial(pull_gaps, what=what),
        )


CLAIMS = (
    *rate_claims(),
    *pull_claims(),
    predicted(
        name="Moving the mark costs children and older adults accuracy, younger adults not",
        prediction="distance from the helicopter grows (screen units)",
        measure=costs,
        holds=costs_others_alone,
    ),
    predicted(
        name="Responses alone make the age difference (first)",
        prediction="it stays when everybody believes like the typical younger adult",
        measure=partial(rate_gaps, condition="first", source="same_beliefs"),
        observed=partial(in_words, less="younger less "),
    ),
    Claim(
        name="Pushes exchanged between trials draw nobody",
        prediction="within three standard errors of zero in every age group",
        kind="theorem",
        measure=largest_null,
        holds=is_noise,
        observed="largest {errors:.1f} standard errors",
    ),
)


class Summary(NamedTuple):
    """What result.json holds.

    response_share: how much of the simulated age gap is there when everybody believes the same, by condition
        and who is compared with younger adults.
    slope_correlation: of observed and simulated learning rates over people, by condition.
    people, lost: how many, and fits that found no maximum, by condition.
    """

    response_share: dict[str, float]
    slope_correlation: dict[str, float]
    people: dict[str, int]
    lost: dict[str, int]
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """What responses leave of the age gap, and how alike people and their twins are."""
    shares, alike = {}, {}
    groups = results.conditions.items()
    for name, group in groups:
        for other in OTHERS:
            whole = rate_gap(results, name, "simulated", other).middle
            left = rate_gap(results, name, "same_beliefs", other).middle
            shares[f"{name}, {AGES[other]}"] = left / whole
        rates = group.measured.rate, group.simulated.rate
        alike[name] = float(np.corrcoef([own[group.settled] for own in rates])[0, 1])
    people = {name: len(np.unique(group.person)) for name, group in groups}
    lost = {name: int((~group.settled).sum()) for name, group in groups}
    return Summary(shares, alike, people, lost)
