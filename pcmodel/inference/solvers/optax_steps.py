"""Steps of an optax optimiser, with noise that differs between examples.

Some optimisers need more than a gradient: the value, or the function itself (a line search).  All receive these; an
optimiser that needs anything else raises a UserError.

Under `vmap` one program runs for every example of a batch, so an optimiser that draws noise would draw the same for
all of them; each example's generator is therefore seeded by its position in the batch.
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
"""Extra arguments that an optimiser may use beside the gradient and the parameters."""


class Moved(NamedTuple):
    """The result of one optimiser step.

    updates: to be added to the point.
    state: the optimiser's new state.
    """

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
    """One step from a point with known value and gradient.

    Raises UserError for an optimiser that needs other arguments than `GIVEN`.
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
    # A loop needs constant dtypes in the state, also if the value has another precision.
    kept = jax.tree.map(
        lambda new, old: (
            jnp.asarray(new).astype(jnp.asarray(old).dtype) if is_plain(old) else new
        ),
        following,
        state,
    )
    return Moved(updates, kept)


def check_steps(optimiser: optax.GradientTransformation, where: str) -> None:
    """Raise a UserError for an optimiser whose first step is not finite, as with a rate of NaN or infinity.

    Optimisers that only work on a particular tree (masks, labels) are not checked.
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
    """The optimiser's initial state for each of a batch of points, with independent noise."""
    keys = jax.random.split(key, points.shape[0])
    return jax.vmap(
        lambda point, key: with_own_noise(optimiser.init(point), jax.random.bits(key))
    )(points, keys)


def with_own_noise(state: Any, number: Array) -> Any:
    """An optimiser's state with a number folded into its random generators."""

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
    """Whether a leaf is the state of a random generator: a typed key, or the key data of one."""
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
    """Position of this example in its batch under `vmap`; 0 without.

    anchor: any array of the example; only whether it is batched matters.
    """
    return jnp.zeros(jnp.shape(anchor)[:0], np.uint32)


@place_in_batch.def_vmap
def _place_in_batch(size: int, in_batched: list[bool], anchor: Array):
    del in_batched  # the only argument is batched, or this rule would not be called
    outer = place_in_batch(anchor[0])
    return outer * np.uint32(size) + jnp.arange(size, dtype=np.uint32), True


def number_of(value: Array, anchor: Array) -> Array:
    """A number that depends on the example's position in its batch and on `value`."""
    bits = jax.lax.bitcast_convert_type(value.astype(jnp.float32), jnp.uint32)
    mixed = jax.random.fold_in(jax.random.key(0), bits)
    return jax.random.bits(jax.random.fold_in(mixed, place_in_batch(anchor)))


def fresh(
    optimiser: optax.GradientTransformation,
    point: Any,
    value: Callable[[], Array],
    anchor: Callable[[], Array],
) -> Any:
    """An optimiser's initial state at a point, with noise that is independent between examples.

    value: function that returns the objective at the point.
    anchor: function that returns an array that is batched if anything of the example is.
    """
    state = optimiser.init(point)
    if not draws_noise(optimiser, point):
        return state
    number = jax.lax.stop_gradient((value(), anchor()))
    return with_own_noise(state, number_of(*number))
