"""Checks of random keys."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import short


def check_key(key: Any, where: str = "key") -> Array:
    """One random key; UserError for anything else, such as a seed or a batch of keys."""
    expected = "one random key, such as jax.random.key(0)"
    if isinstance(key, bool | int | np.integer):
        raise UserError(
            f"is the number {short(key)}",
            where=where,
            expected=f"jax.random.key({short(int(key))})",
        )
    if not isinstance(key, jax.Array | np.ndarray):
        raise UserError(f"is {type(key).__name__}", where=where, expected=expected)
    if isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        if key.shape:
            raise UserError(
                f"is an array of {key.shape} keys", where=where, expected=expected
            )
        return key
    # The keys of jax.random.PRNGKey are arrays of numbers.
    plain = jax.random.key_data(jax.random.key(0))
    if key.shape != plain.shape or key.dtype != plain.dtype:
        raise UserError(
            f"is an array of {key.dtype} of shape {key.shape}",
            where=where,
            expected=expected,
        )
    return jnp.asarray(key)
