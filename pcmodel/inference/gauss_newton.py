r"""Guarded Gauss-Newton: the default solver.

Whitened coordinates, Hessian $I + S^\top S$, one linear solve a step.  A plain Gauss-Newton step
oscillates on tanh networks, so each step is guarded: it is halved until the energy falls
(Armijo), and Levenberg-Marquardt damping rises after a poor step and fades after a good one.
The energy therefore never rises.

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

from pcmodel.energy import Problem, data_energy, data_energy_terms
from pcmodel.inference.linear_solve import (
    LinearSolution,
    LinearSolver,
    Solve,
    choose,
    conjugate_gradient,
)
from pcmodel.inference.solver import SolverResult, resolve_tolerance
from pcmodel.inference.whitened import Unrolled, linearise, objective, unroll

ARMIJO = 1e-4
FIRST_DAMPING = 1e-2
LEAST_DAMPING = 1e-7
GREATEST_DAMPING = 1e8
ROUNDING = 10.0
"""Rounding error of a sum over levels, in epsilons of the float times its size."""
PATIENCE = 10
"""Steps granted once all there is left to gain is lost in the energy's rounding."""
SLOW = 0.25
"""A Gauss-Newton step should shrink the residual by this factor."""
MAX_NEWTON_PRODUCTS = 50
FORCING = 0.03
"""Relative residual an iterative linear solve may leave in a nonlinear problem."""


class _State(NamedTuple):
    whitened: Array
    current: Unrolled
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

    linear_solver: None chooses by size (`pcmodel.inference.linear_solve.choose`).
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

        def unfinished(state: _State):
            return ~state.stop & (state.iterations < self.max_iterations)

        start = _State(
            initial,
            unroll(problem, initial),
            jnp.zeros((), initial.dtype),
            jnp.asarray(jnp.inf, initial.dtype),
            jnp.asarray(PATIENCE),
            jnp.zeros((), bool),
            jnp.zeros((), bool),
            jnp.zeros((), int),
            jnp.zeros((), int),
        )
        if initial.shape[0] == 0:
            found = jnp.ones((), bool)
            nowhere = jnp.zeros((), initial.dtype)
            start = start._replace(residual=nowhere, stop=found, converged=found)
        end = jax.lax.while_loop(
            unfinished, lambda state: self._iterate(problem, state, tolerance), start
        )
        return SolverResult(
            end.whitened, end.residual, end.converged, end.iterations, end.products
        )

    def _iterate(self, problem: Problem, state: _State, tolerance: float) -> _State:
        linear = linearise(problem, state.whitened)
        gradient, noise = (
            linear.gradient,
            energy_rounding(problem, state.whitened, state.current),
        )
        limit = jnp.maximum(tolerance, gradient_rounding(noise))
        norm = jnp.sqrt(jnp.sum(gradient**2))
        solver = self.linear_solver or choose(problem.structure, linear.num_outputs)
        # A quadratic is never damped; said statically, so that a batch of examples shares one factor.
        damping = jnp.zeros((), norm.dtype) if is_quadratic(problem) else state.damping
        solve = solver.prepare(problem, state.whitened, linear, damping)
        target = 0.5 * limit
        if not is_quadratic(problem):
            target = jnp.maximum(target, FORCING * norm)
        solution = solve(-gradient, target)
        # Damping shortens the step: (H + mu) <= (1 + mu) H turns it back into a bound.
        decrement2 = (1 + damping) * (
            solution.residual**2 - jnp.sum(gradient * solution.step)
        )
        residual = jnp.minimum(norm, jnp.sqrt(jnp.maximum(decrement2, 0)))
        found = residual <= limit
        done = found | ~jnp.isfinite(norm)
        step, products = solution.step, solution.products
        if not is_quadratic(problem):
            slow = ~done & (residual > SLOW * state.residual)
            newton = newton_step(problem, state, gradient, solver, solve, target, slow)
            step = jnp.where(slow, newton.step, step)
            products += newton.products
        moved = search(problem, state, step, jnp.sum(gradient * step), noise, done)
        lost = ~done & (0.5 * residual**2 <= noise)
        patience = state.patience - lost
        stalled = lost & (~moved.accepted | (patience == 0))
        return _State(
            moved.whitened,
            moved.current,
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


def newton_step(
    problem: Problem,
    state: _State,
    gradient: Array,
    solver: LinearSolver,
    solve: Solve,
    target: Array,
    wanted: Array,
) -> LinearSolution:
    """Truncated Newton with the true Hessian; costs nothing where not wanted."""

    def product(vector: Array) -> Array:
        _, image = jax.jvp(
            lambda z: jax.grad(objective, argnums=1)(problem, z),
            (state.whitened,),
            (vector,),
        )
        return image + state.damping * vector

    def precondition(vector: Array) -> Array:
        return solve(vector, target).step if solver.is_direct else vector

    limit = jnp.where(wanted, MAX_NEWTON_PRODUCTS, 0)
    return conjugate_gradient(
        product, -gradient, target, limit, precondition=precondition
    )


def energy_rounding(
    problem: Problem, whitened: Array, unrolled: Unrolled
) -> Float[Array, ""]:
    """Size of the rounding error of the energy at a point, nats."""
    size = 0.5 * (jnp.sum(whitened**2) + jnp.sum(unrolled.rows**2))
    if unrolled.logits is not None:
        size += data_energy(problem, unrolled.logits)
    return ROUNDING * jnp.finfo(size.dtype).eps * size


def gradient_rounding(noise: Float[Array, ""]) -> Float[Array, ""]:
    """Residual that rounding of the gradient alone would leave.

    The gradient sums errors of size sqrt(2 E), so its rounding is the root of the
    energy's times sqrt(2 eps): a residual far below the one at which energies stop
    telling points apart.
    """
    return jnp.sqrt(2 * ROUNDING * jnp.finfo(noise.dtype).eps * noise)


class _Move(NamedTuple):
    whitened: Array
    current: Unrolled
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
    """Halve the step until the energy falls enough; adapt the damping to how it went.

    A step that promises less than the energy's own rounding need not show in it.
    """
    unseen = jnp.where(-0.5 * slope <= noise, noise, -jnp.inf)

    def enough(length, difference):
        return difference <= jnp.maximum(ARMIJO * length * slope, unseen)

    def change(length):
        trial = state.whitened + length * step
        unrolled = unroll(problem, trial)
        return trial, unrolled, energy_change(problem, state, trial, unrolled)

    def poor(carry):
        length, (_, _, difference) = carry
        # Written so that a NaN counts as poor.
        return ~enough(length, difference) & (length > 1e-3) & ~done

    def halve(carry):
        length = 0.5 * carry[0]
        return length, change(length)

    one = jnp.ones((), step.dtype)
    length, (trial, unrolled, difference) = jax.lax.while_loop(
        poor, halve, (one, change(one))
    )
    accept = enough(length, difference) & ~done

    def keep(new, old):
        return jax.tree.map(lambda a, b: jnp.where(accept, a, b), new, old)

    # A full step of an exact quadratic realises half its slope.
    good = accept & (length == 1) & (difference <= 0.25 * slope)
    raised = jnp.maximum(10 * state.damping, FIRST_DAMPING)
    lowered = jnp.where(state.damping < LEAST_DAMPING, 0, 0.1 * state.damping)
    damping = jnp.where(
        good, lowered, jnp.where(accept & (length == 1), state.damping, raised)
    )
    return _Move(
        keep(trial, state.whitened),
        keep(unrolled, state.current),
        jnp.where(done, state.damping, damping),
        accept,
    )


def energy_change(
    problem: Problem, state: _State, trial: Array, unrolled: Unrolled
) -> Float[Array, ""]:
    """Energy at the trial less the current one, summed unit by unit.

    The difference of two energies of a thousand nats carries no digits of a change of
    1e-5 in float32; the sum of the differences does.
    """
    current = state.current
    change = 0.5 * jnp.sum((trial - state.whitened) * (trial + state.whitened))
    change += 0.5 * jnp.sum(
        (unrolled.rows - current.rows) * (unrolled.rows + current.rows)
    )
    if unrolled.logits is None or current.logits is None:
        return change
    if unrolled.logits.shape[0]:
        new = data_energy_terms(problem, unrolled.logits)
        change += jnp.sum(new - data_energy_terms(problem, current.logits))
    return change
