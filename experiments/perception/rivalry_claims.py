"""The claims about rivalry: dominance times, Levelt's propositions, and what every account makes of rate and mixing."""

from functools import partial
from typing import NamedTuple

import numpy as np

from pcmodel.report import UNPERTURBED, Claim, Perturbation

from .alternating import (
    OF_DRUG,
    OF_RIVALRY,
    Interval,
    Strengths,
    interval,
    of_strengths,
)
from .simulate import Config, Results, accounts, alternating

LITTLE = 0.05
"""A change of the rate by less than this share is none."""


class Times(NamedTuple):
    """Dominance times without a drug, over all runs; as in `Shape`."""

    variation: float
    ratio: float
    serial: float
    number: float


def times(results: Results) -> Times:
    return Times(*results.shape)


def untired_times(results: Results) -> Times:
    return Times(*results.untired)


def is_half(found: Times) -> bool:
    return 0.4 <= found.variation <= 0.6


def is_gamma_like(found: Times) -> bool:
    return 1.3 <= found.ratio <= 2.7 and abs(found.serial) < 0.15


def is_exponential(found: Times) -> bool:
    """Within three standard errors of 1: that of an exponential's coefficient is 1 over the root of their number."""
    return abs(found.variation - 1) < 3 / np.sqrt(found.number)


class Propositions(NamedTuple):
    """Changes of dominance and rate as shares, and the ends of their 95 % intervals; as in `Strengths`."""

    own: float
    own_high: float
    other: float
    other_high: float
    rate: float
    rate_low: float


def propositions(config: Config, seed: int, perturbation: Perturbation) -> Propositions:
    steps = config.walk if perturbation == UNPERTURBED else max(config.walk // 4, 1000)
    found: Strengths = of_strengths(config.runs, steps, seed, perturbation)
    return Propositions(
        found.own.mean,
        found.own.high,
        found.other.mean,
        found.other.high,
        found.rate.mean,
        found.rate.low,
    )


def is_second(found: Propositions) -> bool:
    """The other eye's percept lasts less, by more than the own changes."""
    return found.other_high < 0 and abs(found.own) < -found.other


def is_fourth(found: Propositions) -> bool:
    return found.rate_low > 0


class Change(NamedTuple):
    """Rivalry under the full dose against none in the same runs; means and 95 % intervals.

    rate, rate_low, rate_high: change of the rate, as a share of that without.
    mixed, mixed_low, mixed_high: change of the mixed share.
    before: the mixed share without.
    blocked, blocked_low, blocked_high: change of the rate after ketanserin.
    """

    rate: float
    rate_low: float
    rate_high: float
    mixed: float
    mixed_low: float
    mixed_high: float
    before: float
    blocked: float
    blocked_low: float
    blocked_high: float


def change(config: Config, seed: int, perturbation: Perturbation, name: str) -> Change:
    found = alternating(config, seed, name, perturbation)
    none, dosed, blocked = 0, -2, -1
    usual = found.rate[none].mean()
    usual = usual if usual > 0 else np.nan

    def of_rate(at: int) -> Interval:
        return interval((found.rate[at] - found.rate[none]) / usual)

    mixed = interval(found.mixed[dosed] - found.mixed[none])
    return Change(
        *of_rate(dosed), *mixed, float(found.mixed[none].mean()), *of_rate(blocked)
    )


def is_slower_and_mixed(found: Change) -> bool | None:
    """Both intervals on the published side: holds; either on the other side or within little of none: fails; else undecided."""
    if found.rate_high < 0 and found.mixed_low > 0:
        return True
    slower = found.rate_low < -LITTLE
    more = found.mixed_high > LITTLE * found.before
    return None if slower and more else False


def survives_ketanserin(found: Change) -> bool | None:
    """The rate falls with and without ketanserin, with it by at least half as much."""
    if found.rate_high < 0 and found.blocked_high < 0:
        return found.blocked < 0.5 * found.rate
    might = found.rate_low < -LITTLE and found.blocked_low < -LITTLE
    return None if might else False


CLAIMS = (
    Claim(
        name="Dominance times vary by half of their mean",
        prediction="coefficient of variation from .4 to .6, as published; fatigue was chosen so",
        kind="calibrated",
        measure=times,
        holds=is_half,
        observed="{variation:.2f} ({number:.0f} times)",
    ),
    Claim(
        name="Dominance times are like a gamma distribution's",
        prediction="skewness near twice the variation (1.3 to 2.7 times), successive times uncorrelated (below .15); seen when "
        "fatigue was chosen",
        kind="calibrated",
        measure=times,
        holds=is_gamma_like,
        observed="skewness {ratio:.1f} times the variation, serial correlation {serial:+.2f}",
    ),
    Claim(
        name="Without fatigue dominance times are exponential",
        prediction="coefficient of variation 1 within three standard errors (the control)",
        kind="predicted",
        measure=untired_times,
        holds=is_exponential,
        observed="{variation:.2f} ({number:.0f} times)",
    ),
    Claim(
        name="A stronger eye shortens the other's dominance",
        prediction="by more than it changes its own (Levelt's second proposition)",
        kind="predicted",
        measure=propositions,
        holds=is_second,
        observed="doubled: the other's {other:+.0%}, its own {own:+.0%}",
        parameters=OF_RIVALRY,
    ),
    Claim(
        name="Stronger eyes alternate faster",
        prediction="the rate rises when both are stronger (Levelt's fourth proposition)",
        kind="predicted",
        measure=propositions,
        holds=is_fourth,
        observed="both doubled: rate {rate:+.0%} (at least {rate_low:+.0%})",
        parameters=OF_RIVALRY,
    ),
    *(
        Claim(
            name=f"{name}: rivalry is slower and more mixed",
            prediction="fewer switches and a larger mixed share (published for psilocybin)",
            kind="predicted",
            measure=partial(change, name=name),
            holds=is_slower_and_mixed,
            observed="rate {rate:+.0%} ({rate_low:+.0%} to {rate_high:+.0%}); mixed {before:.1%}, changed by "
            "{mixed:+.1%} ({mixed_low:+.1%} to {mixed_high:+.1%})",
            parameters=OF_DRUG,
        )
        for name in accounts(2.0)
    ),
    *(
        Claim(
            name=f"{name}: ketanserin leaves the slowing",
            prediction="slower with ketanserin, too, by at least half as much (published for psilocybin)",
            kind="predicted",
            measure=partial(change, name=name),
            holds=survives_ketanserin,
            observed="rate {rate:+.0%} alone, {blocked:+.0%} ({blocked_low:+.0%} to {blocked_high:+.0%}) after ketanserin",
            parameters=OF_DRUG,
        )
        for name in accounts(2.0)
    ),
)
