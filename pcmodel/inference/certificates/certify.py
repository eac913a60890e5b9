"""Certification of a result of any solver: its distance from the mode, and tests for saddles and corners."""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.certificates.local_model import Ground
from pcmodel.inference.certificates.newton_decrement import (
    Certificate,
    conclude,
    decrement_bound,
    is_convex,
    last_digit,
    widened,
)
from pcmodel.inference.certificates.saddles import look_around
from pcmodel.inference.linear.dual_primal import LinearSolver, choose
from pcmodel.inference.solvers.sufficient_decrease import point_at
from pcmodel.inference.whitened import linearise
from pcmodel.model.problem import Problem


def certify(
    problem: Problem,
    whitened: Float[Array, " free"],
    *,
    tolerance: float,
    linear_solver: LinearSolver | None = None,
) -> Certificate:
    """The certificate of a point, from its gradient and curvature.

    The residual is infinite at a saddle, and at a corner beside which the energy decreases, however small the gradient.
    """
    if whitened.shape[0] == 0:
        return Certificate(jnp.zeros((), whitened.dtype), jnp.ones((), bool))
    linear = linearise(problem, whitened)
    solver = linear_solver or choose(problem.structure, linear.num_outputs)
    zero = jnp.zeros((), whitened.dtype)
    prepared = solver.prepare(problem, whitened, linear, zero)
    solution = prepared.solve(-linear.gradient, 0.25 * jnp.asarray(tolerance))
    bound = decrement_bound(linear.gradient, solution)
    if not is_convex(problem):
        ground = Ground(point_at(problem, whitened), linear, prepared.precondition)
        around = look_around(problem, ground, jnp.ones((), bool))
        bound = jnp.where(around.leaving, jnp.inf, widened(bound, around.widening))
    return conclude(bound, last_digit(problem, whitened, linear), tolerance)
