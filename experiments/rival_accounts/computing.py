"""`run`: every account at every effect in every network."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import pcmodel
from pcmodel.api.infer import run_inference
from pcmodel.api.pose import pose
from pcmodel.api.posterior import Posterior
from pcmodel.errors import UserError
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.networks.network import PureNetwork, as_model
from pcmodel.neuromodulation import CORTEX, Effects, anatomy
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
from pcmodel.report import UNPERTURBED, Parameter, Perturbation
from pcmodel.report.laplace import LaplaceSummary

from .._options import at_least
from .observing import Observed, Words, observe_all

WIDTHS, PRECISIONS = (6, 5, 4, 3), (2.0, 3.0, 3.0, 4.0)
DIAGNOSED = 8
"""Networks whose Laplace posteriors are compared with the posterior."""
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
        at_least(2, networks=self.networks)
        if not self.strength > 0 or not self.amplitude > 0:
            raise UserError("strength and amplitude must be positive.")

    @classmethod
    def smoke(cls) -> "Config":
        """Few networks."""
        return cls(networks=3)


class Results(NamedTuple):
    """Observed fields (effects, networks, ...).

    settings: by the perturbation's label (`label`), then by account.  assumptions: REBUS in variants.
    flat, raised: relaxed priors and raised senses with a flat receptor map.  prior: (networks, top).
    laplace: how far some networks' Laplace posteriors are from the posterior.
    """

    settings: dict[str, dict[str, Observed]]
    assumptions: dict[str, Observed]
    flat: Observed
    raised: Observed
    prior: np.ndarray
    laplace: LaplaceSummary

    @property
    def observed(self) -> dict[str, Observed]:
        """By account, everything as set."""
        return self.settings[label(UNPERTURBED)]


PARAMETERS = (
    Parameter("strength", "account.strength"),
    Parameter("precision of the top", "belief.prior"),
    Parameter("precision of the senses", "belief.evidence"),
    Parameter("size of the moving input", "input.amplitude"),
)


def label(perturbation: Perturbation) -> str:
    """A perturbation's key among the results."""
    return (
        f"{perturbation.path} x {perturbation.factor:g}"
        if perturbation.path
        else "as set"
    )


def run(config: Config, *, seed: int, progress) -> Results:
    """Observe everything, as set and with each parameter halved and doubled."""
    with jax.enable_x64(True):
        weights, seen, model, log_precisions = hierarchies(config, seed)

        def observed(
            account: Account, places, perturbation: Perturbation = UNPERTURBED
        ) -> Observed:
            ends = {0: "belief.evidence", len(log_precisions) - 1: "belief.prior"}
            precisions = tuple(
                value + np.log(perturbation.factor_of(ends[level]))
                if level in ends
                else value
                for level, value in enumerate(log_precisions)
            )
            words = jax.tree.map(
                lambda *rows: jnp.stack(rows),
                *(words_of(account, effect, places) for effect in EFFECTS),
            )
            return jax.tree.map(
                np.asarray,
                observe_all(
                    words,
                    weights,
                    precisions,
                    seen,
                    jnp.asarray(
                        config.amplitude * perturbation.factor_of("input.amplitude")
                    ),
                    model=model,
                ),
            )

        places = anatomy(*CORTEX)
        turned = [
            parameter.times(factor) for parameter in PARAMETERS for factor in (0.5, 2.0)
        ]
        settings = {}
        for perturbation in progress.track((UNPERTURBED, *turned), "accounts"):
            chosen = accounts(
                config.strength * perturbation.factor_of("account.strength")
            )
            settings[label(perturbation)] = {
                name: observed(account, places, perturbation)
                for name, account in chosen.items()
            }
        variants = {
            "rebus, senses half exempt": Rebus(config.strength, exemption=0.5),
            "rebus, senses not exempt": Rebus(config.strength, exemption=0.0),
            "rebus, top favoured": Rebus(config.strength, selectivity=2.0),
            "rebus, sign reversed": Rebus(config.strength, sign=1),
        }
        flat = anatomy(*["control"] * 4)
        return Results(
            settings,
            {name: observed(account, places) for name, account in variants.items()},
            observed(Rebus(config.strength), flat),
            observed(Sensory(config.strength), flat),
            np.asarray(weights["prior_mean"]),
            diagnose_some(weights, log_precisions, seen, model, seed),
        )


def diagnose_some(weights, log_precisions, seen, model, seed: int) -> LaplaceSummary:
    """How far the Laplace posteriors of the first networks are from the posterior, undrugged."""
    found = []
    for index in range(min(DIAGNOSED, len(seen))):
        own = jax.tree.map(lambda leaf, index=index: leaf[index], weights)
        posed = pose(PureNetwork(model, own, log_precisions), seen[index])
        held = Posterior(posed, run_inference(posed, GaussNewton()))
        found.append(held.diagnose(jax.random.key(seed), 500))
    return LaplaceSummary.of(found)


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
        jnp.asarray(float(np.asarray(modulation.top_down))),
        jnp.asarray(float(np.asarray(modulation.temperature))),
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
