"""What came of the published claims; each may fall either way."""

from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from pcmodel.report import Verdict

from .computing import CONTRASTS, Group, Results
from .config import AGES, CHILDREN, OLDER, YOUNGER
from .measuring import Measures


class Interval(NamedTuple):
    """A mean or a difference of means with its 95 % interval."""

    middle: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.middle:.3f} ({self.low:.3f} to {self.high:.3f})"

    @property
    def sign(self) -> int:
        """1 or -1 where the interval lies on one side of zero, 0 elsewhere."""
        return int(self.low > 0.0) - int(self.high < 0.0)


class Summary(NamedTuple):
    """What result.json holds."""

    verdicts: tuple[Verdict, ...]
    response_share: dict[
        str, float
    ]  # of the age gap, by condition and older or younger
    slope_correlation: dict[str, float]  # observed and simulated rates, over people


def mean_interval(values: np.ndarray) -> Interval:
    """Student's interval of a mean."""
    values = values[np.isfinite(values)]
    half = (
        stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    )
    return Interval(
        float(values.mean()), float(values.mean() - half), float(values.mean() + half)
    )


def gap_interval(one: np.ndarray, other: np.ndarray) -> Interval:
    """Welch's interval of a difference of means."""
    found: Any = stats.ttest_ind(one, other, equal_var=False, nan_policy="omit")
    low, high = found.confidence_interval(0.95)
    return Interval(float(np.nanmean(one) - np.nanmean(other)), float(low), float(high))


def word(signs: list[int]) -> str:
    """All positive holds, one negative fails."""
    return "fails" if min(signs) < 0 else "holds" if min(signs) > 0 else "inconclusive"


def judge(results: Results) -> Summary:
    """All verdicts: observed, then simulated, then controls."""
    groups = results.conditions
    found = []
    for name, group in groups.items():
        found += _rates(f"people, {name}", group, group.measured)
        found += _rates(
            f"simulated from their fits, {name}", group, group.simulated, fitted=True
        )
    moving = groups["shifting"]
    found += _drawn(
        "Drawn to where the mark was put (people)", "pull", moving, moving.measured.pull
    )
    weight = np.where(moving.settled, moving.fitted["start_weight"], np.nan)
    found += _drawn(
        "Drawn to where the mark was put (fitted weight)",
        "start_weight",
        moving,
        weight,
    )
    found.append(_errors(groups["stable"], moving))
    found += [_responses_alone(groups["first"])]
    found.append(_null(moving))
    shares = {
        f"{name}, {AGES[b]}": _share(group, group.same_beliefs, a, b)
        for name, group in groups.items()
        for a, b in CONTRASTS
    }
    fits = {n: _agreement(g) for n, g in groups.items()}
    return Summary(tuple(found), shares, fits)


def _gap(
    group: Group, values: np.ndarray, one: int, other: int, *, fitted: bool = False
) -> Interval:
    use = group.settled if fitted else np.ones(len(group.age), bool)
    return gap_interval(
        values[use & (group.age == one)], values[use & (group.age == other)]
    )


def _rates(
    where: str, group: Group, measured: Measures, *, fitted: bool = False
) -> list[Verdict]:
    verdicts = []
    for one, other in CONTRASTS:
        gap = _gap(group, measured.rate, one, other, fitted=fitted)
        verdicts.append(
            Verdict(
                f"{AGES[one].capitalize()} learn more than {AGES[other]} ({where})",
                "difference of learning rates above zero",
                gap.text,
                word([gap.sign]),
                "predicted",
            )
        )
    rise = measured.changed - measured.calm
    use = group.settled | (not fitted)
    each = {
        a: mean_interval(rise[use & (group.age == a)]) for a in np.unique(group.age)
    }
    verdicts.append(
        Verdict(
            f"Learning rates rise after change points ({where})",
            "in every age group",
            "; ".join(f"{AGES[int(a)]} {i.text}" for a, i in each.items()),
            word([i.sign for i in each.values()]),
            "predicted",
        )
    )
    return verdicts


def _drawn(title: str, what: str, group: Group, values: np.ndarray) -> list[Verdict]:
    """Children and older adults above zero; younger adults not, and below the others."""
    each = {a: mean_interval(values[group.age == a]) for a in (CHILDREN, OLDER)}
    verdicts = [
        Verdict(
            f"{title}: {AGES[age]}",
            f"{what} above zero",
            own.text,
            word([own.sign]),
            "predicted",
        )
        for age, own in each.items()
    ]
    young = mean_interval(values[group.age == YOUNGER])
    apart = young.high < min(own.low for own in each.values())
    verdicts.append(
        Verdict(
            f"{title}: not {AGES[YOUNGER]}",
            f"interval of {what} holds zero and lies below both of the others",
            young.text,
            "fails" if young.sign > 0 else "holds" if apart else "inconclusive",
            "predicted",
        )
    )
    gaps = [
        gap_interval(values[group.age == a], values[group.age == YOUNGER])
        for a in (CHILDREN, OLDER)
    ]
    verdicts.append(
        Verdict(
            f"{title}: more than {AGES[YOUNGER]}",
            "children and older adults both",
            "; ".join(
                f"{AGES[a]} {g.text}"
                for a, g in zip((CHILDREN, OLDER), gaps, strict=True)
            ),
            word([g.sign for g in gaps]),
            "predicted",
        )
    )
    return verdicts


def _errors(stable: Group, moving: Group) -> Verdict:
    """Within people: how much further from the helicopter, on trials without a change."""
    _, here, there = np.intersect1d(stable.person, moving.person, return_indices=True)
    rise = moving.measured.error[there] - stable.measured.error[here]
    age = stable.age[here]
    each = {a: mean_interval(rise[age == a]) for a in (CHILDREN, YOUNGER, OLDER)}
    held = [each[CHILDREN].sign, each[OLDER].sign, 1 if each[YOUNGER].sign <= 0 else -1]
    return Verdict(
        "Moving the mark costs children and older adults accuracy, younger adults not",
        "distance from the helicopter grows (screen units)",
        "; ".join(f"{AGES[a]} {i.text}" for a, i in each.items()),
        word(held),
        "predicted",
    )


def _responses_alone(group: Group) -> Verdict:
    gaps = [
        _gap(group, group.same_beliefs.rate, a, b, fitted=True) for a, b in CONTRASTS
    ]
    return Verdict(
        "Responses alone make the age difference (first)",
        "it stays when everybody believes like the typical younger adult",
        "; ".join(
            f"younger less {AGES[b]} {g.text}"
            for (_, b), g in zip(CONTRASTS, gaps, strict=True)
        ),
        word([g.sign for g in gaps]),
        "predicted",
    )


def _null(group: Group) -> Verdict:
    """Three standard errors: three groups, and a check that must not cry wolf."""
    each = [group.null.pull[group.age == a] for a in np.unique(group.age)]
    z = [abs(v.mean()) / (v.std(ddof=1) / np.sqrt(len(v))) for v in each]
    return Verdict(
        "Pushes exchanged between trials draw nobody",
        "within three standard errors of zero in every age group",
        f"largest {max(z):.1f} standard errors",
        "holds" if max(z) < 3.0 else "fails",
        "theorem",
    )


def _share(group: Group, measured: Measures, one: int, other: int) -> float:
    """How much of the simulated age gap is there when everybody believes the same."""
    whole = _gap(group, group.simulated.rate, one, other, fitted=True).middle
    return _gap(group, measured.rate, one, other, fitted=True).middle / whole


def _agreement(group: Group) -> float:
    use = group.settled
    return float(np.corrcoef(group.measured.rate[use], group.simulated.rate[use])[0, 1])
