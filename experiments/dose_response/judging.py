"""`analyse`: a verdict for every claim, and the numbers the answer needs."""

from typing import NamedTuple

import numpy as np

from pcmodel.report import Verdict

from .._claims import verdicts
from .claiming import claims
from .computing import Config, Curves, Results
from .exchanging import Rates
from .low_doses import PLASMA


class Summary(NamedTuple):
    """What result.json holds.

    felt: median hours of LSD alone and with ketanserin after.  abolished: share of people in whom
    ketanserin before abolishes it.  ratio: ketanserin's dose ratio as set.
    ratio_for_published: the ratio that leaves the published 3.5 h; abolished_there: share of people in
    whom so much ketanserin, an hour before, abolishes LSD.  half_effect_dose: mg; NaN where none tried
    reaches it.  ten_micrograms: hours at which LSD 10 µg begins, peaks and ends, its peak and the least felt (%).
    shelf: responses at 5-HT2A, see `LowDoses`.  plasma_ratio: published over
    simulated Cmax of 5 to 20 µg, least and most.  with_rates: hours alone, hour of the peak, hours with ketanserin
    after, share abolished.  residence_for_both: shortest stay of ketanserin (min) tried that gives both of its
    results; NaN if none.
    """

    felt: tuple[float, float]
    abolished: float
    ratio: float
    ratio_for_published: float
    abolished_there: float
    half_effect_dose: dict[str, float]
    ten_micrograms: tuple[float, ...]
    shelf: tuple[float, float]
    plasma_ratio: tuple[float, float]
    with_rates: tuple[float, ...]
    residence_for_both: float
    verdicts: tuple[Verdict, ...]


def analyse(config: Config, results: Results) -> Summary:
    """Verdicts."""
    every, block = claims(config), results.blockade
    alone, after, ratio, _, share = results.tested[every[0].name].as_set
    little, late = results.low.shelf
    needed, abolished = for_published(
        block.ratios, block.felt_by_ratio, block.abolished_by_ratio
    )
    return Summary(
        (float(alone), float(after)),
        float(share),
        float(ratio),
        needed,
        abolished,
        {name: half_dose(each) for name, each in results.curves.items()},
        numbers(results, "10 µg begins, peaks and ends as published"),
        (float(little), float(late)),
        plasma_ratio(numbers(results, "LSD in plasma after 5, 10 and 20 µg")),
        numbers(results, "LSD 100 µg with rates of exchange"),
        shortest(results.rates),
        verdicts(every, results.tested),
    )


def numbers(results: Results, claim: str) -> tuple[float, ...]:
    """A claim's numbers as set."""
    return tuple(float(x) for x in results.tested[claim].as_set)


def plasma_ratio(simulated: tuple[float, ...]) -> tuple[float, float]:
    """Published over simulated Cmax: least, most."""
    known = [mean for mean, *_ in PLASMA.values()]
    ratios = [a / b for a, b in zip(known, simulated, strict=True)]
    return min(ratios), max(ratios)


def shortest(rates: Rates) -> float:
    """The shortest residence of ketanserin at which some affinity gives both results."""
    rows = np.flatnonzero(rates.both.any(axis=1))
    return float(rates.residence[rows[0]]) if len(rows) else float("nan")


def for_published(ratios, hours, abolished) -> tuple[float, float]:
    """The largest dose ratio that leaves 3.5 h, and the share abolished there; NaN if none does."""
    order = np.argsort(ratios)
    ratios, hours, abolished = ratios[order], hours[order], abolished[order]
    past = np.flatnonzero((hours[:-1] >= 3.5) & (hours[1:] < 3.5))
    if not len(past):
        return float("nan"), float("nan")
    pair = slice(past[-1], past[-1] + 2)
    ratio = np.interp(-3.5, -hours[pair], ratios[pair])
    return float(ratio), float(np.interp(ratio, ratios, abolished))


def half_dose(curves: Curves) -> float:
    """Dose (mg) at which the typical effect is 50 %, read on the log-dose axis."""
    effect = curves.effect.typical
    if not effect[0] < 50 < effect[-1]:
        return float("nan")
    return float(np.exp(np.interp(50.0, effect, np.log(curves.dose))))
