r"""Guarded Gauss-Newton: the default solver.

Whitened coordinates, Hessian $I + S^\top S$, one linear solve a step. A plain Gauss-Newton step oscillates on tanh networks, so
each step is guarded: it is halved until the energy falls (Armijo), and Levenberg-Marquardt damping increases after a poor step
and decreases after a good one. The energy therefore never rises.

Where a factor of the Hessian costs as much as many gradients, a nonlinear problem starts with secant steps around one factor,
that of the start (`pcmodel.inference.solvers.lbfgs`; at the top-down sweep a whole batch shares it), followed by Gauss-Newton
steps with a new factor each. With an explicit `linear_solver` every step has a new factor.

Where errors stay large at the mode (data the network cannot explain), Gauss-Newton only converges linearly, because it omits
the curvature of the predictions. A step that did not reduce the residual fourfold is followed by one with the *true*
Hessian: conjugate gradients preconditioned by the Gauss-Newton factor, truncated at negative curvature.

It stops on the measured Newton decrement (`pcmodel.inference.certificates.newton_decrement`). Where predictions are nonlinear
the true Hessian is checked first: a direction without positive curvature, or a kink with a way down (a rectifier that is off
because everything above it is), is followed downhill, and the descent continues. Where single units have corners, on which a
mode may lie, the steps are those of `pcmodel.inference.solvers.active_set`.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.certificates.corners import corner_table
from pcmodel.inference.certificates.kinks import has_kinks
from pcmodel.inference.certificates.local_model import Ground
from pcmodel.inference.certificates.newton_decrement import (
    HIDDEN,
    Certificate,
    certifiable,
    conclude,
    is_convex,
    last_digit,
    widened,
)
from pcmodel.inference.certificates.saddles import look_around
from pcmodel.inference.linear.block_tridiagonal import BlockTridiagonal
from pcmodel.inference.linear.conjugate_gradient import Precondition
from pcmodel.inference.linear.dual_primal import (
    DIRECT_BUDGET,
    ConjugateGradient,
    LinearSolver,
    Preconditioned,
    cheapest_direct,
    choose,
    factor_once,
    is_dear,
)
from pcmodel.inference.linear.equation import (
    Constant,
    Moving,
    allowed,
    is_quadratic,
    measure,
)
from pcmodel.inference.solvers.active_set import (
    PinnedFactor,
    Task,
    descend_with_corners,
)
from pcmodel.inference.solvers.damping import (
    GREATEST_DAMPING,
    PATIENCE,
    SLOW,
    adapted,
    as_batched,
    newton_step,
)
from pcmodel.inference.solvers.lbfgs import secant_descent
from pcmodel.inference.solvers.line_search import search
from pcmodel.inference.solvers.options import check_made, check_tolerance
from pcmodel.inference.solvers.solver import SolverResult, resolve_tolerance
from pcmodel.inference.solvers.sufficient_decrease import Point, falls_enough, point_at
from pcmodel.inference.whitened import linearise
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import CountOrZero
from pcmodel.model.problem import Problem

WARM_START = 40
"""Largest number of secant steps before the Gauss-Newton loop; further ones gain little."""
CERTIFYING = 20
"""Largest number of products, with the factor of the start, to certify that the secant steps converged."""


class _State(NamedTuple):
    """State of a descent.

    residual: at the last measured point.
    best: smallest so far.
    scale: factor from the residual to that of the true Hessian, as far as known.
    near: the point counts as converged, subject to a check for saddles.
    stop: the descent has ended, at the point of the residual.
    """

    point: Point
    damping: Array
    residual: Array
    best: Array
    patience: Array
    scale: Array
    near: Array
    stop: Array
    iterations: Array
    products: Array


@checked_arguments
@dataclass(frozen=True)
class GaussNewton:
    """Line-search-guarded, damped Gauss-Newton.

    linear_solver: None chooses by size (`pcmodel.inference.linear.dual_primal.choose`) and may start with secant steps.
    tolerance: on the residual, in posterior standard deviations; None: 1e-3 in float32, 1e-9 in float64. The limit of
        rounding applies if it is larger.
    max_iterations: largest number of outer steps; if it is reached, the residual is the gradient's norm, a loose bound.
    checked: whether converged points are checked for saddles and corners; without (as in training's E-steps)
        `converged` is false for a nonlinear problem.
    """

    linear_solver: LinearSolver | None = None
    tolerance: float | None = None
    max_iterations: CountOrZero = 200
    checked: bool = True

    def __post_init__(self):
        check_tolerance(self.tolerance, "GaussNewton")
        if self.linear_solver is not None:
            expected = "an object such as Dual() or ConjugateGradient(), or None"
            where = "linear_solver of GaussNewton"
            check_made(self.linear_solver, "prepare", where, expected)

    def minimise(
        self, problem: Problem, initial: Float[Array, " free"]
    ) -> SolverResult:
        """The mode, searched from `initial`; differentiable only through `infer`."""
        tolerance = resolve_tolerance(self.tolerance, initial.dtype)
        start = first_state(point_at(problem, initial))
        if initial.shape[0] == 0:
            return result_of(start, Certificate(start.residual, jnp.ones((), bool)))
        linear = linearise(problem, initial)
        solver = self.linear_solver or choose(problem.structure, linear.num_outputs)
        once = None
        equations: Constant | Moving = Moving(solver)
        if is_quadratic(problem):
            # One factor serves every step, and a whole batch if its examples share their precisions.
            prepared = solver.prepare(
                problem, initial, linear, jnp.zeros_like(linear.value)
            )
            equations = Constant(linear, prepared, solver.is_direct)
        elif self.linear_solver is None and is_dear(
            problem.structure, linear.num_outputs
        ):
            once = factor_once(problem, initial, solver)
            start = warm_start(self, problem, start, once, tolerance)
        start = as_batched(start, start.point.rows)
        table = corner_table(problem) if self.checked and has_kinks(problem) else None
        if table is not None:
            task = Task(
                problem,
                table,
                with_corners(problem, self.linear_solver, linear.num_outputs),
                tolerance,
                self.max_iterations,
            )
            at = start.point.whitened
            return descend_with_corners(task, at, start.iterations, start.products)

        def unfinished(state: _State) -> Array:
            left = state.iterations < self.max_iterations
            return ~state.stop & (state.near | left)

        def descend(state: _State) -> _State:
            return jax.lax.while_loop(
                lambda state: unfinished(state) & ~state.near,
                lambda state: iterate(problem, state, equations, tolerance),
                state,
            )

        if is_convex(problem) or not self.checked:
            end = descend(start)
        else:
            # Two loops, so that a batch is checked once and not whenever another of its examples converges.
            def look(state: _State, factor: Precondition | None = None) -> _State:
                return checked(problem, descend(state), equations, factor, tolerance)

            def plain(state: _State) -> Array:
                return unfinished(state) & ~is_hidden(state)

            end = start
            if once is not None:
                end = jax.lax.while_loop(plain, partial(look, factor=once), end)
                end = seen_again(end)
            end = jax.lax.while_loop(unfinished, look, end)
        return result_of(end, conclusion(self, problem, end, equations, tolerance))


def conclusion(
    solver: GaussNewton,
    problem: Problem,
    end: _State,
    equations: Constant | Moving,
    tolerance: float,
) -> Certificate:
    """The certificate of the last point, from its residual or, if the steps ran out, from its gradient."""
    linear = equations.linear_at(problem, end.point)
    measured = end.stop | end.near
    loose = jnp.sqrt(jnp.sum(linear.gradient**2))
    bound = jnp.where(measured, widened(end.residual, end.scale), loose)
    digit = last_digit(problem, end.point.whitened, linear)
    found = conclude(bound, digit, tolerance, stalled=end.patience <= 0)
    if is_convex(problem):
        return found
    seen = end.stop & jnp.asarray(solver.checked)
    return found._replace(converged=found.converged & seen)


def result_of(state: _State, certificate: Certificate) -> SolverResult:
    """The result from the last state."""
    return SolverResult(
        state.point.whitened,
        certificate.residual,
        certificate.converged,
        state.iterations,
        state.products,
    )


def with_corners(
    problem: Problem, given: LinearSolver | None, outputs: int
) -> LinearSolver:
    """The linear solver for problems with pinned units, each of which adds an output."""
    structure = problem.structure
    if given is not None:
        return ConjugateGradient() if isinstance(given, BlockTridiagonal) else given
    if is_dear(structure, outputs):
        return PinnedFactor(choose(structure, outputs))
    outputs += structure.num_free
    solver, cost = cheapest_direct(structure, outputs, banded=False)
    return solver if cost <= DIRECT_BUDGET else ConjugateGradient()


def first_state(point: Point) -> _State:
    """The state before any step; a problem without free units is already solved."""
    dtype, solved = point.whitened.dtype, point.whitened.shape[0] == 0
    none = jnp.zeros((), int)
    return _State(
        point,
        damping=jnp.zeros((), dtype),
        residual=jnp.asarray(0 if solved else jnp.inf, dtype),
        best=jnp.asarray(jnp.inf, dtype),
        patience=jnp.asarray(PATIENCE),
        scale=jnp.ones((), dtype),
        near=jnp.asarray(solved),
        stop=jnp.asarray(solved),
        iterations=none,
        products=none,
    )


def warm_start(
    solver: GaussNewton,
    problem: Problem,
    start: _State,
    precondition: Precondition,
    tolerance: float,
) -> _State:
    """The state after secant steps around the factor of the start, which also certifies their end point."""
    found = secant_descent(
        problem,
        start.point.whitened,
        precondition,
        tolerance=0.5 * tolerance,
        max_steps=min(WARM_START, solver.max_iterations),
    )
    state = start._replace(point=point_at(problem, found.whitened))
    certifier = Moving(Preconditioned(precondition, CERTIFYING))
    equation = certifier.at(problem, state.point, state.damping)
    measured = measure(problem, state.point, equation, tolerance)
    return state._replace(
        residual=measured.residual,
        near=measured.residual <= measured.limit,
        iterations=found.steps,
        products=found.steps + measured.solution.products,
    )


def iterate(
    problem: Problem,
    state: _State,
    equations: Constant | Moving,
    tolerance: float,
) -> _State:
    """Compute the residual and take one guarded step unless the descent ends."""
    equation = equations.at(problem, state.point, state.damping)
    measured = measure(problem, state.point, equation, tolerance, scale=state.scale)
    residual, solution = measured.residual, measured.solution
    stalled = state.patience <= 0
    near = (residual <= measured.limit) & (state.scale <= HIDDEN)
    loose = widened(residual, state.scale) <= certifiable(residual.dtype)
    near |= stalled & loose
    stop = stalled | (state.damping > GREATEST_DAMPING)
    stop = (stop | ~jnp.isfinite(residual)) & ~near
    step, products = solution.step, solution.products
    if not is_convex(problem):
        slow = ~near & ~stop & (residual > SLOW * state.residual)
        newton = newton_step(
            problem, state.point, state.damping, equation, measured, slow
        )
        descends = slow & (jnp.sum(equation.gradient * newton.step) < 0)
        step = jnp.where(descends, newton.step, step)
        products += newton.products
    slope = jnp.sum(equation.gradient * step)

    def enough(length: Array, difference: Array) -> Array:
        return falls_enough(difference, length, slope, measured.noise)

    done = near | stop
    moved = search(problem, state.point, step, enough, done)
    seen = moved.accepted & (moved.difference < -measured.noise)
    seen |= residual < 0.5 * state.best
    damping = adapted(state.damping, moved, slope)
    # A quadratic is never damped: its factor is undamped.
    if is_quadratic(problem):
        damping = jnp.where(moved.accepted, 0, damping)
    return state._replace(
        point=moved.point,
        damping=jnp.where(done, state.damping, damping),
        residual=residual,
        best=jnp.where(seen, jnp.minimum(state.best, residual), state.best),
        patience=jnp.where(seen, PATIENCE, state.patience - 1),
        near=near,
        stop=stop,
        iterations=state.iterations + jnp.where(done, 0, 1),
        products=state.products + products,
    )


def checked(
    problem: Problem,
    state: _State,
    equations: Constant | Moving,
    once: Precondition | None,
    tolerance: float,
) -> _State:
    """Check a converged point for saddles and corners: accept it, or leave it downhill."""
    if once is None:
        at = equations.at(problem, state.point, jnp.zeros_like(state.damping))
        ground = Ground(state.point, at.linear, at.prepared.precondition)
    else:
        linear = linearise(problem, state.point.whitened)
        ground = Ground(state.point, linear, once)
    noise, limit = allowed(problem, state.point, tolerance)
    wanted = state.near & ~state.stop
    found = look_around(problem, ground, wanted)
    away = widened(state.residual, found.widening)
    limit = jnp.where(state.patience <= 0, certifiable(limit.dtype), limit)

    def enough(length: Array, difference: Array) -> Array:
        del length
        return difference < -noise

    leaving = wanted & found.leaving
    moved = search(problem, state.point, found.step, enough, ~leaving)
    settled = wanted & ~found.leaving & (away <= limit)
    # A saddle from which no step lowers the energy visibly is flat up to rounding.
    stuck = leaving & ~moved.accepted
    # Every check that continues counts as an iteration, so that rounding cannot cause an endless loop.
    again = wanted & ~settled & ~stuck
    return state._replace(
        point=moved.point,
        damping=jnp.where(leaving, 0, state.damping),
        residual=jnp.where(leaving & found.certain, jnp.inf, state.residual),
        patience=jnp.where(
            leaving & moved.accepted, PATIENCE, state.patience - jnp.where(again, 1, 0)
        ),
        scale=jnp.where(wanted & ~found.leaving, found.widening, state.scale),
        near=stuck | settled,
        stop=state.stop | settled | stuck,
        iterations=state.iterations + jnp.where(again, 1, 0),
        products=state.products + found.products,
    )


def is_hidden(state: _State) -> Array:
    """Whether the check with the factor of the start left the curvature unknown, so that a new factor is needed."""
    return ~state.stop & (state.scale > HIDDEN)


def seen_again(state: _State) -> _State:
    """The state with such points marked as near again, to be checked with a factor of their own."""
    hidden = is_hidden(state)
    return state._replace(
        near=state.near | hidden, scale=jnp.where(hidden, 1, state.scale)
    )
