"""The claims: how large the region of the benefit is, and whether recovery is in it."""

from typing import NamedTuple

import numpy as np

from pcmodel.report import Claim, Perturbation, Verdict

from .._conditioning import PARAMETERS
from .simulate import INTERVALS, RATES, Config, Results, benefit_of, landscape

HERE = INTERVALS.index(3.0)
RATE = RATES.index(0.3)
COARSE = 10
"""Points of the map that is drawn anew for each perturbation."""
OTHERS = tuple(p for p in PARAMETERS if p.label not in ("concentration of causes",))
"""Perturbing what is on the map moves the map: the rest can overturn a share of it."""


class Share(NamedTuple):
    """Share of the map with a benefit at an interval of 3, and with a response to prevent."""

    benefit: float
    present: float


def share_of_map(config: Config, seed: int, perturbation: Perturbation) -> Share:
    found = landscape(config, COARSE, np.asarray(RATES), perturbation)
    benefit = benefit_of(found, config.present)[..., HERE]
    return Share(benefit.mean(), (found.alone.response > config.present).mean())


class Merged(NamedTuple):
    """Of the points with a benefit, the share with two memories without a reminder and fewer with it."""

    share: float
    points: int


def merged(results: Results) -> Merged:
    benefit = results.benefit
    if not benefit.any():
        return Merged(np.nan, 0)
    fewer = (
        results.landscape.reminded.causes < results.landscape.alone.causes[..., None]
    )
    return Merged(fewer[benefit].mean(), int(benefit.sum()))


class Both(NamedTuple):
    """Shares of the map: with a benefit (interval 3), with recovery as published, with both; and by chance."""

    benefit: float
    recovery: float
    both: float
    chance: float


def both(results: Results) -> Both:
    benefit, recovery = results.benefit[..., HERE], results.recovers
    return Both(
        benefit.mean(),
        recovery.mean(),
        (benefit & recovery).mean(),
        benefit.mean() * recovery.mean(),
    )


class Edges(NamedTuple):
    """Largest benefit over the smallest, variances from 0.2 to 0.8; and the benefit where the paper's figures are.

    local, whole: ratios, by one cause for each trial and by the posterior.
    local_here, whole_here: benefits at the variance nearest 0.4, in predicted outcome.
    error: standard error of the last.
    """

    local: float
    whole: float
    local_here: float
    whole_here: float
    error: float


def edges(results: Results) -> Edges:
    found, ways = results.whole, results.whole.by_variance
    local, whole = found.benefit(ways.local), found.benefit(ways.posterior)
    here = int(np.argmin(np.abs(np.log(found.variance / 0.4))))
    return Edges(
        local.max() / local.min(),
        whole.max() / whole.min(),
        local[here],
        whole[here],
        np.hypot(*ways.error[:, here]),
    )


CLAIMS = (
    Claim(
        name="The benefit is not a knife's edge",
        prediction="at least a tenth of the map shows it",
        kind="predicted",
        measure=share_of_map,
        holds=lambda found: found.benefit >= 0.1,
        observed="{benefit:.1%} of the map; {present:.0%} has a response to prevent",
        parameters=OTHERS,
    ),
    Claim(
        name="The benefit is one memory instead of two",
        prediction="where there is a benefit, a reminder leaves fewer memories in more than nine of ten points",
        kind="predicted",
        measure=merged,
        holds=lambda found: found.share > 0.9,
        observed="{share:.0%} of {points:.0f} points",
    ),
    Claim(
        name="The benefit and complete recovery go together",
        prediction="both are there at least twice as often as if they were independent",
        kind="predicted",
        measure=both,
        holds=lambda found: found.both >= 2 * found.chance > 0,
        observed="benefit {benefit:.2%}, recovery {recovery:.2%}, both {both:.2%} (if independent: {chance:.2%})",
    ),
    Claim(
        name="The edges are those of a shortcut",
        prediction=(
            "over variances from 0.2 to 0.8 the benefit changes more than tenfold by one cause for each trial, less than "
            "fivefold by the whole posterior"
        ),
        kind="predicted",
        measure=edges,
        holds=lambda found: found.local > 10 and 0 < found.whole < 5,
        observed=(
            "{local:.0f}-fold and {whole:.1f}-fold; at 0.4 a reminder takes {local_here:.3f} and {whole_here:.3f} (standard error "
            "{error:.4f}) from the predicted outcome"
        ),
    ),
)


class Summary(NamedTuple):
    """The numbers of the page.

    share: of the map with a benefit at interval 3, all rates.
    share_at_rate: at the paper's learning rate.
    lowest, highest: variances between which the paper's concentration and rate show it.
    recovery, together: shares of the map.
    by_interval: share with a benefit at each interval.
    local, whole: what a reminder takes from the predicted outcome at a variance of 0.4: one cause for each trial, posterior.
    """

    share: float
    share_at_rate: float
    lowest: float
    highest: float
    recovery: float
    together: float
    by_interval: tuple[float, ...]
    local: float
    whole: float
    verdicts: tuple[Verdict, ...] = ()


def summarise(config: Config, results: Results) -> Summary:
    found, here = results.landscape, results.benefit[..., HERE]
    row = int(np.argmin(np.abs(np.log(found.concentration / 0.1))))
    works = found.variance[here[RATE, row]]
    lowest, highest = (works.min(), works.max()) if works.size else (np.nan, np.nan)
    return Summary(
        float(here.mean()),
        float(here[RATE].mean()),
        float(lowest),
        float(highest),
        float(results.recovers.mean()),
        float((here & results.recovers).mean()),
        tuple(float(results.benefit[..., i].mean()) for i in range(len(INTERVALS))),
        float(edges(results).local_here),
        float(edges(results).whole_here),
    )
