"""What is simulated: end-stopping over seeds, and the other phenomena over effects, for every account."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import pcmodel
from pcmodel.errors import UserError
from pcmodel.neuromodulation import Dose, Effects, anatomy, effects
from pcmodel.neuromodulation.accounts.accounts import (
    Account,
    Dimmer,
    Noise,
    Oneirogen,
    Rebus,
    Sebus,
    Sensory,
    Uniform,
)
from pcmodel.paradigms.perception import (
    MECHANISMS,
    HollowMask,
    Percept,
    Rivalry,
    SizeIllusion,
    Stopping,
    Strip,
    Switching,
    bar_responses,
    hollow_mask,
    rivalry,
    rows,
    size_illusion,
)
from pcmodel.paradigms.perception.size_illusion import PLACES
from pcmodel.report import NOT_EXAMINED, UNPERTURBED, Examined, Parameter, Perturbation

from .._dosing import MIDPOINT, take
from .._options import at_least

HOURS = np.linspace(0, 6, 73)
SHARES = np.linspace(0.0, 1.0, 11)
"""Effects at which curves are drawn, as shares of those of the full dose."""
DOSE = 25.0
"""mg of psilocybin, the full dose."""
PARAMETERS = (Parameter("strength of the account", "account.strength"), MIDPOINT)


def accounts(strength: float) -> dict[str, Account]:
    """The rivals, each at its default strength where `strength` is 2."""
    half = strength / 2
    return {
        "relaxed priors": Rebus(strength),
        "relaxed top alone": Rebus(strength, selectivity=8.0),
        "strengthened priors": Rebus(strength, sign=1),
        "strengthened, then relaxed": Sebus(strength),
        "raised senses": Sensory(strength),
        "generated from above": Oneirogen(half),
        "dimmed (5-HT1A)": Dimmer(half),
        "noise": Noise(strength),
        "all alike": Uniform(strength),
    }


@dataclass(frozen=True)
class Config:
    """strength: log units per effect.  seeds: networks that learn end-stopping.  images, steps: of their learning."""

    strength: float = 2.0
    seeds: int = 20
    images: int = 1000
    steps: int = 50

    def __post_init__(self):
        at_least(2, seeds=self.seeds, images=self.images)
        at_least(1, steps=self.steps)
        if not 0 < self.strength < np.inf:
            raise UserError("strength must be a positive number.")

    @classmethod
    def smoke(cls) -> "Config":
        """Two networks, a little learning."""
        return cls(seeds=2, images=100, steps=5)


class Curves(NamedTuple):
    """One account over `SHARES`: the mask, rivalry, and the size illusion of each mechanism."""

    mask: Percept
    rival: Switching
    size: dict[str, np.ndarray]


class Results(NamedTuple):
    """stopped, apart: end-stopping learned of whole rows and of rows without structure between fields, by seed.
    cut: with feedback cut.  drugged: the first network under each account.  curves: by account."""

    stopped: Stopping
    apart: Stopping
    cut: Stopping
    drugged: dict[str, Stopping]
    curves: dict[str, Curves]
    tested: Examined = NOT_EXAMINED


@lru_cache(maxsize=16)
def full_dose(perturbation: Perturbation = UNPERTURBED) -> Effects:
    """The typical participant at the largest effect."""
    course, _ = take([Dose("psilocybin", DOSE)], HOURS, perturbation=perturbation)
    best = int(jnp.argmax(course.effect_2a[0]))
    return jax.tree.map(lambda curve: curve[0, best], effects(course))


def learned(config: Config, key: jax.Array, *, apart: bool):
    """A network that learned one set of rows."""
    of_rows, of_weights = jax.random.split(key)
    strip = Strip()
    return pcmodel.linear_em(
        strip.network(of_weights),
        rows(strip, of_rows, number=config.images, apart=apart),
        num_steps=config.steps,
        fixed_layers="pixels",
        fixed_precisions=("pixels", "features", "causes"),
    ).network


def stacked(found: list[Stopping]) -> Stopping:
    """Every field with a leading axis of seeds."""
    return jax.tree.map(lambda *each: np.stack(each), *found)


def curves_of(account: Account, felt: Effects) -> Curves:
    """Everything but end-stopping at several effects."""
    size = {
        name: np.asarray(
            size_illusion(SizeIllusion(name), felt, account=account).illusion
        )
        for name in MECHANISMS
    }
    return Curves(
        jax.tree.map(np.asarray, hollow_mask(HollowMask(), felt, account=account)),
        jax.tree.map(np.asarray, rivalry(Rivalry(), felt, account=account)),
        size,
    )


@lru_cache(maxsize=256)
def at_full_dose(config: Config, name: str, perturbation: Perturbation) -> Curves:
    """Without and with the full dose, (2,)."""
    about_body = perturbation.path.partition(".")[0] not in ("account", "")
    felt = full_dose(perturbation if about_body else UNPERTURBED)
    both = jax.tree.map(lambda each: jnp.stack([jnp.zeros_like(each), each]), felt)
    strength = config.strength * perturbation.factor_of("account.strength")
    return curves_of(accounts(strength)[name], both)


def simulate(config: Config, *, seed: int, progress) -> Results:
    """End-stopping by seed, then every account."""
    whole, apart, first = [], [], None
    for key in progress.track(
        list(jax.random.split(jax.random.key(seed), config.seeds)), "end-stopping"
    ):
        networks = [learned(config, key, apart=each) for each in (False, True)]
        first = first or networks[0]
        whole.append(bar_responses(Strip(), networks[0]))
        apart.append(bar_responses(Strip(), networks[1]))
    assert first is not None
    felt, rivals = full_dose(), accounts(config.strength)
    over = jax.tree.map(lambda each: each * jnp.asarray(SHARES), felt)
    places = anatomy(*PLACES)
    drugged = {
        name: bar_responses(
            Strip(), first, modulation=account.modulate(felt, places).in_inference()
        )
        for name, account in rivals.items()
    }
    return Results(
        stacked(whole),
        stacked(apart),
        bar_responses(Strip(), Strip().without_feedback()),
        drugged,
        {
            name: curves_of(account, over)
            for name, account in progress.track(rivals.items(), "accounts")
        },
    )
