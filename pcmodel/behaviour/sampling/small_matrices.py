"""Roots of many small matrices, and solves with them, written out element by element.

A participant's matrix has a row for each parameter that varies, seldom more than four. LAPACK's
overhead for each such matrix is many times the work: written out, all participants are done in a
few vectorised operations. Larger matrices go to LAPACK.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

LARGEST = 4  # rows; the operations written out grow with the cube


def cholesky(matrix: Float[Array, "*batch k k"]) -> Float[Array, "*batch k k"]:
    """Lower Cholesky factors; NaN where a matrix is not positive definite."""
    size = matrix.shape[-1]
    if size > LARGEST:
        return jnp.linalg.cholesky(matrix)
    if not size:
        return matrix
    zero = jnp.zeros_like(matrix[..., 0, 0])
    rows: list[list[Array]] = [[zero] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            left = matrix[..., i, j] - sum(rows[i][p] * rows[j][p] for p in range(j))
            rows[i][j] = jnp.sqrt(left) if i == j else left / rows[j][j]
    return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)


def solve_lower(
    root: Float[Array, "*batch k k"], right: Float[Array, "*batch k"]
) -> Float[Array, "*batch k"]:
    """The vectors x with `root @ x = right`, for lower triangular roots."""
    return _solve(root, right, transposed=False)


def solve_lower_transposed(
    root: Float[Array, "*batch k k"], right: Float[Array, "*batch k"]
) -> Float[Array, "*batch k"]:
    """The vectors x with `root.T @ x = right`, for lower triangular roots."""
    return _solve(root, right, transposed=True)


def _solve(root: Array, right: Array, *, transposed: bool) -> Array:
    size = root.shape[-1]
    if size > LARGEST:
        column = jax.lax.linalg.triangular_solve(
            root,
            right[..., None],
            left_side=True,
            lower=True,
            transpose_a=transposed,
        )
        return column[..., 0]
    if not size:
        return right
    order = range(size - 1, -1, -1) if transposed else range(size)
    found: dict[int, Array] = {}
    for i in order:
        known = sum(
            root[..., j, i] * x if transposed else root[..., i, j] * x
            for j, x in found.items()
        )
        found[i] = (right[..., i] - known) / root[..., i, i]
    return jnp.stack([found[i] for i in range(size)], axis=-1)
