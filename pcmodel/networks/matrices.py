"""Checks of weights and biases that a user gives as arrays."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import default_dtype, read_numbers


def read_matrix(given: ArrayLike, level: int) -> Array:
    """The weights into `level`, (width, width above), from a matrix, row or number; raises UserError otherwise."""
    where = f"weights[{level}]"
    matrix = read_numbers(given, where=where, dtype=default_dtype())
    if matrix.ndim > 2 or not matrix.size:
        raise UserError(f"has shape {matrix.shape}", where=where, expected="a matrix")
    return jnp.atleast_2d(jnp.asarray(matrix))


def read_bias(biases: Sequence[ArrayLike], level: int, width: int) -> Array:
    """The bias of a level, (width,), from a vector or one number for all units; raises UserError otherwise."""
    if len(biases) <= level:
        raise UserError(f"expected a bias for each layer, got {len(biases)}.")
    where = f"biases[{level}]"
    bias = read_numbers(biases[level], where=where, dtype=default_dtype())
    if bias.shape not in ((), (width,)):
        raise UserError(f"has shape {bias.shape}", where=where, expected=f"({width},)")
    return jnp.broadcast_to(jnp.asarray(bias), (width,))
