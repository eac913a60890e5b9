"""The claims: when each holds, and which parameters could overturn it."""

from dataclasses import replace
from functools import partial

import numpy as np

from pcmodel.report import Claim, Parameter

from .._believing import BELIEF_PARAMETERS
from .._dosing import DIFFERENCES, MIDPOINT, POWER, half_life
from . import low_doses
from .ketanserin import ABOLISHED, LEAST_AFTER, MOST_AFTER, Sessions, sessions
from .low_doses import BEGINS, ENDS, PEAKS, SPREAD, STUDIED
from .simulate import Ceilings, Falls, Restored, ceilings, falls, restored

BLOCKER_K = Parameter("ketanserin K at 5-HT2A", "ligands.k_2a", "ketanserin")
BLOCKER_HALF_LIFE = half_life("ketanserin half-life", "ketanserin")
BLOCKER = (
    BLOCKER_K,
    Parameter("ketanserin dose", "dose.mg", "ketanserin"),
    Parameter("ketanserin volume", "kinetics.volume", "ketanserin"),
    BLOCKER_HALF_LIFE,
)
PAUSE = Parameter("hours from LSD to ketanserin", "dose.hours", "ketanserin")
DELAY = (
    PAUSE,
    Parameter("ketanserin absorption rate", "kinetics.absorption", "ketanserin"),
)
LSD_K = Parameter("LSD K at 5-HT2A", "ligands.k_2a", "LSD")
LSD = (LSD_K, Parameter("LSD effect-site rate", "kinetics.effect_site", "LSD"))
LSD_VOLUME = Parameter("LSD volume", "kinetics.volume", "LSD")
LEAVING = Parameter("rate at which LSD leaves", "ligands.off_2a", "LSD")
ONSET = (MIDPOINT, POWER)
LITTLE = (
    *LSD,
    LSD_VOLUME,
    *ONSET,
    Parameter("smallest effect that is felt", "physiology.least"),
)
BELIEF = (
    Parameter("psilocin K at 5-HT2A", "ligands.k_2a", "psilocybin"),
    Parameter("psilocin efficacy at 5-HT2A", "ligands.efficacy_2a", "psilocybin"),
    Parameter("both doses of psilocybin", "dose.mg", "psilocybin"),
    *ONSET,
    Parameter("log precision per unit of effect", "account.strength"),
    *BELIEF_PARAMETERS,
)


def is_shorter(found: Sessions) -> bool:
    return found.after < found.alone and found.moved == 0


def shorter_in_words(found: Sessions) -> str:
    plasma = "unchanged" if found.moved == 0 else "changed"
    hours = f"{found.alone:.1f} -> {found.after:.1f} h"
    return f"median {hours} at a dose ratio of {found.ratio:.1f}; plasma {plasma}"


def short_as_published(found: Sessions) -> bool:
    return LEAST_AFTER <= found.after <= MOST_AFTER


def is_abolished(found: Sessions) -> bool:
    return found.abolished >= ABOLISHED


def both_as_published(found: Sessions) -> bool:
    return short_as_published(found) and is_abolished(found)


def felt_as_published(found: Sessions) -> bool:
    return abs(found.mean_alone - 8.5) <= 2 and abs(found.peak_hour - 2.5) <= 0.6


def within_intervals(found: low_doses.Plasma) -> bool:
    inside = (low_doses.CMAX_LOW <= found.peak) & (found.peak <= low_doses.CMAX_HIGH)
    return bool(np.all(inside))


def five_is_not_felt(found: low_doses.Peaks) -> bool:
    return found.five < found.least


def ten_is_felt(found: low_doses.Peaks) -> bool:
    return found.ten >= found.least


def twenty_is_felt(found: low_doses.Peaks) -> bool:
    return found.twenty >= found.least


def in_time(found: low_doses.Clock) -> bool:
    """Felt, and within half an hour of the beginning and peak, and an hour of the end."""
    timely = abs(found.begins - BEGINS) <= 0.5 and abs(found.peaks - PEAKS) <= 0.6
    return timely and abs(found.ends - ENDS) <= 1 and found.size >= found.least


def as_long_as_published(found: low_doses.Lasting) -> bool:
    published = np.asarray(list(low_doses.LASTS.values()))
    return bool(np.all(np.abs(found.felt / published - 1) <= 0.25))


def is_inside(found: low_doses.Spread) -> bool | None:
    """None where its own error reaches over an end of the interval."""
    if min(abs(found.own - found.low), abs(found.own - found.high)) <= found.error:
        return None
    return found.low < found.own < found.high


def good_is_nearer(found: Ceilings) -> bool:
    return found.ego > found.good


def full_but_not_little(found: Falls) -> bool:
    return found.share >= 0.95 and found.little < 0.1 * found.full


def is_related(found: Falls) -> bool:
    return found.related > 0.3


def is_restored(found: Restored) -> bool:
    return found.ratio > 1 and found.difference < 1e-9


def restored_in_words(found: Restored) -> str:
    alike = found.difference < 1e-9
    words = "alike" if alike else f"differ by {found.difference:.0e}"
    return f"by a factor of {found.ratio:.1f}; responses {words}"


AFTER = Claim(
    name="Ketanserin an hour after LSD ends the experience",
    prediction="shorter than alone, LSD in plasma the same number for number (published 8.5 -> 3.5 h)",
    kind="predicted",
    measure=sessions,
    holds=is_shorter,
    observed=shorter_in_words,
    parameters=(*BLOCKER, *DELAY, *LSD, *ONSET),
)
IN_PLASMA = Claim(
    name="LSD in plasma after 5, 10 and 20 µg",
    prediction="mean Cmax in the published intervals, 0.127-0.181, 0.243-0.320 and 0.413-0.607 ng/mL; kinetics are those of 100 µg",
    kind="predicted",
    measure=low_doses.plasma,
    holds=within_intervals,
    observed="{peak[0]:.3f}, {peak[1]:.3f}, {peak[2]:.3f} ng/mL",
    parameters=(
        LSD_VOLUME,
        Parameter("LSD absorption rate", "kinetics.absorption", "LSD"),
    ),
)
FIVE = Claim(
    name="5 µg of LSD is not felt",
    prediction="mean peak effect below a twentieth of the scale (published: none)",
    kind="predicted",
    measure=low_doses.peaks,
    holds=five_is_not_felt,
    observed="mean peak {five:.2g} % (felt from {least:.2g} %)",
    parameters=LITTLE,
)
IN_TIME = Claim(
    name="10 µg begins, peaks and ends as published",
    prediction=f"felt, and passing a tenth of its peak at {BEGINS} h (+- 0.5) and {ENDS} h (+- 1), with the peak at {PEAKS} h (+- 0.6)",
    kind="predicted",
    measure=low_doses.clock,
    holds=in_time,
    observed="{begins:.1f}, {peaks:.1f}, {ends:.1f} h, of an effect of {size:.2g} %",
    parameters=LITTLE,
)
DIFFER = Claim(
    name="People differ in how long 100 µg lasts as published",
    prediction=f"SD inside the 95 % interval of the published {SPREAD:g} h of {STUDIED} people",
    kind="predicted",
    measure=low_doses.spread,
    holds=is_inside,
    observed="{own:.2f} +- {error:.2f} h (published interval {low:.2f} to {high:.2f})",
    parameters=(*DIFFERENCES, POWER),
)
FALLS = Claim(
    name="25 mg but not 1 mg of psilocybin lowers confidence in a negative self-belief",
    prediction="falls in 95 % of people after 25 mg, and by less than a tenth as much after 1 mg",
    kind="predicted",
    measure=falls,
    holds=full_but_not_little,
    observed="mean fall {full:.4f} against {little:.4f}; in {share:.0%} of people",
    parameters=BELIEF,
)
WITH_RATES = Claim(
    name="LSD 100 µg with rates of exchange",
    prediction="felt 8.5 +- 2.0 h, peak at 2.5 +- 0.6 h, its binding taking the place of the effect site's delay",
    kind="calibrated",
    measure=partial(sessions, with_rates=True),
    holds=felt_as_published,
    observed="felt {mean_alone:.1f} h, peak at {peak_hour:.1f} h",
    parameters=(LEAVING, LSD_K, MIDPOINT),
)
CLAIMS = (
    AFTER,
    replace(
        AFTER,
        name="How much shorter, as published",
        prediction="2.5 to 4.5 h (published 3.5, SD 1.3) with the assumed affinity of ketanserin",
        holds=short_as_published,
        observed="{after:.1f} h at a dose ratio of {ratio:.1f}",
    ),
    Claim(
        name="Ketanserin an hour before LSD abolishes it",
        prediction="effect below a tenth of each one's peak alone in 95 % of people",
        kind="predicted",
        measure=sessions,
        holds=is_abolished,
        observed="{abolished:.0%} of people",
        parameters=(
            *BLOCKER,
            *LSD,
            *ONSET,
            *(each for each in DIFFERENCES if each.path != "variation.absorption"),
        ),
    ),
    Claim(
        name="With rates of exchange one set of parameters gives both results of ketanserin",
        prediction="2.5 to 4.5 h with it after and abolished by it before in 95 %, with LSD's measured rate (it stays 221 min) and "
        "ketanserin's (minutes)",
        kind="predicted",
        measure=partial(sessions, with_rates=True),
        holds=both_as_published,
        observed="{after:.1f} h after; abolished before in {abolished:.0%}",
        parameters=(
            LEAVING,
            Parameter(
                "rate at which ketanserin leaves", "ligands.off_2a", "ketanserin"
            ),
            BLOCKER_K,
            LSD_K,
            PAUSE,
            MIDPOINT,
            BLOCKER_HALF_LIFE,
        ),
    ),
    IN_PLASMA,
    FIVE,
    replace(
        FIVE,
        name="10 µg of LSD is felt",
        prediction="mean peak effect a twentieth of the scale or more (published: above placebo)",
        holds=ten_is_felt,
        observed="mean peak {ten:.2g} % (felt from {least:.2g} %)",
    ),
    replace(
        FIVE,
        name="20 µg of LSD is felt",
        prediction="the same (published: above placebo, bad effects as well)",
        holds=twenty_is_felt,
        observed="mean peak {twenty:.2g} % (felt from {least:.2g} %)",
    ),
    IN_TIME,
    Claim(
        name="25 and 200 µg are felt for as long as published",
        prediction="means of 6.7 and 11 h, within a quarter",
        kind="predicted",
        measure=low_doses.lasting,
        holds=as_long_as_published,
        observed="{felt[0]:.1f} and {felt[1]:.1f} h",
        parameters=LITTLE,
    ),
    DIFFER,
    Claim(
        name="Good effect is nearer its ceiling at 100 µg than ego dissolution",
        prediction="200/100 µg ratio larger for ego dissolution",
        kind="predicted",
        measure=ceilings,
        holds=good_is_nearer,
        observed="{ego:.2f} against {good:.2f}; so in {share:.0%} of people",
        parameters=(
            Parameter("second-stage midpoint, ego dissolution", "physiology.ego_half"),
            Parameter("second-stage midpoint, good effect", "physiology.half"),
            *LSD,
            Parameter("LSD efficacy at 5-HT2A", "ligands.efficacy_2a", "LSD"),
        ),
    ),
    FALLS,
    replace(
        FALLS,
        name="Confidence falls more in people whose uncertainty rises more",
        prediction="correlation of the fall with the gain in entropy above 0.3",
        holds=is_related,
        observed="r = {related:.2f}",
    ),
    WITH_RATES,
    Claim(
        name="Blockade shifts the dose curve to the right",
        prediction="under ketanserin 1 + B/K times the psilocybin gives the same response",
        kind="theorem",
        measure=restored,
        holds=is_restored,
        observed=restored_in_words,
    ),
)
