r"""Secant (L-BFGS) steps around one factor of the Hessian: the warm start of a nonlinear problem.

A Gauss-Newton step needs a new factor.  Near the start the factor *of the start* is sufficient if it is corrected by
the observed gradients: each step's secant pair $(s, y)$, displacement and change of the gradient, enters a
limited-memory BFGS update (Nocedal & Wright 2006, algorithm 7.4) of the inverse Hessian $H_0^{-1}$.  A step then costs
one gradient and one product with $H_0^{-1}$.

At the top-down sweep the Jacobian of Gaussian data is the same for every image, so under `jax.vmap` a
batch shares one factor and the product is one matrix multiplication.

Steps are guarded as in `GaussNewton` (Armijo): the energy never rises.  The result is certified by the Gauss-Newton
loop that follows.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int

from pcmodel.inference.linear.conjugate_gradient import Precondition
from pcmodel.inference.solvers.sufficient_decrease import (
    Point,
    energy_change,
    energy_rounding,
    falls_enough,
    gradient_rounding,
    point_at,
    point_energy,
)
from pcmodel.model.problem import Problem

MEMORY = 2
"""Number of stored secant pairs; more gained nothing on networks with tanh."""
SHORTEST = 1e-3
"""Fraction of a step at which the line search ends."""


class LbfgsResult(NamedTuple):
    """The result of secant steps.

    whitened: last point.
    steps: number of gradients.
    """

    whitened: Float[Array, " free"]
    steps: Int[Array, ""]


class _Pair(NamedTuple):
    """displacement s, gradient change y, H_0^-1 y, and 1 / s'y (0: no pair yet)."""

    displacement: Array
    change: Array
    natural_change: Array
    inverse: Array


class _Slope(NamedTuple):
    """The gradient at a point and H_0^-1 times it."""

    gradient: Array
    natural: Array


class _State(NamedTuple):
    point: Point
    slope: _Slope
    direction: Array
    length: Array
    shortened: Array
    pairs: tuple[_Pair, ...]
    stop: Array
    steps: Array


def secant_descent(
    problem: Problem,
    initial: Float[Array, " free"],
    precondition: Precondition,
    *,
    tolerance: float,
    max_steps: int | Array,
) -> LbfgsResult:
    """Descend until the decrement is below `tolerance`, or for `max_steps` gradients."""

    def evaluate(whitened: Array) -> tuple[Point, _Slope]:
        def value(whitened: Array):
            point = point_at(problem, whitened)
            return point_energy(problem, point), point

        gradient, point = jax.grad(value, has_aux=True)(whitened)
        return point, _Slope(gradient, precondition(gradient))

    def arrived(point: Point, slope: _Slope, direction: Array) -> Array:
        noise = energy_rounding(problem, point)
        limit = jnp.maximum(tolerance, gradient_rounding(noise))
        # Written so that a NaN stops; an indefinite update would point uphill.
        return ~(-jnp.sum(slope.gradient * direction) > limit**2)

    def step(state: _State) -> _State:
        trial = state.point.whitened + state.length * state.direction
        point, slope = evaluate(trial)
        noise = energy_rounding(problem, state.point)
        promised = jnp.sum(state.slope.gradient * state.direction)
        difference = energy_change(problem, state.point, point)
        accepted = falls_enough(difference, state.length, promised, noise)
        pairs = remember(state, point, slope, accepted)
        shortened = state.shortened | ~accepted
        length = jnp.where(accepted, 1, 0.5 * state.length)
        moved = _State(
            point,
            slope,
            -secant_product(pairs, slope, rescale=shortened),
            length,
            shortened,
            pairs,
            state.stop,
            state.steps,
        )
        kept = state._replace(length=length, shortened=shortened)
        state = jax.tree.map(lambda a, b: jnp.where(accepted, a, b), moved, kept)
        stop = arrived(state.point, state.slope, state.direction)
        stop |= length < SHORTEST
        return state._replace(stop=stop, steps=state.steps + 1)

    point, slope = evaluate(initial)
    zero, none = jnp.zeros_like(initial), jnp.zeros((), initial.dtype)
    start = _State(
        point,
        slope,
        -slope.natural,
        jnp.ones((), initial.dtype),
        jnp.zeros((), bool),
        tuple(_Pair(zero, zero, zero, none) for _ in range(MEMORY)),
        arrived(point, slope, -slope.natural),
        jnp.zeros((), int),
    )
    end = jax.lax.while_loop(
        lambda state: ~state.stop & (state.steps < max_steps), step, start
    )
    return LbfgsResult(end.point.whitened, end.steps)


def remember(
    state: _State, point: Point, slope: _Slope, accepted: Array
) -> tuple[_Pair, ...]:
    """The stored pairs with the newest first; a pair without positive curvature is discarded."""
    displacement = point.whitened - state.point.whitened
    change = slope.gradient - state.slope.gradient
    along = jnp.sum(displacement * change)
    good = accepted & (along > 0)
    newest = _Pair(
        displacement,
        change,
        slope.natural - state.slope.natural,
        1 / jnp.where(good, along, 1),
    )
    moved = (newest, *state.pairs[:-1])
    return jax.tree.map(lambda a, b: jnp.where(good, a, b), moved, state.pairs)


def secant_product(pairs: tuple[_Pair, ...], slope: _Slope, *, rescale: Array) -> Array:
    """H^-1 times the gradient by the two-loop recursion, with one product with H_0^-1 per point.

    rescale: whether H_0, if its curvature was too small, is scaled to the newest pair (Shanno & Phua 1978).
    """
    vector, product = slope
    weights = []
    for pair in pairs:
        weight = pair.inverse * jnp.sum(pair.displacement * vector)
        vector = vector - weight * pair.change
        product = product - weight * pair.natural_change
        weights.append(weight)
    measured = pairs[0].inverse * jnp.sum(pairs[0].change * pairs[0].natural_change)
    known = rescale & (measured > 0)
    product = product * jnp.where(known, 1 / jnp.where(known, measured, 1), 1)
    for pair, weight in zip(reversed(pairs), reversed(weights), strict=True):
        back = weight - pair.inverse * jnp.sum(pair.change * product)
        product = product + back * pair.displacement
    return product
