"""What result.json holds, and the words of the page that depend on it."""

from typing import NamedTuple

import numpy as np

from pcmodel.report import Table, Verdict

from .._believing import BELIEF_ASSUMED, UNSEPARATED
from .._dosing import assumed
from .claims import AFTER, DIFFER, IN_PLASMA, IN_TIME, WITH_RATES
from .ketanserin import ABOLISHED, Blockade, Rates
from .low_doses import CMAX, LEAST, SPREAD, STUDIED
from .simulate import COMPOUNDS, Curves, Results


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

    felt: np.ndarray
    abolished: float
    ratio: float
    ratio_for_published: float
    abolished_there: float
    half_effect_dose: dict[str, float]
    ten_micrograms: np.ndarray
    shelf: np.ndarray
    plasma_ratio: np.ndarray
    with_rates: np.ndarray
    residence_for_both: float
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """The numbers the answer needs."""
    blocked, plasma, clock, rates = (
        results.tested[claim.name].as_set
        for claim in (AFTER, IN_PLASMA, IN_TIME, WITH_RATES)
    )
    ratio, share = for_published(results.blockade)
    missing = CMAX / plasma.peak
    return Summary(
        felt=np.asarray([blocked.alone, blocked.after]),
        abolished=blocked.abolished,
        ratio=blocked.ratio,
        ratio_for_published=ratio,
        abolished_there=share,
        half_effect_dose={n: half_dose(each) for n, each in results.curves.items()},
        ten_micrograms=np.asarray(clock),
        shelf=results.low.shelf,
        plasma_ratio=np.asarray([missing.min(), missing.max()]),
        with_rates=np.asarray(
            [rates.mean_alone, rates.peak_hour, rates.after, rates.abolished]
        ),
        residence_for_both=shortest(results.rates),
    )


def shortest(rates: Rates) -> float:
    """The shortest residence of ketanserin at which some affinity gives both results."""
    gives_both = rates.residence[rates.both.any(axis=1)]
    return float(gives_both[0]) if len(gives_both) else np.nan


def for_published(block: Blockade) -> tuple[float, float]:
    """The largest dose ratio that leaves 3.5 h, and the share abolished there; NaN if none does."""
    order = np.argsort(block.ratios)
    ratios, hours = block.ratios[order], block.felt_by_ratio[order]
    past = np.flatnonzero((hours[:-1] >= 3.5) & (hours[1:] < 3.5))
    if not len(past):
        return np.nan, np.nan
    pair = slice(past[-1], past[-1] + 2)
    ratio = np.interp(-3.5, -hours[pair], ratios[pair])
    return float(ratio), np.interp(ratio, ratios, block.abolished_by_ratio[order])


def half_dose(curves: Curves) -> float:
    """Dose (mg) at which the typical effect is 50 %, read on the log-dose axis."""
    effect = curves.effect.typical
    if not effect[0] < 50 < effect[-1]:
        return np.nan
    return float(np.exp(np.interp(50.0, effect, np.log(curves.dose))))


def half_doses(summary: Summary) -> Table:
    """The same in each compound's unit."""
    rows = [
        (name, f"{summary.half_effect_dose[name] / given.scale:.3g} {given.unit}")
        for name, given in COMPOUNDS.items()
    ]
    return Table(("Compound", "Dose of half effect"), rows, "Typical participant.")


def both_lengths(summary: Summary) -> str:
    """Whether one affinity of ketanserin gives both published results."""
    if np.isnan(summary.ratio_for_published):
        return "No dose ratio tried leaves the published length."
    alone = (
        ": no one affinity gives both results."
        if summary.abolished_there < ABOLISHED
        else ", so that one affinity would give both."
    )
    return (
        f"The published length needs a dose ratio of {summary.ratio_for_published:.1f}, at which ketanserin an hour before "
        f"would abolish LSD in {summary.abolished_there:.0%} of people{alone}"
    )


def slow_exchange(summary: Summary) -> str:
    """What slow exchange would take, in a sentence."""
    needed = summary.residence_for_both
    if np.isnan(needed):
        return "Nor does slow exchange at the receptor give both results."
    return (
        "With LSD leaving its receptor as slowly as measured both results appear only if ketanserin, too, stays for "
        f"{needed:.0f} min or more, and the published minutes are fewer."
    )


def stay(summary: Summary) -> str:
    """The same of the map tried."""
    needed = summary.residence_for_both
    if np.isnan(needed):
        return "No stay and affinity tried gives both."
    return f"Some affinity gives both only where ketanserin stays {needed:.0f} min or longer (circles)."


def spread(results: Results) -> str:
    """Of durations between people, and whether chance explains that it is larger."""
    found = results.tested[DIFFER.name].as_set
    larger = "It is larger, if not more so than chance allows."
    return (
        f"{found.own:.2f} h (two standard errors: {found.error:.2f}); published, {SPREAD:g} h in "
        f"{STUDIED} people, which leaves {found.low:.2f} to {found.high:.2f} h open. "
        + (larger if SPREAD < found.own < found.high else "")
    )


TABLES = {"half_doses": half_doses}
WORDS = {
    "both_lengths": both_lengths,
    "slow_exchange": slow_exchange,
    "stay": stay,
    "spread": spread,
    "unseparated": UNSEPARATED.strip(),
    "belief_assumed": BELIEF_ASSUMED,
    "assumed": assumed("psilocybin", "LSD", "DMT", "ketanserin"),
    "least": f"{LEAST:.0%}",
}
