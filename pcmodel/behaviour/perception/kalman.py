r"""The Kalman filter of a position that drifts: one latent level, two precisions.

$x_t \sim N(x_{t-1}, q)$, $y_t \sim N(x_t, r)$. The mean depends on $q / r$ only: behaviour
alone cannot separate the two.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from pcmodel.behaviour.perception.interface import (
    Beliefs,
    Inputs,
    Prediction,
    choose,
    normal_log_density,
)


class KalmanParameters(NamedTuple):
    r"""Parameters of one participant's filter, in units of the outcome.

    initial_mean: before the first trial.
    initial_log_precision: before the first trial.
    prior_log_precision: $-\log q$, log precision of a step.
    sensory_log_precision: $-\log r$, log precision of an outcome.
    """

    initial_mean: Float[Array, ""]
    initial_log_precision: Float[Array, ""]
    prior_log_precision: Float[Array, ""]
    sensory_log_precision: Float[Array, ""]


@dataclass(frozen=True)
class Kalman:
    """The exact posterior of the model (Kalman 1960)."""

    def init(self, parameters: KalmanParameters) -> Beliefs:
        precision = jnp.exp(parameters.initial_log_precision)
        return Beliefs((parameters.initial_mean,), (precision,), jnp.asarray(True))

    def predict(self, parameters: KalmanParameters, beliefs: Beliefs) -> Prediction:
        step = jnp.exp(-parameters.prior_log_precision)
        precision = 1.0 / (1.0 / beliefs.precision[0] + step)
        return Prediction(beliefs.mean[0], beliefs.mean, (precision,), (step,))

    def update(
        self,
        parameters: KalmanParameters,
        beliefs: Beliefs,
        prediction: Prediction,
        trial: Inputs,
    ) -> Beliefs:
        sensory = jnp.exp(parameters.sensory_log_precision)
        return corrected(prediction, trial, sensory, beliefs.valid)

    def learning_rate(
        self,
        parameters: KalmanParameters,
        prediction: Prediction,
        belief: Beliefs,
        trial: Inputs,
    ) -> Float[Array, ""]:
        """The gain."""
        return jnp.exp(parameters.sensory_log_precision) / belief.precision[0]

    def log_evidence(
        self, parameters: KalmanParameters, prediction: Prediction, trial: Inputs
    ) -> Float[Array, ""]:
        noise = jnp.exp(-parameters.sensory_log_precision)
        variance = 1.0 / prediction.precision[0] + noise
        return normal_log_density(trial.outcome, prediction.mean[0], variance)


def corrected(
    prediction: Prediction,
    trial: Inputs,
    sensory: Float[Array, ""],
    valid: Bool[Array, ""],
) -> Beliefs:
    """The posterior of a Gaussian prediction after the trial's outcome; the prediction where none was seen.

    sensory: precision of an outcome, 1 / its unit squared.
    valid: whether the filter's approximation has held so far.
    """
    precision = prediction.precision[0] + sensory
    gain = sensory / precision
    mean = prediction.mean[0] + gain * (trial.outcome - prediction.mean[0])
    new = Beliefs((mean,), (precision,), valid)
    return choose(
        trial.seen, new, Beliefs(prediction.mean, prediction.precision, valid)
    )
