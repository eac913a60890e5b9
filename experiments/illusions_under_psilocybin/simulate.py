"""What is predicted: the illusion over dose under every account and mechanism, from milligrams up."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.errors import UserError
from pcmodel.neuromodulation import Dose, Effects, effects
from pcmodel.neuromodulation.accounts.accounts import (
    Account,
    Dimmer,
    Noise,
    Oneirogen,
    Rebus,
    Sebus,
    Sensory,
    Together,
    Uniform,
)
from pcmodel.paradigms.perception import SizeIllusion, size_illusion
from pcmodel.report import NOT_EXAMINED, UNPERTURBED, Examined, Perturbation

from .._dosing import take
from .._options import at_least
from .measured import MEASURED, read_people
from .score import leaving_one_out, log_bayes_factor, scaled, within

HOURS = np.linspace(0, 6, 73)
DOSES = (0.0, 2.5, 5.0, 7.5, 10.0, 15.0)
"""mg of psilocybin, drawn."""
CONTRAST = ("scale", "reference", "expectation")
"""Mechanisms that make a contrast; the fourth is the control."""
TOP_ALONE = 8.0
"""Selectivity at which (1/2)^8 of the top's action reaches the middle level."""


def accounts(strength: float) -> dict[str, Account]:
    """The rivals, each at its default strength where `strength` is 2."""
    half = strength / 2
    relaxed = Rebus(strength)
    return {
        "relaxed priors": relaxed,
        "relaxed top alone": Rebus(strength, selectivity=TOP_ALONE),
        "relaxed, senses too": Rebus(strength, exemption=0.0),
        "relaxed and dimmed": Together((relaxed, Dimmer(half))),
        "strengthened priors": Rebus(strength, sign=1),
        "strengthened, then relaxed": Sebus(strength),
        "raised senses": Sensory(strength),
        "generated from above": Oneirogen(half),
        "dimmed (5-HT1A)": Dimmer(half),
        "noise": Noise(strength),
        "all alike": Uniform(strength),
    }


NULLS = ("noise", "all alike")


@dataclass(frozen=True)
class Config:
    """people: simulated.  strength: log units per effect.  senses, middle, top: precisions.

    data: folder of the data set; empty: beside the repository, and unscored where it is absent.
    """

    people: int = 200
    strength: float = 2.0
    senses: float = 4.0
    middle: float = 4.0
    top: float = 1.0
    data: str = ""

    def __post_init__(self):
        at_least(5, people=self.people)
        numbers = (self.strength, self.senses, self.middle, self.top)
        if not all(0 < each < np.inf for each in numbers):
            raise UserError(
                "strength, senses, middle and top must be positive numbers."
            )

    @classmethod
    def smoke(cls) -> "Config":
        """Few people."""
        return cls(people=5)


class Curve(NamedTuple):
    """A predicted dose curve: the illusion over that at no dose, (doses,).

    ratio: mean over simulated people.  low, high: their middle 90 %.
    placebo: the illusion at no dose, per unit of log size of the surround.
    """

    ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray
    placebo: float


class Score(NamedTuple):
    """A prediction against no change; log Bayes factors in nats, NaN without data.

    five, ten: predicted change of the illusion, as a share of that at placebo; above 0 is stronger.
    within: of differences.  low, high: the same leaving out one person.  scaled: where the drug multiplies
    each person's own illusion.
    """

    five: float
    ten: float
    within: float
    low: float
    high: float
    scaled: float


class Results(NamedTuple):
    """people: illusions, per cent, (people, doses), none where there are no data."""

    doses: np.ndarray
    people: np.ndarray
    curves: dict[str, dict[str, Curve]]
    scores: dict[str, dict[str, Score]]
    tested: Examined = NOT_EXAMINED


@lru_cache(maxsize=64)
def peaks(
    people: int, seed: int, doses: tuple[float, ...], perturbation: Perturbation
) -> Effects:
    """Effects of psilocybin at the hour of each one's peak, (doses, people)."""

    def of(mg: float) -> Effects:
        course, _ = take(
            [Dose("psilocybin", mg)],
            HOURS,
            people=people,
            seed=seed,
            perturbation=perturbation,
        )
        best = jnp.argmax(course.effect_2a, axis=1)[:, None]
        return jax.tree.map(
            lambda curve: jnp.take_along_axis(curve, best, axis=1)[1:, 0],
            effects(course),
        )

    return jax.tree.map(lambda *rows: jnp.stack(rows), *map(of, doses))


OF_BODY = ("dose", "physiology", "ligands", "kinetics", "variation")


def predicted(
    config: Config,
    seed: int,
    mechanism: str,
    account: Account,
    doses: tuple[float, ...],
    perturbation: Perturbation = UNPERTURBED,
) -> Curve:
    """The dose curve of one account under one mechanism; the first dose is none.

    A perturbation may be about the body, "account.strength", or "illusion.senses", "illusion.middle",
    "illusion.top".
    """
    about_body = perturbation.path.partition(".")[0] in OF_BODY
    felt = peaks(
        config.people, seed, doses, perturbation if about_body else UNPERTURBED
    )
    # A strength multiplies an effect wherever it appears, so scaling the effects is the same.
    stronger = perturbation.factor_of("account.strength")
    if stronger != 1.0:
        account = strengthened(account, stronger)
    places = ("senses", "middle", "top")
    precisions = tuple(
        getattr(config, place) * perturbation.factor_of(f"illusion.{place}")
        for place in places
    )
    found = size_illusion(SizeIllusion(mechanism, precisions), felt, account=account)
    if not np.all(found.converged):
        raise UserError(
            "inference did not converge",
            where="senses, middle, top",
            expected="precisions whose ratios are below 1e8",
        )
    of_people = np.asarray(found.illusion)
    none = float(of_people[0].mean())
    ratio = of_people / none
    low, high = np.quantile(ratio, (0.05, 0.95), axis=1)
    return Curve(ratio.mean(axis=1), low, high, none)


def strengthened(account: Account, factor: float) -> Account:
    """The account with its strength multiplied."""
    if isinstance(account, Together):
        return Together(tuple(strengthened(each, factor) for each in account.accounts))
    return replace(account, strength=account.strength * factor)  # pyright: ignore


def scored(people: np.ndarray, curve: Curve) -> Score:
    """The score of a curve at the measured doses."""
    ratio = curve.ratio[1:]
    five, ten = (float(each) - 1 for each in ratio)
    low, high = leaving_one_out(people, ratio)
    differences = log_bayes_factor(people, ratio, within)
    return Score(
        five, ten, differences, low, high, log_bayes_factor(people, ratio, scaled)
    )


def simulate(config: Config, *, seed: int, progress) -> Results:
    """Curves of every account and mechanism, and their scores."""
    people, rivals = read_people(config.data), accounts(config.strength)
    curves: dict[str, dict[str, Curve]] = {}
    scores: dict[str, dict[str, Score]] = {}
    for mechanism in progress.track((*CONTRAST, "assimilation"), "mechanisms"):
        of = {
            name: predicted(config, seed, mechanism, account, DOSES)
            for name, account in rivals.items()
        }
        places = [DOSES.index(mg) for mg in MEASURED]
        at = {
            name: curve._replace(ratio=curve.ratio[places])
            for name, curve in of.items()
        }
        curves[mechanism] = of
        scores[mechanism] = {name: scored(people, each) for name, each in at.items()}
    return Results(np.asarray(DOSES), people, curves, scores)
