"""Derivatives of large problems: the tangent equation by conjugate gradients is solved as tightly as a dense one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference import implicit_derivatives, infer


@pytest.mark.parametrize(("limit", "atol"), [(512, 1e-11), (0, 1e-10)])
def test_the_tangent_equation_is_solved_whichever_way(monkeypatch, limit, atol):
    """Prevents gradients of wide networks to single precision where double was asked for.

    An ill-conditioned symmetric system, also differentiated: d/ds (A + s)^-1 b = -(A + s)^-2 b.
    """
    monkeypatch.setattr(infer, "DENSE_TANGENT", limit)
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(40, 40)))[0]
    matrix = basis @ np.diag(np.logspace(0, 2.5, 40)) @ basis.T
    rhs = rng.normal(size=40)

    @jax.jit
    def solved(shift):
        product = lambda v: jnp.asarray(matrix) @ v + shift * v  # noqa: E731
        return infer.solve_tangent(product, jnp.asarray(rhs))

    exact = np.linalg.solve(matrix, rhs)
    np.testing.assert_allclose(solved(0.0), exact, atol=atol)
    slope = jax.jit(jax.jacfwd(solved))(0.0)
    np.testing.assert_allclose(slope, -np.linalg.solve(matrix, exact), atol=atol)


def test_derivatives_that_nobody_asks_for_are_not_traced(monkeypatch):
    """Prevents a third of the time to trace `infer` from going into equations that are thrown away."""
    network = pcmodel.dense((3, 2), rngs=nnx.Rngs(0))
    problem = pose(network, np.ones(3)).problem
    asked = []

    def equation(_, unknowns):
        asked.append(unknowns.shape)
        return unknowns

    monkeypatch.setattr(implicit_derivatives, "equation", equation)

    def mode(problem):
        return implicit_derivatives.differentiable(problem, jnp.zeros(2))[0]

    jax.make_jaxpr(mode)(problem)
    assert not asked
    jax.make_jaxpr(lambda p: jax.linearize(mode, p)[0])(problem)
    assert asked
