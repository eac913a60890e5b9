"""Where energies and gradients are taken: given latents, or the mode with errors that are not rounded away.

Under a high precision the error of a unit is far smaller than its value, and value minus prediction is mostly rounding:
a precision of 1e8 would turn the last digit of a float32 into an error of ten standard deviations, and the gradient of
the layer below it into noise.  The mode is found in whitened errors, from which the errors follow directly.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from pcmodel.api.batching import run_over_examples
from pcmodel.api.infer import check_solver
from pcmodel.api.initial import check_start
from pcmodel.api.mechanics.by_level import ByLevel
from pcmodel.api.pose import Posed
from pcmodel.inference.infer import infer_one
from pcmodel.inference.solvers.descent import ErrorDescent, StateDescent
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.solvers.truncated_newton import few_products
from pcmodel.inference.whitened import linearise, unroll
from pcmodel.learning.e_step import begin_at
from pcmodel.learning.rounding import errors_of_run
from pcmodel.model.discrete_energy import discrete_energy
from pcmodel.model.energy import (
    belief_error,
    below_tops_factor,
    latents_from_state,
    level_factor,
    predictions,
    state_from_latents,
)
from pcmodel.model.precision import log_normaliser, whiten
from pcmodel.model.problem import Problem, Run
from pcmodel.model.types import Latents
from pcmodel.runtime.contents import Static

PRODUCTS = 10
"""Conjugate-gradient products of the last step."""
TO_THE_LAST_DIGIT = GaussNewton(tolerance=1e-12)
"""Finds the mode as exactly as rounding allows: under a precision P the gradient of the weights is P^0.5 times as far off,
relative to its size, as the whitened errors are."""
AtLatents = Sequence[ArrayLike] | ByLevel
"""Latents that a caller gives: one array per level, ([batch,] width)."""


class Point(NamedTuple):
    """A point of one example, or of each of a batch.

    state: latents of the free units, bottom first, ([batch,] free).
    errors: errors of every level, ([batch,] width), empty for a discrete level; None: value minus prediction.
    """

    state: Array
    errors: Latents | None


def point_of(
    posed: Posed,
    latents: AtLatents | None,
    solver: Solver | None,
    *,
    at_sweep: bool | None = None,
) -> Point:
    """The given latents (clamped units as clamped), or the mode that the solver finds, without its derivatives.

    at_sweep: whether the solver begins exactly at the top-down sweep, if every top level is clamped as a whole
        (`pcmodel.learning.e_step.begin_at`). None: a descent does, as in training (`pcmodel.classical`): a few of its steps
        would leave much of the thousandth by which inference begins beside the sweep, and under a precision of 1e4
        that is as much as the errors themselves.
    """
    problem, batching = posed.problem, posed.batching
    if latents is not None:
        given = latents.entries if isinstance(latents, ByLevel) else latents
        given = check_start(posed, given, where="latents")
        return Point(
            run_over_examples(free_units, problem, given, batching=batching), None
        )
    polishes = solver is None
    solver = solver or TO_THE_LAST_DIGIT
    check_solver(solver)
    if at_sweep is None:
        at_sweep = isinstance(solver, StateDescent | ErrorDescent)
    return run_over_examples(
        found_point,
        jax.lax.stop_gradient(problem),
        batching=batching,
        solver=Static(solver),
        at_sweep=at_sweep,
        polishes=polishes,
    )


def found_point(
    problem: Problem, *, solver: Static[Solver], at_sweep: bool, polishes: bool
) -> Point:
    """The point of one example at which a solver ends, or one Newton step after it.

    A mode within a solver's tolerance may be wrong by more than its whitened errors, which are small where precisions are
    high: in float32 a third of the gradient at 1e8. A caller's own solver ends where it does in training.
    """
    found = infer_one(problem, solver.value, begin_at(problem, at_sweep))
    whitened = found.whitened
    if polishes:
        whitened = polished(problem, whitened)
    point = point_at(problem, whitened)
    # A descent on latents knows its errors as differences only.
    is_state = isinstance(solver.value, StateDescent)
    return point._replace(errors=None) if is_state else point


def free_units(problem: Problem, latents: Latents) -> Float[Array, " free"]:
    """The free units of one example's latents."""
    return state_from_latents(problem.structure, latents)


def point_at(problem: Problem, whitened: Float[Array, " free"]) -> Point:
    """The point of given whitened errors."""
    latents = unroll(problem, whitened).latents
    errors = errors_from_whitened(problem, latents, whitened)
    return Point(state_from_latents(problem.structure, latents), errors)


def errors_from_whitened(
    problem: Problem, latents: Latents, whitened: Float[Array, " free"]
) -> Latents:
    """Errors of every level, those of free units from their whitened errors; empty for a discrete level."""
    structure, found = problem.structure, []
    predicted, slices = predictions(problem, latents), structure.free_slices()
    for level, (latent, prediction) in enumerate(zip(latents, predicted, strict=True)):
        if level in structure.discrete_levels:
            found.append(jnp.zeros((0,), latent.dtype))
            continue
        rounded, own = latent - prediction, whitened[slices[level]]
        found.append(errors_of_run(problem, Run(level, level + 1), rounded, own))
    return tuple(found)


def energies_at(
    problem: Problem, point: Point, *, errors_only: bool = False
) -> Float[Array, " levels"]:
    """Energy of each level at a point of one example, nats; differentiable in the problem and in `point.state`.

    errors_only: without normalisers, and 0 for the prior of a top that is clamped as a whole.
    The energy of a belief about lower levels is added at the lowest of them, as in `level_energies`.
    """
    structure = problem.structure
    latents = latents_from_state(problem, point.state)
    predicted, terms = predictions(problem, latents), []
    for level, (latent, prediction) in enumerate(zip(latents, predicted, strict=True)):
        if level in structure.discrete_levels:
            terms.append(discrete_energy(problem, level, prediction))
            continue
        if errors_only and level in structure.tops and is_given(problem, level):
            terms.append(jnp.zeros((), latent.dtype))
            continue
        error = latent - prediction
        if point.errors is not None:
            # The known error, with the derivatives of the difference.
            error = point.errors[level] + (error - jax.lax.stop_gradient(error))
        own = level_factor(problem, level)
        terms.append(half_square(own, whiten(own, error), errors_only))
    for index, levels in enumerate(structure.beliefs):
        if size := structure.below_tops(index):
            row = belief_error(problem, index, latents)[:size]
            whole = below_tops_factor(problem, index)
            terms[levels[0]] += half_square(whole, row, errors_only)
    return jnp.stack(terms)


def lost_digits(problem: Problem, point: Point) -> tuple[Array, Array]:
    """For each level of one example: squared size of what rounding makes of its errors, and of these, (levels,).

    The error of a free unit at a mode is known to its own last digit; any other is value minus prediction, and uncertain
    by the last digit of the larger of them.
    """
    structure = problem.structure
    latents = latents_from_state(problem, point.state)
    lost, whole = [], []
    pairs = zip(latents, predictions(problem, latents), strict=True)
    for level, (latent, prediction) in enumerate(pairs):
        if level in structure.discrete_levels:
            lost.append(jnp.zeros((), latent.dtype))
            whole.append(jnp.zeros((), latent.dtype))
            continue
        error, last = latent - prediction, float(jnp.finfo(latent.dtype).eps)
        digit = last * jnp.maximum(jnp.abs(latent), jnp.abs(prediction))
        if point.errors is not None:
            error, free = point.errors[level], structure.free_units(level)
            digit = digit.at[free].set(last * jnp.abs(error[free]))
        lost.append(jnp.sum(digit**2))
        whole.append(jnp.sum(error**2))
    return jnp.stack(lost), jnp.stack(whole)


def half_square(factor: Array, whitened: Array, errors_only: bool) -> Float[Array, ""]:
    """Half the squared whitened errors of a level or belief, and unless `errors_only` their normaliser."""
    own = 0.5 * jnp.sum(whitened**2)
    return own if errors_only else own + log_normaliser(factor, whitened.shape[0])


def is_given(problem: Problem, level: int) -> bool:
    """Whether all units of a level are clamped."""
    structure = problem.structure
    return len(structure.clamped[level]) == structure.model.widths[level]


def by_level(names: tuple[str, ...], levels: Float[Array, "*batch levels"]) -> ByLevel:
    """The last axis of an array as one entry per level."""
    return ByLevel(names, [levels[..., level] for level in range(len(names))])


def polished(
    problem: Problem, whitened: Float[Array, " free"]
) -> Float[Array, " free"]:
    """One more Newton step where it makes the gradient smaller; differences of the energy are lost to rounding here."""
    lines = linearise(problem, whitened)
    moved = whitened + few_products(lines, PRODUCTS)
    after = linearise(problem, moved).gradient
    # A NaN compares as false: the step is rejected.
    better = jnp.sum(after**2) < jnp.sum(lines.gradient**2)
    return jnp.where(better, moved, whitened)
