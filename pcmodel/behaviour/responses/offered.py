r"""Choice among the options that a trial offers: softmax over these, with stickiness and lapse.

As `choice`, with the softmax and the lapses restricted to the $K_t$ options on offer: an option that
is not offered has probability 0 and no share of the lapses.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from pcmodel.behaviour.responses.choice import ChoiceParameters


def offered_log_probabilities(
    parameters: ChoiceParameters,
    values: Float[Array, " arms"],
    previous: Int[Array, ""],
    offered: Bool[Array, " arms"],
) -> Float[Array, " arms"]:
    """Log probability of each option in one trial; minus infinity where it is not offered.

    previous: the last choice, from 0; -1 for none.
    """
    same = jax.nn.one_hot(previous, len(values), dtype=values.dtype)
    beta = jnp.exp(parameters.log_inverse_temperature)
    drive = beta * values + parameters.stickiness * same
    # Finite under the mask, so that slopes are finite, too.
    drive = jnp.where(offered, drive, 0.5 * jnp.finfo(drive.dtype).min)
    every = jnp.logaddexp(
        jax.nn.log_sigmoid(-parameters.lapse_logit) + jax.nn.log_softmax(drive),
        jax.nn.log_sigmoid(parameters.lapse_logit)
        - jnp.log(offered.sum().astype(drive.dtype)),
    )
    return jnp.where(offered, every, -jnp.inf)


def draw_offered(
    key: Key[Array, ""],
    parameters: ChoiceParameters,
    values: Float[Array, " arms"],
    previous: Int[Array, ""],
    offered: Bool[Array, " arms"],
) -> Int[Array, ""]:
    """Draw the choice of one trial, from 0."""
    every = offered_log_probabilities(parameters, values, previous, offered)
    return jax.random.categorical(key, every)
