r"""The Kalman filter of a position that drifts: one latent level, two precisions.

$x_t \sim N(x_{t-1}, q)$, $y_t \sim N(x_t, r)$. The mean depends on $q / r$ only: behaviour
alone cannot separate the two (DESIGN 8).

With a decay the position falls back to a centre between trials, $x_t \sim N(\lambda x_{t-1} + (1 - \lambda) c, q)$: the
filter of Daw et al. 2006 (Nature 441:876), in which an option that is not chosen is slowly forgotten.
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


class DecayParameters(NamedTuple):
    r"""Parameters of one participant's filter of a position that falls back, in units of the outcome.

    initial_mean: before the first trial.
    initial_log_precision: before the first trial.
    prior_log_precision: $-\log q$, log precision of a step.
    sensory_log_precision: $-\log r$, log precision of an outcome.
    retention_logit: logit of $\lambda$, the share of the distance from the centre that remains.
    centre: $c$, to which the position falls back.
    """

    initial_mean: Float[Array, ""]
    initial_log_precision: Float[Array, ""]
    prior_log_precision: Float[Array, ""]
    sensory_log_precision: Float[Array, ""]
    retention_logit: Float[Array, ""]
    centre: Float[Array, ""]


@dataclass(frozen=True)
class Kalman:
    """The exact posterior of the model (Kalman 1960), with decay if the parameters have one.

    The log evidence is that of a Gaussian outcome, also where outcomes are 0 and 1.
    """

    def init(self, parameters: KalmanParameters | DecayParameters) -> Beliefs:
        precision = jnp.exp(parameters.initial_log_precision)
        return Beliefs((parameters.initial_mean,), (precision,), jnp.asarray(True))

    def predict(self, parameters: KalmanParameters | DecayParameters, beliefs: Beliefs) -> Prediction:
        step = jnp.exp(-parameters.prior_log_precision)
        mean, variance = beliefs.mean[0], 1.0 / beliefs.precision[0]
        if isinstance(parameters, DecayParameters):
            kept = jax.nn.sigmoid(parameters.retention_logit)
            lost = jax.nn.sigmoid(-parameters.retention_logit)
            mean = kept * mean + lost * parameters.centre
            variance = kept**2 * variance
        return Prediction(mean, (mean,), (1.0 / (variance + step),), (step,))

    def update(
        self,
        parameters: KalmanParameters | DecayParameters,
        beliefs: Beliefs,
        prediction: Prediction,
        trial: Inputs,
    ) -> Beliefs:
        sensory = jnp.exp(parameters.sensory_log_precision)
        precision = prediction.precision[0] + sensory
        gain = sensory / precision
        mean = prediction.mean[0] + gain * (trial.outcome - prediction.mean[0])
        new = Beliefs((mean,), (precision,), beliefs.valid)
        old = Beliefs(prediction.mean, prediction.precision, beliefs.valid)
        return choose(trial.seen, new, old)

    def log_evidence(
        self, parameters: KalmanParameters | DecayParameters, prediction: Prediction, trial: Inputs
    ) -> Float[Array, ""]:
        noise = jnp.exp(-parameters.sensory_log_precision)
        variance = 1.0 / prediction.precision[0] + noise
        return normal_log_density(trial.outcome, prediction.mean[0], variance)
