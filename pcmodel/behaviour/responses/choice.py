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
    r"""Parameters of choice on the real line.

    log_inverse_temperature: $\log\beta$, of 1 / unit of value.
    stickiness: $s$, log odds; positive: the last choice is repeated.
    lapse_logit: logit of $\epsilon$; minus infinity for no lapses.
    """

    log_inverse_temperature: Parameter
    stickiness: Parameter
    lapse_logit: Parameter


def choice_log_probabilities(
    parameters: ChoiceParameters,
    values: Float[Array, "*batch arms"],
    previous: Int[Array, "*batch"],
) -> Float[Array, "*batch arms"]:
    """Log probability of each option; `previous` is the last choice, -1 for none."""
    num_arms = values.shape[-1]
    same = jax.nn.one_hot(previous, num_arms, dtype=values.dtype)
    inverse_temperature, stickiness, lapse = map(_over_arms, parameters)
    drive = jnp.exp(inverse_temperature) * values + stickiness * same
    return jnp.logaddexp(
        jax.nn.log_sigmoid(-lapse) + jax.nn.log_softmax(drive, axis=-1),
        jax.nn.log_sigmoid(lapse) - jnp.log(float(num_arms)),
    )


def _over_arms(parameter: Parameter) -> Array:
    """A parameter of each trial with an axis for options; a single number unchanged."""
    return parameter[..., None] if parameter.ndim else parameter


def draw_choice(
    key: Key[Array, ""],
    parameters: ChoiceParameters,
    values: Float[Array, "*batch arms"],
    previous: Int[Array, "*batch"],
) -> Int[Array, "*batch"]:
    """Draw one choice, from 0, for each row of values."""
    return jax.random.categorical(
        key, choice_log_probabilities(parameters, values, previous)
    )
