r"""A prediction of a continuous outcome: a mixture of repeating the last one and a noisy belief.

With $\Delta$ the difference of the belief from the last prediction, it is repeated exactly with probability
$\mathrm{logit}^{-1}(a - c |\Delta|)$: half of the time where $|\Delta|$ is the threshold $a / c$, rarely beyond, as
people leave a slider where it stands until it is far enough off. Otherwise the prediction is $N(\text{belief}, s^2)$.

The distribution has a point mass at the last prediction and a density elsewhere. Predictions with so few decimals that one
may fall on the last by chance count as repeated.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from jaxtyping import Array, Bool, Float, Key

Number = Float[Array, "*batch"]
Parameter = Float[Array, "*#batch"]  # one for all trials, or one for each


class PredictionParameters(NamedTuple):
    r"""Parameters of a prediction on the real line, in its units.

    log_noise: $\log s$, of the SD of a prediction that is no repeat.
    stay_logit: $a$, logit of a repeat where the belief is the last prediction; minus infinity: never.
    log_stay_decay: $\log c$, of the fall of that logit per unit of $|\Delta|$.
    """

    log_noise: Parameter
    stay_logit: Parameter
    log_stay_decay: Parameter


def _stay_logit(
    parameters: PredictionParameters, mean: Number, previous: Number
) -> Number:
    decay = jnp.exp(parameters.log_stay_decay)
    return parameters.stay_logit - decay * jnp.abs(mean - previous)


def prediction_log_likelihood(
    parameters: PredictionParameters,
    *,
    mean: Number,
    previous: Number,
    can_stay: Bool[Array, "*batch"],
    prediction: Number,
) -> Number:
    """Log probability of each repeat and log density of each other prediction, nats.

    mean: of the belief.
    previous: the last prediction.
    can_stay: whether there is a last prediction.
    prediction: in the same units.
    """
    moved = norm.logpdf(prediction, mean, jnp.exp(parameters.log_noise))
    logit = _stay_logit(parameters, mean, previous)
    mixed = jnp.where(
        prediction == previous,
        jax.nn.log_sigmoid(logit),
        jax.nn.log_sigmoid(-logit) + moved,
    )
    return jnp.where(can_stay, mixed, moved)


def draw_prediction(
    key: Key[Array, ""],
    parameters: PredictionParameters,
    *,
    mean: Number,
    previous: Number,
    can_stay: Bool[Array, "*batch"],
) -> Number:
    """Draw a prediction for each mean."""
    stay_key, move_key = jax.random.split(key)
    noise = jax.random.normal(move_key, mean.shape, mean.dtype)
    moved = mean + jnp.exp(parameters.log_noise) * noise
    chance = jax.nn.sigmoid(_stay_logit(parameters, mean, previous))
    stays = can_stay & jax.random.bernoulli(stay_key, chance)
    return jnp.where(stays, previous, moved)
