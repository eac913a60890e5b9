r"""The Gauss-Newton equation $(H + \mu)\, d = -g$ of a point: its preparation, solution and residual.

For a quadratic the Hessian is constant, so that one factor serves every step and, if examples share their precisions,
a whole batch.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from pcmodel.inference.certificates.newton_decrement import certifiable, decrement_bound
from pcmodel.inference.linear.dual_primal import LinearSolution, LinearSolver, Prepared
from pcmodel.inference.solvers.sufficient_decrease import (
    Point,
    energy_rounding,
    gradient_rounding,
)
from pcmodel.inference.whitened import Linearisation, linearise
from pcmodel.model.problem import Problem

FORCING = 0.03
"""Relative residual of an inexact linear solve, where another step is cheap or needed anyway."""


def is_quadratic(problem: Problem) -> bool:
    """Whether one Newton step is exact."""
    return problem.structure.model.is_linear and not problem.structure.is_discrete


class Equation(NamedTuple):
    """The damped Gauss-Newton equation of one point, prepared for solving.

    gradient: gradient of the objective.
    linear: expansion of the objective.
    prepared: linear solve.
    inexact: whether an approximate solution is sufficient.
    """

    gradient: Array
    linear: Linearisation
    prepared: Prepared
    inexact: bool


class Constant(NamedTuple):
    """Gauss-Newton equations of a quadratic, with a constant Hessian.

    linear: expansion at the initial point.
    prepared: undamped linear solve.
    is_factored: whether the solve is direct.
    """

    linear: Linearisation
    prepared: Prepared
    is_factored: bool

    def at(self, problem: Problem, point: Point, damping: Array) -> Equation:
        """The equation at a point: only the gradient, z + S' r, is new."""
        del damping
        linear = self.linear_at(problem, point)
        return Equation(linear.gradient, linear, self.prepared, self.is_factored)

    def linear_at(self, problem: Problem, point: Point) -> Linearisation:
        """The expansion at a point: the same products with gradient z + S' r."""
        del problem
        gradient = point.whitened + self.linear.pull(point.rows)
        return self.linear._replace(gradient=gradient)


class Moving(NamedTuple):
    """Gauss-Newton equations linearised at every point, solved by `solver`."""

    solver: LinearSolver

    def at(self, problem: Problem, point: Point, damping: Array) -> Equation:
        """The equation at a point, linearised and (by a direct solver) factored there."""
        linear = self.linear_at(problem, point)
        prepared = self.solver.prepare(problem, point.whitened, linear, damping)
        return Equation(linear.gradient, linear, prepared, True)

    def linear_at(self, problem: Problem, point: Point) -> Linearisation:
        """The expansion of the objective at the point."""
        return linearise(problem, point.whitened)


class Measured(NamedTuple):
    """The solved Gauss-Newton equation of one point.

    residual: bound on the Newton decrement, posterior standard deviations.
    noise: rounding error of the energy, nats.
    limit: residual at which the point counts as converged.
    target: residual norm requested from the linear solve.
    solution: Newton step.
    """

    residual: Array
    noise: Array
    limit: Array
    target: Array
    solution: LinearSolution


def allowed(problem: Problem, point: Point, tolerance: float) -> tuple[Array, Array]:
    """Rounding error of the energy at a point, nats, and the residual at which the point counts as converged."""
    noise = energy_rounding(problem, point)
    rounding = jnp.minimum(gradient_rounding(noise), 0.5 * certifiable(noise.dtype))
    return noise, jnp.maximum(0.9 * tolerance, rounding)


def measure(
    problem: Problem,
    point: Point,
    equation: Equation,
    tolerance: float,
    *,
    scale: Array | float = 1.0,
) -> Measured:
    """Solve the equation of a point and bound its decrement.

    scale: factor from this decrement to that of the true Hessian; the limit on the residual is divided by it.
    """
    noise, limit = allowed(problem, point, tolerance)
    limit = limit / scale
    target = 0.5 * limit
    if equation.inexact:
        norm = jnp.sqrt(jnp.sum(equation.gradient**2))
        target = jnp.maximum(target, FORCING * norm)
    solution = equation.prepared.solve(-equation.gradient, target)
    residual = decrement_bound(equation.gradient, solution)
    return Measured(residual, noise, limit, target, solution)
