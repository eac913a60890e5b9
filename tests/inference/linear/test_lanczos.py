"""Eigenvalues and stochastic log determinants from products against the exact ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.inference.linear.lanczos import (
    lanczos_log_det,
    ritz_values,
    tridiagonalise,
)


def test_one_probe_gives_a_diagonal_s_log_determinant_exactly():
    """Prevents an offset or a factor: v' log(D) v is log det D for every vector of signs.

    Eigenvalues from 1e-2 to 1e3; a repeated one ends the recursion early.
    """
    diagonal = jnp.asarray([1e-2, 0.3, 2.0, 2.0, 50.0, 1e3])
    for key in (0, 1):
        found = lanczos_log_det(
            lambda v: diagonal * v, jax.random.key(key), jnp.zeros(6), num_probes=1
        )
        np.testing.assert_allclose(found, np.log(diagonal).sum(), rtol=1e-10)


def test_the_average_over_probes_is_the_log_determinant():
    """Prevents a bias that only couplings between units show, within four standard errors."""
    root = np.random.default_rng(0).normal(size=(5, 12))
    matrix = jnp.asarray(np.eye(12) + root.T @ root)
    values, vectors = np.linalg.eigh(matrix)
    log = vectors @ np.diag(np.log(values)) @ vectors.T
    number = 500
    found = lanczos_log_det(
        lambda v: matrix @ v, jax.random.key(0), jnp.zeros(12), num_probes=number
    )
    # Hutchinson's estimator with signs: variance 2 (|A|^2 - |diag A|^2).
    variance = 2 * (np.sum(log**2) - np.sum(np.diag(log) ** 2))
    assert abs(float(found) - np.log(values).sum()) < 4 * np.sqrt(variance / number)


def test_the_recursion_reproduces_the_matrix_in_its_own_basis():
    """Prevents a tridiagonal matrix with other eigenvalues than the one it stands for."""
    root = np.random.default_rng(1).normal(size=(6, 6))
    matrix = jnp.asarray(root @ root.T + np.eye(6))
    start = jnp.ones(6) / np.sqrt(6)
    for restarts in (None, jax.random.key(3)):
        found = tridiagonalise(lambda v: matrix @ v, start, 6, restarts=restarts)
        diagonal, off = found.diagonal, found.off_diagonal[:-1]
        small = np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1)
        expected = np.linalg.eigvalsh(matrix)
        np.testing.assert_allclose(np.linalg.eigvalsh(small), expected, rtol=1e-9)
        np.testing.assert_allclose(found.eigen()[0], expected, rtol=1e-9)
        np.testing.assert_allclose(diagonal[0], start @ matrix @ start, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_a_log_determinant_whose_recursion_ends_early(dtype, scale):
    """One unit, equal values, and two of them: nothing but rounding is left before the last step."""
    for diagonal in (np.ones(1), np.ones(40), np.repeat([1.0, 3.0], 20)):
        own = jnp.asarray(scale * diagonal, dtype)
        found = lanczos_log_det(
            lambda v, own=own: own * v, jax.random.key(0), own, num_probes=2
        )
        assert found.dtype == dtype
        near = 1e-4 if dtype == np.float32 else 1e-10
        expected = np.log(scale * diagonal).sum()
        np.testing.assert_allclose(found, expected, rtol=near, atol=near)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_repeated_eigenvalues_are_found_again(dtype):
    """The identity ends a Lanczos recursion at once; a start in the rest goes on."""
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    spectrum = np.array([-2.0, 1.0, 1.0, 1.0, 1.0, 1e4], dtype)
    basis, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))
    for matrix, expected in (
        (np.eye(6), np.ones(6)),
        ((basis * spectrum) @ basis.T, spectrum),
    ):
        matrix = jnp.asarray(matrix, dtype)
        found = ritz_values(lambda v, m=matrix: m @ v, 6, 6, jnp.dtype(dtype))
        np.testing.assert_allclose(
            found.values, expected, rtol=tolerance, atol=1e4 * tolerance
        )
