"""What is simulated: doses, times, blockade, read-outs, low doses, rates of exchange."""

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.neuromodulation import Bolus, Dose, Oral, effects
from pcmodel.neuromodulation.accounts.accounts import Rebus
from pcmodel.neuromodulation.pharmacology.transducer import Sigmoid
from pcmodel.report import NOT_EXAMINED, UNPERTURBED, Examined, Perturbation

from .._believing import believe
from .._dosing import Band, band, take
from .config import Config
from .ketanserin import KETANSERIN, Blockade, Rates, blockade, rates
from .low_doses import LowDoses, low_doses

HOURS, MINUTES = np.linspace(0, 14, 141), np.linspace(0, 1.0, 141)


class Range(NamedTuple):
    """Doses of a compound, mg: lowest, highest, the one marked.  unit, scale: shown, and mg per unit."""

    low: float
    high: float
    shown: float
    unit: str
    scale: float
    route: Oral | Bolus
    times: np.ndarray


COMPOUNDS = {
    "psilocybin": Range(0.5, 100.0, 25.0, "mg", 1.0, Oral(), HOURS),
    "LSD": Range(0.005, 0.8, 0.1, "µg", 1e-3, Oral(), HOURS),
    "DMT": Range(1.0, 100.0, 25.0, "mg, bolus", 1.0, Bolus(), MINUTES),
}


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


class Readouts(NamedTuple):
    """Peak good effect and ego dissolution of LSD by dose (mg), typical participant."""

    dose: np.ndarray
    good: np.ndarray
    ego: np.ndarray


class Results(NamedTuple):
    """Everything simulated.  tested: numbers of the claims, by name."""

    curves: dict[str, Curves]
    blockade: Blockade
    readouts: Readouts
    low: LowDoses
    rates: Rates
    tested: Examined = NOT_EXAMINED


def simulate(config: Config, *, seed: int, progress) -> Results:
    """Dose curves, blockade, read-outs, low doses, rates."""
    names = progress.track(COMPOUNDS, "dose curves")
    curves = {name: dose_curves(name, config, seed) for name in names}
    others = progress.track((blockade, low_doses, rates), "blockade, low doses, rates")
    block, low, exchange = (part(config, seed) for part in others)
    return Results(curves, block, readouts(config.doses), low, exchange)


def at_peak(course):
    """The moment of each participant's largest effect, by participant."""
    best = jnp.argmax(course.effect_2a, axis=1)
    return jax.tree.map(
        lambda curve: jnp.take_along_axis(curve, best[:, None], axis=1)[:, 0],
        effects(course),
    )


def dose_curves(name: str, config: Config, seed: int) -> Curves:
    """One compound over its range of doses."""
    given, account = COMPOUNDS[name], Rebus(config.strength)
    doses = np.geomspace(given.low, given.high, config.doses)
    options: dict[str, Any] = {"people": config.people, "seed": seed}
    free, blocked, surface = [], [], []
    for mg in doses:
        course, _ = take([Dose(name, mg, 0.0, given.route)], given.times, **options)
        free.append(at_peak(course))
        surface.append(jax.tree.map(lambda curve: curve[0], effects(course)))
        both = [Dose("ketanserin", KETANSERIN), Dose(name, mg, 1.0, given.route)]
        blocked.append(at_peak(take(both, given.times + 1.0, **options)[0]))
    peaks, dulled, moments = (
        jax.tree.map(lambda *rows: jnp.stack(rows), *each)
        for each in (free, blocked, surface)
    )
    found, held = believe(peaks, account), believe(dulled, account)
    return Curves(
        doses,
        given.times,
        band(100 * np.asarray(peaks.effect_2a).T),
        band(found.revision.T),
        band(found.confidence.T),
        band(found.settling.T),
        band(found.entropy.T),
        believe(moments, account).revision,
        band(100 * np.asarray(dulled.effect_2a).T),
        band(held.revision.T),
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


class Ceilings(NamedTuple):
    """200 over 100 µg of ego dissolution and of the good effect; share in whom the first is larger."""

    ego: float
    good: float
    share: float


def ceilings(config: Config, seed: int, perturbation: Perturbation) -> Ceilings:
    options = {"people": config.people, "seed": seed, "perturbation": perturbation}
    high, low = (both_readouts(mg, **options) for mg in (0.2, 0.1))
    good, ego = high / low
    return Ceilings(ego[0], good[0], float(np.mean(ego[1:] > good[1:])))


class Falls(NamedTuple):
    """Mean fall of confidence after 25 and 1 mg, share in whom it falls, correlation with entropy.

    The correlation is over people, between the fall after 25 mg and the gain in entropy; 0 where nothing
    changes.
    """

    full: float
    little: float
    share: float
    related: float


@lru_cache(maxsize=128)
def falls(config: Config, seed: int, perturbation: Perturbation) -> Falls:
    options: dict[str, Any] = {"people": max(config.people, 10), "seed": seed}
    doses = ([Dose("psilocybin", mg)] for mg in (0.0, 1.0, 25.0))
    courses = (take(d, HOURS, perturbation=perturbation, **options)[0] for d in doses)
    account = Rebus(config.strength)
    none, little, full = (
        believe(at_peak(course), account, perturbation=perturbation)
        for course in courses
    )
    fall = (none.confidence - full.confidence)[1:]
    gain = (full.entropy - none.entropy)[1:]
    varies = min(fall.std(), gain.std()) > 1e-12
    related = np.corrcoef(fall, gain)[0, 1] if varies else 0.0
    small = (none.confidence - little.confidence)[1:].mean()
    return Falls(fall.mean(), small, float(np.mean(fall > 0)), related)


class Restored(NamedTuple):
    """Dose ratio 1 + B/K three hours after psilocybin 25 mg, and what that much more of it leaves.

    difference: of the response from that without ketanserin, relative.
    """

    ratio: float
    difference: float


def restored(perturbation: Perturbation) -> Restored:
    at = int(np.searchsorted(HOURS, 3.0))

    def response(mg: float, blocker: float):
        doses = [Dose("ketanserin", blocker), Dose("psilocybin", mg)]
        course, people = take(doses, HOURS, perturbation=perturbation)
        ratio = course.effect_site[0, 0, at] / people.ligands.k_2a[0, 0]
        return float(course.response_2a[0, at]), 1 + float(ratio)

    free, _ = response(25.0, 0.0)
    _, ratio = response(25.0, KETANSERIN)
    again, _ = response(25.0 * ratio, KETANSERIN)
    return Restored(ratio, abs(again / free - 1))
