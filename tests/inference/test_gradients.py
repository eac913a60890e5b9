"""Derivatives through inference against finite differences.

Fits by NUTS and by dose follow these derivatives; a wrong one moves the posterior of a
participant's precision without any error message.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from hierarchies import random_spd

import pcmodel
from pcmodel import Belief, Modulation
from pcmodel.api.pose import pose
from pcmodel.inference import GaussNewton, StateDescent, infer_one
from pcmodel.inference.posterior import free_energy
from pcmodel.model.problem import Problem
from pcmodel.networks.layers.dense import identity


def problem_of(activation):
    """A small hierarchy with every kind of input a derivative may be wanted of."""
    network = pcmodel.dense(
        (3, 3, 2),
        activation=activation,
        precisions=(
            np.array([3.0, 1.0, 2.0]),
            random_spd(np.random.default_rng(0), 3),
            2.0,
        ),
        rngs=nnx.Rngs(1),
    )
    belief = Belief.of(np.array([0.5, -1.0]), random_spd(np.random.default_rng(1), 2))
    return pose(
        network,
        np.array([1.0, -0.5, 2.0]),
        prior=belief,
        modulation=Modulation({0: 0.7, 1: np.array([0.5, 1.5, 2.0]), 2: 0.3}),
    ).problem


def directional(problem, key):
    """A random direction in every real input at once."""
    leaves, tree = jax.tree.flatten(problem.inputs)
    keys = jax.random.split(key, len(leaves))
    directions = [
        jax.random.normal(k, jnp.shape(leaf))
        for k, leaf in zip(keys, leaves, strict=True)
    ]
    return jax.tree.unflatten(tree, directions)


def readout(problem, inputs):
    """A nonlinear function of the mode and of the Laplace evidence."""
    moved = Problem(problem.structure, inputs)
    found = infer_one(moved, GaussNewton(), jnp.zeros((problem.structure.num_free,)))
    shape = jnp.sum(jnp.sin(jnp.concatenate(found.latents)) * jnp.arange(1.0, 9.0))
    return shape + 0.1 * found.energy + 0.1 * free_energy(moved, found.whitened)


def along(inputs, direction, step):
    return jax.tree.map(lambda a, b: a + step * b, inputs, direction)


@pytest.mark.slow
@pytest.mark.parametrize(
    "activation",
    [identity, jnp.tanh],
    ids=["linear", "tanh"],
)
def test_derivatives_through_inference_equal_finite_differences(activation, getkey):
    """Prevents a fit from climbing another likelihood than the one it reports.

    Forward and reverse, along random directions in observation, prior, log-precisions,
    weights and gains together, and one by one; forward as a batch of directions.
    """
    problem = problem_of(activation)
    value = jax.jit(lambda inputs: readout(problem, inputs))
    reverse = jax.jit(jax.grad(value))(problem.inputs)
    forward = jax.jit(jax.vmap(lambda d: jax.jvp(value, (problem.inputs,), (d,))[1]))
    whole = [directional(problem, getkey()) for _ in range(2)]
    zero = jax.tree.map(jnp.zeros_like, whole[0])
    singly = [zero._replace(**{name: getattr(whole[0], name)}) for name in zero._fields]
    directions = [*whole, *singly]
    forwards = forward(jax.tree.map(lambda *x: jnp.stack(x), *directions))
    for direction, derivative in zip(directions, forwards, strict=True):
        step = 1e-5
        slope = (
            value(along(problem.inputs, direction, step))
            - value(along(problem.inputs, direction, -step))
        ) / (2 * step)
        np.testing.assert_allclose(derivative, slope, rtol=1e-6, atol=1e-7)
        products = jax.tree.map(lambda a, b: jnp.sum(a * b), reverse, direction)
        np.testing.assert_allclose(
            sum(jax.tree.leaves(products)), slope, rtol=1e-6, atol=1e-7
        )


@pytest.mark.slow
def test_derivatives_are_the_equilibriums_not_the_solvers():
    """Prevents differentiating the iterations of a solver instead of the equilibrium.

    Two steps of gradient descent have other derivatives; started at the mode, the
    implicit one is exact whatever the solver does.
    """
    problem = problem_of(identity)
    mode = infer_one(problem, GaussNewton(), jnp.zeros((5,))).whitened

    def top(observation, solver):
        values = (observation, *problem.inputs.values[1:])
        moved = Problem(problem.structure, problem.inputs._replace(values=values))
        return infer_one(moved, solver, mode).latents[2]

    jacobian = jax.jit(
        lambda y, solver: jax.jacfwd(lambda y: top(y, solver))(y), static_argnums=1
    )
    observation = problem.inputs.values[0]
    newton = jacobian(observation, GaussNewton())
    descent = jacobian(observation, StateDescent(optax.sgd(1e-3), max_steps=10))
    np.testing.assert_allclose(descent, newton, rtol=1e-8)
