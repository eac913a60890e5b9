r"""Whether a faint stimulus was perceived: prior expectation against the senses (Powers, Mathys & Corlett 2017).

With $\hat\mu$ the probability with which the stimulus was expected and $s$ what the senses say of it, the probability that
a stimulus of its intensity is detected (0 where there was none), the percept is

$x = \hat\mu + \frac{1}{1 + \nu} (s - \hat\mu), \qquad P(\text{yes}) = \mathrm{logit}^{-1}(\beta (2 x - 1))$.

$\nu$ is the precision of the prior over that of the senses: 1 weighs both equally, and the greater it is the more of what
is expected is perceived without a stimulus (Science 357:596; TAPAS `condhalluc_obs2`).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

Number = Float[Array, "*batch"]
Parameter = Float[Array, "*#batch"]  # one for all trials, or one for each


class DetectionParameters(NamedTuple):
    r"""Parameters of detection on the real line.

    log_prior_weight: $\log\nu$, of the prior's precision over the senses'.
    log_inverse_temperature: $\log\beta$, of the decision.
    """

    log_prior_weight: Parameter
    log_inverse_temperature: Parameter


def percept(log_prior_weight: Parameter, expected: Number, sensed: Number) -> Number:
    """The percept $x$, between what was expected and what was sensed (all probabilities)."""
    from_senses = jax.nn.sigmoid(-log_prior_weight)
    from_prior = jax.nn.sigmoid(log_prior_weight)
    return from_prior * expected + from_senses * sensed


def _log_odds(
    parameters: DetectionParameters, expected: Number, sensed: Number
) -> Number:
    x = percept(parameters.log_prior_weight, expected, sensed)
    return jnp.exp(parameters.log_inverse_temperature) * (2.0 * x - 1.0)


def detection_log_likelihood(
    parameters: DetectionParameters,
    expected: Number,
    sensed: Number,
    response: Number,
) -> Number:
    """Log probability of each response, 1 for perceived and 0 for not."""
    log_odds = _log_odds(parameters, expected, sensed)
    return jax.nn.log_sigmoid(jnp.where(response > 0.5, log_odds, -log_odds))


def draw_detection(
    key: Key[Array, ""],
    parameters: DetectionParameters,
    expected: Number,
    sensed: Number,
) -> Bool[Array, "*batch"]:
    """Draw a response for each trial; true is perceived."""
    return jax.random.bernoulli(
        key, jax.nn.sigmoid(_log_odds(parameters, expected, sensed))
    )
