r"""The energy in whitened error coordinates.

Free units are written as $z_\ell = F_\ell^\top e_\ell$ and the latents are generated from $z$
top-down.  Besides $\tfrac12 |z|^2$ the energy then consists of *rows* r, the whitened errors of
clamped units and of beliefs about lower levels, and of the likelihood of discrete data,

$$E = \tfrac12 |z|^2 + \tfrac12 |r(z)|^2 - g \log p(y \mid \eta(z)) + \text{const},$$

with Gauss-Newton Hessian $I + S^\top S$, $S = A^\top \partial (r, \eta) / \partial z$, $A A^\top$ the Fisher information
(the identity for rows).  All solvers and the posterior use these functions.

Units may be pinned (`pcmodel.model.problem.Pins`): a pinned unit has a fixed value independent of z, its whitened error is
an additional row, and its own z is zero, so that the same formulas hold for the remaining free units.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.model.discrete_energy import data_energy, pull_root, push_root
from pcmodel.model.energy import (
    belief_rows,
    level_factor,
    observed_logits,
    place,
    predict_latent,
    predictions,
    stack_factors,
    stack_predictions,
    with_discrete,
)
from pcmodel.model.generative import as_stacked
from pcmodel.model.linalg import take
from pcmodel.model.precision import (
    PartitionedFactor,
    partition,
    unwhiten,
    whiten,
)
from pcmodel.model.problem import Pins, Problem, Run, level_runs, split_runs, unstack
from pcmodel.model.types import Latents


class Unrolled(NamedTuple):
    """The result of a top-down pass from whitened errors.

    latents: one array per level, bottom first.
    rows: whitened errors of clamped units, of beliefs about lower levels, and of pinned units.
    logits: predictions of the observed units of all discrete levels, (units,); None without discrete levels.
    """

    latents: Latents
    rows: Float[Array, " rows"]
    logits: Array | None


def unroll(problem: Problem, whitened: Float[Array, " free"]) -> Unrolled:
    """Generate the latents top-down from the free units' whitened errors."""
    structure = problem.structure
    runs = level_runs(problem)
    rows: list[Array] = []
    latents: dict[int, Array] = {}
    pinned: list[Array] = []
    for run, piece, pins in zip(
        reversed(runs),
        reversed(split_runs(structure, runs, whitened)),
        reversed(split_pins(problem, runs)),
        strict=True,
    ):
        if run.is_stack:
            if run.is_bank:
                stack, given, row = unroll_bank(problem, run, latents, piece, pins)
                rows.extend(given)
            else:
                above = latents[run.end]
                stack, row = unroll_stack(problem, run, above, piece, pins)
            pinned.insert(0, row)
            latents.update(zip(run.levels, unstack(stack), strict=True))
            continue
        level, units = run.first, units_of(problem, run)
        prediction, parts = (
            predict_latent(problem, level, latents),
            run_parts(problem, run),
        )
        if pins is not None:
            held = held_errors(parts.free, prediction, units, pins)
            piece = jnp.where(pins.mask, held, piece) if parts.free.ndim == 1 else piece
            pinned.insert(0, held)
        values = problem.inputs.values[level]
        latent, row = joined(parts, units, prediction, piece, values)
        if pins is not None:
            # The exact value: the sum of prediction and error may differ in the last digit.
            latent = exactly(units, latent, pins)
        latents[level] = latent
        rows.extend(row)
    logits = observed_logits(problem, latents)
    whole = with_discrete(problem, latents)
    rows.extend(belief_rows(problem, whole))
    if problem.inputs.pins is not None:
        rows.extend(pinned)
    flat = jnp.concatenate(rows) if rows else jnp.zeros((0,), whitened.dtype)
    return Unrolled(whole, flat, logits)


def unroll_stack(
    problem: Problem,
    run: Run,
    above: Array,
    whitened: Float[Array, "levels width"],
    pins: Pins | None = None,
) -> tuple[Float[Array, "levels width"], Float[Array, " units"]]:
    """Latents of a stack from the latent above it and its whitened errors, and the whitened errors of pinned units."""
    model = as_stacked(problem.structure.model)
    layers = model.stack_weights(problem.inputs.weights, run.first, run.end)
    factors = stack_factors(problem, run)
    errors = jax.vmap(unwhiten)(factors, whitened)

    def step(above: Array, parts: tuple[Any, Array, Pins | None]):
        layer, error, pins = parts
        prediction = model.predict_in_stack(layer, run.first, above)
        latent = prediction + error
        if pins is None:
            return latent, (latent, None)
        latent = jnp.where(pins.mask, pins.values, latent)
        return latent, (latent, prediction)

    _, (latents, predicted) = jax.lax.scan(
        step, above, (layers, errors, pins), reverse=True
    )
    if pins is None or predicted is None or factors.ndim != 2:
        return latents, jnp.zeros_like(whitened.ravel())
    rows = jnp.where(pins.mask, factors * (pins.values - predicted), 0)
    return latents, rows.ravel()


def unroll_bank(
    problem: Problem,
    run: Run,
    latents: Mapping[int, Array],
    whitened: Float[Array, "levels free"],
    pins: Pins | None,
) -> tuple[Float[Array, "levels width"], list[Array], Float[Array, " units"]]:
    """Latents of a bank from those above it and its whitened errors, with the whitened errors of clamped units and of
    pinned ones."""
    predicted = stack_predictions(problem, run, latents)
    parts, units = run_parts(problem, run), units_of(problem, run)
    held = jnp.zeros_like(whitened)
    if pins is not None:
        held = jax.vmap(lambda own, mu, pin: held_errors(own.free, mu, units, pin))(
            parts, predicted, pins
        )
        if parts.free.ndim == 2:
            whitened = jnp.where(pins.mask, held, whitened)
    values = jnp.stack([problem.inputs.values[level] for level in run.levels])
    stack, rows = jax.vmap(lambda own, mu, z, given: joined(own, units, mu, z, given))(
        parts, predicted, whitened, values
    )
    if pins is not None:
        stack = jax.vmap(lambda x, pin: exactly(units, x, pin))(stack, pins)
    return stack, [row.ravel() for row in rows], held.ravel()


class RunUnits(NamedTuple):
    """The free and the clamped units of each level of a run."""

    free: np.ndarray
    clamped: np.ndarray


def units_of(problem: Problem, run: Run) -> RunUnits:
    """The units of a run, which are the same in all its levels."""
    structure = problem.structure
    return RunUnits(structure.free_units(run.first), structure.clamped_units(run.first))


def run_parts(problem: Problem, run: Run) -> PartitionedFactor:
    """Factor of each level of a run split into free and clamped units, with a leading axis of levels for a stack."""
    units = units_of(problem, run)
    if not run.is_stack:
        return partition(level_factor(problem, run.first), *units)
    return jax.vmap(lambda own: partition(own, *units))(stack_factors(problem, run))


def split_pins(problem: Problem, runs: tuple[Run, ...]) -> list[Pins | None]:
    """The pins of each run; None for all if the problem has no pins."""
    pins = problem.inputs.pins
    if pins is None:
        return [None] * len(runs)
    masks, values = (split_runs(problem.structure, runs, each) for each in pins)
    return [Pins(*each) for each in zip(masks, values, strict=True)]


def held_errors(
    own: Array, prediction: Array, units: RunUnits, pins: Pins
) -> Float[Array, " free"]:
    """Whitened errors of the pinned units of one level; zero for the others, and with a full precision."""
    if own.ndim != 1:
        return jnp.zeros_like(pins.values)
    return jnp.where(pins.mask, own * (pins.values - take(prediction, units.free)), 0)


def exactly(units: RunUnits, latent: Array, pins: Pins) -> Array:
    """The latent of one level with pinned units exactly at their values."""
    free, clamped = units
    state = jnp.where(pins.mask, pins.values, take(latent, free))
    return place(state, free, take(latent, clamped), clamped)


def joined(
    parts: PartitionedFactor,
    units: RunUnits,
    prediction: Array,
    whitened: Array,
    values: Array,
) -> tuple[Array, list[Array]]:
    """One level's latent from its prediction, plus its clamped units' whitened error."""
    free, clamped = units
    if len(clamped) == 0:
        return prediction + unwhiten(parts.free, whitened), []
    error = values - take(prediction, clamped)
    row = [whiten(parts.clamped, error)]
    if len(free) == 0:
        return values, row
    if parts.coupling is not None:
        whitened = whitened - parts.coupling.T @ error
    state = take(prediction, free) + unwhiten(parts.free, whitened)
    return place(state, free, values, clamped), row


def whitened_from_latents(problem: Problem, latents: Latents) -> Float[Array, " free"]:
    """Inverse of `unroll`: whitened errors of the free units of given latents."""
    structure = problem.structure
    pieces = [jnp.zeros((0,), latents[0].dtype)] if structure.is_discrete else []
    predicted = predictions(problem, latents)
    for run in level_runs(problem):
        parts, units = run_parts(problem, run), units_of(problem, run)
        if run.is_stack:
            levels = slice(run.first, run.end)
            errors = jnp.stack(latents[levels]) - jnp.stack(predicted[levels])
            own = jax.vmap(lambda part, e, u=units: free_errors(part, u, e))
            pieces.append(own(parts, errors).ravel())
            continue
        error = latents[run.first] - predicted[run.first]
        pieces.append(free_errors(parts, units, error))
    whole = jnp.concatenate(pieces)
    if problem.inputs.pins is None:
        return whole
    return jnp.where(problem.inputs.pins.mask, 0, whole)


def free_errors(parts: PartitionedFactor, units: RunUnits, error: Array) -> Array:
    """Whitened errors of one level's free units from the errors of all its units."""
    whitened = whiten(parts.free, take(error, units.free))
    if parts.coupling is not None:
        whitened = whitened + parts.coupling.T @ take(error, units.clamped)
    return whitened


def objective(problem: Problem, whitened: Float[Array, " free"]) -> Float[Array, ""]:
    """The energy minus its `normaliser`, which does not depend on z, nats."""
    return unrolled_objective(problem, whitened, unroll(problem, whitened))


def unrolled_objective(
    problem: Problem, whitened: Float[Array, " free"], unrolled: Unrolled
) -> Float[Array, ""]:
    """`objective` from a given top-down pass."""
    value = 0.5 * (jnp.sum(whitened**2) + jnp.sum(unrolled.rows**2))
    if unrolled.logits is not None:
        value += data_energy(problem, unrolled.logits)
    return value


class Linearisation(NamedTuple):
    """Second-order (Gauss-Newton) expansion of the objective at one point; the Hessian is I + S'S.

    value: objective, nats.
    gradient: its gradient in whitened errors.
    push: product S v, from (free,) to (outputs,).
    pull: product S' u, from (outputs,) to (free,).
    num_outputs: rows of S.
    """

    value: Float[Array, ""]
    gradient: Float[Array, " free"]
    push: Callable[[Array], Array]
    pull: Callable[[Array], Array]
    num_outputs: int


def linearise(problem: Problem, whitened: Float[Array, " free"]) -> Linearisation:
    """Gradient and both products with S at a point, from one linearised pass."""

    def outputs(z: Array) -> tuple[tuple[Array, Array | None], Array]:
        unrolled = unroll(problem, z)
        value = unrolled_objective(problem, z, unrolled)
        return (unrolled.rows, unrolled.logits), value

    (rows, logits), tangent, value = jax.linearize(outputs, whitened, has_aux=True)
    transpose = jax.linear_transpose(tangent, whitened)
    num_rows = rows.shape[0]
    if logits is None:
        gradient = whitened + transpose((rows, None))[0]
        return Linearisation(
            value,
            gradient,
            lambda v: tangent(v)[0],
            lambda u: transpose((u, None))[0],
            num_rows,
        )
    slope = jax.grad(lambda eta: data_energy(problem, eta))(logits)

    def push(vector: Array) -> Array:
        row, logit = tangent(vector)
        return jnp.concatenate([row, push_root(problem, logits, logit)])

    def pull(vector: Array) -> Array:
        root = pull_root(problem, logits, vector[num_rows:])
        return transpose((vector[:num_rows], root))[0]

    gradient = whitened + transpose((rows, slope))[0]
    return Linearisation(value, gradient, push, pull, num_rows + logits.shape[0])
