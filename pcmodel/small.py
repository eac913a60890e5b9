"""Triangular linear algebra that stays cheap for one-unit levels.

A LAPACK call on a 1 x 1 matrix costs microseconds, which is most of the time of a trial in a
participant model; there the factor is a square root and the solve a division, which
XLA fuses with their neighbours.
"""

import jax.numpy as jnp
from jax import Array
from jax.scipy.linalg import solve_triangular
from jaxtyping import Float


def cholesky(matrix: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Lower Cholesky factor."""
    return jnp.sqrt(matrix) if matrix.shape[-1] == 1 else jnp.linalg.cholesky(matrix)


def solve_lower(lower: Float[Array, "n n"], rhs: Array) -> Array:
    """L^-1 rhs for a vector or matrix right-hand side."""
    if lower.shape[-1] == 1:
        return rhs / lower.reshape((1,) * rhs.ndim)
    return solve_triangular(lower, rhs, lower=True)


def solve_lower_transposed(lower: Float[Array, "n n"], rhs: Array) -> Array:
    """L^-T rhs for a vector or matrix right-hand side."""
    if lower.shape[-1] == 1:
        return rhs / lower.reshape((1,) * rhs.ndim)
    return solve_triangular(lower, rhs, lower=True, trans="T")


def solve_spd(lower: Float[Array, "n n"], rhs: Array) -> Array:
    """(L L')^-1 rhs from the lower factor."""
    return solve_lower_transposed(lower, solve_lower(lower, rhs))
