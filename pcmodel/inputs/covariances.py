"""Checks of the users' covariances and transition matrices, if their values are not traced."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import (
    Numbers,
    default_dtype,
    is_wide,
    read_numbers,
    to_dtype,
)

SYMMETRY = 1e-4
"""Largest relative asymmetry that is attributed to rounding in float32."""


def check_covariance(covariance: ArrayLike, *, where: str) -> Numbers:
    """A positive definite matrix or a batch of them; raises UserError for anything else."""
    matrix = read_numbers(covariance, where=where)
    if matrix.ndim not in (2, 3) or matrix.shape[-1] != matrix.shape[-2]:
        raise UserError(
            f"has shape {matrix.shape}", where=where, expected="a square matrix"
        )
    if isinstance(matrix, Tracer):
        return matrix
    _check_symmetric(matrix, where)
    smallest = float(np.linalg.eigvalsh(np.asarray(matrix, np.float64)).min())
    if smallest <= 0:
        raise UserError(
            f"has the eigenvalue {smallest:g}",
            where=where,
            expected="a positive definite matrix",
        )
    dtype = matrix.dtype if is_wide(covariance) else default_dtype()
    return to_dtype(matrix, dtype, where=where)


def check_noise(noise_covariance: ArrayLike, width: int, dtype: Any) -> Array:
    """The covariance (width, width) from a scalar, a vector or a matrix; raises UserError for a negative one."""
    where = "noise_covariance"
    noise = read_numbers(noise_covariance, where=where, dtype=dtype)
    if noise.shape not in ((), (width,), (width, width)):
        raise UserError(
            f"has shape {noise.shape}",
            where=where,
            expected=f"(), ({width},) or ({width}, {width})",
        )
    if not isinstance(noise, Tracer):
        _check_not_negative(noise, where)
    noise = jnp.asarray(noise, dtype)
    return noise if noise.ndim == 2 else jnp.diag(jnp.broadcast_to(noise, (width,)))


def check_transition(transition: ArrayLike, width: int, dtype: Any) -> Array:
    """A matrix (width, width) of finite numbers; raises UserError for anything else."""
    matrix = read_numbers(transition, where="transition", dtype=dtype)
    if matrix.shape != (width, width):
        raise UserError(
            f"has shape {matrix.shape}",
            where="transition",
            expected=f"({width}, {width})",
        )
    return jnp.asarray(matrix, dtype)


def _check_not_negative(noise: Numbers, where: str) -> None:
    values = np.asarray(noise, np.float64)
    if values.ndim == 2:
        _check_symmetric(values, where)
        values = np.linalg.eigvalsh(values)
        rounding = 1e-6 * np.abs(values).max()
    else:
        rounding = 0.0
    if np.any(values < -rounding):
        raise UserError(
            f"is negative ({values.min():g})",
            where=where,
            expected="variances of 0 or more, or a matrix without negative eigenvalues",
        )


def _check_symmetric(matrix: Numbers, where: str) -> None:
    values = np.asarray(matrix, np.float64)
    gap = np.abs(values - np.swapaxes(values, -1, -2)).max()
    if gap > SYMMETRY * np.abs(values).max():
        raise UserError(
            f"is not symmetric (by {gap:g})",
            where=where,
            expected="a symmetric matrix",
        )
