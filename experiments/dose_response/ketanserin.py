"""LSD alone, and with ketanserin after and before it: the same people three times.

Receptors equilibrate at once, or exchange with rates.  LSD's effect then lags because it arrives at its receptor
slowly, so the separate delay of its effect site is taken out: both would count the same delay twice.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from pcmodel.neuromodulation import Course, Dose, Participant, WithRates
from pcmodel.report import UNPERTURBED, Perturbation

from .._dosing import LIBRARY, hours_felt, take
from .config import Config

SESSION_HOURS = np.linspace(0, 30, 301)
KETANSERIN = 40.0
"""mg"""
LSD = Dose("LSD", 0.1)
SESSIONS = {
    "alone": (LSD, Dose("ketanserin", 0.0, 1.0)),
    "after": (LSD, Dose("ketanserin", KETANSERIN, 1.0)),
    "before": (Dose("ketanserin", KETANSERIN), Dose("LSD", 0.1, 1.0)),
}
EXCHANGE = WithRates(4)
WITHOUT_DELAY = LIBRARY.replacing(LIBRARY["LSD"].without("effect_site_rate"))
LEAST_AFTER, MOST_AFTER, ABOLISHED = 2.5, 4.5, 0.95
"""As published: hours LSD is felt with ketanserin after it (3.5, SD 1.3); share in whom ketanserin before abolishes it."""

Session = tuple[Course, Participant]


def session(name: str, people: int, seed: int, **options) -> Session:
    """One session in everyone, typical first."""
    doses = SESSIONS[name]
    return take(doses, SESSION_HOURS, people=people, seed=seed, **options)


def felt(one: Session) -> np.ndarray:
    """Hours felt above a tenth of the session's own peak, (people,)."""
    course, people = one
    return hours_felt(SESSION_HOURS, course.effect_2a, people)


def abolished(alone: Session, before: Session) -> float:
    """Share of people in whom ketanserin before leaves less than a tenth of the peak alone.

    Where nothing is felt alone, nothing is abolished.
    """
    peak, left = (np.asarray(each[0].effect_2a).max(1) for each in (alone, before))
    feels = peak > np.asarray(alone[1].physiology.least)
    remaining = np.where(feels, left / np.where(feels, peak, 1), 1.0)
    return float(np.mean(remaining[1:] < 0.1))


class Sessions(NamedTuple):
    """LSD 100 µg and ketanserin 40 mg in the same people.

    alone, after: median hours LSD is felt, and with ketanserin an hour after.  mean_alone, peak_hour: means, alone.
    abolished: share of people in whom ketanserin an hour before abolishes it.
    ratio: ketanserin's largest dose ratio 1 + B/K in the typical participant.
    moved: largest difference that ketanserin after makes to LSD in plasma, ng/mL.
    """

    alone: float
    after: float
    mean_alone: float
    peak_hour: float
    abolished: float
    ratio: float
    moved: float


@lru_cache(maxsize=512)
def sessions(
    config: Config,
    seed: int,
    perturbation: Perturbation = UNPERTURBED,
    with_rates: bool = False,
) -> Sessions:
    """The three sessions.  with_rates: receptors exchange as the tables set it."""
    exchange = {"library": WITHOUT_DELAY, "exchange": EXCHANGE} if with_rates else {}
    alone, after, before = (
        session(name, config.people, seed, perturbation=perturbation, **exchange)
        for name in SESSIONS
    )
    course, people = after
    blocker = course.effect_site[0, 1] / people.ligands.k_2a[0, 1]
    peak_hours = SESSION_HOURS[np.asarray(alone[0].effect_2a).argmax(1)]
    hours = felt(alone)[1:]
    return Sessions(
        np.median(hours),
        np.median(felt(after)[1:]),
        hours.mean(),
        peak_hours[1:].mean(),
        abolished(alone, before),
        1 + float(np.max(blocker)),
        np.abs(course.plasma[:, 0] - alone[0].plasma[:, 0]).max(),
    )


class Blockade(NamedTuple):
    """LSD 100 µg and ketanserin 40 mg.

    alone, after, before: effect of the typical participant over `SESSION_HOURS` (before: ketanserin at 0 h,
    LSD at 1 h).  ratios: largest dose ratio 1 + B/K for several K of ketanserin; felt_by_ratio: median hours
    LSD is felt with it 1 h after; abolished_by_ratio: share of people in whom, 1 h before, it leaves
    less than a tenth of the peak alone.
    """

    alone: np.ndarray
    after: np.ndarray
    before: np.ndarray
    ratios: np.ndarray
    felt_by_ratio: np.ndarray
    abolished_by_ratio: np.ndarray


def blockade(config: Config, seed: int) -> Blockade:
    """Ketanserin before, after, and how much of it is needed."""
    alone, after, before = (
        np.asarray(session(name, 0, 0)[0].effect_2a[0]) for name in SESSIONS
    )
    found = [
        sessions(config, seed, Perturbation("ligands.k_2a", "ketanserin", factor))
        for factor in np.geomspace(0.25, 64, 25)
    ]
    return Blockade(
        alone,
        after,
        before,
        np.asarray([each.ratio for each in found]),
        np.asarray([each.after for each in found]),
        np.asarray([each.abolished for each in found]),
    )


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


def rates(config: Config, seed: int) -> Rates:
    """A map over what is least known of ketanserin, LSD leaving at its measured rate."""
    residence = np.geomspace(7.5, 480, config.rates)
    factor = np.geomspace(0.5, 4, config.rates)
    blocker, people = WITHOUT_DELAY["ketanserin"], min(config.people, 100)
    exchange = {"library": WITHOUT_DELAY, "exchange": EXCHANGE}
    alone = session("alone", people, seed, **exchange)
    after, share = np.zeros((2, config.rates, config.rates))
    for row, minutes in enumerate(residence):
        for column, times in enumerate(factor):
            changed = blocker.with_value(
                "off_rate_2a", 60 / minutes, "varied here"
            ).with_value("k_2a", times * blocker.get("k_2a", 0.0), "varied here")
            exchange["library"] = WITHOUT_DELAY.replacing(changed)
            late = session("after", people, seed, **exchange)
            early = session("before", people, seed, **exchange)
            after[row, column] = np.median(felt(late)[1:])
            share[row, column] = abolished(alone, early)
    both = (after >= LEAST_AFTER) & (after <= MOST_AFTER) & (share >= ABOLISHED)
    return Rates(residence, factor, after, share, both)
