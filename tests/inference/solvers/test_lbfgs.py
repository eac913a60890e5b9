"""Secant steps: the algebra of the update, and what an opening must not do."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.batching import over_examples
from pcmodel.api.infer import mode_of
from pcmodel.api.pose import pose
from pcmodel.inference.linear.dual_primal import Dual, Primal, factor_once
from pcmodel.inference.solvers import lbfgs as secant
from pcmodel.inference.solvers.lbfgs import (
    _Pair,
    _Slope,
    _State,
    remember,
    secant_descent,
    secant_product,
)
from pcmodel.inference.solvers.sufficient_decrease import point_at, point_energy
from pcmodel.inference.whitened import objective
from pcmodel.runtime.contents import Static

NETWORK = pcmodel.dense(
    (8, 10, 6, 3), precisions=(1e4, 10.0, 100.0, 1.0), rngs=nnx.Rngs(1), scale=3.0
)


def problem_of(network, data):
    return pose(network, data).problem


def bfgs(inverse, s, y):
    """The textbook update of an inverse Hessian (Nocedal & Wright, equation 6.17)."""
    rho = 1 / (y @ s)
    left = jnp.eye(len(s)) - rho * jnp.outer(s, y)
    return left @ inverse @ left.T + rho * jnp.outer(s, s)


@pytest.mark.parametrize("rescale", [False, True])
def test_the_two_loop_recursion_is_the_textbook_update(rescale, getkey):
    """Prevents a direction that uses the pairs in the wrong order or sign."""
    hessian = jnp.cov(jax.random.normal(getkey(), (6, 50)))
    factor = jnp.diag(jax.random.uniform(getkey(), (6,), minval=0.5, maxval=2.0))
    old, new = jax.random.normal(getkey(), (2, 6))
    gradient = jax.random.normal(getkey(), (6,))
    pairs = tuple(
        _Pair(s, hessian @ s, factor @ hessian @ s, 1 / (s @ hessian @ s))
        for s in (new, old)
    )
    start = factor
    if rescale:
        y = hessian @ new
        start = factor * (new @ y) / (y @ factor @ y)
    expected = bfgs(bfgs(start, old, hessian @ old), new, hessian @ new)
    found = secant_product(
        pairs, _Slope(gradient, factor @ gradient), rescale=jnp.asarray(rescale)
    )
    np.testing.assert_allclose(found, expected @ gradient, rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize(
    "solver",
    [Dual(), Primal()],
    ids=["dual", "primal"],
)
def test_the_factor_inverts_the_curvature_of_a_linear_network(solver, getkey):
    """Prevents a first step that is not the Newton step where it could be."""
    matrices = [jax.random.normal(getkey(), shape) for shape in ((4, 5), (5, 3))]
    network = pcmodel.linear_gaussian(matrices, [3.0, 0.5, 2.0])
    problem = problem_of(network, jax.random.normal(getkey(), (4,)))
    start = jnp.zeros(problem.structure.num_free)
    factor = factor_once(problem, start, solver)
    hessian = jax.hessian(lambda z: objective(problem, z))(start)
    found = jax.vmap(factor)(hessian).T
    np.testing.assert_allclose(found, jnp.eye(len(start)), atol=1e-10)


def energies(network, data, steps):
    """Energy after so many secant steps, (examples, counts)."""

    def one(data, most):
        problem = problem_of(network, data)
        start = jnp.zeros(problem.structure.num_free)
        factor = factor_once(problem, start, Dual())
        end = secant_descent(problem, start, factor, tolerance=0.0, max_steps=most)
        return point_energy(problem, point_at(problem, end.whitened))

    both = jax.jit(jax.vmap(jax.vmap(one, (None, 0)), (0, None)))
    return np.asarray(both(data, jnp.asarray(steps)))


def test_an_opening_ends_within_its_tolerance_and_not_long_before():
    """Prevents an opening that stops where its square or its root would be small enough."""
    network = pcmodel.dense((6, 5, 3), precisions=(30.0, 3.0, 1.0), rngs=nnx.Rngs(2))
    data = jax.random.normal(jax.random.key(5), (6,))
    problem = problem_of(network, data)
    initial = jnp.zeros(8)
    precondition = factor_once(problem, initial, Dual())
    for tolerance in (1e-2, 1e-4, 1e-6):
        end = secant_descent(
            problem, initial, precondition, tolerance=tolerance, max_steps=200
        )
        mode = pcmodel.infer(network, data, solver=pcmodel.GaussNewton(Dual()))
        excess = objective(problem, end.whitened) - objective(problem, mode.whitened)
        # Half a squared decrement, by another metric than that of the mode.
        assert 0 <= excess < 5 * tolerance**2 and end.steps < 200


def test_no_secant_step_raises_the_energy():
    """Prevents an unguarded quasi-Newton step, on data far from the network's own."""
    data = jax.random.normal(jax.random.key(3), (4, 8))
    path = energies(NETWORK, data, range(40))
    assert np.diff(path, axis=1).max() <= 20 * np.finfo(float).eps * path.max()
    fallen = path[:, 0] - path[:, -1]
    assert fallen.min() > 1
    assert np.all(path[:, 25] - path[:, -1] < 1e-2 * fallen), "they crawl"


@pytest.mark.slow
def test_secant_steps_gain_more_than_their_fixed_factor_would(monkeypatch):
    """Prevents pairs that are stored and never used."""
    network = pcmodel.dense(
        (8, 10, 6, 3), precisions=(100.0, 10.0, 10.0, 1.0), rngs=nnx.Rngs(1)
    )
    data = pcmodel.sample(network, jax.random.key(4), 20)[0]
    modes = pcmodel.infer(network, data, solver=pcmodel.GaussNewton(Dual()))

    def lowest(data, whitened):
        return objective(problem_of(network, data), whitened)

    least = jax.vmap(lowest)(data, modes.whitened)
    gained = energies(network, data, [15])[:, 0] - least
    monkeypatch.setattr(secant, "remember", lambda state, *_: state.pairs)
    plain = energies(network, data, [15])[:, 0] - least
    assert np.median(gained) < 0.1 * np.median(plain)


def test_a_batch_shares_the_factor_of_the_sweep():
    """Prevents one factorisation an image where one a network is enough."""
    network = pcmodel.dense((45, 48, 32), rngs=nnx.Rngs(0))
    posed = pose(network, np.zeros((7, 45)))
    modes = partial(mode_of, solver=Static(pcmodel.GaussNewton()))
    lowered = jax.jit(
        lambda problem: over_examples(modes, problem, batching=posed.batching)
    ).lower(posed.problem)
    factored = [line for line in lowered.as_text().splitlines() if "potrf" in line]
    assert any("<45x45xf64>" in line for line in factored)


def test_the_newest_pair_of_positive_curvature_is_remembered_first():
    """From (s, y) = (1, 2) and their image under H_0^-1; a refused step, and one without curvature, change nothing."""
    network = pcmodel.linear_gaussian([np.eye(2)], [1.0, 1.0])
    problem = problem_of(network, np.ones(2))

    def at(where, gradient):
        slope = _Slope(jnp.full(2, gradient), jnp.full(2, 3 * gradient))
        return point_at(problem, jnp.full(2, where)), slope

    old = _Pair(*[jnp.full(2, 7.0)] * 3, jnp.asarray(7.0))
    point, slope = at(0.0, 1.0)
    state = _State(point, slope, *[jnp.zeros(())] * 3, (old, old), *[jnp.zeros(())] * 2)
    first, second = remember(state, *at(1.0, 3.0), jnp.asarray(True))
    expected = _Pair(
        np.full(2, 1.0), np.full(2, 2.0), np.full(2, 6.0), np.asarray(0.25)
    )
    jax.tree.map(np.testing.assert_allclose, first, expected)
    jax.tree.map(np.testing.assert_array_equal, second, old)
    for where, gradient, accepted in ((1.0, 3.0, False), (1.0, -1.0, True)):
        kept = remember(state, *at(where, gradient), jnp.asarray(accepted))
        jax.tree.map(np.testing.assert_array_equal, kept, (old, old))
