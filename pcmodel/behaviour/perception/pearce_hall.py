r"""The hybrid of Pearce & Hall (1980) and Rescorla & Wagner: surprise sets the rate of what is learned next.

$V \leftarrow V + \kappa\,\alpha\,\delta$ with $\delta = y - V$, then the associability
$\alpha \leftarrow (1 - \eta)\,\alpha + \eta\,|\delta|$ (Li, Schiller, Schoenbaum, Phelps & Daw 2011, Nat Neurosci 14:1250).
At $\eta = 1$ it is the model of Pearce & Hall with the last error alone (TAPAS `ph_binary`, $S = \kappa$); at $\eta = 0$
the rate is constant.
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
)


class PearceHallParameters(NamedTuple):
    r"""Parameters of one participant's learner of outcomes between 0 and 1.

    initial_value: before the first trial.
    initial_associability: $\alpha$ before the first trial, 0 to 1.
    learning_rate_logit: logit of $\kappa$, the learning rate at an associability of 1.
    associability_rate_logit: logit of $\eta$.
    """

    initial_value: Float[Array, ""]
    initial_associability: Float[Array, ""]
    learning_rate_logit: Float[Array, ""]
    associability_rate_logit: Float[Array, ""]


@dataclass(frozen=True)
class PearceHall:
    """A learner whose second level's mean is the associability; both stay the same where no outcome was seen."""

    def init(self, parameters: PearceHallParameters) -> Beliefs:
        means = (parameters.initial_value, parameters.initial_associability)
        return Beliefs(means, (), jnp.asarray(True))

    def predict(self, parameters: PearceHallParameters, beliefs: Beliefs) -> Prediction:
        return Prediction(beliefs.mean[0], beliefs.mean, (), ())

    def update(
        self,
        parameters: PearceHallParameters,
        beliefs: Beliefs,
        prediction: Prediction,
        trial: Inputs,
    ) -> Beliefs:
        value, associability = beliefs.mean
        error = trial.outcome - value
        scale = jax.nn.sigmoid(parameters.learning_rate_logit)
        share = jax.nn.sigmoid(parameters.associability_rate_logit)
        means = (
            value + scale * associability * error,
            associability + share * (jnp.abs(error) - associability),
        )
        return choose(trial.seen, beliefs._replace(mean=means), beliefs)

    def log_evidence(
        self, parameters: PearceHallParameters, prediction: Prediction, trial: Inputs
    ) -> Float[Array, ""]:
        return bernoulli_log_probability(trial.outcome, prediction.outcome)
