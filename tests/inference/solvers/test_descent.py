"""Descent by a fixed number of steps: what is recorded and what is only stepped through."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.solvers.descent import CHECK_EVERY, descend_steps, trajectory
from pcmodel.model.energy import energy, latents_from_state


@pytest.fixture(scope="module")
def problem():
    """Three levels, the top clamped in part, level 0 whole."""
    network = pcmodel.dense((3, 4, 2), precisions=(4.0, 2.0, 1.0), rngs=nnx.Rngs(0))
    top = pcmodel.Clamp(np.array([0.0, 0.7]), np.array([False, True]))
    return pose(network, np.array([1.0, -1.0, 0.5]), clamp={"top": top}).problem


@pytest.mark.parametrize(
    "optimiser",
    [
        pytest.param(optax.sgd(0.05), marks=pytest.mark.slow),
        pytest.param(optax.sgd(0.05, 0.9), marks=pytest.mark.slow),
        optax.adam(0.05),
    ],
)
def test_a_descent_on_levels_is_the_one_on_the_flat_state(problem, optimiser):
    """The reference steps on one flat vector. Prevents a level from being stepped with another
    level's momentum, or the recorded points from lagging the energies."""
    point = jnp.linspace(-1, 1, problem.structure.num_free)

    def energy_of(state):
        return energy(problem, latents_from_state(problem, state))

    solver, memory = pcmodel.StateDescent(optimiser), optimiser.init(point)
    path = trajectory(solver, problem, point, 6)
    end = descend_steps(solver, problem, point, 6)
    for step in range(6):
        np.testing.assert_allclose(path.points[step], point, rtol=1e-12)
        np.testing.assert_allclose(path.energies[step], energy_of(point), rtol=1e-12)
        updates, memory = optimiser.update(jax.grad(energy_of)(point), memory, point)
        point = point + updates
    np.testing.assert_allclose(end, point, rtol=1e-12)


def test_a_descent_on_errors_takes_the_same_number_of_steps(problem):
    """Prevents whitened errors from being cut up like latents."""
    start = jnp.linspace(-1, 1, problem.structure.num_free)
    solver = pcmodel.ErrorDescent(optax.sgd(0.02))
    path = trajectory(solver, problem, start, 8)
    assert np.all(np.diff(path.energies) < 0)
    end = descend_steps(solver, problem, start, 7)
    np.testing.assert_allclose(end, path.points[7], rtol=1e-12)


@pytest.mark.parametrize("kind", [pcmodel.StateDescent, pcmodel.ErrorDescent])
def test_tolerance_zero_takes_exactly_the_steps_asked_for(kind):
    """Prevents a fixed number of steps from being rounded to the distance between checks."""
    network = pcmodel.dense((4, 3, 2), rngs=nnx.Rngs(0))
    data = np.linspace(-1, 1, 4)
    problem = pose(network, data).problem
    start = jnp.zeros(5)
    solver = kind(optax.sgd(0.05), tolerance=0.0, max_steps=13)
    coordinates = solver.coordinates(problem)
    path = trajectory(solver, problem, coordinates.from_whitened(start), 14)
    found = solver.minimise(problem, start)
    expected = coordinates.to_whitened(path.points[13])
    np.testing.assert_allclose(found.whitened, expected, rtol=1e-9)
    assert found.iterations == 13 and not found.converged and found.residual > 0


def test_steps_are_counted_from_none(problem):
    """In whole chunks, and none beyond the bound."""
    start = jnp.zeros(problem.structure.num_free)
    for bound in (CHECK_EVERY, 3 * CHECK_EVERY):
        solver = pcmodel.StateDescent(optax.sgd(1e-6), max_steps=bound)
        assert int(solver.minimise(problem, start).iterations) == bound
