"""Gradient descent on the energy: in the latents, or in whitened errors.

`StateDescent` is what most predictive-coding libraries do and what the biology is argued from: every
latent follows its own precision-weighted errors.  It is as slow as the ratio of the precisions is
large, and that slowness (the settling time) is itself of interest.  `ErrorDescent` descends
on whitened errors instead (error-based predictive coding, Goemaere et al. 2025, whitened here).
Any optax optimiser may be passed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float

from pcmodel.energy import (
    Problem,
    energy,
    latents_from_state,
    normaliser,
    state_from_latents,
)
from pcmodel.inference.solver import SolverResult, resolve_tolerance
from pcmodel.inference.whitened import objective, unroll, whitened_from_latents

CHECK_EVERY = 10
"""Steps between convergence checks, each of which costs one more gradient."""


class Coordinates(NamedTuple):
    """How a solver's own coordinates relate to whitened errors."""

    energy: Callable[[Array], Array]
    to_whitened: Callable[[Array], Array]
    from_whitened: Callable[[Array], Array]


def state_coordinates(problem: Problem) -> Coordinates:
    """The free units of the latents."""

    def to_whitened(state: Array) -> Array:
        return whitened_from_latents(problem, latents_from_state(problem, state))

    return Coordinates(
        lambda state: energy(problem, latents_from_state(problem, state)),
        to_whitened,
        lambda z: state_from_latents(problem.structure, unroll(problem, z).latents),
    )


def error_coordinates(problem: Problem) -> Coordinates:
    """Whitened errors themselves."""
    return Coordinates(
        lambda z: objective(problem, z) + normaliser(problem), lambda z: z, lambda z: z
    )


@dataclass(frozen=True)
class StateDescent:
    """Gradient descent on the latents.

    optimiser: any optax transformation; plain SGD's step is unit 1 / gradient rate.
    tolerance: as for `GaussNewton`, on the (more conservative) whitened gradient norm.
    max_steps: a bound; reaching it is reported, `converged` is then false.
    """

    optimiser: optax.GradientTransformation = optax.sgd(0.05)
    tolerance: float | None = None
    max_steps: int = 2000

    coordinates = staticmethod(state_coordinates)

    def minimise(self, problem: Problem, initial: Array) -> SolverResult:
        """Descend from `initial` (whitened errors)."""
        return descend(self, problem, initial)


@dataclass(frozen=True)
class ErrorDescent:
    """Gradient descent on whitened errors; options as for `StateDescent`."""

    optimiser: optax.GradientTransformation = optax.sgd(0.05)
    tolerance: float | None = None
    max_steps: int = 2000

    coordinates = staticmethod(error_coordinates)

    def minimise(self, problem: Problem, initial: Array) -> SolverResult:
        """Descend from `initial` (whitened errors)."""
        return descend(self, problem, initial)


Descent = StateDescent | ErrorDescent


def descend(solver: Descent, problem: Problem, initial: Array) -> SolverResult:
    """Run to tolerance in chunks of `CHECK_EVERY` steps."""
    tolerance = resolve_tolerance(solver.tolerance, initial.dtype)
    coordinates = solver.coordinates(problem)
    step = descent_step(solver.optimiser, coordinates.energy)

    def residual(point: Array) -> Array:
        gradient = jax.grad(lambda z: objective(problem, z))(
            coordinates.to_whitened(point)
        )
        # H >= I: the gradient norm bounds the Newton decrement.
        return jnp.sqrt(jnp.sum(gradient**2))

    def unfinished(carry):
        _, _, norm, count = carry
        return (norm > tolerance) & jnp.isfinite(norm) & (count < solver.max_steps)

    def chunk(carry):
        point, state, _, count = carry
        (point, state), _ = jax.lax.scan(step, (point, state), length=CHECK_EVERY)
        return point, state, residual(point), count + CHECK_EVERY

    point = coordinates.from_whitened(initial)
    start = (point, solver.optimiser.init(point), residual(point), jnp.zeros((), int))
    point, _, norm, count = jax.lax.while_loop(unfinished, chunk, start)
    return SolverResult(
        coordinates.to_whitened(point), norm, norm <= tolerance, count, count
    )


def descent_step(optimiser: optax.GradientTransformation, energy_of: Callable):
    """A scan body: one optimiser step; emits nothing."""

    def step(carry, _):
        point, state = carry
        updates, state = optimiser.update(jax.grad(energy_of)(point), state, point)
        moved = jax.tree.map(jnp.add, point, updates)
        return (moved, state), None

    return step


def descend_steps(
    solver: Descent, problem: Problem, initial: Array, num_steps: int
) -> Array:
    """The point after a fixed number of steps: no record, no check, nothing but the steps.

    `initial` and the result are points in the solver's own coordinates.
    """
    step = descent_step(solver.optimiser, solver.coordinates(problem).energy)
    start = (initial, solver.optimiser.init(initial))
    (point, _), _ = jax.lax.scan(step, start, length=num_steps)
    return point


class Trajectory(NamedTuple):
    """Energies and points before each step, in the solver's own coordinates."""

    points: Float[Array, "steps free"]
    energies: Float[Array, " steps"]


def trajectory(
    solver: Descent, problem: Problem, initial: Array, num_steps: int
) -> Trajectory:
    """Record a fixed number of descent steps: for dynamics and settling times.

    `initial` is a point in the solver's own coordinates.
    """
    energy_of = solver.coordinates(problem).energy
    step = descent_step(solver.optimiser, energy_of)

    def record(carry, _):
        value = energy_of(carry[0])
        return step(carry, None)[0], (carry[0], value)

    start = (initial, solver.optimiser.init(initial))
    _, (points, energies) = jax.lax.scan(record, start, length=num_steps)
    return Trajectory(points, energies)
