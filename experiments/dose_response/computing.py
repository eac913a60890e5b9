"""`run`: doses, times, blockade, and the claims."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.neuromodulation import Bolus, Dose, Oral, effects
from pcmodel.neuromodulation.accounts.accounts import Rebus
from pcmodel.neuromodulation.pharmacology.transducer import Sigmoid
from pcmodel.report import UNPERTURBED, Perturbation

from .._believing import believe
from .._claims import Tested, examine_all
from .._dosing import Band, band, hours_felt, take
from .._options import at_least
from .exchanging import Rates, rates
from .low_doses import LowDoses, low_doses
from .sessions import KETANSERIN, SESSION_HOURS, SESSIONS, remaining

HOURS, MINUTES = np.linspace(0, 14, 141), np.linspace(0, 1.0, 141)
COMPOUNDS = {  # lowest and highest dose (mg), shown dose, unit, mg per unit, route, times
    "psilocybin": (0.5, 100.0, 25.0, "mg", 1.0, Oral(), HOURS),
    "LSD": (0.005, 0.8, 0.1, "µg", 1e-3, Oral(), HOURS),
    "DMT": (1.0, 100.0, 25.0, "mg, bolus", 1.0, Bolus(), MINUTES),
}


@dataclass(frozen=True)
class Config:
    """people: participants at each dose.  doses: number of doses.  strength: log precision per effect.

    rates: residences, and affinities, of ketanserin that are tried.
    """

    people: int = 200
    doses: int = 21
    strength: float = 2.0
    rates: int = 7

    def __post_init__(self):
        at_least(2, people=self.people, rates=self.rates)
        at_least(3, doses=self.doses)

    @classmethod
    def smoke(cls) -> "Config":
        """Few people, few doses."""
        return cls(people=5, doses=4, rates=2)


class Curves(NamedTuple):
    """One compound, alone; bands over people at each one's peak, (doses,).

    dose mg.  effect %.  revision, confidence, settling, entropy: see `Moment`.  surface: revision of the
    typical participant, (doses, times).  blocked_effect, blocked_revision: with ketanserin 40 mg an
    hour before.
    """

    dose: np.ndarray
    times: np.ndarray
    effect: Band
    revision: Band
    confidence: Band
    settling: Band
    entropy: Band
    surface: np.ndarray
    blocked_effect: Band
    blocked_revision: Band


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


class Readouts(NamedTuple):
    """Peak good effect and ego dissolution of LSD by dose (mg), typical participant."""

    dose: np.ndarray
    good: np.ndarray
    ego: np.ndarray


class Results(NamedTuple):
    """Everything simulated.  tested: by the name of the claim."""

    curves: dict[str, Curves]
    blockade: Blockade
    readouts: Readouts
    low: LowDoses
    rates: Rates
    tested: dict[str, Tested]


def run(config: Config, *, seed: int, progress) -> Results:
    """Dose curves, blockade, read-outs, and the claims."""
    from .claiming import claims

    with jax.enable_x64(True):
        names = progress.track(COMPOUNDS, "dose curves")
        curves = {name: dose_curves(name, config, seed) for name in names}
        with progress.stage("blockade, read-outs, low doses, rates", total=4) as stage:

            def done(part):
                stage.advance()
                return part

            block = done(blockade(config.people, seed))
            read = done(readouts(config.doses))
            low = done(low_doses(config.people, seed))
            exchange = done(rates(min(config.people, 100), seed, config.rates))
        tested = examine_all(claims(config, seed), progress)
        return Results(curves, block, read, low, exchange, tested)


def at_peak(course):
    """The moment of each participant's largest effect, by participant."""
    best = jnp.argmax(course.effect_2a, axis=1)
    return jax.tree.map(
        lambda curve: jnp.take_along_axis(curve, best[:, None], axis=1)[:, 0],
        effects(course),
    )


def dose_curves(name: str, config: Config, seed: int) -> Curves:
    """One compound over its range of doses."""
    low, high, *_, route, times = COMPOUNDS[name]
    doses = np.geomspace(low, high, config.doses)
    account = Rebus(config.strength)
    free, blocked, surface = [], [], []
    for mg in doses:
        course, _ = take(
            [Dose(name, mg, 0.0, route)], times, people=config.people, seed=seed
        )
        free.append(at_peak(course))
        surface.append(jax.tree.map(lambda curve: curve[0], effects(course)))
        first = [Dose("ketanserin", KETANSERIN), Dose(name, mg, 1.0, route)]
        course, _ = take(first, times + 1.0, people=config.people, seed=seed)
        blocked.append(at_peak(course))

    def stack(moments):
        return jax.tree.map(lambda *rows: jnp.stack(rows), *moments)

    peaks, dulled = stack(free), stack(blocked)
    found, held = believe(peaks, account), believe(dulled, account)
    over_time = believe(stack(surface), account)
    return Curves(
        doses,
        times,
        band(100 * np.asarray(peaks.effect_2a).T),
        band(found.revision.T),
        band(found.confidence.T),
        band(found.settling.T),
        band(found.entropy.T),
        over_time.revision,
        band(100 * np.asarray(dulled.effect_2a).T),
        band(held.revision.T),
    )


class Blocked(NamedTuple):
    """Three sessions of the same people, typical first.

    felt: hours above a tenth of the session's own peak, alone and with ketanserin after.  left: largest
    effect with ketanserin before, over the peak alone.  ratio: largest dose ratio of the typical
    participant.  moved: largest difference of LSD in plasma, ng/mL.
    """

    felt: np.ndarray
    left: np.ndarray
    ratio: float
    moved: float


@lru_cache(maxsize=128)
def sessions(
    people: int, seed: int, perturbation: Perturbation = UNPERTURBED
) -> Blocked:
    """LSD alone, and with ketanserin after and before it."""
    alone, after, before = (
        take(doses, SESSION_HOURS, people=people, seed=seed, perturbation=perturbation)
        for doses in SESSIONS.values()
    )
    course, person = after
    blocker = course.effect_site[0, 1] / person.ligands.k_2a[0, 1]
    return Blocked(
        np.stack(
            [hours_felt(SESSION_HOURS, c.effect_2a, p) for c, p in (alone, after)]
        ),
        remaining(alone, before),
        1 + float(np.max(blocker)),
        float(np.abs(course.plasma[:, 0] - alone[0].plasma[:, 0]).max()),
    )


def blockade(people: int, seed: int) -> Blockade:
    """Ketanserin before, after, and how much of it is needed."""
    alone, after, before = (
        np.asarray(take(doses, SESSION_HOURS)[0].effect_2a[0])
        for doses in SESSIONS.values()
    )
    found = [
        sessions(people, seed, Perturbation("ligands.k_2a", "ketanserin", factor))
        for factor in np.geomspace(0.25, 64, 25)
    ]
    return Blockade(
        alone,
        after,
        before,
        np.asarray([each.ratio for each in found]),
        np.asarray([np.median(each.felt[1, 1:]) for each in found]),
        np.asarray([np.mean(each.left[1:] < 0.1) for each in found]),
    )


def readouts(number: int) -> Readouts:
    """Two second stages on the same receptors, typical participant."""
    doses = np.geomspace(0.01, 0.8, max(number, 5))
    good, ego = np.transpose([both_readouts(mg)[:, 0] for mg in doses])
    return Readouts(doses, good, ego)


def both_readouts(
    mg: float,
    *,
    people: int = 0,
    seed: int = 0,
    perturbation: Perturbation = UNPERTURBED,
) -> np.ndarray:
    """Peak good effect and ego dissolution of each person, (2, people)."""
    options = {"people": people, "seed": seed, "perturbation": perturbation}
    course, group = take([Dose("LSD", mg)], HOURS, **options)
    body, response = group.physiology, jnp.max(course.response_2a, axis=1)
    return np.asarray(
        [
            Sigmoid(half, body.power, body.full)(response)
            for half in (body.half, body.ego_half)
        ]
    )


def restored(perturbation: Perturbation) -> np.ndarray:
    """Dose ratio 1 + B/K three hours after psilocybin 25 mg, and what that much more of it leaves.

    The second number is the relative difference of the response from that without ketanserin.
    """
    block, at = Dose("ketanserin", KETANSERIN), int(np.searchsorted(HOURS, 3.0))

    def response(mg: float, antagonist: Dose):
        course, people = take(
            [antagonist, Dose("psilocybin", mg)], HOURS, perturbation=perturbation
        )
        ratio = course.effect_site[0, 0, at] / people.ligands.k_2a[0, 0]
        return float(course.response_2a[0, at]), 1 + float(ratio)

    free, _ = response(25.0, Dose("ketanserin", 0.0))
    _, ratio = response(25.0, block)
    again, _ = response(25.0 * ratio, block)
    return np.asarray([ratio, abs(again / free - 1)])
