"""What is simulated: every regimen in everyone, on one clock, and groups."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from pcmodel.neuromodulation import Bolus, Dose, Infusion, effects
from pcmodel.neuromodulation.accounts.accounts import (
    Noise,
    Oneirogen,
    Rebus,
    Sebus,
    Sensory,
)
from pcmodel.report import NOT_EXAMINED, UNPERTURBED, Examined, Perturbation

from .._believing import believe
from .._dosing import LIBRARY, Band, band, hours_felt, take, vitals
from .._options import at_least

ACCOUNTS = {
    "rebus": Rebus(),
    "sensory": Sensory(),
    "sebus": Sebus(),
    "oneirogen": Oneirogen(),
    "noise": Noise(),
}
LONG, SHORT = np.linspace(0, 14, 169), np.linspace(0, 2.5, 169)
WHOLE = np.linspace(0, 24, 289)
"""Long enough for the slowest to come down: durations must not end with the clock."""
REGIMENS = {
    "psilocybin 25 mg": ((Dose("psilocybin", 25.0),), LONG),
    "LSD 100 µg": ((Dose("LSD", 0.1),), LONG),
    "DMT 25 mg, then 1 mg/min": (
        (Dose("DMT", 25.0, 0.0, Bolus()), Dose("DMT", 90.0, 0.0, Infusion(1.5))),
        SHORT,
    ),
    "MDMA 125 mg": ((Dose("MDMA", 125.0),), LONG),
}


@dataclass(frozen=True)
class Config:
    """people: simulated participants of each group.  account: how effect becomes precision."""

    people: int = 400
    account: Literal["rebus", "sensory", "sebus", "oneirogen", "noise"] = "rebus"

    def __post_init__(self):
        at_least(2, people=self.people)

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
    """Per participant, typical first.

    peak, peak_hour: plasma, ng/mL and h.  intensity, intensity_hour: effect, % and h.  felt: hours
    (MDMA's: of released serotonin).  systolic, diastolic: peaks, mmHg.
    """

    peak: np.ndarray
    peak_hour: np.ndarray
    intensity: np.ndarray
    intensity_hour: np.ndarray
    felt: np.ndarray
    systolic: np.ndarray
    diastolic: np.ndarray


class Results(NamedTuple):
    """What is simulated: regimens and groups by name.  tested: numbers of the claims, by name."""

    clocks: dict[str, Clock]
    groups: dict[str, Group]
    tested: Examined = NOT_EXAMINED


AMOUNTS = (
    *(("psilocybin", mg) for mg in (15.0, 20.0, 25.0, 30.0)),
    ("LSD", 0.1),
    *(("MDMA", mg) for mg in (75.0, 125.0)),
)


def simulate(config: Config, *, seed: int, progress) -> Results:
    """Every regimen on its clock, and every group."""
    clocks = {
        name: clock(doses, hours, config, seed)
        for name, (doses, hours) in progress.track(REGIMENS.items(), "regimens")
    }
    groups = {
        f"{name} {mg:g}": group(name, mg, config.people, seed)
        for name, mg in progress.track(AMOUNTS, "groups")
    }
    return Results(clocks, groups)


def clock(doses, hours, config: Config, seed: int) -> Clock:
    """One regimen in everyone."""
    course, people = take(doses, hours, people=config.people, seed=seed)
    found = believe(effects(course), ACCOUNTS[config.account])
    ceiling = 100 * np.asarray(people.physiology.pet_ceiling)[:, None]
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
        band(vitals(course, hours, people).systolic),
    )


@lru_cache(maxsize=256)
def group(
    compound: str,
    mg: float,
    people: int,
    seed: int,
    perturbation: Perturbation = UNPERTURBED,
    in_vitro: bool = False,
) -> Group:
    """What each participant reaches.  in_vitro: efficacy as in the test tube."""
    library = with_efficacy_of_test_tube(compound) if in_vitro else LIBRARY
    options = {
        "people": people,
        "seed": seed,
        "library": library,
        "perturbation": perturbation,
    }
    course, persons = take([Dose(compound, mg)], WHOLE, **options)
    signs = vitals(course, WHOLE, persons)
    plasma, effect = np.asarray(course.plasma[:, 0]), np.asarray(course.effect_2a)
    drive = np.asarray(course.serotonin) if compound == "MDMA" else effect
    return Group(
        plasma.max(1),
        WHOLE[plasma.argmax(1)],
        100 * effect.max(1),
        WHOLE[effect.argmax(1)],
        hours_felt(WHOLE, drive, None if compound == "MDMA" else persons),
        np.asarray(signs.systolic).max(1),
        np.asarray(signs.diastolic).max(1),
    )


def with_efficacy_of_test_tube(compound: str):
    """In-vitro efficacy, and the affinity that keeps the clinical EC50 (for LSD)."""
    one = LIBRARY[compound]
    tau = one.get("efficacy_2a_in_vitro", 0.19)
    changed = one.with_value("efficacy_2a", tau, "in vitro")
    if compound == "LSD":
        # Psilocin's response at its own EC50, 8.48 ng/mL, is LSD's at 1.0 ng/mL.
        at_ec50 = 0.19 * 8.48 / (1.97 + 8.48 * 1.19)
        changed = changed.with_value("k_2a", tau / at_ec50 - (1 + tau), "EC50 kept")
    return LIBRARY.replacing(changed)
