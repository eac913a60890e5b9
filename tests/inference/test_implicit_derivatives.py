"""Derivatives of large problems: the tangent equation by conjugate gradients is solved as tightly as a dense one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.inference import infer


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
