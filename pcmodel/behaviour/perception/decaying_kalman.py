r"""The Kalman filter of a value that drifts back to a centre, as of a restless bandit's options.

$x_t \sim N(\lambda x_{t-1} + (1 - \lambda)\,\theta, q)$, $y_t \sim N(x_t, r)$ (Daw et al. 2006, Nature 441:876). Without decay
($\lambda = 1$) it is `kalman`. Each trial begins with the step, also the first.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from pcmodel.behaviour.perception.interface import (
    Beliefs,
    Inputs,
    Prediction,
    normal_log_density,
)
from pcmodel.behaviour.perception.kalman import corrected


class DecayingKalmanParameters(NamedTuple):
    r"""Parameters of one participant's filter, in units of the outcome.

    initial_mean: before the first trial.
    initial_variance: before the first trial.
    step_variance: $q$.
    outcome_variance: $r$.
    decay: $\lambda$, 0 to 1; 1: no decay.
    centre: $\theta$, to which values drift back.
    """

    initial_mean: Float[Array, ""]
    initial_variance: Float[Array, ""]
    step_variance: Float[Array, ""]
    outcome_variance: Float[Array, ""]
    decay: Float[Array, ""]
    centre: Float[Array, ""]


@dataclass(frozen=True)
class DecayingKalman:
    """The exact posterior of the model."""

    def init(self, parameters: DecayingKalmanParameters) -> Beliefs:
        precision = 1.0 / parameters.initial_variance
        return Beliefs((parameters.initial_mean,), (precision,), jnp.asarray(True))

    def predict(
        self, parameters: DecayingKalmanParameters, beliefs: Beliefs
    ) -> Prediction:
        decay = parameters.decay
        mean = decay * beliefs.mean[0] + (1.0 - decay) * parameters.centre
        variance = decay**2 / beliefs.precision[0] + parameters.step_variance
        step = variance - 1.0 / beliefs.precision[0]
        return Prediction(mean, (mean,), (1.0 / variance,), (step,))

    def update(
        self,
        parameters: DecayingKalmanParameters,
        beliefs: Beliefs,
        prediction: Prediction,
        trial: Inputs,
    ) -> Beliefs:
        sensory = 1.0 / parameters.outcome_variance
        return corrected(prediction, trial, sensory, beliefs.valid)

    def log_evidence(
        self,
        parameters: DecayingKalmanParameters,
        prediction: Prediction,
        trial: Inputs,
    ) -> Float[Array, ""]:
        variance = 1.0 / prediction.precision[0] + parameters.outcome_variance
        return normal_log_density(trial.outcome, prediction.mean[0], variance)
