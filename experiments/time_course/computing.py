"""`run`: every regimen in everyone, and what could overturn the verdicts."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.errors import UserError
from pcmodel.neuromodulation import Bolus, Dose, Infusion, effects, vital_signs
from pcmodel.neuromodulation.accounts import Noise, Oneirogen, Rebus, Sebus, Sensory

from .._believing import believe
from .._dosing import (
    LIBRARY,
    Band,
    band,
    hours_felt,
    scaled,
    take,
    turn,
    with_number,
)

ACCOUNTS = {
    "rebus": Rebus(),
    "sensory": Sensory(),
    "sebus": Sebus(),
    "oneirogen": Oneirogen(),
    "noise": Noise(),
}
LONG, SHORT = np.linspace(0, 14, 169), np.linspace(0, 2.5, 169)
REGIMENS = {
    "psilocybin 25 mg": ((Dose("psilocybin", 25.0),), LONG),
    "LSD 100 µg": ((Dose("LSD", 0.1),), LONG),
    "DMT 25 mg, 1 mg/min": (
        (Dose("DMT", 25.0, 0.0, Bolus()), Dose("DMT", 90.0, 0.0, Infusion(1.5))),
        SHORT,
    ),
    "MDMA 125 mg": ((Dose("MDMA", 125.0),), LONG),
}


@dataclass(frozen=True)
class Config:
    """people: simulated participants of each group.  account: how effect becomes precision."""

    people: int = 200
    account: Literal["rebus", "sensory", "sebus", "oneirogen", "noise"] = "rebus"

    def __post_init__(self):
        if self.people < 2:
            raise UserError(f"people must be at least 2, got {self.people}.")

    @classmethod
    def smoke(cls) -> "Config":
        """Few people."""
        return cls(people=8)


class Clock(NamedTuple):
    """One regimen; curves are bands over people, (times,).

    plasma ng/mL; occupancy % of 5-HT2A on the PET scale; effect %; serotonin in multiples of its K;
    gains by level of the typical participant (times, levels); belief and its sd, the typical
    participant's; revision; systolic mmHg.
    """

    hours: np.ndarray
    plasma: Band
    occupancy: Band
    effect: Band
    serotonin: Band
    gains: np.ndarray
    belief: np.ndarray
    belief_sd: np.ndarray
    revision: Band
    systolic: Band


class Group(NamedTuple):
    """Per participant, typical first: peak plasma ng/mL and its hour, peak effect %, hours felt."""

    peak: np.ndarray
    peak_hour: np.ndarray
    intensity: np.ndarray
    intensity_hour: np.ndarray
    felt: np.ndarray
    systolic: np.ndarray
    diastolic: np.ndarray


class Results(NamedTuple):
    """Everything simulated.  turns: (parameter, ratio when halved, when doubled)."""

    clocks: dict[str, Clock]
    groups: dict[str, Group]
    zero_is_identical: bool
    second_mdma: np.ndarray
    infusion: np.ndarray
    ratio_turns: tuple
    in_vitro_ratio: float


def run(config: Config, *, seed: int, progress) -> Results:
    """Simulate every regimen, and what could overturn the verdicts."""
    with jax.enable_x64(True):
        clocks = {
            name: clock(doses, hours, config, seed)
            for name, (doses, hours) in progress.track(REGIMENS.items(), "regimens")
        }
        amounts = (
            *(("psilocybin", mg) for mg in (15.0, 20.0, 25.0, 30.0)),
            ("LSD", 0.1),
            *(("MDMA", mg) for mg in (75.0, 125.0)),
        )
        groups = {
            f"{name} {mg:g}": group(name, mg, config, seed)
            for name, mg in progress.track(amounts, "groups")
        }
        with progress.stage("what overturns the verdicts"):
            turns = ratio_turns()
            swap = {
                name: with_efficacy_of_test_tube(name) for name in ("psilocybin", "LSD")
            }
            in_vitro = duration_ratio(libraries=swap)
        return Results(
            clocks,
            groups,
            zero_dose_is_identical(config),
            second_dose(),
            infusion_course(),
            turns,
            in_vitro,
        )


def clock(doses, hours, config: Config, seed: int) -> Clock:
    """One regimen in everyone."""
    course, people = take(doses, hours, people=config.people, seed=seed)
    found = believe(effects(course), ACCOUNTS[config.account])
    ceiling = 100 * np.asarray(people.physiology.pet_ceiling)[:, None]
    signs = jax.jit(jax.vmap(lambda c, p: vital_signs(c, jnp.asarray(hours), p)))(
        course, people
    )
    return Clock(
        hours,
        band(course.plasma[:, 0]),
        band(ceiling * np.asarray(course.occupancy_2a[:, 0])),
        band(100 * course.effect_2a),
        band(course.serotonin),
        found.gains[0],
        found.mean[0, :, -1],
        found.sd[0, :, -1],
        band(found.revision),
        band(signs.systolic),
    )


def group(compound: str, mg: float, config: Config, seed: int) -> Group:
    """What each participant reaches."""
    course, people = take([Dose(compound, mg)], LONG, people=config.people, seed=seed)
    signs = jax.jit(jax.vmap(lambda c, p: vital_signs(c, jnp.asarray(LONG), p)))(
        course, people
    )
    plasma, effect = np.asarray(course.plasma[:, 0]), np.asarray(course.effect_2a)
    drive = np.asarray(course.serotonin) if compound == "MDMA" else effect
    return Group(
        plasma.max(1),
        LONG[plasma.argmax(1)],
        100 * effect.max(1),
        LONG[effect.argmax(1)],
        hours_felt(LONG, drive),
        np.asarray(signs.systolic).max(1),
        np.asarray(signs.diastolic).max(1),
    )


def zero_dose_is_identical(config: Config) -> bool:
    """0 mg against placebo: every number of the belief, to the bit."""
    account = ACCOUNTS[config.account]
    nothing, _ = take([Dose("psilocybin", 0.0)], SHORT)
    inert, _ = take([Dose("placebo", 1.0)], SHORT)
    first, second = believe(effects(nothing), account), believe(effects(inert), account)
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def second_dose() -> np.ndarray:
    """Peak serotonin of 100 mg MDMA, and the most a second 100 mg after 4 h adds to it."""
    first = Dose("MDMA", 100.0)
    alone = np.asarray(take([first], LONG)[0].serotonin[0])
    both = take([first, Dose("MDMA", 100.0, 4.0)], LONG)[0].serotonin[0]
    return np.asarray([alone.max(), (np.asarray(both) - alone).max()])


def infusion_course() -> np.ndarray:
    """DMT 1 mg/min: effect at 30 and 90 min, 15 min after, and hours to a bolus's peak."""
    effect = take([Dose("DMT", 90.0, 0.0, Infusion(1.5))], SHORT)[0].effect_2a[0]
    fine = np.linspace(0, 0.25, 301)
    bolus = take([Dose("DMT", 25.0, 0.0, Bolus())], fine)[0].effect_2a[0]
    at = np.searchsorted(SHORT, [0.5, 1.5, 1.75])
    return np.asarray([*np.asarray(effect)[at], fine[int(np.argmax(bolus))]])


def duration_ratio(change=lambda person: person, libraries=None) -> float:
    """Hours felt of psilocybin 20 mg over LSD 100 ug, typical participant."""
    libraries = libraries or {}
    hours = []
    for compound, mg in (("psilocybin", 20.0), ("LSD", 0.1)):
        options = {"library": libraries[compound]} if compound in libraries else {}
        course, _ = take([Dose(compound, mg)], LONG, change=change, **options)
        hours.append(hours_felt(LONG, course.effect_2a)[0])
    return float(hours[0] / hours[1]) if hours[1] > 0 else float("inf")


def with_efficacy_of_test_tube(compound: str):
    """In-vitro efficacy, and the affinity that keeps the clinical EC50 (for LSD)."""
    one = LIBRARY[compound]
    tau = one.get("efficacy_2a_in_vitro", 0.19)
    changed = one.with_value("efficacy_2a", tau, "in vitro")
    if compound == "LSD":
        at_ec50 = 0.19 * 8.48 / (1.97 + 8.48 * 1.19)
        changed = changed.with_value("k_2a", tau / at_ec50 - (1 + tau), "EC50 kept")
    return LIBRARY.replacing(changed)


def ratio_turns() -> tuple:
    """The duration ratio with each parameter halved and doubled."""
    cases = {
        "LSD half-life": lambda f: {
            "libraries": {"LSD": with_number("LSD", "half_life", f)}
        },
        "psilocin half-life": lambda f: {
            "libraries": {"psilocybin": with_number("psilocybin", "half_life", f)}
        },
        "LSD's K at 5-HT2A": lambda f: {
            "libraries": {"LSD": with_number("LSD", "k_2a", f)}
        },
        "psilocin's K at 5-HT2A": lambda f: {
            "libraries": {"psilocybin": with_number("psilocybin", "k_2a", f)}
        },
        "second-stage onset": lambda f: {"change": scaled("physiology.onset", f)},
        "LSD effect-site rate": lambda f: {
            "libraries": {"LSD": with_number("LSD", "effect_site_rate", f)}
        },
    }

    def cell(ratio: float) -> str:
        return f"{ratio:.2f}" if np.isfinite(ratio) else "no effect"

    return tuple(
        turn(
            name,
            lambda f, build=build: duration_ratio(**build(f)),
            lambda ratio: 0 < ratio < 1,
            cell,
        )
        for name, build in cases.items()
    )
