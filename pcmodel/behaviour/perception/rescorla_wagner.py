r"""The learner of Rescorla & Wagner (1972): the value changes by a fixed share of the error.

$V \leftarrow V + \alpha (y - V)$, with $\alpha$ a logistic function of its parameter. The
model has no uncertainty. Its log evidence takes the value for the probability of a binary
outcome, or for the mean of a continuous one with a given noise.
With two rates, outcomes better and worse than expected have different shares (the
"reward" and "punishment" rates of reversal learning studies).
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pcmodel.behaviour.perception.interface import (
    Beliefs,
    Inputs,
    Prediction,
    bernoulli_log_probability,
    choose,
    normal_log_density,
)


class RescorlaWagnerParameters(NamedTuple):
    """Parameters of one participant's learner.

    initial_value: before the first trial.
    learning_rate_logit: logit of the share of the error.
    """

    initial_value: Float[Array, ""]
    learning_rate_logit: Float[Array, ""]


class TwoRateParameters(NamedTuple):
    """Parameters of one participant's learner with two rates.

    initial_value: before the first trial.
    reward_rate_logit: logit of the share of an error above zero.
    punishment_rate_logit: logit of the share of other errors.
    """

    initial_value: Float[Array, ""]
    reward_rate_logit: Float[Array, ""]
    punishment_rate_logit: Float[Array, ""]


@dataclass(frozen=True)
class RescorlaWagner:
    """A learner of one value, which stays the same where no outcome was seen.

    Attributes:
        noise_variance: of continuous outcomes around the value; None where they are binary. What is learned does not
            depend on it.
    """

    noise_variance: float | None = None

    def init(self, parameters: RescorlaWagnerParameters | TwoRateParameters) -> Beliefs:
        return Beliefs((parameters.initial_value,), (), jnp.asarray(True))

    def predict(
        self,
        parameters: RescorlaWagnerParameters | TwoRateParameters,
        beliefs: Beliefs,
    ) -> Prediction:
        return Prediction(beliefs.mean[0], beliefs.mean, (), ())

    def update(
        self,
        parameters: RescorlaWagnerParameters | TwoRateParameters,
        beliefs: Beliefs,
        prediction: Prediction,
        trial: Inputs,
    ) -> Beliefs:
        rate = self.learning_rate(parameters, prediction, beliefs, trial)
        value = beliefs.mean[0] + rate * (trial.outcome - beliefs.mean[0])
        return choose(trial.seen, beliefs._replace(mean=(value,)), beliefs)

    def learning_rate(
        self,
        parameters: RescorlaWagnerParameters | TwoRateParameters,
        prediction: Prediction,
        belief: Beliefs,
        trial: Inputs,
    ) -> Float[Array, ""]:
        """Share of the error by which the value changes."""
        if not isinstance(parameters, TwoRateParameters):
            return jax.nn.sigmoid(parameters.learning_rate_logit)
        logit = jnp.where(
            trial.outcome > prediction.mean[0],
            parameters.reward_rate_logit,
            parameters.punishment_rate_logit,
        )
        return jax.nn.sigmoid(logit)

    def log_evidence(
        self,
        parameters: RescorlaWagnerParameters | TwoRateParameters,
        prediction: Prediction,
        trial: Inputs,
    ) -> Float[Array, ""]:
        if self.noise_variance is None:
            return bernoulli_log_probability(trial.outcome, prediction.outcome)
        noise = jnp.asarray(self.noise_variance, prediction.outcome.dtype)
        return normal_log_density(trial.outcome, prediction.outcome, noise)
