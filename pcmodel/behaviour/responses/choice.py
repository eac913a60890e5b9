r"""Choice among options: softmax with stickiness and lapse.

$P(c) = (1 - \epsilon)\,\mathrm{softmax}(\beta v + s\,\mathbb 1[c = \text{last choice}])_c
+ \epsilon / K$: inverse temperature $\beta$, stickiness $s$ (positive: the last choice is
repeated), lapse $\epsilon$.

With a choice trace the indicator is replaced by a running mean of past choices, $C \leftarrow C + \tau (\mathbb 1[\text{chosen}]
- C)$, whose influence decays over several trials; at $\tau = 1$ it is the last choice (Lau & Glimcher 2005, J Exp Anal Behav
84:555; the choice kernel of Wilson & Collins 2019, eLife 8:e49547).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

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
    return traced_log_probabilities(parameters, values, as_trace(previous, values))


def as_trace(
    previous: Int[Array, "*batch"], values: Float[Array, "*batch arms"]
) -> Float[Array, "*batch arms"]:
    """The trace that holds the last choice alone; zero before the first, -1."""
    return jax.nn.one_hot(previous, values.shape[-1], dtype=values.dtype)


def traced_log_probabilities(
    parameters: ChoiceParameters,
    values: Float[Array, "*batch arms"],
    trace: Float[Array, "*batch arms"],
) -> Float[Array, "*batch arms"]:
    """Log probability of each option, given the trace of past choices, which the stickiness multiplies."""
    sober = jax.nn.log_softmax(_drive(parameters, values, trace), axis=-1)
    lapse = _over_arms(parameters.lapse_logit)
    return _with_lapses(lapse, sober, values.shape[-1])


def chosen_log_probability(
    parameters: ChoiceParameters,
    values: Float[Array, "*batch arms"],
    trace: Float[Array, "*batch arms"],
    chosen: Int[Array, "*batch"],
) -> Float[Array, "*batch"]:
    """Log probability of the option that was `chosen`, counted from 0, given the trace of past choices.

    The others' need not be computed.
    """
    num_arms = values.shape[-1]
    drive = _drive(parameters, values, trace)
    is_chosen = jax.nn.one_hot(chosen, num_arms, dtype=bool)
    own = jnp.sum(jnp.where(is_chosen, drive, 0.0), axis=-1)
    sober = own - jax.nn.logsumexp(drive, axis=-1)
    return _with_lapses(parameters.lapse_logit, sober, num_arms)


def _drive(parameters: ChoiceParameters, values: Array, trace: Array) -> Array:
    """Log odds of each option against one of drive 0."""
    inverse_temperature, stickiness, _ = map(_over_arms, parameters)
    return jnp.exp(inverse_temperature) * values + stickiness * trace


def _with_lapses(lapse_logit: Array, sober: Array, num_arms: int) -> Array:
    return jnp.logaddexp(
        jax.nn.log_sigmoid(-lapse_logit) + sober,
        jax.nn.log_sigmoid(lapse_logit) - jnp.log(float(num_arms)),
    )


def update_trace(
    trace: Float[Array, " arms"],
    choice: Int[Array, ""],
    made: Bool[Array, ""],
    rate: Float[Array, ""],
) -> Float[Array, " arms"]:
    r"""The trace after a trial; as it was where no choice was made. `rate` is $\tau$, 0 to 1."""
    chosen = jax.nn.one_hot(choice, trace.shape[-1], dtype=trace.dtype)
    return jnp.where(made, trace + rate * (chosen - trace), trace)


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
