"""One step of an optax optimiser, and noise that differs between examples.

Some optimisers ask for more than a gradient: the value, or the function itself (a line search).  All get
them; what asks for anything else is refused in a sentence.

Descent runs on every example of a batch alike, from one program.  An optimiser that draws noise would draw
the same for all of them; so every example's generator is set apart by its place in the batch.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from pcmodel.errors import UserError

GIVEN = ("value", "grad", "value_fn")
"""What an optimiser may ask for beside the gradient and the parameters."""


class Moved(NamedTuple):
    """Updates to be added to the point, and the optimiser's new state."""

    updates: Any
    state: Any


def move(
    optimiser: optax.GradientTransformation,
    objective: Callable[[Any], Array],
    point: Any,
    value: Array,
    gradient: Any,
    state: Any,
) -> Moved:
    """One step from a point whose value and gradient are known.

    Raises UserError for an optimiser that asks for what is not given (see `GIVEN`).
    """
    extended = optax.with_extra_args_support(optimiser)
    try:
        updates, following = extended.update(
            gradient, state, point, value=value, grad=gradient, value_fn=objective
        )
    except UserError:
        raise
    except (TypeError, ValueError) as error:
        raise UserError(
            f"the optimiser cannot make a step from the gradient, the parameters and, on request, "
            f"{', '.join(GIVEN)}: {str(error).splitlines()[0]}"
        ) from error
    # A loop needs the state's types to stay; a value of another precision may not change them.
    kept = jax.tree.map(
        lambda new, old: (
            jnp.asarray(new).astype(jnp.asarray(old).dtype) if is_plain(old) else new
        ),
        following,
        state,
    )
    return Moved(updates, kept)


def check_steps(optimiser: optax.GradientTransformation, where: str) -> None:
    """Raise a UserError for an optimiser whose first step is not finite: a rate of NaN or infinity.

    One made for a tree of its own (masks, labels) is taken at its word.
    """
    try:
        with jax.ensure_compile_time_eval():
            point = jnp.ones(())
            updates, _ = optax.with_extra_args_support(optimiser).update(
                point,
                optimiser.init(point),
                point,
                value=point / 2,
                grad=point,
                value_fn=lambda at: at**2 / 2,
            )
            finite = not isinstance(updates, Array) or bool(jnp.isfinite(updates))
    except Exception:  # whatever an optimiser raises for another tree, or a traced rate
        return
    if not finite:
        raise UserError(
            f"the optimiser makes a step of {np.asarray(updates)} from a gradient of 1",
            where=where,
            expected="one with finite rates",
        )


def is_plain(leaf: Any) -> bool:
    """Whether a leaf of an optimiser's state is an array of numbers."""
    return not jnp.issubdtype(jnp.asarray(leaf).dtype, jax.dtypes.prng_key)


def begin_each(
    optimiser: optax.GradientTransformation, points: Array, key: Array
) -> Any:
    """The optimiser's first state for each of a batch of points, with noise of its own each."""
    keys = jax.random.split(key, points.shape[0])
    return jax.vmap(
        lambda point, key: with_own_noise(optimiser.init(point), jax.random.bits(key))
    )(points, keys)


def with_own_noise(state: Any, number: Array) -> Any:
    """An optimiser's state whose random generators are set apart by a number."""

    def own(leaf: Any) -> Any:
        if not is_generator(leaf):
            return leaf
        if not is_plain(leaf):
            return jax.random.fold_in(leaf, number)
        return jax.random.key_data(
            jax.random.fold_in(jax.random.wrap_key_data(leaf), number)
        )

    return jax.tree.map(own, state)


def is_generator(leaf: Any) -> bool:
    """Whether a leaf is the state of a random generator: a typed key, or the words of one."""
    if not hasattr(leaf, "dtype"):
        return False
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return True
    words = jax.eval_shape(lambda: jax.random.key_data(jax.random.key(0)))
    return leaf.dtype == words.dtype and leaf.shape == words.shape


def draws_noise(optimiser: optax.GradientTransformation, point: Any) -> bool:
    """Whether an optimiser's state holds a random generator (static)."""
    state = jax.eval_shape(optimiser.init, point)
    return any(is_generator(leaf) for leaf in jax.tree.leaves(state))


@jax.custom_batching.custom_vmap
def place_in_batch(anchor: Array) -> Array:
    """Number of this example among those that run together, 0 alone.

    anchor: anything of the example; only whether it is batched matters.
    """
    return jnp.zeros(jnp.shape(anchor)[:0], np.uint32)


@place_in_batch.def_vmap
def _place_in_batch(size: int, in_batched: list[bool], anchor: Array):
    del in_batched  # of one argument: else this would not be asked
    outer = place_in_batch(anchor[0])
    return outer * np.uint32(size) + jnp.arange(size, dtype=np.uint32), True


def number_of(value: Array, anchor: Array) -> Array:
    """A number that tells an example from the others of its batch, and from itself at another `value`."""
    bits = jax.lax.bitcast_convert_type(value.astype(jnp.float32), jnp.uint32)
    mixed = jax.random.fold_in(jax.random.key(0), bits)
    return jax.random.bits(jax.random.fold_in(mixed, place_in_batch(anchor)))


def fresh(
    optimiser: optax.GradientTransformation,
    point: Any,
    value: Callable[[], Array],
    anchor: Callable[[], Array],
) -> Any:
    """An optimiser's first state at a point; its noise, if it draws any, is this example's own.

    value: what is descended, at the point.  anchor: batched as soon as anything of the example is.
    """
    state = optimiser.init(point)
    if not draws_noise(optimiser, point):
        return state
    number = jax.lax.stop_gradient((value(), anchor()))
    return with_own_noise(state, number_of(*number))
