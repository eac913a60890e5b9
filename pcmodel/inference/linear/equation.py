r"""The Gauss-Newton equation $(H + \mu)\, d = -g$ of a point: made, solved, and measured.

Of a quadratic the Hessian is the same everywhere, so that one factor serves every step and, where its examples share
their precisions, a whole batch.
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
"""Relative residual a linear solve may leave where another step costs little, or is needed anyway."""


def is_quadratic(problem: Problem) -> bool:
    """Whether one Newton step is exact."""
    return problem.structure.model.is_linear and not problem.structure.is_discrete


class Equation(NamedTuple):
    """The damped Gauss-Newton equation of one point, ready to be solved.

    inexact: whether it need not be solved to the end at once.
    """

    gradient: Array
    linear: Linearisation
    prepared: Prepared
    inexact: bool


class Constant(NamedTuple):
    """Of a quadratic: the Hessian is the same everywhere."""

    linear: Linearisation
    prepared: Prepared
    is_factored: bool

    def at(self, problem: Problem, point: Point, damping: Array) -> Equation:
        """A new gradient only: z + S' r."""
        del damping
        linear = self.linear_at(problem, point)
        return Equation(linear.gradient, linear, self.prepared, self.is_factored)

    def linear_at(self, problem: Problem, point: Point) -> Linearisation:
        """The same products with another gradient, z + S' r."""
        del problem
        gradient = point.whitened + self.linear.pull(point.rows)
        return self.linear._replace(gradient=gradient)


class Moving(NamedTuple):
    """Linearised anew at every point."""

    solver: LinearSolver

    def at(self, problem: Problem, point: Point, damping: Array) -> Equation:
        """Linearise, and factor if the solver does."""
        linear = self.linear_at(problem, point)
        prepared = self.solver.prepare(problem, point.whitened, linear, damping)
        return Equation(linear.gradient, linear, prepared, True)

    def linear_at(self, problem: Problem, point: Point) -> Linearisation:
        """Gradient and products at the point."""
        return linearise(problem, point.whitened)


class Measured(NamedTuple):
    """The Gauss-Newton equation at one point, solved.

    residual: bound on the decrement.  noise: rounding of the energy, nats.  limit: where the residual counts as
    found.  target: how exactly the equation was solved.
    """

    residual: Array
    noise: Array
    limit: Array
    target: Array
    solution: LinearSolution


def allowed(problem: Problem, point: Point, tolerance: float) -> tuple[Array, Array]:
    """Rounding of the energy at a point, nats, and the residual at which the point counts as found."""
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
    """Solve the equation of a point; bound its decrement, of which the true Hessian's is `scale` times as large."""
    noise, limit = allowed(problem, point, tolerance)
    limit = limit / scale
    target = 0.5 * limit
    if equation.inexact:
        norm = jnp.sqrt(jnp.sum(equation.gradient**2))
        target = jnp.maximum(target, FORCING * norm)
    solution = equation.prepared.solve(-equation.gradient, target)
    residual = decrement_bound(equation.gradient, solution)
    return Measured(residual, noise, limit, target, solution)
