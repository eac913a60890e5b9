r"""Gauss-Newton descent on energies with corners, by an active set of units pinned at corners.

Each step solves the problem with some units pinned (`pcmodel.inference.certificates.corners`).  The lower of two end
points is taken: the step in whitened errors, and the step in the latents with units that passed a corner beyond which
the energy rises pinned at that corner.  If neither lowers the energy enough for at least `EARLY` of the step, all units
that would pass a corner are moved to it and the others stay: a descent direction on one side of a corner may be uphill
on the other.  Units whose slopes no longer keep them at their corners are released before the next step; after a step
that only moved units to corners, they are released when the pinned problem is solved, and one at a time, which
guarantees progress.  The energy never rises by more than its rounding.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.inference.certificates.corners import (
    Place,
    blocked,
    crossed,
    joined,
    leaves_corners,
    place_of,
    settled,
    state_at,
    unpinned,
    whole_point,
    with_pins,
)
from pcmodel.inference.certificates.kinks import way_down
from pcmodel.inference.certificates.local_model import Ground
from pcmodel.inference.certificates.newton_decrement import (
    HIDDEN,
    Certificate,
    certifiable,
    conclude,
    last_digit,
    widened,
)
from pcmodel.inference.certificates.saddles import curvature_around, doubted
from pcmodel.inference.linear.conjugate_gradient import Precondition
from pcmodel.inference.linear.dual_primal import (
    MOST_PRODUCTS,
    LinearSolver,
    Preconditioned,
    Prepared,
)
from pcmodel.inference.linear.equation import Moving, allowed, measure
from pcmodel.inference.solvers.damping import (
    GREATEST_DAMPING,
    PATIENCE,
    SLOW,
    adapted,
    newton_step,
)
from pcmodel.inference.solvers.line_search import SHORTEST, Move, search
from pcmodel.inference.solvers.solver import SolverResult
from pcmodel.inference.solvers.sufficient_decrease import (
    Point,
    energy_change,
    energy_rounding,
    falls_enough,
    point_at,
)
from pcmodel.inference.whitened import Linearisation, linearise
from pcmodel.model.problem import Problem

EARLY = 0.2
"""Fraction of a step below which units that would pass a corner may be moved to it while the others stay."""

Table = Float[np.ndarray, "free corners"]


class Task(NamedTuple):
    """The constants of a descent: the problem, its corners (see `corner_table`) and options."""

    problem: Problem
    table: Table
    solver: LinearSolver
    tolerance: float
    max_iterations: int


@dataclass(frozen=True)
class PinnedFactor:
    """Conjugate gradients preconditioned, in the units not pinned, by the inverse Hessian without pins.

    The preconditioner is exact except in as many directions as units are pinned.
    """

    free: LinearSolver
    max_products: int = MOST_PRODUCTS
    is_direct: ClassVar[bool] = False

    def prepare(
        self, problem: Problem, whitened: Array, linear: Linearisation, damping: Array
    ) -> Prepared:
        """The prepared solve; the preconditioner is the identity for pinned units."""
        pins = problem.inputs.pins
        assert pins is not None
        loose = replace(problem, inputs=problem.inputs._replace(pins=None))
        whole = whole_point(loose, Place(whitened, pins)).whitened
        without = linearise(loose, whole)
        inverse = self.free.prepare(loose, whole, without, damping).precondition

        def precondition(vector: Array) -> Array:
            inside = inverse(jnp.where(pins.mask, 0, vector))
            return jnp.where(pins.mask, vector, inside)

        return Preconditioned(precondition, self.max_products).prepare(
            problem, whitened, linear, damping
        )


class _State(NamedTuple):
    """As in `pcmodel.inference.solvers.gauss_newton`, with a place instead of a point.

    arrived: the residual is small enough.
    near: arrived, with only those units pinned whose slopes are significant.
    cautious: the last step only moved units to corners.
    distance: bound on the distance to the pinned problem's mode, rounding included.
    """

    place: Place
    damping: Array
    residual: Array
    best: Array
    distance: Array
    patience: Array
    scale: Array
    arrived: Array
    cautious: Array
    near: Array
    stop: Array
    iterations: Array
    products: Array


def descend_with_corners(
    task: Task, initial: Float[Array, " free"], steps: Array, products: Array
) -> SolverResult:
    """Descend from whitened errors to a mode, which may lie on corners.

    steps: outer steps before, counted in the result.
    products: products before, counted in the result.
    """
    zero, infinite = jnp.zeros((), initial.dtype), jnp.full((), jnp.inf, initial.dtype)
    no = jnp.zeros((), bool)
    start = _State(
        unpinned(initial),
        damping=zero,
        residual=infinite,
        best=infinite,
        distance=infinite,
        patience=jnp.asarray(PATIENCE),
        scale=jnp.ones((), initial.dtype),
        arrived=no,
        cautious=no,
        near=no,
        stop=no,
        iterations=steps,
        products=products,
    )

    def unfinished(state: _State) -> Array:
        left = state.iterations < task.max_iterations
        return ~state.stop & (state.near | state.arrived | left)

    def descend(state: _State) -> _State:
        return jax.lax.while_loop(
            lambda state: unfinished(state) & ~state.near,
            lambda state: _iterate(task, state),
            state,
        )

    end = jax.lax.while_loop(
        unfinished, lambda state: _checked(task, descend(state)), start
    )
    certificate = _conclusion(task, end)
    whole = whole_point(task.problem, end.place)
    return SolverResult(
        whole.whitened,
        certificate.residual,
        certificate.converged,
        end.iterations,
        end.products,
    )


def _conclusion(task: Task, end: _State) -> Certificate:
    held = with_pins(task.problem, end.place.pins)
    linear = linearise(held, end.place.whitened)
    loose = jnp.sqrt(jnp.sum(linear.gradient**2))
    measured = end.stop | end.near
    bound = jnp.where(measured, widened(end.residual, end.scale), loose)
    digit = last_digit(held, end.place.whitened, linear)
    found = conclude(bound, digit, task.tolerance, stalled=end.patience <= 0)
    return found._replace(converged=found.converged & end.stop & end.near)


def _iterate(task: Task, state: _State) -> _State:
    """Release units, compute the residual, and take one guarded step unless the descent ends."""
    place = settled(
        task.problem,
        task.table,
        state.place,
        certain=state.arrived,
        cautious=state.cautious,
        distance=state.distance,
    )
    held = with_pins(task.problem, place.pins)
    point = point_at(held, place.whitened)
    equation = Moving(task.solver).at(held, point, state.damping)
    measured = measure(held, point, equation, task.tolerance, scale=state.scale)
    residual = measured.residual
    stalled = state.patience <= 0
    arrived = (residual <= measured.limit) & (state.scale <= HIDDEN)
    loose = widened(residual, state.scale) <= certifiable(residual.dtype)
    arrived |= stalled & loose
    stop = stalled | (state.damping > GREATEST_DAMPING)
    stop = (stop | ~jnp.isfinite(residual)) & ~arrived
    slow = ~arrived & ~stop & (residual > SLOW * state.residual)
    newton = newton_step(held, point, state.damping, equation, measured, slow)
    descends = slow & (jnp.sum(equation.gradient * newton.step) < 0)
    step = jnp.where(descends, newton.step, measured.solution.step)
    slope = jnp.sum(equation.gradient * step)
    done = arrived | stop
    tried, moved = _moved(task, place, step, slope, done)
    lower = moved.accepted & (moved.difference < -measured.noise)
    # Units moved to corners stay there until the rest is solved, so moving them counts as progress.
    seen = lower | tried.caught | (residual < 0.5 * state.best)
    digit = last_digit(held, place.whitened, equation.linear)
    return state._replace(
        place=tried.place,
        damping=jnp.where(
            done | tried.caught, state.damping, adapted(state.damping, moved, slope)
        ),
        residual=residual,
        best=jnp.where(seen, jnp.minimum(state.best, residual), state.best),
        distance=state.scale * residual + digit,
        patience=jnp.where(seen, PATIENCE, state.patience - 1),
        arrived=arrived,
        cautious=tried.caught | (state.cautious & ~lower),
        near=arrived & state.arrived,
        stop=stop,
        iterations=state.iterations + jnp.where(done, 0, 1),
        products=state.products + measured.solution.products + newton.products,
    )


class _Trial(NamedTuple):
    """A candidate for the end of a step.

    difference: change of the energy, nats.
    falls: whether the energy falls enough.
    caught: whether instead units are only moved to their corners without raising the energy.
    """

    place: Place
    point: Point
    difference: Array
    falls: Array
    caught: Array


def _moved(
    task: Task, place: Place, step: Array, slope: Array, done: Array
) -> tuple[_Trial, Move]:
    """The lower end point of a step, halved until the energy falls enough; else only units moved to corners."""
    problem = task.problem
    here = whole_point(problem, place)
    state, along = jax.jvp(
        lambda whitened: state_at(problem, Place(whitened, place.pins)),
        (place.whitened,),
        (step,),
    )
    noise = energy_rounding(problem, here)
    no = jnp.zeros((), bool)

    def trial(there: Place) -> _Trial:
        point = whole_point(problem, there)
        return _Trial(there, point, energy_change(problem, here, point), no, no)

    def ahead(length: Array) -> _Trial:
        free = Place(place.whitened + length * step, place.pins)
        # Linear in the latents, so that a unit's passing a corner does not change the others' directions.
        new = state + length * along
        passed = crossed(task.table, state, new)
        held = joined(place.pins, blocked(problem, passed, state, new))
        best = _better(trial(free), trial(place_of(problem, new, held)))
        falls = falls_enough(best.difference, length, slope, noise)
        put = trial(place_of(problem, state, joined(place.pins, passed)))
        caught = ~falls & (length < EARLY) & jnp.any(passed.mask)
        caught &= put.difference <= noise
        return _chosen(caught, put, best)._replace(falls=falls, caught=caught)

    def poor(carry: tuple[Array, _Trial]) -> Array:
        length, tried = carry
        return ~(tried.falls | tried.caught) & (length > SHORTEST) & ~done

    def halve(carry: tuple[Array, _Trial]) -> tuple[Array, _Trial]:
        length = 0.5 * carry[0]
        return length, ahead(length)

    one = jnp.ones((), step.dtype)
    nowhere = _Trial(place, here, jnp.full_like(one, jnp.nan), no, no)
    length, tried = jax.lax.while_loop(poor, halve, (2 * one, nowhere))
    accepted = (tried.falls | tried.caught) & ~done
    kept = _chosen(accepted, tried, nowhere)
    return kept, Move(here, length, accepted, tried.difference)


def _chosen(which: Array, one: _Trial, other: _Trial) -> _Trial:
    return jax.tree.map(lambda a, b: jnp.where(which, a, b), one, other)


def _better(one: _Trial, other: _Trial) -> _Trial:
    """The trial with the lower energy; a NaN is never better."""
    return _chosen(
        jnp.isnan(one.difference) | (other.difference < one.difference), other, one
    )


def _checked(task: Task, state: _State) -> _State:
    """Check a converged place for saddles and corners: accept it, or leave it downhill."""
    problem, place = task.problem, state.place
    held = with_pins(problem, place.pins)
    point = point_at(held, place.whitened)
    equation = Moving(task.solver).at(held, point, jnp.zeros_like(state.damping))
    precondition: Precondition = equation.prepared.precondition
    wanted = state.near & ~state.stop
    ground = Ground(point, equation.linear, precondition)
    around = curvature_around(held, ground, wanted)
    if leaves_corners(problem):
        around = doubted(held, ground, around, wanted)
    noise, limit = allowed(held, point, task.tolerance)
    limit = jnp.where(state.patience <= 0, certifiable(limit.dtype), limit)

    def enough(length: Array, difference: Array) -> Array:
        del length
        return difference < -noise

    curved = wanted & around.leaving
    left = search(held, point, around.step, enough, ~curved)
    whole = whole_point(problem, place)
    kink = way_down(problem, whole, precondition, wanted & ~around.leaving)
    over = wanted & ~around.leaving & kink.lower
    leaving = curved | over
    there = _either(
        over,
        unpinned(whole.whitened + kink.step),
        Place(left.point.whitened, place.pins),
    )
    accepted = over | left.accepted
    fine = widened(state.residual, around.widening) <= limit
    at_rest = wanted & ~leaving & fine
    # A saddle from which no step lowers the energy visibly is flat up to rounding.
    stuck = leaving & ~accepted
    certain = over | around.certain
    on = leaving & accepted
    # Every check that continues counts as an iteration, so that rounding cannot cause an endless loop.
    again = wanted & ~at_rest & ~stuck
    iterations = state.iterations + jnp.where(again, 1, 0)
    left_over = ~again | (iterations < task.max_iterations)
    return state._replace(
        place=_either(on, there, place),
        damping=jnp.where(leaving, 0, state.damping),
        residual=jnp.where(leaving & certain, jnp.inf, state.residual),
        patience=jnp.where(on, PATIENCE, state.patience - jnp.where(again, 1, 0)),
        scale=jnp.where(wanted & ~leaving, around.widening, state.scale),
        arrived=state.arrived & ~on & left_over,
        near=stuck | at_rest,
        stop=state.stop | at_rest | stuck,
        iterations=iterations,
        products=state.products + around.products,
    )


def _either(which: Array, one: Place, other: Place) -> Place:
    return jax.tree.map(lambda a, b: jnp.where(which, a, b), one, other)
