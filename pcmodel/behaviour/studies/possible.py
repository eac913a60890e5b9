"""Simulated people whom the model that generated them does not exclude.

The standard filter fails at some parameters that its prior allows, and a fit excludes these: so must the truths.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from pcmodel.behaviour.models.binary import INVALID
from pcmodel.errors import UserError

IMPOSSIBLE = 0.5 * INVALID
"""A log likelihood, in nats, below which the model's approximation failed."""
NUM_TRIED = 8
"""Attempts for each person, of which the first possible one is used."""


class Pool(NamedTuple):
    """The people of one simulation.

    place: true parameters, in standard coordinates.
    data: with people on the first axis; both sessions on the second, where there are two.
    possible: false for a person in whom the model's own approximation failed at every attempt.
    """

    place: Float[Array, "*people parameters"]
    data: Any
    possible: Bool[Array, "*people"]


def first_possible(
    attempt: Callable[[Array, Any], Pool], key: Key[Array, ""], data: Any
) -> Pool:
    """For each person of `data`, the first possible of a few attempts, or the first if none is.

    attempt: simulates one person from a key, for the trials in its own part of `data`.
    """

    def person(key: Array, own: Any) -> Pool:
        tried = jax.vmap(attempt, (0, None))(jax.random.split(key, NUM_TRIED), own)
        first = jnp.argmax(tried.possible)
        return jax.tree.map(lambda leaf: leaf[first], tried)

    num = jax.tree.leaves(data)[0].shape[0]
    return jax.vmap(person)(jax.random.split(key, num), data)


def check_possible(pool: Pool, *, expected: str) -> None:
    """Raise UserError where a person was impossible at every attempt."""
    if not bool(pool.possible.all()):
        raise UserError(
            f"its approximation failed in all of {NUM_TRIED} draws for one person",
            where="model",
            expected=expected,
        )
