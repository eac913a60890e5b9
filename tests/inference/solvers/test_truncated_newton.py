"""A few products of the training's E-step are those of conjugate gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.solvers.truncated_newton import TruncatedNewton


def textbook(matrix, rhs, steps):
    """Conjugate gradients from zero (Hestenes & Stiefel 1952)."""
    found, residual = np.zeros_like(rhs), rhs.copy()
    direction = residual.copy()
    for _ in range(steps):
        image = matrix @ direction
        length = residual @ residual / (direction @ image)
        found += length * direction
        following = residual - length * image
        direction = (
            following + (following @ following) / (residual @ residual) * direction
        )
        residual = following
    return found


@pytest.mark.parametrize("products", [1, 2, 3])
def test_few_products_are_conjugate_gradients(products):
    """Prevents a step that descends, is not the one described, and is exact for nobody.

    In whitened units a linear network's system is (I + S'S) d = S'b with S = sqrt(p0 / p1) W and b the whitened error
    of the data; as many products as data units solve it.
    """
    rng = np.random.default_rng(0)
    weight, data = rng.normal(size=(3, 5)), rng.normal(size=3)
    p0, p1 = 4.0, 0.5
    network = pcmodel.linear_gaussian([weight], [p0, p1])
    problem = pose(network, data).problem
    found = jax.jit(TruncatedNewton(products).minimise)(problem, jnp.zeros(5))
    root = np.sqrt(p0 / p1) * weight
    matrix, rhs = np.eye(5) + root.T @ root, root.T @ (np.sqrt(p0) * data)
    expected = textbook(matrix, rhs, products)
    np.testing.assert_allclose(found.whitened, expected, rtol=1e-8, atol=1e-10)
    if products == 3:
        exact = np.linalg.solve(matrix, rhs)
        np.testing.assert_allclose(found.whitened, exact, rtol=1e-8)
    assert found.products == products


def test_products_beyond_the_solution_change_nothing():
    """One that starts at the mode stays there; one that has arrived does not divide by what is left, zero."""
    network = pcmodel.linear_gaussian([np.array([[2.0]])], [1.0, 1.0])
    problem = pose(network, np.array([1.0])).problem
    found = TruncatedNewton(4).minimise(problem, jnp.zeros(1))
    np.testing.assert_allclose(found.whitened, [2 / 5], rtol=1e-12)
    again = TruncatedNewton(4).minimise(problem, jnp.asarray([0.4]))
    np.testing.assert_allclose(again.whitened, [0.4], rtol=1e-12)
    rest = pose(network, np.array([0.0])).problem
    found = TruncatedNewton(3).minimise(rest, jnp.zeros(1))
    assert found.whitened[0] == 0 and found.residual < 1e-6
