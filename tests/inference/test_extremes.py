"""Posteriors where senses are precise and beliefs vague: every number against extended precision.

In float32 the product S'S of such a hierarchy has lost the identity beside it, and with it the very
directions in which the evidence says nothing.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from extremes import SHAPES, count

from pcmodel.model.linalg import unit_root
from pcmodel.model.precision import root_to_log_precision, unpack_cholesky

EXACT = ("variances", "covariances", "log_det", "top", "belief")


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["single", "double"])
def test_posteriors_at_ratios_of_a_hundred_million_are_right(dtype):
    """Prevents variances, determinants or beliefs made of rounding: before, one in fourteen was wrong in float32."""
    found = count(12, 4.0, dtype, shapes=(SHAPES[2],))
    for name in EXACT:
        problems, _, wrong, worst = found[name]
        assert problems == 12 and wrong == 0 and worst < 3e-3, (name, worst)
    assert found["log_evidence"][3] < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(("span", "dtype"), [(4.0, np.float32), (8.0, np.float64)])
def test_a_battery_of_extreme_hierarchies_is_right(span, dtype):
    """All shapes of `tests/extremes.py`: full precisions, clamped parts, gains to 1e-6."""
    found = count(30, span, dtype)
    for name in EXACT:
        problems, right, wrong, _ = found[name]
        assert wrong == 0 and right >= 0.99 * problems, (name, found[name])
    assert found["log_evidence"][2] == 0


def test_the_factor_of_a_large_gram_keeps_the_identity():
    """I + s^2 u u' in float32, s = 10^5: determinant 1 + s^2, and variance 1 across u."""
    u = np.asarray([0.6, 0.8], np.float32)
    lower = unit_root(jnp.asarray(1e5 * u[None], jnp.float32))
    np.testing.assert_allclose(np.prod(np.diagonal(lower)), 1e5, rtol=1e-5)
    across = np.linalg.solve(np.asarray(lower, float), [-0.8, 0.6])
    np.testing.assert_allclose(np.sum(across**2), 1.0, rtol=1e-3)
    assert lower.dtype == jnp.float32 and np.all(np.diagonal(lower) > 0)
    rows = np.random.default_rng(0).normal(size=(3, 4))
    lower = unit_root(jnp.asarray(rows))
    np.testing.assert_allclose(lower @ lower.T, np.eye(4) + rows.T @ rows, rtol=1e-12)
    np.testing.assert_array_equal(jnp.triu(lower, 1), 0)
    np.testing.assert_allclose(
        unit_root(jnp.asarray(rows[:, :1])), [[np.sqrt(1 + np.sum(rows[:, 0] ** 2))]]
    )
    np.testing.assert_array_equal(unit_root(jnp.zeros((0, 3))), np.eye(3))


@pytest.mark.parametrize("size", [1, 3])
def test_the_precision_of_a_root_is_the_inverse_of_its_product(size):
    """Prevents a belief from a factor transposed, of the wrong order of units, or of the wrong sign."""
    root = np.random.default_rng(1).normal(size=(size, 4))
    lower = unpack_cholesky(root_to_log_precision(jnp.asarray(root)))
    np.testing.assert_allclose(
        lower @ lower.T, np.linalg.inv(root @ root.T), rtol=1e-10
    )
