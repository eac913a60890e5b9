"""Linear algebra with fast special cases for one-unit levels.

A LAPACK call on a 1 x 1 matrix costs microseconds, most of the time of a trial in a participant model; here the
factor is a square root and the solve a division, which XLA fuses with neighbouring operations.  A matrix product over
one unit is computed elementwise, because a product would change the memory layout of a batch at every level.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.linalg import solve_triangular
from jaxtyping import Float


def cholesky(matrix: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Lower Cholesky factor."""
    return jnp.sqrt(matrix) if matrix.shape[-1] == 1 else jnp.linalg.cholesky(matrix)


def unit_root(rows: Float[Array, "m n"]) -> Float[Array, "n n"]:
    """Lower factor L of I + rows' rows = L L', from the QR decomposition of [rows; I].

    The product is not formed: for large rows (in float32 from a few thousand) it loses the identity to rounding, and
    with it all directions outside the row space.
    """
    size = rows.shape[1]
    if size == 1:
        return jnp.sqrt(1 + jnp.sum(rows**2, axis=0))[:, None]
    identity = jnp.eye(size, dtype=rows.dtype)
    if 0 in rows.shape:
        return identity
    upper = jnp.linalg.qr(jnp.concatenate([rows, identity]), mode="r")
    return (jnp.sign(jnp.diagonal(upper))[:, None] * upper).T


def solve_lower(lower: Float[Array, "n n"], rhs: Array) -> Array:
    """L^-1 rhs for a vector or matrix right-hand side."""
    if lower.shape[-1] == 1:
        return rhs * (1 / lower.reshape((1,) * rhs.ndim))
    return solve_triangular(lower, rhs, lower=True)


def solve_lower_transposed(lower: Float[Array, "n n"], rhs: Array) -> Array:
    """L^-T rhs for a vector or matrix right-hand side."""
    if lower.shape[-1] == 1:
        return rhs * (1 / lower.reshape((1,) * rhs.ndim))
    return solve_triangular(lower, rhs, lower=True, trans="T")


def solve_spd(lower: Float[Array, "n n"], rhs: Array) -> Array:
    """(L L')^-1 rhs from the lower factor."""
    return solve_lower_transposed(lower, solve_lower(lower, rhs))


def matmul(left: Float[Array, "m k"], right: Array) -> Array:
    """left @ right for a vector (k,) or a matrix (k, n)."""
    if left.shape[-1] != 1:
        return left @ right
    if right.ndim == 1:
        return left[:, 0] * jnp.broadcast_to(right, left.shape[:1])
    shape = (left.shape[0], right.shape[1])
    return jnp.broadcast_to(left, shape) * jnp.broadcast_to(right, shape)


def gram(rows: Float[Array, "m n"]) -> Float[Array, "m m"]:
    """rows @ rows.T."""
    return rows * rows if rows.shape == (1, 1) else matmul(rows, rows.T)


def take(values: Array, units: np.ndarray) -> Array:
    """values[units], without a gather if these are all units in order."""
    if np.array_equal(units, np.arange(values.shape[0])):
        return values
    return values[units]


def rows_of(product: Callable[[Array], Any], size: int, dtype) -> Any:
    """The images of the unit vectors under a linear map as the rows of a matrix (or of a pytree of matrices)."""
    if size == 1:
        return jax.tree.map(lambda image: image[None], product(jnp.ones((1,), dtype)))
    return jax.vmap(product)(jnp.eye(size, dtype=dtype))
