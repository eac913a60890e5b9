"""A solve believes nothing that it has not measured, whatever map it is given to begin with."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.inference.linear.dual_primal import (
    ATTAINABLE,
    FACTORED,
    Products,
    measured,
)

MAPS = {
    "exact": lambda inverse, rng: inverse,
    "near": lambda inverse, rng: inverse * (1 + 0.05 * rng.normal()),
    "the identity": lambda inverse, rng: np.eye(len(inverse)),
    "nothing": lambda inverse, rng: np.zeros_like(inverse),
    "uphill": lambda inverse, rng: -inverse,
    "no numbers": lambda inverse, rng: np.full_like(inverse, np.nan),
    "infinite": lambda inverse, rng: np.full_like(inverse, np.inf),
    "another's": lambda inverse, rng: np.linalg.inv(
        np.diag(np.exp(rng.normal(size=len(inverse))))
    ),
    "far too long": lambda inverse, rng: 1e6 * inverse,
    "skewed": lambda inverse, rng: inverse + 0.3 * np.triu(rng.normal(size=(5, 5)), 1),
    None: None,
}


def equation(seed, damping):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(7, 5)) * 10.0 ** rng.uniform(-1, 1, size=5)
    matrix = (1 + damping) * np.eye(5) + root.T @ root
    return root, matrix, rng.normal(size=5) * 10.0 ** rng.uniform(-3, 3), rng


def prepared(root, first, damping, most=200):
    root = jnp.asarray(root)
    products = Products(lambda v: root @ v, lambda u: root.T @ u)
    act = None if first is None else lambda v: first @ v
    count = root.shape[0]
    return measured(act, products, damping, max_products=most, num_outputs=count)


@partial(jax.jit, static_argnames=("most",))
def solve(root, first, rhs, target, *, damping=0.0, most=200):
    return prepared(root, first, jnp.asarray(damping), most).solve(rhs, target)


@jax.jit
def precondition(root, first, rhs):
    return prepared(root, first, jnp.zeros(())).precondition(rhs)


@pytest.mark.parametrize("damping", [0.0, 3.0])
@pytest.mark.parametrize("name", MAPS)
def test_a_solve_from_any_map_solves_and_tells_what_it_left(name, damping):
    root, matrix, rhs, rng = equation(len(str(name)), damping)
    first = MAPS[name] and MAPS[name](np.linalg.inv(matrix), rng)
    target = 1e-6 * np.linalg.norm(rhs)
    found = solve(root, first, rhs, target, damping=damping)
    left = rhs - matrix @ np.asarray(found.step)
    rounding = 1e-10 * np.linalg.norm(rhs)
    measured_left = np.linalg.norm(left)
    np.testing.assert_allclose(found.residual, measured_left, rtol=1e-3, atol=rounding)
    assert measured_left <= target
    np.testing.assert_allclose(found.pushed, root @ found.step, rtol=1e-9)
    np.testing.assert_allclose(found.pulled, root.T @ (root @ found.step), rtol=1e-9)
    np.testing.assert_allclose(found.step, np.linalg.solve(matrix, rhs), rtol=1e-3)


@pytest.mark.parametrize("name", MAPS)
def test_a_solve_cut_short_still_points_downhill(name):
    """Or nowhere: with a target so loose that any step that shortens the residual would do."""
    for seed in range(20):
        root, matrix, rhs, rng = equation(seed, 0.0)
        first = MAPS[name] and MAPS[name](np.linalg.inv(matrix), rng)
        loose = 0.999 * np.linalg.norm(rhs)
        for most in (0, 1, 3):
            found = solve(root, first, rhs, loose, most=most)
            assert rhs @ np.asarray(found.step) >= 0
            assert np.all(np.isfinite(found.step))
            assert found.residual <= np.linalg.norm(rhs)


def test_a_step_uphill_is_not_taken_because_it_shortens_the_residual():
    """H = diag(100, 1): d = (.008, -.009) leaves less of b = (1, 1) than nothing does, and points away from b."""
    root, rhs = np.diag(np.sqrt([99.0, 0.0])), np.ones(2)
    step = np.array([0.008, -0.009])
    left = rhs - np.array([100.0, 1.0]) * step
    assert np.linalg.norm(left) < np.linalg.norm(rhs) and rhs @ step < 0
    first = np.outer(step, rhs) / (rhs @ rhs)
    found = solve(root, first, rhs, 1.1)
    assert rhs @ np.asarray(found.step) > 0


@pytest.mark.parametrize("name", MAPS)
def test_what_preconditions_is_along_the_vector(name):
    """A map that turns a vector away, or into no number, gives the vector itself."""
    root, matrix, rhs, rng = equation(3, 0.0)
    first = MAPS[name] and MAPS[name](np.linalg.inv(matrix), rng)
    image = np.asarray(precondition(root, first, rhs))
    assert rhs @ image > 0 and np.all(np.isfinite(image))
    if name == "infinite":
        return
    if first is not None and rhs @ (first @ rhs) > 0:
        np.testing.assert_allclose(image, first @ rhs, rtol=1e-12)
    else:
        np.testing.assert_array_equal(image, rhs)


def test_no_more_is_asked_than_rounding_can_give():
    """A target of zero ends at a few epsilons of the right-hand side, not after every product granted."""
    root, matrix, rhs, _ = equation(2, 0.0)
    inverse = np.linalg.inv(matrix)
    found = solve(root, inverse, rhs, 0.0)
    epsilon = np.finfo(float).eps * np.linalg.norm(rhs)
    assert found.residual <= 10 * ATTAINABLE * epsilon * np.linalg.cond(matrix)


def test_a_map_that_does_not_help_is_given_up_soon_and_the_rest_done_without():
    """b = 1 on sixty eigenvalues from 1 to 60: plain conjugate gradients need all, a map of another's many more.

    A round with the map may take 30 products, one without the 200 granted.
    """
    root = np.diag(np.sqrt(np.arange(60.0)))
    rng = np.random.default_rng(0)
    first = np.diag(10.0 ** rng.uniform(-3, 0, size=60) / np.arange(1.0, 61))
    rhs = np.ones(60)
    found = solve(root, first, rhs, 1e-6)
    exact = 1 / np.arange(1.0, 61)
    np.testing.assert_allclose(found.step, exact, rtol=1e-5)
    # The map itself counts as many as there are outputs.
    assert FACTORED < int(found.products) - 60 <= FACTORED + 61
