"""What is simulated: extinction under a gain on the outcome's precision and a factor on the learning rate, and under accounts."""

from dataclasses import dataclass, field
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from pcmodel.memory.designs.published import extinction_only, retrieval_extinction
from pcmodel.memory.drug import gains_of
from pcmodel.model.modulation import Modulation
from pcmodel.neuromodulation import ACCOUNTS, CORTEX, Effects, anatomy
from pcmodel.report import NOT_EXAMINED, Examined

from .._conditioning import AtTest, Memory, at_test
from .._options import at_least

GAINS = (0.25, 4.0)
"""Ends of both axes; 1 is no drug."""
WITH_GAINS = ("rebus", "sebus", "uniform", "sensory")
"""Accounts that give a level a gain; the others (top-down drive, slopes, noise, transmission) give a memory none."""
READINGS = {"a sensation (lowest level)": 0, "an expectation (third level)": 2}
"""What the outcome of a memory is in the accounts' hierarchy of four levels."""


@dataclass(frozen=True)
class Config:
    """Options.

    points: along each axis of the map, and of effects.
    memory: parameters without the drug.
    relaxed, faster, sharper: gain of the claims on precision, factor on the learning rate, gain above 1.
    """

    points: int = 25
    memory: Memory = field(default_factory=Memory)
    relaxed: float = 2 / 3
    faster: float = 5 / 3
    sharper: float = 2.0

    def __post_init__(self):
        at_least(3, points=self.points)

    @classmethod
    def smoke(cls) -> "Config":
        """Few points."""
        return cls(points=5)


class Both(NamedTuple):
    """What is left at the test, without a drug in it.

    alone: extinction under the drug.
    reminded: a reminder and extinction, both under the drug.
    """

    alone: AtTest
    reminded: AtTest


class Results(NamedTuple):
    """What is simulated.

    factors: axis of both gains.
    drugged: over (precision gains, learning factors).
    effects: of 5-HT2A, 0 to 1.
    gains: by reading of the outcome and account, the outcome's gain by effect.
    accounts: by reading and account, what is left by effect.
    tested: numbers of the claims, by name.
    """

    factors: np.ndarray
    drugged: Both
    effects: np.ndarray
    gains: dict[str, dict[str, np.ndarray]]
    accounts: dict[str, dict[str, Both]]
    tested: Examined = NOT_EXAMINED


def simulate(config: Config, *, seed: int, progress) -> Results:
    """The map and the accounts; nothing is random."""
    factors = np.geomspace(*GAINS, config.points)
    effects = np.linspace(0, 1, config.points)
    with progress.stage("drugs", total=1 + len(READINGS)) as stage:
        grid = [(g, f) for g in factors for f in factors]
        found = under([g for g, _ in grid], [f for _, f in grid], config.memory)
        shape = (factors.size, factors.size)
        drugged = Both(*(AtTest(*(a.reshape(shape) for a in each)) for each in found))
        stage.advance()
        gains, accounts = {}, {}
        for reading, level in READINGS.items():
            gains[reading] = {
                name: np.array([gain_of(name, level, e) for e in effects])
                for name in WITH_GAINS
            }
            accounts[reading] = {
                name: under(gain, np.ones_like(gain), config.memory)
                for name, gain in gains[reading].items()
            }
            stage.advance()
    return Results(factors, drugged, effects, gains, accounts)


def under(gains, factors, memory: Memory, perturbation=None) -> Both:
    """Extinction under each drug: a gain on precision and a factor on the learning rate."""
    p = memory.parameters() if perturbation is None else memory.parameters(perturbation)
    drugs = [(float(g), float(f)) for g, f in zip(gains, factors, strict=True)]
    return Both(
        *(
            at_test([make(outcome_gain=g, learning_gain=f) for g, f in drugs], p)
            for make in (extinction_only, retrieval_extinction)
        )
    )


def gain_of(account: str, level: int, effect: float) -> float:
    """The gain that an account gives the outcome level at an effect at 5-HT2A."""
    moment = Effects(*(jnp.asarray(each) for each in (effect, 0.0, 0.0)))
    whole = ACCOUNTS[account]().modulate(moment, anatomy(*CORTEX))
    gain = whole.gains.get(level, 1.0)
    return gains_of(Modulation({"outcome": gain})).outcome
