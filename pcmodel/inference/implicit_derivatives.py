r"""Implicit derivatives of the mode, from equations without cancellation and a solve whose error is measured.

In the latents x with the whitened errors as unknowns of their own, the mode is

$$ \rho = r(x), \qquad s = \nabla\, (-\log p)(\eta(x)), \qquad J_r^\top \rho + J_\eta^\top s = 0 . $$

In these equations every error and slope is a separate unknown.  The gradient with respect to x alone sums terms that
differ by the ratio of precisions and cancel at the mode, and its Hessian $J^\top J$ has the *square* of that ratio:
in float32 a ratio of $10^8$ leaves no correct digit.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.linalg import lu_factor, lu_solve
from jaxtyping import Float

from pcmodel.inference.whitened import unroll
from pcmodel.model.discrete_energy import data_energy
from pcmodel.model.energy import (
    belief_rows,
    latents_from_state,
    level_factor,
    observed_logits,
    predictions,
    state_from_latents,
)
from pcmodel.model.linalg import rows_of, take
from pcmodel.model.precision import partition, unwhiten, whiten
from pcmodel.model.problem import Problem

ROUNDS = 3
"""Rounds of iterative refinement of an implicit derivative."""
LIMIT = 3e-3
"""Largest relative correction in the last round of refinement; a derivative with a larger one is NaN."""


def whitened_errors(
    problem: Problem, state: Float[Array, " free"], known: Sequence[Array] | None = None
) -> tuple[Float[Array, " rows"], Array | None]:
    """Whitened errors of every level and belief at given latents, and the logits of observed discrete data.

    known: more accurate errors of the levels than the rounded differences of value and prediction, which then
        contribute only their derivatives.
    """
    structure = problem.structure
    latents = latents_from_state(problem, state)
    predicted = predictions(problem, latents)
    rows = []
    for number, level in enumerate(structure.gaussian_levels):
        error = latents[level] - predicted[level]
        if known is not None:
            own = known[number]
            error = own + (error - jax.lax.stop_gradient(error))
        rows.append(whiten(level_factor(problem, level), error))
    rows += belief_rows(problem, latents)
    return jnp.concatenate(rows), observed_logits(problem, latents)


def errors_and_slopes(
    problem: Problem, state: Float[Array, " free"], known: Sequence[Array] | None = None
) -> Float[Array, " errors"]:
    """The derivative of the energy with respect to whitened errors (these errors themselves) and logits."""
    rows, logits = whitened_errors(problem, state, known)
    if logits is None:
        return rows
    slopes = jax.grad(lambda eta: data_energy(problem, eta))(logits)
    return jnp.concatenate([rows, slopes])


def stationarity(
    problem: Problem,
    unknowns: Float[Array, " unknowns"],
    known: Sequence[Array] | None = None,
) -> Float[Array, " unknowns"]:
    """Residuals of the equations of the mode, zero there.

    unknowns: the free units' latents, followed by errors and slopes.
    known: see `whitened_errors`.

    The equation of a pinned unit is that its latent equals its value.
    """
    size = problem.structure.num_free
    state, slopes = unknowns[:size], unknowns[size:]

    def outputs(state: Array) -> Array:
        rows, logits = whitened_errors(problem, state)
        return rows if logits is None else jnp.concatenate([rows, logits])

    _, pull = jax.vjp(outputs, state)
    gradient = pull(slopes)[0]
    if (pins := problem.inputs.pins) is not None:
        gradient = jnp.where(pins.mask, state - pins.values, gradient)
    left = slopes - errors_and_slopes(problem, state, known)
    return jnp.concatenate([gradient, left])


def num_unknowns(problem: Problem) -> int:
    """Number of unknowns of the equations of the mode."""
    state = jax.ShapeDtypeStruct(
        (problem.structure.num_free,), problem.inputs.gains[0].dtype
    )
    slopes = jax.eval_shape(lambda x: errors_and_slopes(problem, x), state)
    return state.shape[0] + slopes.shape[0]


def differentiable(
    problem: Problem, whitened: Float[Array, " free"]
) -> tuple[Array, Array]:
    """Latents and whitened errors of the free units at a known mode, with implicit derivatives.

    whitened: mode of the problem with its pins; the returned errors include those of pinned units.
    """
    still = jax.lax.stop_gradient(problem)
    latents = unroll(still, jax.lax.stop_gradient(whitened)).latents
    state = state_from_latents(problem.structure, latents)
    root = _root(problem, state)
    size = state.shape[0]
    return root[:size], own_errors(problem, root[size:])


@jax.custom_jvp
def _root(problem: Problem, state: Array) -> Array:
    """The unknowns at the mode; the equations are traced only if a derivative is taken."""
    return jnp.concatenate([state, errors_and_slopes(problem, state)])


@_root.defjvp
def _root_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    """Implicit function theorem: the tangent of the unknowns cancels the change of the equations' residuals."""
    problem, state = primals
    root = _root(problem, state)
    change = jax.jvp(lambda p: equation(p, root), (problem,), (tangents[0],))[1]
    _, product = jax.linearize(lambda unknowns: equation(problem, unknowns), root)
    return root, -refined_solve(product, change)


def equation(
    problem: Problem, unknowns: Float[Array, " unknowns"]
) -> Float[Array, " unknowns"]:
    """`stationarity` and its derivatives, evaluated at the polished unknowns."""
    still, here = jax.lax.stop_gradient((problem, unknowns))
    size = problem.structure.num_free
    better, known = jax.lax.stop_gradient(polished(still, here[:size]))
    return stationarity(problem, better + (unknowns - here), known)


def polished(
    problem: Problem, state: Float[Array, " free"]
) -> tuple[Float[Array, " unknowns"], list[Array]]:
    """The unknowns at a mode after one Newton step for errors and slopes, and the levels' errors.

    For a unit of high precision the difference of value and prediction is mostly rounding; its error follows more
    accurately from the balance of the other terms.
    """
    start = jnp.concatenate([state, errors_and_slopes(problem, state)])
    left, product = jax.linearize(lambda at: stationarity(problem, at), start)
    step = refined_solve(product, -left)
    size = state.shape[0]
    moved = jnp.where(jnp.isfinite(step[size:]), step[size:], 0)
    unknowns = start.at[size:].add(moved)
    return unknowns, level_errors(problem, unknowns[size:])


def level_errors(problem: Problem, errors: Float[Array, " errors"]) -> list[Array]:
    """Errors of every level from the whitened errors of all."""
    structure, found, start = problem.structure, [], 0
    for level in structure.gaussian_levels:
        width = structure.model.widths[level]
        row = errors[start : start + width]
        found.append(unwhiten(level_factor(problem, level), row))
        start += width
    return found


def own_errors(
    problem: Problem, errors: Float[Array, " errors"]
) -> Float[Array, " free"]:
    """Whitened errors of the free units, in the coordinates of `unroll`, from those of whole levels."""
    structure = problem.structure
    pieces, start = [], 0
    for level in structure.gaussian_levels:
        width = structure.model.widths[level]
        row = errors[start : start + width]
        start += width
        free, clamped = structure.free_units(level), structure.clamped_units(level)
        own = level_factor(problem, level)
        if own.ndim == 1 or len(clamped) == 0:
            pieces.append(take(row, free))
            continue
        error, parts = unwhiten(own, row), partition(own, free, clamped)
        piece = whiten(parts.free, take(error, free))
        if parts.coupling is not None:
            piece = piece + parts.coupling.T @ take(error, clamped)
        pieces.append(piece)
    return jnp.concatenate(pieces)


@jax.custom_jvp
def with_derivative_of(value: Array, other: Array) -> Array:
    """`value`, with the derivative of `other`."""
    del other
    return value


@with_derivative_of.defjvp
def _with_derivative_of(primals, tangents):
    return with_derivative_of(*primals), tangents[1]


def refined_solve(product, rhs: Float[Array, " unknowns"]) -> Float[Array, " unknowns"]:
    """Solve product(v) = rhs for a moderate number of unknowns by LU with refinement; NaN if that does not converge."""
    matrix = jax.lax.stop_gradient(rows_of(product, rhs.shape[0], rhs.dtype)).T
    # Equilibrate rows and columns by powers of two, so that pivots do not depend on the levels' units.
    columns = power_of_two(jnp.max(jnp.abs(matrix), axis=0))
    rows = power_of_two(jnp.max(jnp.abs(matrix * columns[None]), axis=1))
    scaled = rows[:, None] * matrix * columns[None]
    factors = lu_factor(scaled)

    def solve(_, vector: Array) -> Array:
        return columns * refined(scaled, lambda b: lu_solve(factors, b), rows * vector)

    def transposed(_, vector: Array) -> Array:
        inverse = refined(
            scaled.T, lambda b: lu_solve(factors, b, trans=1), columns * vector
        )
        return rows * inverse

    return jax.lax.custom_linear_solve(product, rhs, solve, transposed)


def power_of_two(size: Array) -> Array:
    """The power of two nearest to 1 / size in logarithm; 1 for zero."""
    return jnp.where(size > 0, jnp.exp2(-jnp.round(jnp.log2(size))), 1)


def refined(matrix: Array, inverse, rhs: Array) -> Array:
    """inverse(rhs) after iterative refinement; NaN if the last relative correction exceeds `LIMIT`."""
    solution = inverse(rhs)
    correction = solution
    for _ in range(ROUNDS):
        correction = inverse(rhs - matrix @ solution)
        solution = solution + correction
    return right_or_nan(solution, correction)


def right_or_nan(solution: Array, correction: Array) -> Array:
    """The solution, or NaN if the correction exceeds `LIMIT` of its norm or is NaN."""
    right = jnp.linalg.norm(correction) <= LIMIT * jnp.linalg.norm(solution)
    return jnp.where(right, solution, jnp.nan)
