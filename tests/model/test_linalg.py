"""Linear algebra with its shortcuts for single units, against numpy's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.model.linalg import (
    cholesky,
    gram,
    matmul,
    rows_of,
    solve_lower,
    solve_lower_transposed,
    solve_spd,
    take,
)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("columns", [None, 1, 2])
def test_factors_and_solves_are_numpy_s(size, columns):
    """Prevents a single unit from being solved by another rule than many."""
    rng = np.random.default_rng(size)
    root = rng.normal(size=(size, size))
    matrix = root @ root.T + np.eye(size)
    rhs = rng.normal(size=(size,) if columns is None else (size, columns))

    @jax.jit
    def solved(matrix, rhs):
        lower = cholesky(matrix)
        return (
            lower,
            solve_lower(lower, rhs),
            solve_lower_transposed(lower, rhs),
            solve_spd(lower, rhs),
        )

    factor = np.linalg.cholesky(matrix)
    expected = (
        factor,
        np.linalg.solve(factor, rhs),
        np.linalg.solve(factor.T, rhs),
        np.linalg.solve(matrix, rhs),
    )
    for got, exact in zip(solved(matrix, rhs), expected, strict=True):
        np.testing.assert_allclose(got, exact, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("inner", [1, 2])
def test_products_are_numpy_s(rows, inner):
    """Prevents an elementwise product where a matrix product was meant."""
    rng = np.random.default_rng(rows)
    left, vector = rng.normal(size=(rows, inner)), rng.normal(size=inner)
    right = rng.normal(size=(inner, 2))
    close = np.testing.assert_allclose
    close(matmul(jnp.asarray(left), jnp.asarray(vector)), left @ vector, rtol=1e-12)
    close(matmul(jnp.asarray(left), jnp.asarray(right)), left @ right, rtol=1e-12)
    close(gram(jnp.asarray(left)), left @ left.T, rtol=1e-12)
    rows_found = rows_of(lambda v: jnp.asarray(left) @ v, inner, jnp.zeros(0).dtype)
    close(rows_found, left.T, rtol=1e-12)


@pytest.mark.parametrize("units", [[0, 1, 2], [2, 0, 1], [1], []])
def test_taking_units_is_indexing(units):
    """Prevents the shortcut for all units from losing their order."""
    values = np.asarray([5.0, 7.0, 9.0])
    index = np.asarray(units, dtype=int)
    np.testing.assert_array_equal(take(jnp.asarray(values), index), values[index])
