"""Ketanserin against LSD where receptors exchange with rates, and which rates give both published results.

LSD's effect then lags because it arrives at its receptor slowly, so the separate delay of its effect site is taken
out: both would count the same delay twice.
"""

from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from pcmodel.neuromodulation import WithRates
from pcmodel.report import UNPERTURBED, Parameter, Perturbation

from .._claims import Claim
from .._dosing import LIBRARY, Library, half_life, hours_felt, take
from .sessions import SESSION_HOURS, SESSIONS, abolished

EXCHANGE = WithRates(4)
WITHOUT_DELAY = LIBRARY.replacing(LIBRARY["LSD"].without("effect_site_rate"))
AFTER = (2.5, 4.5)
"""Hours LSD is felt with ketanserin after it: published 3.5, SD 1.3."""


class Exchanged(NamedTuple):
    """Three sessions of the same people with rates, typical first.

    felt: hours alone and with ketanserin after.  peak_hour: alone.  share: of people in whom ketanserin before
    abolishes it.
    """

    felt: np.ndarray
    peak_hour: np.ndarray
    share: float


@lru_cache(maxsize=512)
def exchanged(
    people: int, seed: int, perturbation: Perturbation = UNPERTURBED
) -> Exchanged:
    """LSD alone, with ketanserin after, and before, as the tables set the rates."""
    alone = one("alone", people, seed, perturbation)
    after = one("after", people, seed, perturbation)
    before = one("before", people, seed, perturbation)
    return Exchanged(
        np.stack([felt(alone), felt(after)]),
        SESSION_HOURS[np.asarray(alone[0].effect_2a).argmax(1)],
        abolished(alone, before),
    )


def one(
    name: str,
    people: int,
    seed: int,
    perturbation: Perturbation,
    library: Library = WITHOUT_DELAY,
):
    """One session in everyone."""
    return take(
        SESSIONS[name],
        SESSION_HOURS,
        people=people,
        seed=seed,
        perturbation=perturbation,
        library=library,
        exchange=EXCHANGE,
    )


def felt(session) -> np.ndarray:
    """Hours felt."""
    return hours_felt(SESSION_HOURS, session[0].effect_2a, session[1])


class Rates(NamedTuple):
    """Both results of ketanserin by its residence at the receptor (minutes) and its K (times that assumed).

    after: median hours felt with it after, (residences, factors).  share: abolished by it before.
    both: where both are as published.
    """

    residence: np.ndarray
    factor: np.ndarray
    after: np.ndarray
    share: np.ndarray
    both: np.ndarray


def rates(people: int, seed: int, number: int) -> Rates:
    """A map over what is least known of ketanserin, LSD leaving at its measured rate."""
    residence = np.geomspace(7.5, 480, number)
    factor = np.geomspace(0.5, 4, number)
    alone = one("alone", people, seed, UNPERTURBED)
    after, share = np.zeros((2, number, number))
    blocker = WITHOUT_DELAY["ketanserin"]
    for row, minutes in enumerate(residence):
        for column, times in enumerate(factor):
            changed = blocker.with_value(
                "off_rate_2a", 60 / minutes, "varied here"
            ).with_value("k_2a", times * blocker.get("k_2a", 0.0), "varied here")
            library = WITHOUT_DELAY.replacing(changed)
            late = one("after", people, seed, UNPERTURBED, library)
            early = one("before", people, seed, UNPERTURBED, library)
            after[row, column] = np.median(felt(late)[1:])
            share[row, column] = abolished(alone, early)
    both = (after >= AFTER[0]) & (after <= AFTER[1]) & (share >= 0.95)
    return Rates(residence, factor, after, share, both)


def measured(perturbation: Perturbation, *, people: int, seed: int) -> np.ndarray:
    """Mean hours and peak hour alone, median hours with ketanserin after, share abolished before."""
    found = exchanged(people, seed, perturbation)
    return np.asarray(
        [
            found.felt[0, 1:].mean(),
            found.peak_hour[1:].mean(),
            np.median(found.felt[1, 1:]),
            found.share,
        ]
    )


PARAMETERS = (
    Parameter("rate at which LSD leaves", "ligands.off_2a", "LSD"),
    Parameter("rate at which ketanserin leaves", "ligands.off_2a", "ketanserin"),
    Parameter("ketanserin K at 5-HT2A", "ligands.k_2a", "ketanserin"),
    Parameter("LSD K at 5-HT2A", "ligands.k_2a", "LSD"),
    Parameter("hours from LSD to ketanserin", "dose.hours", "ketanserin"),
    Parameter("second-stage midpoint", "physiology.half"),
    half_life("ketanserin half-life", "ketanserin"),
)


def claims(options) -> tuple[Claim, ...]:
    """With the rates of the tables."""
    measure = partial(measured, **options)
    return (
        Claim(
            "With rates of exchange one set of parameters gives both results of ketanserin",
            "2.5 to 4.5 h with it after and abolished by it before in 95 %, with LSD's measured rate (it stays 221 min) and "
            "ketanserin's (minutes)",
            "predicted",
            measure,
            lambda v: bool(AFTER[0] <= v[2] <= AFTER[1] and v[3] >= 0.95),
            lambda v: f"{v[2]:.1f} h after; abolished before in {v[3]:.0%}",
            PARAMETERS,
        ),
        Claim(
            "LSD 100 µg with rates of exchange",
            "felt 8.5 +- 2.0 h, peak at 2.5 +- 0.6 h, its binding taking the place of the effect site's delay",
            "calibrated",
            measure,
            lambda v: bool(abs(v[0] - 8.5) <= 2 and abs(v[1] - 2.5) <= 0.6),
            lambda v: f"felt {v[0]:.1f} h, peak at {v[1]:.1f} h",
            (PARAMETERS[0], PARAMETERS[3], PARAMETERS[5]),
        ),
    )
