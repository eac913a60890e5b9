"""What is simulated: every condition under both readings of 5-HT1A, and partial agonists."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.neuromodulation import Dose, Library, effects, typical
from pcmodel.neuromodulation.accounts.accounts import Account, Dimmer, Rebus, Together
from pcmodel.neuromodulation.course import transducer_of
from pcmodel.neuromodulation.participant import of_person
from pcmodel.neuromodulation.pharmacology.receptors import operational
from pcmodel.report import NOT_EXAMINED, UNPERTURBED, Examined, Perturbation

from .._believing import believe
from .._dosing import LIBRARY, take, with_number
from .._options import at_least

HOURS = np.linspace(0, 8, 97)
AT = int(np.searchsorted(HOURS, 3.0))
"""Psilocin's peak in plasma, two hours after intake."""
LEAST = of_person("transducer", "least")
"""Smallest effect that is felt, as a share of the scale."""
# Pokorny 2016 gave 170 ug/kg of psilocybin: 12 mg in 70 kg.
PSILOCYBIN, BUSPIRONE, KETANSERIN = (
    Dose("psilocybin", 12.0, 1.0),
    Dose("buspirone", 20.0, 0.75),
    Dose("ketanserin", 40.0, 0.0),
)


@dataclass(frozen=True)
class Config:
    """people: per condition.  relaxation, dimming: strengths of the two receptors' actions."""

    people: int = 200
    relaxation: float = 2.0
    dimming: float = 0.5

    def __post_init__(self):
        at_least(2, people=self.people)

    @classmethod
    def smoke(cls) -> "Config":
        """Few people."""
        return cls(people=8)


class Condition(NamedTuple):
    """Typical participant first, at the hour psilocybin's plasma peaks.

    effect_2a, response_1a: what the receptors do.  change: |activity mean - without drugs| by level above
    the senses, (people, levels); sd: of that activity without drugs.
    """

    effect_2a: np.ndarray
    response_1a: np.ndarray
    change: np.ndarray
    sd: np.ndarray


class Results(NamedTuple):
    """What is simulated.

    dimming, restoring: conditions by name, under either reading of 5-HT1A.
    efficacy, dose, partial: peak effect by share of psilocin's efficacy and dose (mg), (efficacies, doses).
    buspirone_dose, response_by_buspirone: mg, and the 5-HT1A response with it.
    tested: numbers of the claims, by name.
    """

    dimming: dict[str, Condition]
    restoring: dict[str, Condition]
    efficacy: np.ndarray
    dose: np.ndarray
    partial: np.ndarray
    buspirone_dose: np.ndarray
    response_by_buspirone: np.ndarray
    tested: Examined = NOT_EXAMINED


def without(receptor: str) -> Library:
    """Psilocybin that does not bind one receptor."""
    return with_number("psilocybin", f"k_{receptor}", 1e9)


def conditions() -> dict[str, tuple[list[Dose], Library]]:
    """Doses, in order of time, and the library they are taken from."""
    weak = with_number("psilocybin", "efficacy_2a", 1 / 3)
    return {
        "psilocybin": ([PSILOCYBIN], LIBRARY),
        "+ buspirone": ([BUSPIRONE, PSILOCYBIN], LIBRARY),
        "+ ketanserin": ([KETANSERIN, PSILOCYBIN], LIBRARY),
        "5-HT2A only": ([PSILOCYBIN], without("1a")),
        "5-HT1A only": ([PSILOCYBIN], without("2a")),
        "third of efficacy": ([PSILOCYBIN], weak),
        "buspirone alone": ([BUSPIRONE], LIBRARY),
    }


def accounts(config: Config) -> dict[str, Account]:
    """The two readings of 5-HT1A."""
    return {
        "dimming": Together((Rebus(config.relaxation), Dimmer(config.dimming))),
        "restoring": Rebus(config.relaxation, restoring_1a=config.relaxation / 2),
    }


def simulate(config: Config, *, seed: int, progress) -> Results:
    """Every condition under both readings of 5-HT1A, and partial agonists."""
    found = {
        name: {
            label: condition(label, name, config, seed)
            for label in progress.track(conditions(), name)
        }
        for name in accounts(config)
    }
    efficacy = np.linspace(0, 1.5, 31)
    dose = np.geomspace(2, 2000, 25)
    amounts = np.geomspace(1, 1000, 13)
    return Results(
        found["dimming"],
        found["restoring"],
        efficacy,
        dose,
        partial_agonists(efficacy, dose),
        amounts,
        np.asarray([response_with(mg) for mg in amounts]),
    )


@lru_cache(maxsize=256)
def condition(
    label: str,
    reading: str,
    config: Config,
    seed: int,
    perturbation: Perturbation = UNPERTURBED,
) -> Condition:
    """What each participant's belief does at psilocybin's peak."""
    doses, library = conditions()[label]
    account = accounts(config)[reading]
    course, _ = take(
        doses,
        HOURS,
        people=config.people,
        seed=seed,
        library=library,
        perturbation=perturbation,
    )
    moment = jax.tree.map(lambda curve: curve[:, AT], effects(course))
    rest = jax.tree.map(jnp.zeros_like, moment)
    drugged, sober = (
        believe(x, account, perturbation=perturbation) for x in (moment, rest)
    )
    return Condition(
        np.asarray(moment.effect_2a),
        np.asarray(moment.response_1a),
        np.abs(drugged.mean - sober.mean),
        sober.sd,
    )


def partial_agonists(efficacy: np.ndarray, dose: np.ndarray) -> np.ndarray:
    """Peak effect of a psilocin with other efficacies (shares of its own), (efficacies, doses)."""
    site, person = take([Dose("psilocybin", 1.0)], HOURS)
    unit = float(np.asarray(site.effect_site).max())
    ratio = dose * unit / float(person.ligands.k_2a[0, 0])
    own = float(person.ligands.efficacy_2a[0, 0])
    stage = transducer_of(typical(LIBRARY, "psilocybin").physiology)
    stimulus = own * efficacy[:, None] * (ratio / (1 + ratio))[None]
    return np.asarray(stage(operational(jnp.asarray(stimulus), jnp.ones(()))))


def response_with(mg: float) -> float:
    """5-HT1A response at psilocybin's peak with some buspirone."""
    course, _ = take([Dose("buspirone", mg, 0.75), PSILOCYBIN], HOURS)
    return float(course.response_1a[0, AT])
