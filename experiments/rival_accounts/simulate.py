"""What is simulated: every account at every effect in every network."""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

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
from pcmodel.networks.pure import PureNetwork, as_model
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
from .observables import Factors, Observed, observe_all

PLACES = anatomy(*CORTEX)
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
    if not perturbation.path:
        return "as set"
    return f"{perturbation.path} x {perturbation.factor:g}"


class Hierarchies(NamedTuple):
    """Random networks of one shape.  weights, seen (networks, units): theirs, and what each observes."""

    weights: dict
    seen: jax.Array
    log_precisions: tuple[jax.Array, ...]
    model: Any


def simulate(config: Config, *, seed: int, progress) -> Results:
    """Observe everything, as set and with each parameter halved and doubled."""
    networks = hierarchies(config, seed)
    observed = partial(observe_account, networks, config.amplitude)
    turned = [
        parameter.times(factor) for parameter in PARAMETERS for factor in (0.5, 2.0)
    ]
    settings = {}
    for perturbation in progress.track((UNPERTURBED, *turned), "accounts"):
        strength = config.strength * perturbation.factor_of("account.strength")
        settings[label(perturbation)] = {
            name: observed(account, perturbation=perturbation)
            for name, account in accounts(strength).items()
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
        {name: observed(account) for name, account in variants.items()},
        observed(Rebus(config.strength), places=flat),
        observed(Sensory(config.strength), places=flat),
        np.asarray(networks.weights["prior_mean"]),
        diagnose_some(networks, seed),
    )


def observe_account(
    networks: Hierarchies,
    amplitude: float,
    account: Account,
    places=PLACES,
    perturbation: Perturbation = UNPERTURBED,
) -> Observed:
    """Every field (effects, networks, ...)."""
    senses, *middle, own = networks.log_precisions
    evidence, prior = (
        np.log(perturbation.factor_of(f"belief.{end}")) for end in ("evidence", "prior")
    )
    found = observe_all(
        jax.tree.map(
            lambda *rows: jnp.stack(rows),
            *(factors_of(account, effect, places) for effect in EFFECTS),
        ),
        networks.weights,
        (senses + evidence, *middle, own + prior),
        networks.seen,
        jnp.asarray(amplitude * perturbation.factor_of("input.amplitude")),
        model=networks.model,
    )
    return jax.tree.map(np.asarray, found)


def diagnose_some(networks: Hierarchies, seed: int) -> LaplaceSummary:
    """How far the Laplace posteriors of the first networks are from the posterior, undrugged."""
    found = []
    for index, seen in enumerate(networks.seen[:DIAGNOSED]):
        own = jax.tree.map(lambda leaf, index=index: leaf[index], networks.weights)
        network = PureNetwork(networks.model, own, networks.log_precisions)
        posed = pose(network, seen)
        held = Posterior(posed, run_inference(posed, GaussNewton()))
        found.append(held.diagnose(jax.random.key(seed), 500))
    return LaplaceSummary.of(found)


def factors_of(account: Account, effect: float, places) -> Factors:
    """The modulation at one effect; for 5-HT1A accounts the effect is the 5-HT1A response."""
    amount = jnp.asarray(effect)
    modulation = account.modulate(Effects(amount, amount, jnp.zeros(())), places)
    levels = range(len(WIDTHS))

    def column(factors) -> jax.Array:
        return jnp.asarray([float(factors.get(level, 1.0)) for level in levels])

    return Factors(
        column(modulation.gains),
        column(modulation.slopes),
        jnp.asarray(float(np.asarray(modulation.top_down))),
        jnp.asarray(float(np.asarray(modulation.temperature))),
    )


def hierarchies(config: Config, seed: int) -> Hierarchies:
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
            above = network.model.predict_level(own, level, (above,))
        weights.append(own)
        noise = rng.normal(size=WIDTHS[0]) / np.sqrt(PRECISIONS[0])
        seen.append(np.asarray(above) + noise)
    stacked = jax.tree.map(lambda *rows: jnp.asarray(np.stack(rows)), *weights)
    log_precisions = tuple(
        jnp.asarray(np.asarray(value, float)) for value in pure[0].log_precisions
    )
    return Hierarchies(
        stacked, jnp.asarray(np.stack(seen)), log_precisions, pure[0].model
    )
