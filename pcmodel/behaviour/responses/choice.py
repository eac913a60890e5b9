r"""Choice among options: softmax with stickiness and lapse.

$P(c) = (1 - \epsilon)\,\mathrm{softmax}(\beta v + s\,\mathbb 1[c = \text{last choice}])_c
+ \epsilon / K$: inverse temperature $\beta$, stickiness $s$ (positive: the last choice is
repeated), lapse $\epsilon$.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

Parameter = Float[Array, "*#batch"]  # one for all trials, or one for each


class ChoiceParameters(NamedTuple):
    """Unconstrained."""

    log_inverse_temperature: Parameter  # $\log\beta$, 1 / unit of value
    stickiness: Parameter  # log odds
    lapse_logit: Parameter  # $\epsilon$; minus infinity: never


def choice_log_probabilities(
    parameters: ChoiceParameters,
    values: Float[Array, "*batch arms"],
    previous: Int[Array, "*batch"],
) -> Float[Array, "*batch arms"]:
    """Log probability of every option; `previous` is -1 where there is no last choice."""
    num_arms = values.shape[-1]
    same = jax.nn.one_hot(previous, num_arms, dtype=values.dtype)
    inverse_temperature, stickiness, lapse = map(_over_arms, parameters)
    drive = jnp.exp(inverse_temperature) * values + stickiness * same
    return jnp.logaddexp(
        jax.nn.log_sigmoid(-lapse) + jax.nn.log_softmax(drive, axis=-1),
        jax.nn.log_sigmoid(lapse) - jnp.log(float(num_arms)),
    )


def _over_arms(parameter: Parameter) -> Array:
    """Trials by one; a single number as it is."""
    return parameter[..., None] if parameter.ndim else parameter


def draw_choice(
    key: Key[Array, ""],
    parameters: ChoiceParameters,
    values: Float[Array, "*batch arms"],
    previous: Int[Array, "*batch"],
) -> Int[Array, "*batch"]:
    """Draw one choice for each row of values."""
    return jax.random.categorical(
        key, choice_log_probabilities(parameters, values, previous)
    )
