"""Gradient descent on the energy: in the latents, or in whitened errors.

`StateDescent` is the dynamics of most predictive-coding libraries and of the biological theory: every latent follows
its own precision-weighted errors.  Its settling time grows with the ratio of the precisions and is itself of interest.
`ErrorDescent` descends on whitened errors instead (error-based predictive coding, Goemaere et al. 2025, whitened here).
Any optax optimiser may be used; its noise, if any, is independent between examples.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float

from pcmodel.inference.certificates.certify import certify
from pcmodel.inference.certificates.newton_decrement import is_convex
from pcmodel.inference.solvers.optax_steps import check_steps, fresh, move
from pcmodel.inference.solvers.options import check_made, check_tolerance
from pcmodel.inference.solvers.solver import SolverResult, resolve_tolerance
from pcmodel.inference.whitened import objective, unroll, whitened_from_latents
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import CountOrZero
from pcmodel.model.energy import (
    energy,
    latents_from_free,
    latents_from_state,
    normaliser,
    state_from_latents,
)
from pcmodel.model.problem import Problem, level_runs, split_runs

CHECK_EVERY = 10
"""Steps between convergence checks, each of which costs an additional gradient."""


class Coordinates(NamedTuple):
    """A solver's own coordinates, in which a point is a flat vector, and their relation to whitened errors.

    Steps operate on the parts of a point, so that it is split into levels only once.

    energy: function of the parts, nats.
    to_whitened: function from a point to whitened errors.
    from_whitened: its inverse.
    parts: function that splits a point into parts.
    whole: its inverse.
    """

    energy: Callable[[tuple[Array, ...]], Array]
    to_whitened: Callable[[Array], Array]
    from_whitened: Callable[[Array], Array]
    parts: Callable[[Array], tuple[Array, ...]]
    whole: Callable[[tuple[Array, ...]], Array]


def state_coordinates(problem: Problem) -> Coordinates:
    """Coordinates of `StateDescent`, the free units' latents; a part is a level or a stack of levels."""

    def to_whitened(state: Array) -> Array:
        return whitened_from_latents(problem, latents_from_state(problem, state))

    return Coordinates(
        lambda free: energy(problem, latents_from_free(problem, free)),
        to_whitened,
        lambda z: state_from_latents(problem.structure, unroll(problem, z).latents),
        lambda state: tuple(split_runs(problem.structure, level_runs(problem), state)),
        lambda parts: jnp.concatenate([part.ravel() for part in parts]),
    )


def error_coordinates(problem: Problem) -> Coordinates:
    """Coordinates of `ErrorDescent`, the whitened errors, in a single part."""
    return Coordinates(
        lambda parts: objective(problem, parts[0]) + normaliser(problem),
        lambda z: z,
        lambda z: z,
        lambda z: (z,),
        lambda parts: parts[0],
    )


@checked_arguments
@dataclass(frozen=True)
class StateDescent:
    """Gradient descent on the latents.

    optimiser: any optax transformation.
    tolerance: as for `GaussNewton`; descent ends when the (more conservative) whitened gradient norm is below it. 0
        takes exactly `max_steps` steps without checks, as training with a fixed number of steps does; the residual is
        then that norm.
    max_steps: largest number of steps.

    Raises UserError for an optimiser or tolerance that cannot be used.
    """

    optimiser: optax.GradientTransformation = optax.sgd(0.05)
    tolerance: float | None = None
    max_steps: CountOrZero = 2000

    coordinates = staticmethod(state_coordinates)

    def __post_init__(self):
        check_descent(self)

    def minimise(self, problem: Problem, initial: Array) -> SolverResult:
        """Descend from `initial` (whitened errors)."""
        return descend(self, problem, initial)


@checked_arguments
@dataclass(frozen=True)
class ErrorDescent:
    """Gradient descent on whitened errors; options as for `StateDescent`."""

    optimiser: optax.GradientTransformation = optax.sgd(0.05)
    tolerance: float | None = None
    max_steps: CountOrZero = 2000

    coordinates = staticmethod(error_coordinates)

    def __post_init__(self):
        check_descent(self)

    def minimise(self, problem: Problem, initial: Array) -> SolverResult:
        """Descend from `initial` (whitened errors)."""
        return descend(self, problem, initial)


Descent = StateDescent | ErrorDescent


def check_descent(solver: Descent) -> None:
    """Raise a UserError for an optimiser or tolerance that cannot be used."""
    where = type(solver).__name__
    check_made(
        solver.optimiser, "update", f"optimiser of {where}", "one of optax, made"
    )
    if solver.optimiser is not type(solver).optimiser:
        check_steps(solver.optimiser, where)
    check_tolerance(solver.tolerance, where)


def descend(solver: Descent, problem: Problem, initial: Array) -> SolverResult:
    """Descend to the tolerance in chunks of `CHECK_EVERY` steps; with tolerance 0, take all steps at once."""
    tolerance = resolve_tolerance(solver.tolerance, initial.dtype)
    coordinates = solver.coordinates(problem)

    def residual(parts: tuple[Array, ...]) -> Array:
        gradient = jax.grad(lambda z: objective(problem, z))(
            coordinates.to_whitened(coordinates.whole(parts))
        )
        # H >= I: the gradient norm bounds the Newton decrement.
        return jnp.sqrt(jnp.sum(gradient**2))

    if tolerance == 0:
        point = coordinates.from_whitened(initial)
        point = descend_steps(solver, problem, point, solver.max_steps)
        whitened, count = coordinates.to_whitened(point), jnp.full((), solver.max_steps)
        norm = residual(coordinates.parts(point))
        # The gradient's norm bounds the distance without a solve, but does not exclude a saddle.
        found = is_convex(problem) & (norm <= resolve_tolerance(None, norm.dtype))
        return SolverResult(whitened, norm, found, count, count)
    step = descent_step(solver.optimiser, coordinates.energy)

    def unfinished(carry):
        _, _, norm, count = carry
        return (norm > tolerance) & jnp.isfinite(norm) & (count < solver.max_steps)

    def chunk(carry):
        parts, state, _, count = carry
        (parts, state), _ = jax.lax.scan(step, (parts, state), length=CHECK_EVERY)
        return parts, state, residual(parts), count + CHECK_EVERY

    parts = coordinates.parts(coordinates.from_whitened(initial))
    begun = first_state(solver, problem, coordinates, parts)
    start = (parts, begun, residual(parts), jnp.zeros((), int))
    parts, _, norm, count = jax.lax.while_loop(unfinished, chunk, start)
    whitened = coordinates.to_whitened(coordinates.whole(parts))
    found = certify(problem, whitened, tolerance=tolerance)
    return SolverResult(whitened, *found, count, count)


def first_state(
    solver: Descent,
    problem: Problem,
    coordinates: Coordinates,
    parts: tuple[Array, ...],
) -> Any:
    """The optimiser's state at the first point, with noise that is independent between examples."""

    def anchor() -> Array:
        given = (problem.inputs, parts)
        numbers = [
            jnp.asarray(leaf).ravel()[:1].astype(parts[0].dtype)
            for leaf in jax.tree.leaves(given)
        ]
        return jnp.sum(jnp.concatenate(numbers))

    return fresh(solver.optimiser, parts, lambda: coordinates.energy(parts), anchor)


def descent_step(optimiser: optax.GradientTransformation, energy_of: Callable):
    """A scan body that takes one optimiser step and emits nothing."""

    def step(carry, _):
        parts, state = carry
        value, gradient = jax.value_and_grad(energy_of)(parts)
        updates, state = move(optimiser, energy_of, parts, value, gradient, state)
        moved = jax.tree.map(jnp.add, parts, updates)
        return (moved, state), None

    return step


def descend_steps(
    solver: Descent, problem: Problem, initial: Array, num_steps: int
) -> Array:
    """The point after a fixed number of steps without checks.

    initial: point in the solver's own coordinates, like the result.
    """
    coordinates = solver.coordinates(problem)
    step = descent_step(solver.optimiser, coordinates.energy)
    parts = coordinates.parts(initial)
    start = (parts, first_state(solver, problem, coordinates, parts))
    (parts, _), _ = jax.lax.scan(step, start, length=num_steps)
    return coordinates.whole(parts)


class Trajectory(NamedTuple):
    """The course of a descent.

    points: point before each step, in the solver's own coordinates.
    energies: energy before each step, nats.
    """

    points: Float[Array, "steps free"]
    energies: Float[Array, " steps"]


def trajectory(
    solver: Descent, problem: Problem, initial: Array, num_steps: int
) -> Trajectory:
    """Record a fixed number of descent steps, for dynamics and settling times.

    initial: point in the solver's own coordinates.
    """
    coordinates = solver.coordinates(problem)
    step = descent_step(solver.optimiser, coordinates.energy)

    def record(carry, _):
        value = coordinates.energy(carry[0])
        return step(carry, None)[0], (coordinates.whole(carry[0]), value)

    parts = coordinates.parts(initial)
    start = (parts, first_state(solver, problem, coordinates, parts))
    _, (points, energies) = jax.lax.scan(record, start, length=num_steps)
    return Trajectory(points, energies)
