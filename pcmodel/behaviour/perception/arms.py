r"""Models of several options, of which each trial shows the outcome of one.

`IndependentArms` is a copy of any model for each option. `SharedVolatilityArms` is the binary
filter with one belief per option and common volatility levels, which learn from the option
that was seen (TAPAS `hgf_binary_mab`).
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pcmodel.behaviour.perception.hgf import (
    LOG_ODDS,
    HgfParameters,
    as_predicted,
    binary_learning_rate,
    binary_mode,
    binary_posterior,
    initial_beliefs,
    predict_binary,
    update_volatility,
)
from pcmodel.behaviour.perception.interface import (
    Beliefs,
    Inputs,
    PerceptualModel,
    Prediction,
    bernoulli_log_probability,
    choose,
)
from pcmodel.behaviour.perception.volatility import VolatilityUpdate, standard


@dataclass(frozen=True)
class IndependentArms:
    """Copies of one model that share parameters; beliefs have a trailing axis of options.

    Attributes:
        model: of one option.
        num_arms: the number of options.
    """

    model: PerceptualModel
    num_arms: int

    def init(self, parameters: Any) -> Beliefs:
        one = self.model.init(parameters)
        return jax.tree.map(
            lambda leaf: jnp.broadcast_to(leaf, (self.num_arms, *jnp.shape(leaf))), one
        )

    def predict(self, parameters: Any, beliefs: Beliefs) -> Prediction:
        return jax.vmap(lambda own: self.model.predict(parameters, own))(beliefs)

    def update(
        self, parameters: Any, beliefs: Beliefs, prediction: Prediction, trial: Inputs
    ) -> Beliefs:
        def one(own: Beliefs, expected: Prediction, arm: Array) -> Beliefs:
            shown = trial._replace(seen=trial.seen & (trial.arm == arm))
            return self.model.update(parameters, own, expected, shown)

        return jax.vmap(one)(beliefs, prediction, jnp.arange(self.num_arms))

    def log_evidence(
        self, parameters: Any, prediction: Prediction, trial: Inputs
    ) -> Float[Array, ""]:
        own = jax.tree.map(lambda leaf: leaf[trial.arm], prediction)
        return self.model.log_evidence(parameters, own, trial)


@dataclass(frozen=True)
class SharedVolatilityArms:
    """The HGF of binary outcomes of several options; the lowest latent level has one entry each.

    An option that was not seen keeps its mean and loses precision with every step.

    Attributes:
        num_arms: the number of options.
        rule: the volatility update; see `volatility` for the five.
        clip: least distance of predicted probabilities from 0 and 1.
        at_mode: whether the seen option is updated to the mode of its posterior; see `hgf.binary_mode`.
    """

    num_arms: int
    rule: VolatilityUpdate = standard
    clip: float = 0.0
    at_mode: bool = False
    LEVELS = LOG_ODDS

    def init(self, parameters: HgfParameters) -> Beliefs:
        one = initial_beliefs(parameters)

        def spread(levels: tuple) -> tuple:
            return (jnp.broadcast_to(levels[0], (self.num_arms,)), *levels[1:])

        return Beliefs(spread(one.mean), spread(one.precision), one.valid)

    def predict(self, parameters: HgfParameters, beliefs: Beliefs) -> Prediction:
        return predict_binary(parameters, beliefs, clip=self.clip)

    def update(
        self,
        parameters: HgfParameters,
        beliefs: Beliefs,
        prediction: Prediction,
        trial: Inputs,
    ) -> Beliefs:
        # Masks and not indices: gathers and scatters are slow on the CPU.
        is_seen = jnp.arange(self.num_arms) == trial.arm

        def pick(every: Array) -> Array:
            return jnp.sum(jnp.where(is_seen, every, 0.0))

        def own(levels: tuple) -> tuple:
            return (pick(levels[0]), *levels[1:])

        seen = prediction._replace(
            outcome=pick(prediction.outcome),
            mean=own(prediction.mean),
            precision=own(prediction.precision),
        )
        before = Beliefs(own(beliefs.mean), own(beliefs.precision), beliefs.valid)
        if self.at_mode:
            lowest = binary_mode(seen, trial.outcome)
        else:
            lowest = binary_posterior(seen, seen.outcome, trial.outcome)
        new = update_volatility(parameters, before, seen, lowest, self.rule)

        def place(all_arms: tuple, levels: tuple) -> tuple:
            return (jnp.where(is_seen, levels[0], all_arms[0]), *levels[1:])

        updated = Beliefs(
            place(prediction.mean, new.mean),
            place(prediction.precision, new.precision),
            new.valid,
        )
        return choose(trial.seen, updated, as_predicted(beliefs, prediction))

    def learning_rate(
        self,
        parameters: HgfParameters,
        prediction: Prediction,
        belief: Beliefs,
        trial: Inputs,
    ) -> Float[Array, ""]:
        """As of `BinaryHgf`, of the option that was seen; both hold its levels alone."""
        return binary_learning_rate(prediction, belief)

    def log_evidence(
        self, parameters: HgfParameters, prediction: Prediction, trial: Inputs
    ) -> Float[Array, ""]:
        is_seen = jnp.arange(self.num_arms) == trial.arm
        probability = jnp.sum(jnp.where(is_seen, prediction.outcome, 0.0))
        return bernoulli_log_probability(trial.outcome, probability)
