"""The default solver where it is hard: precisions a thousandfold and more apart.

Excess energy is measured in double precision against a long run from where the solver
stopped; a result that says `converged` without having arrived would pass for a belief.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.infer import run_inference
from pcmodel.api.pose import Posed, pose
from pcmodel.inference import ConjugateGradient, Dual, GaussNewton
from pcmodel.inference.linear.dual_primal import (
    LinearSolution,
    Prepared,
    output_jacobian,
)
from pcmodel.networks.layers.dense import identity

WIDTHS = (64, 128, 64, 10)
PRECISIONS = (
    (1000.0, 100.0, 10.0, 1.0),
    (1.0, 10.0, 100.0, 1000.0),
    (1e4, 1.0, 1e4, 1.0),
    (1.0, 1e4, 1.0, 1e4),
    (1e4, 1.0, 1.0, 1.0),
)
LONG = GaussNewton(max_iterations=2000)


@lru_cache
def posed(precisions, is_linear=False, own_data=True):
    """Four examples, drawn from the network itself or arbitrary."""
    activation = identity if is_linear else jnp.tanh
    network = pcmodel.dense(
        WIDTHS, activation=activation, precisions=precisions, rngs=nnx.Rngs(0)
    )
    if own_data:
        data = pcmodel.sample(network, jax.random.key(1), 4)[0]
    else:
        data = jax.random.normal(jax.random.key(2), (4, 64))
    return pose(network, data)


def cast(posed, dtype):
    """The same problem in another float type."""
    problem = jax.tree.map(lambda array: array.astype(dtype), posed.problem)
    return Posed(problem, posed.batching)


def excess(posed, result):
    """Energy above what a long run in double precision still finds from there."""
    latents = tuple(jnp.asarray(x, jnp.float64) for x in result.latents)
    before = run_inference(posed, GaussNewton(max_iterations=0), latents).energy
    return before - run_inference(posed, LONG, latents).energy


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [jnp.float64, jnp.float32], ids=["double", "single"])
def test_ill_conditioned_hierarchies_are_solved(dtype):
    """Prevents conditioning, the subject of precision, from ending inference early."""
    for precisions in PRECISIONS:
        problem = posed(precisions)
        found = run_inference(cast(problem, dtype), GaussNewton())
        assert jnp.all(found.converged), precisions
        assert jnp.max(excess(problem, found)) < 1e-3, precisions


@pytest.mark.slow
@pytest.mark.parametrize(
    "precisions",
    PRECISIONS,
    ids=str,
)
def test_data_the_network_cannot_explain_are_solved(precisions):
    """Prevents large residuals, where Gauss-Newton crawls, from ending inference."""
    problem = posed(precisions, own_data=False)
    found = run_inference(problem, GaussNewton())
    assert jnp.all(found.converged)
    assert jnp.max(excess(problem, found)) < 1e-3


def test_linear_hierarchies_take_one_step_whatever_the_precisions():
    """Prevents a quadratic problem from needing more than one Newton step.

    At precision ratios of 1e4 a second one corrects the rounding of the first.
    """
    for precisions in PRECISIONS:
        found = run_inference(posed(precisions, is_linear=True), GaussNewton())
        assert jnp.all(found.converged) and jnp.all(found.iterations <= 2), precisions


@pytest.mark.slow
def test_conjugate_gradients_reach_the_same_energy():
    """Prevents networks too wide for direct solves from getting a worse answer."""
    for precisions in PRECISIONS:
        problem = posed(precisions)
        direct = run_inference(problem, GaussNewton())
        found = run_inference(problem, GaussNewton(ConjugateGradient()))
        assert jnp.all(found.converged), precisions
        np.testing.assert_allclose(found.energy, direct.energy, atol=1e-3)


@pytest.mark.parametrize(
    "dtype",
    [jnp.float64, pytest.param(jnp.float32, marks=pytest.mark.slow)],
    ids=["double", "single"],
)
def test_the_energy_never_rises(dtype):
    """Prevents the oscillation of undamped Gauss-Newton on tanh networks.

    A small network with far too precise data; every Newton step is looked at (and every
    secant step in `test_secant.py`).
    """
    precisions = (1e4, 10.0, 100.0, 1.0)
    network = pcmodel.dense(
        (8, 10, 6, 3), precisions=precisions, rngs=nnx.Rngs(1), scale=3.0
    )
    data = jax.random.normal(jax.random.key(3), (4, 8))
    problem = cast(pose(network, data), dtype)
    solver = GaussNewton(Dual(), max_iterations=1)
    start = pcmodel.sample(network, jax.random.key(4), 4)
    latents = tuple(
        x.astype(dtype) for x in (problem.problem.inputs.values[0], *start[1:])
    )
    energies = []
    for _ in range(40):
        found = run_inference(problem, solver, latents)
        latents = found.latents
        energies.append(found.energy)
    rise = np.diff(np.array(energies, dtype=float), axis=0)
    rounding = 20 * jnp.finfo(dtype).eps * np.abs(energies[0]).max()
    assert rise.max() <= rounding
    assert np.all(energies[-1] < energies[0])


def test_a_nan_inside_is_reported_and_never_raised():
    """Prevents a broken example from passing for a belief, or stopping a batch."""
    network = pcmodel.dense((3, 4, 2), rngs=nnx.Rngs(0))
    good = pose(network, np.ones((2, 3)))
    for value in (jnp.nan, jnp.inf):
        values = (good.problem.inputs.values[0].at[1, 0].set(value),)
        inputs = good.problem.inputs
        inputs = inputs._replace(values=values + inputs.values[1:])
        broken = Posed(
            type(good.problem)(good.problem.structure, inputs), good.batching
        )
        found = run_inference(broken, GaussNewton())
        assert found.converged.tolist() == [True, False]


def test_reaching_the_iteration_bound_is_reported():
    """Prevents an unfinished run from being read as an equilibrium."""
    found = run_inference(posed(PRECISIONS[0]), GaussNewton(max_iterations=2))
    assert not jnp.any(found.converged) and jnp.all(found.iterations == 2)
    assert jnp.all(found.residual > 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [jnp.float64, jnp.float32], ids=["double", "single"])
def test_all_gains_alike_move_no_mode(dtype):
    """Prevents a nonlinear network from revising beliefs under a change of units."""
    network = pcmodel.dense(
        (6, 8, 4, 3), rngs=nnx.Rngs(2), precisions=(4.0, 2.0, 1.0, 3.0)
    )
    data = pcmodel.sample(network, jax.random.key(4), 5)[0]
    base = cast(pose(network, data), dtype)
    modes = []
    for gain in (1.0, 0.1, 10.0):
        gains = tuple(jnp.full_like(each, gain) for each in base.problem.inputs.gains)
        inputs = base.problem.inputs._replace(gains=gains)
        scaled = Posed(
            type(base.problem)(base.problem.structure, inputs), base.batching
        )
        solver = GaussNewton(tolerance=1e-6)
        modes.append(jnp.concatenate(run_inference(scaled, solver).latents, axis=1))
    for mode in modes[1:]:
        assert jnp.max(jnp.abs(mode - modes[0])) < 1e-5


class Counting:
    """A linear solver that solves densely and says that it took seven products."""

    is_direct = True

    def prepare(self, problem, whitened, linear, damping):
        matrix = output_jacobian(linear)
        whole = (1 + damping) * jnp.eye(matrix.shape[1]) + matrix.T @ matrix

        def solve(rhs, target):
            step = jnp.linalg.solve(whole, rhs)
            pushed = matrix @ step
            pulled = matrix.T @ pushed
            return LinearSolution(step, pushed, pulled, 0 * target, jnp.asarray(7))

        return Prepared(solve, lambda vector: jnp.linalg.solve(whole, vector))


def test_products_are_counted_over_all_steps():
    """Seven for each step, and for the measurement that ends it."""
    linear = pcmodel.linear_gaussian([np.array([[1.0, 2.0]])], [4.0, 1.0])
    found = run_inference(pose(linear, np.array([3.0])), GaussNewton(Counting()))
    assert found.iterations == 1 and found.products == 14
    network = pcmodel.dense((3, 4, 2), precisions=(9.0, 1.0, 1.0), rngs=nnx.Rngs(0))
    bent = run_inference(pose(network, np.ones(3)), GaussNewton(Counting()))
    # The look for saddles adds a few.
    assert bent.converged and bent.products >= 7 * (bent.iterations + 1)


def test_a_wide_network_is_opened_with_secant_steps_unless_its_solver_is_named():
    """Many cheap steps around one factor, against few with a factor each; to the same mode."""
    problem = posed((1.0, 1.0, 1.0, 1.0))
    opened = run_inference(problem, GaussNewton())
    named = run_inference(problem, GaussNewton(Dual()))
    assert jnp.all(opened.iterations > named.iterations)
    np.testing.assert_allclose(opened.energy, named.energy, rtol=1e-9)


def squares(weight=1.0):
    """One unit that predicts its square, in single precision."""
    network = pcmodel.dense((1, 1, 1), activation=jnp.square, rngs=nnx.Rngs(0))
    for layer in network.layers:
        layer.weight[...] = jnp.full((1, 1), weight)
    return network


def test_curvature_that_cannot_be_told_from_none_is_no_saddle():
    """x^2 under y: at x = 0 the curvature is 1/2 - 2 y; below zero by what single precision does not see, x = 0 is the mode."""
    start = (jnp.zeros(1), jnp.zeros(1), jnp.zeros(1))
    for excess, leaves in ((1e-5, False), (0.25, True)):
        problem = pose(squares(), np.array([0.25 + excess]))
        single = cast(problem, jnp.float32)
        latents = tuple(x.astype(jnp.float32) for x in start)
        found = run_inference(single, GaussNewton(), latents)
        assert found.converged
        assert bool(jnp.abs(found.latents[1][0]) > 1e-2) == leaves


def test_leaving_a_saddle_is_a_step():
    """At rest under x^2 the look around finds the way down; one step is granted, and that is it."""
    problem = pose(squares(), np.array([3.0]))
    start = (jnp.zeros(1), jnp.zeros(1), jnp.zeros(1))
    found = run_inference(problem, GaussNewton(max_iterations=1), start)
    assert int(found.iterations) == 1 and not found.converged
    # No Newton step has been taken from the place that the way down led to.
    assert float(jnp.abs(found.latents[1][0])) > 0.1 and float(found.residual) > 1
