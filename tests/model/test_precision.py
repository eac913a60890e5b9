"""Precisions, gains and their triangular factors against plain matrices."""

import jax.numpy as jnp
import numpy as np
import pytest
from hierarchies import random_precision, random_spd
from oracles import as_matrix, gained

from pcmodel import UserError
from pcmodel.model.precision import (
    covariance_to_log_precision,
    factor,
    from_precision,
    log_det,
    log_normaliser,
    pack_cholesky,
    partition,
    precision_matrix,
    root_to_log_precision,
    unpack_cholesky,
    unwhiten,
    whiten,
)

KINDS = ("scalar", "unit", "full")


def case(kind, seed=0, width=4):
    """A random precision with per-unit gains: its factor, its matrix, an error."""
    rng = np.random.default_rng(seed)
    precision, gain = random_precision(rng, kind, width), rng.uniform(0.1, 3, width)
    triangular = factor(from_precision(precision), jnp.array(gain), width)
    return triangular, gained(precision, gain, width), jnp.array(rng.normal(size=width))


@pytest.mark.parametrize("kind", KINDS)
def test_a_factor_squares_to_the_gained_precision(kind):
    """Prevents a gain from acting on the standard deviation, or on one side only."""
    triangular, matrix, error = case(kind)
    np.testing.assert_allclose(precision_matrix(triangular), matrix, rtol=1e-12)
    squared = np.sum(np.square(whiten(triangular, error)))
    np.testing.assert_allclose(squared, error @ matrix @ error, rtol=1e-12)
    back = unwhiten(triangular, whiten(triangular, error))
    np.testing.assert_allclose(back, error, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_normalisers_are_those_of_the_normal_density(kind):
    """Prevents a precision that is learned or compared with the wrong normaliser."""
    triangular, matrix, error = case(kind)
    np.testing.assert_allclose(
        log_det(triangular), np.linalg.slogdet(matrix)[1], rtol=1e-12
    )
    density = 0.5 * error @ matrix @ error + log_normaliser(triangular, 4)
    covariance = np.linalg.inv(matrix)
    expected = 0.5 * (
        error @ np.linalg.solve(covariance, error)
        + np.linalg.slogdet(2 * np.pi * covariance)[1]
    )
    np.testing.assert_allclose(density, expected, rtol=1e-12)


@pytest.mark.parametrize("clamped", [(), (0,), (1, 3), (0, 1, 2, 3)])
def test_clamping_part_of_a_level_conditions_the_rest(clamped):
    """Prevents correlated units from being treated as independent once one is seen."""
    triangular, matrix, error = case("full")
    clamped = np.array(clamped, dtype=int)
    free = np.setdiff1d(np.arange(4), clamped)
    parts = partition(triangular, free, clamped)
    np.testing.assert_allclose(
        precision_matrix(parts.free), matrix[np.ix_(free, free)], rtol=1e-12
    )
    # The clamped part's own density is its marginal: a Schur complement.
    covariance = np.linalg.inv(matrix)[np.ix_(clamped, clamped)]
    np.testing.assert_allclose(
        precision_matrix(parts.clamped), np.linalg.inv(covariance), rtol=1e-10
    )
    whitened = whiten(parts.free, error[free])
    if parts.coupling is not None:
        whitened = whitened + parts.coupling.T @ error[clamped]
    both = np.sum(np.square(whitened)) + np.sum(
        np.square(whiten(parts.clamped, error[clamped]))
    )
    np.testing.assert_allclose(both, error @ matrix @ error, rtol=1e-12)


def test_full_log_precisions_survive_packing():
    """Prevents a saved or optimised full precision from meaning another one."""
    matrix = random_spd(np.random.default_rng(1), 3)
    packed = from_precision(matrix)
    lower = unpack_cholesky(packed)
    np.testing.assert_allclose(lower @ lower.T, matrix, rtol=1e-12)
    np.testing.assert_allclose(pack_cholesky(lower), packed, rtol=1e-12)
    inverse = covariance_to_log_precision(jnp.array(np.linalg.inv(matrix)))
    np.testing.assert_allclose(inverse, packed, rtol=1e-10, atol=1e-12)


def test_a_diagonal_full_precision_reads_like_the_per_unit_one():
    """Prevents log-precisions of the two forms from being on different scales."""
    precision = np.array([0.5, 2.0, 8.0])
    full = from_precision(np.diag(precision))
    np.testing.assert_allclose(jnp.diagonal(full), np.log(precision), rtol=1e-12)
    np.testing.assert_allclose(full - jnp.diag(jnp.diagonal(full)), 0, atol=0)
    np.testing.assert_allclose(as_matrix(precision, 3), np.diag(precision))


BAD = {
    "zero": (0.0, "positive"),
    "negative unit": (np.array([1.0, -1.0]), "positive"),
    "NaN": (np.nan, "finite"),
    "not square": (np.ones((2, 3)), "symmetric"),
    "not symmetric": (np.array([[1.0, 0.5], [0.0, 1.0]]), "symmetric"),
    "small, not symmetric": (1e-8 * np.array([[1.0, 0.9], [0.0, 1.0]]), "symmetric"),
    "not positive definite": (np.array([[1.0, 2.0], [2.0, 1.0]]), "definite"),
    "three axes": (np.ones((1, 1, 1)), "scalar, vector or square"),
}


@pytest.mark.parametrize("name", BAD)
def test_impossible_precisions_are_refused_in_one_sentence(name):
    """Prevents a negative variance from turning into a NaN far from its cause."""
    value, expected = BAD[name]
    with pytest.raises(UserError, match=expected) as caught:
        from_precision(value, where="level 1")
    assert "level 1" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("units", "columns"), [(1, 1), (1, 3), (3, 3), (3, 5), (4, 4)])
def test_a_root_of_the_covariance_gives_the_precision(units, columns):
    """Roots that are no triangle, with columns to spare, and scales far apart."""
    rng = np.random.default_rng(units + columns)
    root = rng.normal(size=(units, columns)) * 10.0 ** rng.uniform(-3, 3, (units, 1))
    packed = root_to_log_precision(jnp.asarray(root))
    matrix = precision_matrix(factor(packed, jnp.ones(()), units))
    scale = np.sqrt(np.diag(root @ root.T))
    found = np.asarray(matrix) * np.outer(scale, scale)
    whole = (root @ root.T) / np.outer(scale, scale)
    np.testing.assert_allclose(found @ whole, np.eye(units), atol=1e-8)
    other = covariance_to_log_precision(jnp.asarray(root @ root.T))
    np.testing.assert_allclose(packed, other, rtol=1e-6, atol=1e-6)
