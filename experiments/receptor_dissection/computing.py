"""`run`: every condition, partial agonists, and what overturns the verdicts."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.errors import UserError
from pcmodel.neuromodulation import Dose, Library, effects, typical
from pcmodel.neuromodulation.accounts import Account, Dimmer, Rebus, Together
from pcmodel.neuromodulation.course import transducer_of
from pcmodel.neuromodulation.receptors import operational

from .._believing import believe
from .._dosing import LIBRARY, take, turn, with_number

HOURS = np.linspace(0, 8, 97)
PSILOCYBIN, BUSPIRONE, KETANSERIN = (
    Dose("psilocybin", 20.0, 1.0),
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
        if self.people < 2:
            raise UserError(f"people must be at least 2, got {self.people}.")

    @classmethod
    def smoke(cls) -> "Config":
        """Few people."""
        return cls(people=8)


class Condition(NamedTuple):
    """Typical participant first, at the hour psilocybin's plasma peaks.

    effect_2a, response_1a: what the receptors do.  change: |activity mean - without drugs| by level above
    the senses, (people, levels).
    """

    effect_2a: np.ndarray
    response_1a: np.ndarray
    change: np.ndarray


class Results(NamedTuple):
    """conditions by name, under dimming and under restoring; partial agonists by efficacy and dose."""

    dimming: dict[str, Condition]
    restoring: dict[str, Condition]
    efficacy: np.ndarray
    dose: np.ndarray
    partial: np.ndarray
    buspirone_dose: np.ndarray
    response_by_buspirone: np.ndarray
    turns: tuple


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


def run(config: Config, *, seed: int, progress) -> Results:
    """Every condition under both readings of 5-HT1A."""
    dimming = Together((Rebus(config.relaxation), Dimmer(config.dimming)))
    restoring = Rebus(config.relaxation, restoring_1a=config.relaxation / 2)
    with jax.enable_x64(True):
        found = {}
        for name, account in (("dimming", dimming), ("restoring", restoring)):
            each = progress.track(conditions().items(), name)
            found[name] = {
                label: condition(doses, library, account, config, seed)
                for label, (doses, library) in each
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
            buspirone_turns(config, dimming),
        )


def condition(doses, library, account: Account, config: Config, seed: int) -> Condition:
    """What each participant's belief does at psilocybin's peak."""
    course, _ = take(doses, HOURS, people=config.people, seed=seed, library=library)
    at = int(np.searchsorted(HOURS, 3.0))
    moment = jax.tree.map(lambda curve: curve[:, at], effects(course))
    rest = jax.tree.map(jnp.zeros_like, moment)
    change = believe(moment, account).mean - believe(rest, account).mean
    return Condition(
        np.asarray(moment.effect_2a), np.asarray(moment.response_1a), np.abs(change)
    )


def partial_agonists(efficacy: np.ndarray, dose: np.ndarray) -> np.ndarray:
    """Peak effect of a psilocin with other efficacies (shares of its own), (efficacies, doses)."""
    site, _ = take([Dose("psilocybin", 1.0)], HOURS)
    unit = float(np.asarray(site.effect_site).max())
    ratio = dose * unit / LIBRARY["psilocybin"].get("k_2a", 1.0)
    stage = transducer_of(typical(LIBRARY, "psilocybin").physiology)
    stimulus = 0.19 * efficacy[:, None] * (ratio / (1 + ratio))[None]
    return np.asarray(stage(operational(jnp.asarray(stimulus), jnp.ones(()))))


def response_with(mg: float) -> float:
    """5-HT1A response at psilocybin's peak with some buspirone."""
    course, _ = take([Dose("buspirone", mg, 0.75), PSILOCYBIN], HOURS)
    return float(course.response_1a[0, int(np.searchsorted(HOURS, 3.0))])


def removed(conditions: dict[str, Condition]) -> np.ndarray:
    """Share of psilocybin's change that buspirone removes, (people, levels)."""
    alone, both = conditions["psilocybin"].change, conditions["+ buspirone"].change
    return 1 - both / np.where(alone > 0, alone, np.nan)


def buspirone_turns(config: Config, account: Account) -> tuple:
    """Removed at the lowest level less removed at the top, typical participant."""

    def gap(library: Library, chosen: Account = account) -> float:
        few = Config(2, config.relaxation, config.dimming)
        pair = {
            name: condition(doses, library, chosen, few, 0)
            for name, (doses, _) in list(conditions().items())[:2]
        }
        share = removed(pair)[0]
        return float(share[0] - share[-1])

    cases = {
        "psilocin's K at 5-HT1A": ("psilocybin", "k_1a"),
        "psilocin's efficacy at 5-HT1A": ("psilocybin", "efficacy_1a"),
        "buspirone's K at 5-HT1A": ("buspirone", "k_1a"),
        "buspirone's efficacy at 5-HT1A": ("buspirone", "efficacy_1a"),
        "buspirone's K at 5-HT2A": ("buspirone", "k_2a"),
    }
    return tuple(
        turn(
            name,
            lambda f, where=where: gap(with_number(*where, f)),
            lambda value: value > 0,
            lambda value: f"{value:+.3f}",
        )
        for name, where in cases.items()
    )
