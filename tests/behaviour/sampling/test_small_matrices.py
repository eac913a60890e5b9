"""Small matrices written out against LAPACK, values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import solve_triangular

from pcmodel.behaviour.sampling.small_matrices import (
    LARGEST,
    cholesky,
    solve_lower,
    solve_lower_transposed,
)


@pytest.mark.parametrize("size", range(LARGEST + 3))
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_roots_and_solves_are_lapacks(size, scale):
    rng = np.random.default_rng(size)
    rows = rng.normal(size=(7, size, size + 2))
    matrix = scale * (rows @ np.swapaxes(rows, 1, 2))
    right = rng.normal(size=(7, size))
    with jax.enable_x64(True):
        root = np.asarray(cholesky(jnp.asarray(matrix)))
        lower = np.asarray(solve_lower(jnp.asarray(root), jnp.asarray(right)))
        upper = solve_lower_transposed(jnp.asarray(root), jnp.asarray(right))
    for i in range(7 if size else 0):
        expected = np.linalg.cholesky(matrix[i])
        np.testing.assert_allclose(root[i], expected, rtol=1e-9, atol=1e-12 * scale)
        own = solve_triangular(expected, right[i], lower=True)
        np.testing.assert_allclose(lower[i], own, rtol=1e-8)
        own = solve_triangular(expected.T, right[i], lower=False)
        np.testing.assert_allclose(upper[i], own, rtol=1e-8)
    assert root.shape == matrix.shape and lower.shape == right.shape


@pytest.mark.parametrize("size", [1, 3, LARGEST + 1])
def test_gradients_are_those_of_differences(size):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2, size, size + 1))
    right = rng.normal(size=(2, size))

    def total(rows):
        root = cholesky(rows @ jnp.swapaxes(rows, 1, 2))
        found = solve_lower_transposed(root, solve_lower(root, jnp.asarray(right)))
        return jnp.sum(jnp.sin(found))

    with jax.enable_x64(True):
        slope = np.asarray(jax.grad(total)(jnp.asarray(rows)))
        nudge = np.zeros_like(rows)
        nudge[1, size - 1, 0] = 1e-6
        step = (
            total(jnp.asarray(rows + nudge)) - total(jnp.asarray(rows - nudge))
        ) / 2e-6
    assert slope[1, size - 1, 0] == pytest.approx(float(step), rel=1e-5, abs=1e-7)


def test_a_matrix_that_is_not_positive_gives_no_number():
    with jax.enable_x64(True):
        found = np.asarray(cholesky(jnp.asarray([[1.0, 2.0], [2.0, 1.0]])))
    assert np.isnan(found[1, 1])
