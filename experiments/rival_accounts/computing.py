"""`run`: every account at every effect in every network."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import pcmodel
from pcmodel.errors import UserError
from pcmodel.networks.network import as_model
from pcmodel.neuromodulation import CORTEX, Effects, anatomy
from pcmodel.neuromodulation.accounts import (
    Account,
    Dimmer,
    Noise,
    Oneirogen,
    Rebus,
    Sebus,
    Sensory,
    Uniform,
)

from .observing import Observed, Words, observe_all

WIDTHS, PRECISIONS = (6, 5, 4, 3), (2.0, 3.0, 3.0, 4.0)
EFFECTS = (0.0, 0.15, 0.3, 0.5, 0.72, 1.0)
FULL, MODERATE = 4, 2
"""Indices of EFFECTS: psilocybin 25 mg, and where SEBUS strengthens."""


def accounts(strength: float) -> dict[str, Account]:
    """The rivals at one strength."""
    return {
        "rebus": Rebus(strength),
        "sensory": Sensory(strength),
        "sebus": Sebus(strength),
        "oneirogen": Oneirogen(strength / 2),
        "noise": Noise(strength),
        "dimmer": Dimmer(strength / 2),
        "uniform": Uniform(strength),
    }


@dataclass(frozen=True)
class Config:
    """networks: random hierarchies.  strength: log units per effect.  amplitude: of the moving input."""

    networks: int = 40
    strength: float = 2.0
    amplitude: float = 2.0

    def __post_init__(self):
        if self.networks < 2:
            raise UserError(f"networks must be at least 2, got {self.networks}.")
        if not self.strength > 0 or not self.amplitude > 0:
            raise UserError("strength and amplitude must be positive.")

    @classmethod
    def smoke(cls) -> "Config":
        """Few networks."""
        return cls(networks=3)


class Results(NamedTuple):
    """Observed fields (effects, networks, ...) by account; `flat` with a flat receptor map.

    direction: of the belief's shift without drugs, (networks, top).  prior: (networks, top).
    """

    observed: dict[str, Observed]
    weaker: dict[str, Observed]
    stronger: dict[str, Observed]
    assumptions: dict[str, Observed]
    flat: Observed
    raised: Observed
    direction: np.ndarray
    prior: np.ndarray


def run(config: Config, *, seed: int, progress) -> Results:
    """Observe everything, at the strength given and at half and double."""
    with jax.enable_x64(True):
        weights, seen, model, log_precisions = hierarchies(config, seed)

        def observed(account: Account, places) -> Observed:
            words = jax.tree.map(
                lambda *rows: jnp.stack(rows),
                *(words_of(account, effect, places) for effect in EFFECTS),
            )
            return jax.tree.map(
                np.asarray,
                observe_all(
                    words,
                    weights,
                    log_precisions,
                    seen,
                    model=model,
                    amplitude=config.amplitude,
                ),
            )

        places = anatomy(*CORTEX)
        by_strength = []
        for factor in progress.track((1.0, 0.5, 2.0), "accounts"):
            chosen = accounts(config.strength * factor)
            by_strength.append(
                {name: observed(account, places) for name, account in chosen.items()}
            )
        variants = {
            "rebus, senses half exempt": Rebus(config.strength, exemption=0.5),
            "rebus, senses not exempt": Rebus(config.strength, exemption=0.0),
            "rebus, top favoured": Rebus(config.strength, selectivity=2.0),
            "rebus, sign reversed": Rebus(config.strength, sign=1),
        }
        flat = anatomy(*["control"] * 4)
        prior = np.asarray(weights["prior_mean"])
        base = by_strength[0]["uniform"].top[0]
        return Results(
            *by_strength,
            {name: observed(account, places) for name, account in variants.items()},
            observed(Rebus(config.strength), flat),
            observed(Sensory(config.strength), flat),
            base - prior,
            prior,
        )


def words_of(account: Account, effect: float, places) -> Words:
    """The modulation at one effect; for 5-HT1A accounts the effect is the 5-HT1A response."""
    amount = jnp.asarray(effect)
    modulation = account.modulate(Effects(amount, amount, jnp.zeros(())), places)
    levels = range(len(WIDTHS))

    def column(factors) -> jax.Array:
        return jnp.asarray([float(factors.get(level, 1.0)) for level in levels])

    return Words(
        column(modulation.gains),
        column(modulation.slopes),
        jnp.asarray(float(modulation.top_down)),
        jnp.asarray(float(modulation.temperature)),
    )


def hierarchies(config: Config, seed: int):
    """Random networks, and for each an observation drawn from another top value."""
    pure = [
        as_model(
            pcmodel.dense(
                WIDTHS, precisions=PRECISIONS, rngs=nnx.Rngs(1000 * seed + index)
            )
        )
        for index in range(config.networks)
    ]
    rng = np.random.default_rng(seed)
    weights, seen = [], []
    for network in pure:
        prior, truth = rng.normal(size=(2, WIDTHS[-1]))
        own = jax.tree.map(lambda x: np.asarray(x, float), network.weights)
        own["prior_mean"] = prior
        above = jnp.asarray(1.5 * truth)
        for level in reversed(range(len(WIDTHS) - 1)):
            above = network.model.predict_level(own, level, above)
        weights.append(own)
        noise = rng.normal(size=WIDTHS[0]) / np.sqrt(PRECISIONS[0])
        seen.append(np.asarray(above) + noise)
    stacked = jax.tree.map(lambda *rows: jnp.asarray(np.stack(rows)), *weights)
    log_precisions = tuple(
        jnp.asarray(np.asarray(value, float)) for value in pure[0].log_precisions
    )
    return stacked, jnp.asarray(np.stack(seen)), pure[0].model, log_precisions
