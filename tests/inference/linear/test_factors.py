"""Every direct solver's own map is the inverse Hessian: a solve that is corrected afterwards would hide it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hierarchies import network_of, random_clamps, random_hierarchy, random_spd

import pcmodel
from pcmodel import Belief, BlockTridiagonal, Dual, Modulation, Primal
from pcmodel.api.pose import pose
from pcmodel.inference.linear.dual_primal import factor_once, output_jacobian
from pcmodel.inference.whitened import linearise

WIDTHS, KINDS = (3, 2, 4, 3), ("unit", "full", "scalar", "full")
BELIEVED = {
    "no belief": (),
    "about the top": (3,),
    "about every latent level": (1, 2, 3),
    "about the data": (0, 2),
}
CLAMPED = {
    "data": {0: ()},
    "parts of every level": {0: (0, 2), 1: (1,), 2: (0, 3), 3: (2,)},
    "a level between": {0: (1,), 2: ()},
    "the ends": {0: (), 3: ()},
}


def case(believed, clamped):
    rng = np.random.default_rng(len(believed) + 7 * len(clamped))
    hierarchy = random_hierarchy(rng, WIDTHS, KINDS)
    clamps, _ = random_clamps(rng, WIDTHS, CLAMPED[clamped])
    prior = [
        Belief.from_covariance(
            jnp.asarray(rng.normal(size=WIDTHS[level])),
            jnp.asarray(random_spd(rng, WIDTHS[level])),
            (level,),
        )
        for level in BELIEVED[believed]
        if len(CLAMPED[clamped].get(level, (0,)))
    ]
    gains = dict(enumerate(10 ** rng.uniform(-1, 1, size=4)))
    return pose(
        network_of(hierarchy),
        clamp=clamps,
        prior=prior or None,
        modulation=Modulation(gains),
    ).problem


@jax.jit(static_argnames=("solver",))
def inverse(problem, damping, *, solver):
    """The Hessian, damped, and the solver's map of every unit vector."""
    zero = jnp.zeros(problem.structure.num_free)
    linear = linearise(problem, zero)
    matrix = output_jacobian(linear)
    hessian = (1 + damping) * jnp.eye(len(zero)) + matrix.T @ matrix
    prepared = solver.prepare(problem, zero, linear, damping)
    return hessian, jax.vmap(prepared.precondition)(jnp.eye(len(zero)))


@pytest.mark.parametrize("solver", [Dual(), Primal(), BlockTridiagonal()])
@pytest.mark.parametrize("clamped", CLAMPED)
def test_a_factor_inverts_the_hessian(clamped, solver):
    problem = case("about every latent level", clamped)
    for damping in (0.0, 0.7):
        hessian, found = inverse(problem, jnp.asarray(damping), solver=solver)
        np.testing.assert_allclose(
            found @ hessian, np.eye(len(hessian)), rtol=1e-8, atol=1e-8
        )


@pytest.mark.parametrize("believed", ["about the top", "about the data"])
def test_beliefs_are_counted_once_in_the_blocks(believed):
    """One about the top replaces the prior; one about missing data stands beside the prediction."""
    problem = case(believed, "parts of every level")
    hessian, found = inverse(problem, jnp.zeros(()), solver=BlockTridiagonal())
    np.testing.assert_allclose(found @ hessian, np.eye(len(hessian)), atol=1e-8)


@pytest.mark.parametrize("solver", [Dual(), Primal(), BlockTridiagonal()])
def test_a_factor_made_once_is_that_of_its_point(solver):
    problem = case("no belief", "data")
    zero = jnp.zeros(problem.structure.num_free)
    hessian, _ = inverse(problem, jnp.zeros(()), solver=solver)
    once = jax.jit(lambda v: factor_once(problem, zero, solver)(v))
    found = jax.vmap(once)(jnp.eye(len(zero)))
    np.testing.assert_allclose(found @ hessian, np.eye(len(hessian)), atol=1e-8)


@pytest.mark.parametrize("data", ["bernoulli", "categorical"])
def test_blocks_know_the_information_of_discrete_data(data):
    likelihood = pcmodel.Bernoulli() if data == "bernoulli" else pcmodel.Categorical()
    rng = np.random.default_rng(0)
    network = pcmodel.linear_gaussian(
        [rng.normal(size=(4, 3)), rng.normal(size=(3, 2))],
        [None, 2.0, 3.0],
        likelihood=likelihood,
    )
    observed = np.array([1.0, 0.0, 0.0, 0.0])
    problem = pose(network, observed).problem
    hessian, found = inverse(problem, jnp.asarray(0.3), solver=BlockTridiagonal())
    np.testing.assert_allclose(found @ hessian, np.eye(len(hessian)), atol=1e-8)
