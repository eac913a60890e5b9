"""Fixed random numbers, the same in every call: drawn at trace time and embedded as constants.

Drawing them within the program would account for a quarter of its compilation.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float


def normal(size: int, seed: int, dtype: jnp.dtype) -> Float[Array, " size"]:
    """Standard normal numbers."""
    return jnp.asarray(np.random.default_rng(seed).standard_normal(size), dtype)


def uniform(
    size: int, seed: int, dtype: jnp.dtype, *, low: float, high: float
) -> Float[Array, " size"]:
    """Numbers uniform from `low` to `high`."""
    return jnp.asarray(np.random.default_rng(seed).uniform(low, high, size), dtype)


def signs(size: int, seed: int, dtype: jnp.dtype) -> Float[Array, " size"]:
    """Random signs, 1 or -1."""
    return jnp.asarray(
        2 * np.random.default_rng(seed).integers(2, size=size) - 1, dtype
    )
