"""What is simulated: end-stopping over seeds, and the other phenomena over effects, for every account."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import pcmodel
from pcmodel.errors import UserError
from pcmodel.neuromodulation import Effects, anatomy
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
from pcmodel.paradigms.lasting import modulation_at
from pcmodel.paradigms.perception import (
    MECHANISMS,
    Alternation,
    Fatigue,
    HollowMask,
    Percept,
    SizeIllusion,
    Stopping,
    Strip,
    bar_responses,
    hollow_mask,
    rows,
    size_illusion,
)
from pcmodel.paradigms.perception.size_illusion import PLACES
from pcmodel.report import NOT_EXAMINED, UNPERTURBED, Examined, Parameter, Perturbation

from .._dosing import MIDPOINT
from .._options import at_least
from .alternating import (
    NOTHING,
    Shape,
    Strengths,
    about_body,
    doses,
    of_strengths,
    shape_over_runs,
    walked,
)

SHARES = np.linspace(0.0, 1.0, 11)
"""Effects at which curves are drawn, as shares of those of the full dose."""
OF_RIVALRY = SHARES[::2]
"""The same for rivalry, which is simulated."""
PARAMETERS = (Parameter("strength of the account", "account.strength"), MIDPOINT)


def accounts(strength: float) -> dict[str, Account]:
    """The rivals, each at its default strength where `strength` is 2."""
    half = strength / 2
    return {
        "relaxed priors": Rebus(strength),
        "relaxed top alone": Rebus(strength, selectivity=8.0),
        "relaxed and dimmed": Together((Rebus(strength), Dimmer(half))),
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
    """strength: log units per effect.  seeds: networks that learn end-stopping.  images, steps: of their learning.

    runs: of rivalry.  walk: steps of each; a quarter of them where a parameter is varied.
    """

    strength: float = 2.0
    seeds: int = 20
    images: int = 1000
    steps: int = 50
    runs: int = 20
    walk: int = 400_000

    def __post_init__(self):
        at_least(2, seeds=self.seeds, images=self.images, runs=self.runs)
        at_least(1, steps=self.steps)
        at_least(1000, walk=self.walk)
        if not 0 < self.strength < np.inf:
            raise UserError("strength must be a positive number.")

    @classmethod
    def smoke(cls) -> "Config":
        """Two networks, a little learning."""
        return cls(seeds=2, images=100, steps=5, runs=3, walk=4000)


class Curves(NamedTuple):
    """One account over `SHARES`: the mask and the size illusion of each mechanism."""

    mask: Percept
    size: dict[str, np.ndarray]


class Results(NamedTuple):
    """stopped, apart: end-stopping learned of whole rows and of rows without structure between fields, by seed.
    cut: with feedback cut.  drugged: the first network under each account.  curves: by account.
    rivals: by account, over `OF_RIVALRY` and then the full dose after ketanserin.
    shape, untired: dominance times without a drug, with fatigue and without.  times: those with, over their mean.
    strengths: eyes of other strengths."""

    stopped: Stopping
    apart: Stopping
    cut: Stopping
    drugged: dict[str, Stopping]
    curves: dict[str, Curves]
    rivals: dict[str, Alternation]
    shape: Shape
    untired: Shape
    times: np.ndarray
    strengths: Strengths
    tested: Examined = NOT_EXAMINED


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
        size,
    )


@lru_cache(maxsize=256)
def at_full_dose(config: Config, name: str, perturbation: Perturbation) -> Curves:
    """Without and with the full dose, (2,)."""
    felt, _ = doses(about_body(perturbation))
    both = jax.tree.map(lambda each: jnp.stack([jnp.zeros_like(each), each]), felt)
    strength = config.strength * perturbation.factor_of("account.strength")
    return curves_of(accounts(strength)[name], both)


@lru_cache(maxsize=256)
def alternating(
    config: Config, seed: int, name: str, perturbation: Perturbation = UNPERTURBED
) -> Alternation:
    """Rivalry over `OF_RIVALRY` (of a perturbation its ends alone), and at the full dose after ketanserin."""
    felt, blocked = doses(about_body(perturbation))
    whole = perturbation == UNPERTURBED
    shares = jnp.asarray(OF_RIVALRY if whole else OF_RIVALRY[[0, -1]])
    over = jax.tree.map(
        lambda own, other: jnp.append(own * shares, other), felt, blocked
    )
    strength = config.strength * perturbation.factor_of("account.strength")
    account = accounts(strength)[name]
    steps = config.walk if whole else max(config.walk // 4, 1000)
    return walked(account, over, seed, config.runs, steps, perturbation)


def untired(config: Config, seed: int) -> Alternation:
    """Without fatigue, and without a drug."""
    never = Fatigue(log_odds=0.0)
    options = (config.runs, config.walk, UNPERTURBED)
    return walked(Uniform(), NOTHING, seed, *options, fatigue=never)


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
    felt, rivals = doses()[0], accounts(config.strength)
    over = jax.tree.map(lambda each: each * jnp.asarray(SHARES), felt)
    places = anatomy(*PLACES)
    drugged = {
        name: bar_responses(
            Strip(),
            first,
            modulation=modulation_at(
                felt, account=account, network=first, anatomy=places
            ),
        )
        for name, account in rivals.items()
    }
    alternate = {
        name: alternating(config, seed, name)
        for name in progress.track(rivals, "rivalry")
    }
    times = alternate["all alike"].times[0]
    return Results(
        stacked(whole),
        stacked(apart),
        bar_responses(Strip(), Strip().without_feedback()),
        drugged,
        {
            name: curves_of(account, over)
            for name, account in progress.track(rivals.items(), "accounts")
        },
        alternate,
        shape_over_runs(times),
        shape_over_runs(untired(config, seed).times[0]),
        times[~np.isnan(times)] / np.nanmean(times) if times.size else times,
        of_strengths(config.runs, config.walk, seed, UNPERTURBED),
    )
