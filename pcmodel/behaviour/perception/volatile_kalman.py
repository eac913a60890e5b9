r"""The volatile Kalman filter (Piray & Daw 2020, PLoS Comput Biol 16:e1007963): a position with changing steps.

$x_t \sim N(x_{t-1}, z_t)$ and $y_t \sim N(x_t, r)$; the belief about $x$ is a Kalman filter's with $z$ replaced by
its estimate $v$, and $v$ moves by a share $\lambda$ of the error of the squared step that is expected afterwards,

$v \leftarrow (1 - \lambda) v + \lambda\,(\Delta^2 + k\,w + (1 - k)\,v)$,

with $\Delta$ the change of the mean, $w$ the variance before the trial and $k$ the gain (their equations 9 to 13,
with the autocovariance $(1 - k) w$ inserted). In this form no digits cancel and $v$ stays above 0.
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


class VolatileKalmanParameters(NamedTuple):
    r"""Parameters of one participant's filter, in units of the outcome.

    initial_mean: before the first trial.
    initial_log_precision: before the first trial; the published code takes that of an outcome.
    log_initial_volatility: $\log v_0$, of the variance of the first step.
    volatility_rate_logit: logit of $\lambda$.
    sensory_log_precision: $-\log r$, log precision of an outcome.
    """

    initial_mean: Float[Array, ""]
    initial_log_precision: Float[Array, ""]
    log_initial_volatility: Float[Array, ""]
    volatility_rate_logit: Float[Array, ""]
    sensory_log_precision: Float[Array, ""]


@dataclass(frozen=True)
class VolatileKalman:
    """Of continuous outcomes; the second level's mean is the volatility $v$, which has no uncertainty.

    A trial without an outcome adds the volatility to the variance and leaves the rest: the squared step that is
    expected without an outcome is the volatility itself.
    """

    def init(self, parameters: VolatileKalmanParameters) -> Beliefs:
        precision = jnp.exp(parameters.initial_log_precision)
        volatility = jnp.exp(parameters.log_initial_volatility)
        means = (parameters.initial_mean, volatility)
        return Beliefs(means, (precision,), jnp.asarray(True))

    def predict(
        self, parameters: VolatileKalmanParameters, beliefs: Beliefs
    ) -> Prediction:
        mean, volatility = beliefs.mean
        precision = 1.0 / (1.0 / beliefs.precision[0] + volatility)
        return Prediction(mean, beliefs.mean, (precision,), (volatility,))

    def update(
        self,
        parameters: VolatileKalmanParameters,
        beliefs: Beliefs,
        prediction: Prediction,
        trial: Inputs,
    ) -> Beliefs:
        sensory = jnp.exp(parameters.sensory_log_precision)
        precision = prediction.precision[0] + sensory
        gain = sensory / precision
        change = gain * (trial.outcome - prediction.mean[0])
        volatility = beliefs.mean[1]
        step = change**2 + gain / beliefs.precision[0] + (1.0 - gain) * volatility
        rate = jax.nn.sigmoid(parameters.volatility_rate_logit)
        means = (prediction.mean[0] + change, volatility + rate * (step - volatility))
        new = Beliefs(means, (precision,), beliefs.valid)
        old = Beliefs(prediction.mean, prediction.precision, beliefs.valid)
        return choose(trial.seen, new, old)

    def log_evidence(
        self,
        parameters: VolatileKalmanParameters,
        prediction: Prediction,
        trial: Inputs,
    ) -> Float[Array, ""]:
        noise = jnp.exp(-parameters.sensory_log_precision)
        variance = 1.0 / prediction.precision[0] + noise
        return normal_log_density(trial.outcome, prediction.mean[0], variance)
