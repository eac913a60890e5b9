"""NUTS on a vector that is about white: all chains at once, in chunks that can be resumed.

NumPyro's kernel makes the transitions, with a unit mass matrix; what makes the vector
white lies in the potential's arguments. One step size serves all chains. Every chunk
holds all that is needed to go on from it, so a run that was cut short ends in the very
numbers of one that was not.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key
from numpyro.infer.hmc import hmc

STEP_GAIN = 2.0
FIRST_STEP = 0.4


class Chunk(NamedTuple):
    """Some draws of every chain, and where the chains stand after them."""

    vectors: Float[np.ndarray, "chains draws size"]
    diverging: Bool[np.ndarray, "chains draws"]
    num_steps: Int[np.ndarray, "chains draws"]
    accept_prob: Float[np.ndarray, "chains draws"]
    potential_energy: Float[np.ndarray, "chains draws"]
    place: Float[np.ndarray, "chains size"]
    slope: Float[np.ndarray, "chains size"]
    height: Float[np.ndarray, " chains"]  # the potential at `place`
    key_words: np.ndarray
    step_size: Float[np.ndarray, " chains"]


class Kernel(NamedTuple):
    """Compiled pieces; the potential's arguments follow the vectors."""

    slope: Callable  # (vectors, arguments) -> potentials and gradients
    start: Callable  # (keys, vectors) -> states, potential and gradient not yet true
    advance: Callable  # (states, arguments, steps) -> states, draws


def build_kernel(
    potential: Callable, *, max_tree_depth: int, num_devices: int = 1
) -> Kernel:
    """Compile for `potential(vector, arguments)`; chains are spread over the devices."""

    def potential_of(*args: Any) -> Callable:
        # Compiling the potential once more for the start alone would take seconds: there
        # (no arguments) something flat stands in, and `slope` gives what is true.
        return (lambda vector: potential(vector, args)) if args else jnp.sum

    start_kernel, step_kernel = hmc(potential_fn_gen=potential_of, algo="NUTS")

    def slope(vector: Array, arguments: tuple) -> tuple[Array, Array]:
        return jax.value_and_grad(potential)(vector, arguments)

    def start(key: Key[Array, ""], vector: Array) -> Any:
        return start_kernel(
            vector,
            num_warmup=0,
            step_size=FIRST_STEP,
            adapt_step_size=False,
            adapt_mass_matrix=False,
            max_tree_depth=max_tree_depth,
            model_args=(),
            rng_key=key,
        )

    def advance(states: Any, arguments: tuple, steps: Array) -> tuple[Any, tuple]:
        one = jax.vmap(lambda state: step_kernel(state, arguments, {}))

        def step(carry: Any, _: Any) -> tuple[Any, tuple]:
            carry = one(carry)
            return carry, (
                carry.z,
                carry.diverging,
                carry.num_steps,
                carry.accept_prob,
                carry.potential_energy,
            )

        states, found = jax.lax.scan(step, states, steps)
        return states, jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), found)

    return Kernel(
        jax.jit(jax.vmap(slope, (0, None))),
        jax.jit(jax.vmap(start)),
        jax.jit(_over_devices(advance, num_devices)),
    )


def _over_devices(advance: Callable, num_devices: int) -> Callable:
    """Chains do not wait for those of another device."""
    if num_devices == 1:
        return advance
    mesh = jax.make_mesh((num_devices,), ("chains",))
    spread, same = jax.P("chains"), jax.P()
    return jax.shard_map(
        advance,
        mesh=mesh,
        in_specs=(spread, same, same),
        out_specs=spread,
        check_vma=False,
    )


def at_places(kernel: Kernel, states: Any, vectors: Array, arguments: tuple) -> Any:
    """The chains moved to other vectors, or to the same under another potential."""
    heights, slopes = kernel.slope(vectors, arguments)
    return states._replace(z=vectors, potential_energy=heights, z_grad=slopes)


def run_chunk(
    kernel: Kernel, states: Any, arguments: tuple, size: int
) -> tuple[Any, Chunk]:
    """`size` transitions of every chain."""
    states, found = kernel.advance(states, arguments, jnp.zeros(size))
    where = (
        states.z,
        states.z_grad,
        states.potential_energy,
        jax.random.key_data(states.rng_key),
        states.adapt_state.step_size,
    )
    return states, Chunk(*jax.device_get((*found, *where)))


def states_after(states: Any, chunk: Chunk) -> Any:
    """The states as a chunk left them; `states` gives their form."""
    step = jnp.asarray(chunk.step_size)
    return states._replace(
        z=jnp.asarray(chunk.place),
        z_grad=jnp.asarray(chunk.slope),
        potential_energy=jnp.asarray(chunk.height),
        rng_key=jax.random.wrap_key_data(jnp.asarray(chunk.key_words)),
        adapt_state=states.adapt_state._replace(step_size=step),
    )


def adapt_step(states: Any, chunk: Chunk, *, target: float, count: int) -> Any:
    """Robbins-Monro on the log step size, one step size for all chains.

    Shared over chains and never reset, it settles within a few chunks, where dual
    averaging per chain in windows needs hundreds of draws.
    """
    gain = STEP_GAIN / np.sqrt(count + 1.0)
    factor = float(np.exp(gain * (chunk.accept_prob.mean() - target)))
    step = states.adapt_state.step_size * factor
    return states._replace(adapt_state=states.adapt_state._replace(step_size=step))


def num_chunks(total: int, chunk: int) -> int:
    """Chunks needed for a number of transitions."""
    return -(-total // chunk)
