r"""Pools that are depleted and refilled, and lagged signals: the parts without a closed form.

A **pool** (serotonin in its store, receptors on the membrane) is depleted at a rate that depends on
the drug and refilled at a constant one, $\dot P = -k\,u(t)\,P + r\,(1 - P)$. A **lag** (habituation)
follows its input, $\dot h = k\,(u(t) - h)$. Both are linear in their state: the exponential solution
over one step is exact for a piecewise constant (pool) or piecewise linear (lag) input, stable for
any step, and differentiable.
"""

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float


def depletable(
    times: Float[Array, " times"],
    demand: Float[Array, " times"],
    *,
    spend: Array,
    refill: Array,
    initial: Array | float = 1.0,
) -> Float[Array, " times"]:
    """Content of a pool (1 = full) at each time.

    times: h, ascending.
    demand: u(t) at the times, not negative.
    spend: k, 1/h.
    refill: r, 1/h.
    initial: content at the first time.
    Second order in the step: choose steps that are short compared with 1 / (k u).
    """
    rate = spend * 0.5 * (demand[1:] + demand[:-1]) + refill

    def step(content: Array, inputs: tuple[Array, Array]) -> tuple[Array, Array]:
        total, interval = inputs
        decay = jnp.exp(-total * interval)
        # Without depletion and refill the decay is 1, whatever the goal.
        goal = refill / jnp.where(total > 0, total, 1)
        content = goal + (content - goal) * decay
        return content, content

    start = jnp.asarray(initial, demand.dtype)
    _, later = jax.lax.scan(step, start, (rate, jnp.diff(times)))
    return jnp.concatenate([start[None], later])


def lagged(
    times: Float[Array, " times"], signal: Float[Array, " times"], rate: Array
) -> Float[Array, " times"]:
    """h(t) from h = 0 at the first time; exact for a signal that is linear between the times."""

    def step(level: Array, inputs: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        before, after, interval = inputs
        turns = rate * interval
        decay = jnp.exp(-turns)
        near = turns < 1e-4
        safe = jnp.where(near, 1.0, turns)
        # Mean of the kernel over the step: weights of the two ends of the line.
        share = jnp.where(near, 1 - turns / 2, -jnp.expm1(-safe) / safe)
        level = level * decay + before * (share - decay) + after * (1 - share)
        return level, level

    start = jnp.zeros((), signal.dtype)
    steps = (signal[:-1], signal[1:], jnp.diff(times))
    _, later = jax.lax.scan(step, start, steps)
    return jnp.concatenate([start[None], later])
