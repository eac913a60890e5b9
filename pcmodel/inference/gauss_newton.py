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

It stops on the Newton decrement, measured (`pcmodel.inference.certificate`), and where predictions bend not before
the true Hessian has been asked: a direction without positive curvature, or a kink with a way down (a rectifier
that is off because everything above it is), is left along the way down, and the descent goes on.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.certificate import (
    PROBES,
    UNSEEN,
    Certificate,
    conclude,
    is_convex,
    last_digit,
    probing,
    squared_length,
    true_hessian,
    widened,
)
from pcmodel.inference.conjugate_gradient import Precondition, conjugate_gradient
from pcmodel.inference.equation import (
    Constant,
    Equation,
    Measured,
    Moving,
    is_quadratic,
    measure,
)
from pcmodel.inference.guard import (
    Point,
    energy_change,
    falls_enough,
    point_at,
)
from pcmodel.inference.kinks import has_kinks, way_down
from pcmodel.inference.linear_solve import (
    DIRECT_BUDGET,
    LinearSolver,
    Preconditioned,
    cheapest_direct,
    choose,
    factor_once,
    gradient_cost,
)
from pcmodel.inference.options import check_count, check_made, check_tolerance
from pcmodel.inference.secant import secant_descent
from pcmodel.inference.solver import SolverResult, resolve_tolerance
from pcmodel.inference.whitened import linearise
from pcmodel.problem import Problem

FIRST_DAMPING = 1e-2
LEAST_DAMPING = 1e-7
GREATEST_DAMPING = 1e8
SHORTEST = 1e-3
"""Share of a step below which it is not halved again."""
PATIENCE = 10
"""Steps granted while neither the energy falls by more than its rounding nor the residual to half."""
SLOW = 0.25
"""A Gauss-Newton step should shrink the residual by this factor."""
MAX_NEWTON_PRODUCTS = 50
DEAR = 60
"""Price of one factor, in gradients, from which secant steps around a single one pay."""
OPENING = 40
"""Secant steps before the Gauss-Newton loop: further ones gain little, if these did not arrive."""
CERTIFYING = 20
"""Products granted to certify, with the factor of the start, that the secant steps arrived."""
DEGENERATE = 1e-2
"""Negative curvature, in units of the Gauss-Newton Hessian's, that cannot be told from none."""


class _State(NamedTuple):
    """residual: at `point`.  best: the smallest so far.  stop: nothing more is done; the point is where the
    residual was measured.
    """

    point: Point
    damping: Array
    residual: Array
    best: Array
    patience: Array
    stop: Array
    iterations: Array
    products: Array


@dataclass(frozen=True)
class GaussNewton:
    """Line-search-guarded, damped Gauss-Newton.

    linear_solver: None chooses by size (`pcmodel.inference.linear_solve.choose`) and opens with secant steps.
    tolerance: on the residual, in posterior standard deviations; None: 1e-3 in float32,
        1e-9 in float64.  It is never tightened below what rounding allows.
    max_iterations: a bound on outer steps; the residual where they end is then the gradient's norm, a loose bound.
    checked: False leaves out the true Hessian and the corners where a point counts as found (training's E-steps do):
        of a nonlinear problem `converged` is then false.
    """

    linear_solver: LinearSolver | None = None
    tolerance: float | None = None
    max_iterations: int = 200
    checked: bool = True

    def __post_init__(self):
        check_tolerance(self.tolerance, "GaussNewton")
        check_count(self.max_iterations, "max_iterations", "GaussNewton", least=0)
        if self.linear_solver is not None:
            expected = "an object such as Dual() or ConjugateGradient(), or None"
            where = "linear_solver of GaussNewton"
            check_made(self.linear_solver, "prepare", where, expected)

    def minimise(
        self, problem: Problem, initial: Float[Array, " free"]
    ) -> SolverResult:
        """Descend from `initial`; forward-differentiable only through `infer`."""
        tolerance = resolve_tolerance(self.tolerance, initial.dtype)
        start = first_state(point_at(problem, initial))
        if initial.shape[0] == 0:
            return result_of(start, Certificate(start.residual, jnp.ones((), bool)))
        linear = linearise(problem, initial)
        solver = self.linear_solver or choose(problem.structure, linear.num_outputs)
        if is_quadratic(problem):
            # One factor for every step, and for a whole batch if its examples share their precisions.
            prepared = solver.prepare(
                problem, initial, linear, jnp.zeros_like(linear.value)
            )
            equation = Constant(linear, prepared, solver.is_direct)
        elif self.linear_solver is None and is_opened(problem, linear.num_outputs):
            precondition = factor_once(problem, initial, solver)
            start = opened(self, problem, start, precondition, tolerance)
            equation = Moving(solver)
        else:
            equation = Moving(solver)
        end = jax.lax.while_loop(
            lambda state: ~state.stop & (state.iterations < self.max_iterations),
            lambda state: iterate(self, problem, state, equation, tolerance),
            start,
        )
        return result_of(end, conclusion(self, problem, end, equation, tolerance))


def conclusion(
    solver: GaussNewton,
    problem: Problem,
    end: _State,
    equations: Constant | Moving,
    tolerance: float,
) -> Certificate:
    """What can be said of the last point: its own measure, or where steps ran out the gradient there."""
    linear = equations.linear_at(problem, end.point)
    bound = jnp.where(end.stop, end.residual, jnp.sqrt(jnp.sum(linear.gradient**2)))
    digit = last_digit(problem, end.point.whitened, linear)
    found = conclude(bound, digit, tolerance, stalled=end.patience <= 0)
    unseen = ~end.stop | jnp.asarray(not solver.checked)
    if is_convex(problem):
        return found
    return found._replace(converged=found.converged & ~unseen)


def result_of(state: _State, certificate: Certificate) -> SolverResult:
    """What the user sees of the last state."""
    return SolverResult(
        state.point.whitened,
        certificate.residual,
        certificate.converged,
        state.iterations,
        state.products,
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
        jnp.asarray(jnp.inf, dtype),
        jnp.asarray(PATIENCE),
        jnp.asarray(solved),
        none,
        none,
    )


def opened(
    solver: GaussNewton,
    problem: Problem,
    start: _State,
    precondition: Precondition,
    tolerance: float,
) -> _State:
    """After secant steps around the factor of the start; with that factor it is also seen whether they arrived."""
    found = secant_descent(
        problem,
        start.point.whitened,
        precondition,
        tolerance=0.5 * tolerance,
        max_steps=min(OPENING, solver.max_iterations),
    )
    state = start._replace(point=point_at(problem, found.whitened))
    certifier = Moving(Preconditioned(precondition, CERTIFYING))
    equation = certifier.at(problem, state.point, state.damping)
    measured = measure(problem, state.point, equation, tolerance)
    plan = make_plan(solver, problem, state, equation, measured)
    return state._replace(
        residual=plan.residual,
        stop=plan.found,
        iterations=found.steps,
        products=found.steps + plan.products,
    )


class _Plan(NamedTuple):
    """What to do at a point.  leaving: the step leaves a saddle, and must lower the energy visibly."""

    step: Array
    residual: Array
    found: Array
    leaving: Array
    products: Array


def iterate(
    solver: GaussNewton,
    problem: Problem,
    state: _State,
    equations: Constant | Moving,
    tolerance: float,
) -> _State:
    """Measure where the state is; unless that ends it, take one guarded step."""
    equation = equations.at(problem, state.point, state.damping)
    measured = measure(problem, state.point, equation, tolerance)
    plan = make_plan(solver, problem, state, equation, measured)
    hopeless = (state.patience <= 0) | (state.damping > GREATEST_DAMPING)
    lost = ~jnp.isfinite(plan.residual) & ~plan.leaving
    stop = plan.found | lost | hopeless
    slope = jnp.sum(equation.gradient * plan.step)
    moved = search(problem, state, plan, slope, measured.noise, stop)
    seen = moved.accepted & (moved.difference < -measured.noise)
    seen |= plan.residual < 0.5 * state.best
    # A saddle without a visible way down is flat as far as floats go.
    stop |= plan.leaving & ~moved.accepted
    return _State(
        moved.point,
        jnp.where(plan.leaving, 0, moved.damping),
        plan.residual,
        jnp.where(seen, jnp.minimum(state.best, plan.residual), state.best),
        jnp.where(seen, PATIENCE, state.patience - 1),
        stop,
        state.iterations + jnp.where(stop, 0, 1),
        state.products + plan.products,
    )


def make_plan(
    solver: GaussNewton,
    problem: Problem,
    state: _State,
    equation: Equation,
    measured: Measured,
) -> _Plan:
    """The Gauss-Newton step, or what the true Hessian and the kinks make of it."""
    solution, residual = measured.solution, measured.residual
    near = residual <= measured.limit
    if is_convex(problem):
        nowhere = jnp.zeros((), bool)
        return _Plan(solution.step, residual, near, nowhere, solution.products)
    slow = ~near & (residual > SLOW * state.residual)
    looked = near if solver.checked else jnp.zeros((), bool)
    linear = equation.linear
    hessian = true_hessian(problem, state.point.whitened)
    damping = jnp.where(near, 0, state.damping)
    found = conjugate_gradient(
        lambda vector: hessian(vector) + damping * vector,
        jnp.where(near, probing(linear), -equation.gradient),
        jnp.where(near, 0, measured.target),
        jnp.where(looked, PROBES, jnp.where(slow, MAX_NEWTON_PRODUCTS, 0)),
        precondition=equation.prepared.precondition,
        share=jnp.where(near, UNSEEN, 0),
        metric=lambda vector: squared_length(linear, vector),
    )
    negative = looked & found.negative
    away = escape(equation, found.direction)
    residual = jnp.where(near, widened(residual, found.least), residual)
    flat = jnp.where(found.least < -DEGENERATE, jnp.inf, measured.residual)
    residual = jnp.where(negative, flat, residual)
    descends = jnp.sum(equation.gradient * found.step) < 0
    step = jnp.where(slow & descends, found.step, solution.step)
    step = jnp.where(negative, away, step)
    settled = near & ~negative & (residual <= measured.limit)
    leaving = negative
    if solver.checked and has_kinks(problem):
        kink = way_down(problem, state.point, equation.prepared.precondition, settled)
        leaving = leaving | kink.lower
        step = jnp.where(kink.lower, kink.step, step)
        settled = settled & ~kink.lower
        residual = jnp.where(kink.lower, jnp.inf, residual)
    products = solution.products + found.products
    return _Plan(step, residual, settled, leaving, products)


def escape(equation: Equation, direction: Array) -> Array:
    """One posterior standard deviation along a direction, downhill."""
    size2 = squared_length(equation.linear, direction)
    length = jnp.where(size2 > 0, 1 / jnp.sqrt(jnp.where(size2 > 0, size2, 1)), 0)
    unit = length * direction
    sign = jnp.where(jnp.sum(equation.gradient * unit) > 0, -1, 1)
    return sign * unit


class _Move(NamedTuple):
    point: Point
    damping: Array
    accepted: Array
    difference: Array


def search(
    problem: Problem,
    state: _State,
    plan: _Plan,
    slope: Array,
    noise: Array,
    done: Array,
) -> _Move:
    """Halve the step until the energy falls enough; adapt the damping to how it went."""

    def enough(length, difference):
        falls = falls_enough(difference, length, slope, noise)
        return jnp.where(plan.leaving, difference < -noise, falls)

    def change(length):
        trial = point_at(problem, state.point.whitened + length * plan.step)
        return trial, energy_change(problem, state.point, trial)

    def poor(carry):
        length, (_, difference) = carry
        # Written so that a NaN counts as poor.
        return ~enough(length, difference) & (length > SHORTEST) & ~done

    def halve(carry):
        length = 0.5 * carry[0]
        return length, change(length)

    one = jnp.ones((), plan.step.dtype)
    length, (trial, difference) = jax.lax.while_loop(poor, halve, (one, change(one)))
    accept = enough(length, difference) & ~done
    # A full step of an exact quadratic realises half its slope.
    good = accept & (length == 1) & (difference <= 0.25 * slope)
    raised = jnp.maximum(10 * state.damping, FIRST_DAMPING)
    lowered = jnp.where(state.damping < LEAST_DAMPING, 0, 0.1 * state.damping)
    damping = jnp.where(
        good, lowered, jnp.where(accept & (length == 1), state.damping, raised)
    )
    # A quadratic is never damped: its factor was made without.
    if is_quadratic(problem):
        damping = jnp.where(accept, 0, damping)
    return _Move(
        jax.tree.map(lambda new, old: jnp.where(accept, new, old), trial, state.point),
        jnp.where(done, state.damping, damping),
        accept,
        difference,
    )
