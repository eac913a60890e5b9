"""`run`: doses, times, blockade."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.errors import UserError
from pcmodel.neuromodulation import Bolus, Dose, Oral, effects
from pcmodel.neuromodulation.accounts import Rebus
from pcmodel.neuromodulation.transducer import Threshold

from .._believing import believe
from .._dosing import (
    LIBRARY,
    Band,
    band,
    scaled,
    take,
    turn,
    with_number,
)

HOURS, MINUTES = np.linspace(0, 14, 141), np.linspace(0, 1.0, 141)
COMPOUNDS = {  # lowest and highest dose (mg), shown dose, unit, mg per unit, route, times
    "psilocybin": (0.5, 100.0, 25.0, "mg", 1.0, Oral(), HOURS),
    "LSD": (0.005, 0.8, 0.1, "µg", 1e-3, Oral(), HOURS),
    "DMT": (1.0, 100.0, 25.0, "mg, bolus", 1.0, Bolus(), MINUTES),
}
KETANSERIN = 40.0


@dataclass(frozen=True)
class Config:
    """people: participants at each dose.  doses: number of doses.  strength: log precision per effect."""

    people: int = 60
    doses: int = 21
    strength: float = 2.0

    def __post_init__(self):
        if self.people < 2 or self.doses < 3:
            raise UserError("people must be at least 2 and doses at least 3.")

    @classmethod
    def smoke(cls) -> "Config":
        """Few people, few doses."""
        return cls(people=5, doses=4)


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
    """LSD 100 ug and ketanserin 40 mg; effect of the typical participant over `HOURS`.

    felt: hours (people,) above a tenth of each one's peak alone: alone, with ketanserin 1 h after; then the
    largest effect left with it 1 h before.  ratios: largest dose ratio 1 + B/K
    against ketanserin's K (ng/mL), and hours felt with it 1 h after.
    """

    alone: np.ndarray
    after: np.ndarray
    before: np.ndarray
    felt: np.ndarray
    plasma_unchanged: bool
    constants: np.ndarray
    ratios: np.ndarray
    felt_by_ratio: np.ndarray


class Readouts(NamedTuple):
    """Peak good effect and ego dissolution of LSD by dose (mg), typical, and 200 over 100 ug."""

    dose: np.ndarray
    good: np.ndarray
    ego: np.ndarray
    good_ratio: np.ndarray
    ego_ratio: np.ndarray


class Beliefs(NamedTuple):
    """Confidence in the negative self-belief and entropy at peak, per person, at 0, 1 and 25 mg."""

    confidence: np.ndarray
    entropy: np.ndarray


class Results(NamedTuple):
    """Everything simulated."""

    curves: dict[str, Curves]
    blockade: Blockade
    readouts: Readouts
    beliefs: Beliefs
    after_turns: tuple
    readout_turns: tuple


def run(config: Config, *, seed: int, progress) -> Results:
    """Dose curves, blockade, read-outs, beliefs, and what overturns them."""
    with jax.enable_x64(True):
        names = progress.track(COMPOUNDS, "dose curves")
        curves = {name: dose_curves(name, config, seed) for name in names}
        with progress.stage("blockade and read-outs", 4) as stage:
            parts = []
            for part in (blockade, readouts, beliefs):
                parts.append(part(config, seed))
                stage.advance()
            return Results(curves, *parts, after_turns(), readout_turns())


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


LSD = Dose("LSD", 0.1)


def blockade(config: Config, seed: int) -> Blockade:
    """Ketanserin before, after, and how much of it is needed."""
    options = {"people": config.people, "seed": seed}
    alone, _ = take([LSD, Dose("ketanserin", 0.0)], HOURS, **options)
    after, _ = take([LSD, Dose("ketanserin", KETANSERIN, 1.0)], HOURS, **options)
    first = [Dose("ketanserin", KETANSERIN), Dose("LSD", 0.1, 1.0)]
    before, _ = take(first, HOURS, **options)
    level = 0.1 * np.asarray(alone.effect_2a).max(1, keepdims=True)
    felt = [
        np.sum(np.asarray(each.effect_2a) > level, axis=1) * (HOURS[1] - HOURS[0])
        for each in (alone, after)
    ]
    felt.append(np.asarray(before.effect_2a).max(1))
    factors = np.geomspace(0.25, 64, 25)
    peak = float(np.max(after.effect_site[0, 1]))
    constants = factors * LIBRARY["ketanserin"].get("k_2a", 1.0)
    by_ratio = [
        felt_after(library=with_number("ketanserin", "k_2a", f)) for f in factors
    ]
    return Blockade(
        np.asarray(alone.effect_2a[0]),
        np.asarray(after.effect_2a[0]),
        np.asarray(before.effect_2a[0]),
        np.stack(felt),
        bool(np.array_equal(alone.plasma[:, 0], after.plasma[:, 0])),
        constants,
        1 + peak / constants,
        np.asarray(by_ratio),
    )


def felt_after(mg: float = KETANSERIN, **options) -> float:
    """Hours LSD 100 ug is felt with ketanserin 1 h after, above 10 % of the peak without it."""
    alone, _ = take([LSD, Dose("ketanserin", 0.0, 1.0)], HOURS, **options)
    both, _ = take([LSD, Dose("ketanserin", mg, 1.0)], HOURS, **options)
    level = 0.1 * np.asarray(alone.effect_2a[0]).max()
    return float(np.sum(np.asarray(both.effect_2a[0]) > level) * (HOURS[1] - HOURS[0]))


def readouts(config: Config, seed: int) -> Readouts:
    """Two second stages on the same receptors."""
    doses = np.geomspace(0.01, 0.8, max(config.doses, 5))
    found = [both_readouts(mg, 0, seed) for mg in doses]
    ratio = [
        a / np.maximum(b, 1e-9)
        for a, b in zip(
            both_readouts(0.2, config.people, seed),
            both_readouts(0.1, config.people, seed),
            strict=True,
        )
    ]
    good, ego = (np.asarray([pair[i][0] for pair in found]) for i in (0, 1))
    return Readouts(doses, good, ego, ratio[0], ratio[1])


def both_readouts(mg: float, people: int, seed: int, change=lambda p: p):
    """Peak good effect and ego dissolution of each person."""
    course, group = take(
        [Dose("LSD", mg)], HOURS, people=people, seed=seed, change=change
    )
    body, response = group.physiology, np.asarray(course.response_2a).max(1)
    return tuple(
        np.asarray(Threshold(onset, body.full)(jnp.asarray(response)))
        for onset in (body.onset, body.ego_onset)
    )


def beliefs(config: Config, seed: int) -> Beliefs:
    """Psilocybin 0, 1 and 25 mg in the same people."""
    found = []
    for mg in (0.0, 1.0, 25.0):
        course, _ = take(
            [Dose("psilocybin", mg)], HOURS, people=max(config.people, 10), seed=seed
        )
        found.append(believe(at_peak(course), Rebus(config.strength)))
    return Beliefs(
        np.stack([each.confidence for each in found]),
        np.stack([each.entropy for each in found]),
    )


def after_turns() -> tuple:
    """Hours felt with ketanserin an hour after LSD, each parameter halved and doubled."""
    cases = {
        "ketanserin K at 5-HT2A": lambda f: {
            "library": with_number("ketanserin", "k_2a", f)
        },
        "ketanserin dose": lambda f: {"mg": KETANSERIN * f},
        "LSD's K at 5-HT2A": lambda f: {"library": with_number("LSD", "k_2a", f)},
        "LSD effect-site rate": lambda f: {
            "library": with_number("LSD", "effect_site_rate", f)
        },
        "second-stage onset": lambda f: {"change": scaled("physiology.onset", f)},
    }
    return tuple(
        turn(
            name,
            lambda f, build=build: felt_after(**build(f)),
            lambda hours: 0 < hours < 6,
            lambda hours: f"{hours:.1f} h",
        )
        for name, build in cases.items()
    )


def readout_turns() -> tuple:
    """Ego's 200/100 ratio less the good effect's."""

    def gap(change) -> float:
        high, low = (both_readouts(mg, 0, 0, change) for mg in (0.2, 0.1))
        if min(low[0][0], low[1][0]) <= 0:
            return float("nan")
        return float(high[1][0] / low[1][0] - high[0][0] / low[0][0])

    cases = {
        "second-stage onset, good effect": "physiology.onset",
        "second-stage onset, ego dissolution": "physiology.ego_onset",
        "LSD's K at 5-HT2A": "ligands.k_2a",
    }

    return tuple(
        turn(
            name,
            lambda f, path=path: gap(scaled(path, f)),
            lambda difference: difference > 0,
            lambda difference: (
                f"{difference:+.2f}" if np.isfinite(difference) else "no effect"
            ),
        )
        for name, path in cases.items()
    )
