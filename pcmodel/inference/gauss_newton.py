r"""Guarded Gauss-Newton: the default solver.

Whitened coordinates, Hessian $I + S^\top S$, one linear solve a step.  A plain Gauss-Newton step
oscillates on tanh networks, so each step is guarded: it is halved until the energy falls
(Armijo), and Levenberg-Marquardt damping rises after a poor step and fades after a good one.
The energy therefore never rises.

Where a factor of the Hessian costs as much as many gradients, a nonlinear problem is opened by secant
steps around one factor, that of the start (`pcmodel.inference.secant`; at the top-down sweep a whole
batch shares it); what they leave is done by Gauss-Newton steps with factors of their own.  A
`linear_solver` given by name factors anew at every step from the first.

Where errors stay large at the mode (data the network cannot explain), Gauss-Newton
only converges linearly, because it leaves out the curvature of the predictions.  A step that did not
shrink the residual fourfold is followed by one with the *true* Hessian: conjugate gradients
preconditioned by the Gauss-Newton factor, cut short at negative curvature.

It stops on the Newton decrement (see `SolverResult.residual`).  Because the Gauss-Newton Hessian is at
least the identity, $g^\top H^{-1} g \le -g^\top d + |\rho|^2$ for an inexact solve with residual $\rho$, and also
$\le |g|^2$: the bound is rigorous for the Gauss-Newton model whatever the linear solver.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.guard import (
    Point,
    energy_change,
    energy_rounding,
    falls_enough,
    gradient_rounding,
    point_at,
)
from pcmodel.inference.linear_solve import (
    DIRECT_BUDGET,
    LinearSolution,
    LinearSolver,
    Precondition,
    Preconditioned,
    cheapest_direct,
    choose,
    conjugate_gradient,
    factor_once,
    gradient_cost,
)
from pcmodel.inference.secant import secant_descent
from pcmodel.inference.solver import SolverResult, resolve_tolerance
from pcmodel.inference.whitened import linearise, objective
from pcmodel.problem import Problem

FIRST_DAMPING = 1e-2
LEAST_DAMPING = 1e-7
GREATEST_DAMPING = 1e8
SHORTEST = 1e-3
"""Share of a step below which it is not halved again."""
PATIENCE = 10
"""Steps granted once all there is left to gain is lost in the energy's rounding."""
SLOW = 0.25
"""A Gauss-Newton step should shrink the residual by this factor."""
MAX_NEWTON_PRODUCTS = 50
DEAR = 60
"""Price of one factor, in gradients, from which secant steps around a single one pay."""
OPENING = 40
"""Secant steps before the Gauss-Newton loop: further ones gain little, if these did not arrive."""
CERTIFYING = 20
"""Products granted to certify, with the factor of the start, that the secant steps arrived."""
FORCING = 0.03
"""Relative residual an iterative linear solve may leave in a nonlinear problem."""


class _State(NamedTuple):
    point: Point
    damping: Array
    residual: Array
    patience: Array
    stop: Array
    converged: Array
    iterations: Array
    products: Array


@dataclass(frozen=True)
class GaussNewton:
    """Line-search-guarded, damped Gauss-Newton.

    linear_solver: None chooses by size (`pcmodel.inference.linear_solve.choose`) and opens with secant steps.
    tolerance: on the residual, in posterior standard deviations; None: 1e-3 in float32,
        1e-9 in float64.  It is never tightened below what rounding allows.
    max_iterations: a bound on outer steps; reaching it is reported, `converged` is then false.
    """

    linear_solver: LinearSolver | None = None
    tolerance: float | None = None
    max_iterations: int = 200

    def minimise(
        self, problem: Problem, initial: Float[Array, " free"]
    ) -> SolverResult:
        """Descend from `initial`; forward-differentiable only through `infer`."""
        tolerance = resolve_tolerance(self.tolerance, initial.dtype)
        point = point_at(problem, initial)
        solver = self.linear_solver or choose(problem.structure, num_outputs(point))
        start = first_state(point)
        if self.linear_solver is None and is_opened(problem, num_outputs(point)):
            start = opened(problem, initial, solver, tolerance, self.max_iterations)
        end = jax.lax.while_loop(
            lambda state: ~state.stop & (state.iterations < self.max_iterations),
            lambda state: iterate(problem, state, solver, tolerance),
            start,
        )
        return SolverResult(
            end.point.whitened,
            end.residual,
            end.converged,
            end.iterations,
            end.products,
        )


def is_opened(problem: Problem, outputs: int) -> bool:
    """Whether secant steps come first: a factor can be had, but for the price of many gradients."""
    _, cost = cheapest_direct(problem.structure, outputs)
    dear = cost > DEAR * gradient_cost(problem.structure)
    return dear and cost <= DIRECT_BUDGET and not is_quadratic(problem)


def first_state(point: Point) -> _State:
    """Before any step; a problem with nothing free is solved already."""
    dtype, solved = point.whitened.dtype, point.whitened.shape[0] == 0
    none = jnp.zeros((), int)
    return _State(
        point,
        jnp.zeros((), dtype),
        jnp.asarray(0 if solved else jnp.inf, dtype),
        jnp.asarray(PATIENCE),
        jnp.asarray(solved),
        jnp.asarray(solved),
        none,
        none,
    )


def opened(
    problem: Problem,
    initial: Array,
    solver: LinearSolver,
    tolerance: float,
    max_iterations: int,
) -> _State:
    """After secant steps around the factor of the start, certified with that factor if possible."""
    precondition = factor_once(problem, initial, solver)
    whitened, steps = secant_descent(
        problem,
        initial,
        precondition,
        tolerance=0.5 * tolerance,
        max_steps=min(OPENING, max_iterations),
    )
    state = first_state(point_at(problem, whitened))
    certifier = Preconditioned(precondition, CERTIFYING)
    measured = measure(problem, state.point, certifier, state.damping, tolerance)
    found = measured.residual <= measured.limit
    return state._replace(
        residual=measured.residual,
        stop=found,
        converged=found,
        iterations=steps,
        products=steps + measured.solution.products,
    )


def num_outputs(point: Point) -> int:
    """Rows of S."""
    logits = 0 if point.logits is None else point.logits.shape[0]
    return point.rows.shape[0] + logits


def iterate(
    problem: Problem, state: _State, solver: LinearSolver, tolerance: float
) -> _State:
    """One guarded step."""
    # A quadratic is never damped; said statically, so that a batch of examples shares one factor.
    quadratic = is_quadratic(problem)
    damping = jnp.zeros_like(state.damping) if quadratic else state.damping
    measured = measure(problem, state.point, solver, damping, tolerance)
    gradient, noise = measured.gradient, measured.noise
    residual, solution = measured.residual, measured.solution
    found = residual <= measured.limit
    done = found | ~jnp.isfinite(residual)
    step, products = solution.step, solution.products
    if not quadratic:
        slow = ~done & (residual > SLOW * state.residual)
        newton = newton_step(problem, state, measured, slow)
        step = jnp.where(slow, newton.step, step)
        products += newton.products
    moved = search(problem, state, step, jnp.sum(gradient * step), noise, done)
    lost = ~done & (0.5 * residual**2 <= noise)
    patience = state.patience - lost
    stalled = lost & (~moved.accepted | (patience == 0))
    return _State(
        moved.point,
        moved.damping,
        residual,
        patience,
        done | stalled | (moved.damping > GREATEST_DAMPING),
        found | stalled,
        state.iterations + jnp.where(done, 0, 1),
        state.products + products,
    )


def is_quadratic(problem: Problem) -> bool:
    """Whether one Newton step is exact."""
    return problem.structure.model.is_linear and not problem.structure.is_discrete


class _Measured(NamedTuple):
    """The Gauss-Newton equation at one point, solved.

    residual: bound on the Newton decrement.  limit: where it counts as found.  target: how
    exactly (in the norm of the equation's residual) it was solved.
    """

    gradient: Array
    noise: Array
    limit: Array
    target: Array
    solution: LinearSolution
    residual: Array
    precondition: Precondition


def measure(
    problem: Problem,
    point: Point,
    solver: LinearSolver,
    damping: Array,
    tolerance: float,
) -> _Measured:
    """Solve the damped Gauss-Newton equation of a point; bound its decrement."""
    linear = linearise(problem, point.whitened)
    gradient, noise = linear.gradient, energy_rounding(problem, point)
    limit = jnp.maximum(tolerance, gradient_rounding(noise))
    norm = jnp.sqrt(jnp.sum(gradient**2))
    target = 0.5 * limit
    if not is_quadratic(problem):
        target = jnp.maximum(target, FORCING * norm)
    prepared = solver.prepare(problem, point.whitened, linear, damping)
    solution = prepared.solve(-gradient, target)
    # Damping shortens the step: (H + mu) <= (1 + mu) H turns it back into a bound.
    decrement2 = (1 + damping) * (
        solution.residual**2 - jnp.sum(gradient * solution.step)
    )
    # `minimum` keeps a NaN, which then stops the loop.
    residual = jnp.minimum(norm, jnp.sqrt(jnp.maximum(decrement2, 0)))
    return _Measured(
        gradient, noise, limit, target, solution, residual, prepared.precondition
    )


def newton_step(
    problem: Problem, state: _State, measured: _Measured, wanted: Array
) -> LinearSolution:
    """Truncated Newton with the true Hessian; costs nothing where not wanted."""

    def product(vector: Array) -> Array:
        _, image = jax.jvp(
            lambda z: jax.grad(objective, argnums=1)(problem, z),
            (state.point.whitened,),
            (vector,),
        )
        return image + state.damping * vector

    return conjugate_gradient(
        product,
        -measured.gradient,
        measured.target,
        jnp.where(wanted, MAX_NEWTON_PRODUCTS, 0),
        precondition=measured.precondition,
    )


class _Move(NamedTuple):
    point: Point
    damping: Array
    accepted: Array


def search(
    problem: Problem,
    state: _State,
    step: Array,
    slope: Array,
    noise: Array,
    done: Array,
) -> _Move:
    """Halve the step until the energy falls enough; adapt the damping to how it went."""

    def enough(length, difference):
        return falls_enough(difference, length, slope, noise)

    def change(length):
        trial = point_at(problem, state.point.whitened + length * step)
        return trial, energy_change(problem, state.point, trial)

    def poor(carry):
        length, (_, difference) = carry
        # Written so that a NaN counts as poor.
        return ~enough(length, difference) & (length > SHORTEST) & ~done

    def halve(carry):
        length = 0.5 * carry[0]
        return length, change(length)

    one = jnp.ones((), step.dtype)
    length, (trial, difference) = jax.lax.while_loop(poor, halve, (one, change(one)))
    accept = enough(length, difference) & ~done
    # A full step of an exact quadratic realises half its slope.
    good = accept & (length == 1) & (difference <= 0.25 * slope)
    raised = jnp.maximum(10 * state.damping, FIRST_DAMPING)
    lowered = jnp.where(state.damping < LEAST_DAMPING, 0, 0.1 * state.damping)
    damping = jnp.where(
        good, lowered, jnp.where(accept & (length == 1), state.damping, raised)
    )
    return _Move(
        jax.tree.map(lambda new, old: jnp.where(accept, new, old), trial, state.point),
        jnp.where(done, state.damping, damping),
        accept,
    )
