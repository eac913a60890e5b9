r"""The same energy in whitened error coordinates.

Free units are written as $z_\ell = F_\ell^\top e_\ell$ and the latents are generated from $z$
top-down.  What is then left of the energy besides $\tfrac12 |z|^2$ are *rows*: the whitened errors of
clamped units and of beliefs about lower levels, and the likelihood of discrete data,

$$E = \tfrac12 |z|^2 + \tfrac12 |r(z)|^2 - g \log p(y \mid \eta(z)) + \text{const},$$

with Gauss-Newton Hessian $I + S^\top S$, $S = A^\top \partial (r, \eta) / \partial z$, $A A^\top$ the Fisher information
(the identity for rows).  Every solver and the posterior are built on the four functions below.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.energy import (
    belief_rows,
    data_energy,
    discrete_level,
    level_factor,
    observed_gain,
    place,
    predictions,
    prior_mean,
    stack_factors,
)
from pcmodel.model import as_stacked
from pcmodel.precision import partition, unwhiten, whiten
from pcmodel.problem import Problem, Run, level_runs, split_runs, unstack
from pcmodel.small import take
from pcmodel.types import Latents


class Unrolled(NamedTuple):
    """What a top-down pass from whitened errors gives.

    rows: whitened errors of everything that is clamped or believed.
    logits: prediction of the observed units of discrete data, else None.
    """

    latents: Latents
    rows: Float[Array, " rows"]
    logits: Array | None


def unroll(problem: Problem, whitened: Float[Array, " free"]) -> Unrolled:
    """Generate the latents top-down from the free units' whitened errors."""
    structure, inputs = problem.structure, problem.inputs
    runs = level_runs(problem)
    rows: list[Array] = []
    latents: list[Array] = []
    above = prior_mean(problem)
    for run, piece in zip(
        reversed(runs),
        reversed(split_runs(structure, runs, whitened)),
        strict=True,
    ):
        if run.is_stack:
            stack = unroll_stack(problem, run, above, piece)
            latents[:0] = unstack(stack)
            above = stack[0]
            continue
        level = run.first
        prediction = above
        if level < structure.top:
            prediction = structure.model.predict_level(inputs.weights, level, above)
        above, row = join_level(problem, level, prediction, piece)
        latents.insert(0, above)
        rows.extend(row)
    logits = None
    if structure.is_discrete:
        every = structure.model.predict_level(inputs.weights, 0, above)
        logits = take(every, structure.clamped_units(0))
        latents.insert(0, discrete_level(problem, above))
    rows.extend(belief_rows(problem, tuple(latents)))
    flat = jnp.concatenate(rows) if rows else jnp.zeros((0,), whitened.dtype)
    return Unrolled(tuple(latents), flat, logits)


def unroll_stack(
    problem: Problem, run: Run, above: Array, whitened: Float[Array, "levels width"]
) -> Float[Array, "levels width"]:
    """Latents of a stack from the latent above it and its own whitened errors."""
    model = as_stacked(problem.structure.model)
    layers = model.stack_weights(problem.inputs.weights, run.first, run.end)
    errors = jax.vmap(unwhiten)(stack_factors(problem, run), whitened)

    def step(above: Array, parts: tuple[Any, Array]) -> tuple[Array, Array]:
        layer, error = parts
        latent = model.predict_in_stack(layer, run.first, above) + error
        return latent, latent

    return jax.lax.scan(step, above, (layers, errors), reverse=True)[1]


def join_level(
    problem: Problem, level: int, prediction: Array, whitened: Array
) -> tuple[Array, list[Array]]:
    """One level's latent from its prediction, plus its clamped units' whitened error."""
    structure, inputs = problem.structure, problem.inputs
    free, clamped = structure.free_units(level), structure.clamped_units(level)
    if len(clamped) == 0:
        own = level_factor(problem, level)
        return prediction + unwhiten(own, whitened), []
    parts = partition(level_factor(problem, level), free, clamped)
    error = inputs.values[level] - take(prediction, clamped)
    row = [whiten(parts.clamped, error)]
    if len(free) == 0:
        return inputs.values[level], row
    if parts.coupling is not None:
        whitened = whitened - parts.coupling.T @ error
    state = take(prediction, free) + unwhiten(parts.free, whitened)
    return place(state, free, inputs.values[level], clamped), row


def whitened_from_latents(problem: Problem, latents: Latents) -> Float[Array, " free"]:
    """Inverse of `unroll`: whitened errors of the free units of given latents."""
    structure = problem.structure
    pieces = [jnp.zeros((0,), latents[0].dtype)] if structure.first_level else []
    predicted = predictions(problem, latents)
    for run in level_runs(problem):
        if run.is_stack:
            levels = slice(run.first, run.end)
            errors = jnp.stack(latents[levels]) - jnp.stack(predicted[levels])
            pieces.append(jax.vmap(whiten)(stack_factors(problem, run), errors).ravel())
            continue
        level = run.first
        free, clamped = structure.free_units(level), structure.clamped_units(level)
        parts = partition(level_factor(problem, level), free, clamped)
        error = latents[level] - predicted[level]
        whitened = whiten(parts.free, take(error, free))
        if parts.coupling is not None:
            whitened = whitened + parts.coupling.T @ take(error, clamped)
        pieces.append(whitened)
    return jnp.concatenate(pieces)


def objective(problem: Problem, whitened: Float[Array, " free"]) -> Float[Array, ""]:
    """The energy less its `normaliser`, which does not depend on z."""
    return unrolled_objective(problem, whitened, unroll(problem, whitened))


def unrolled_objective(
    problem: Problem, whitened: Float[Array, " free"], unrolled: Unrolled
) -> Float[Array, ""]:
    """`objective` where the top-down pass has been made."""
    value = 0.5 * (jnp.sum(whitened**2) + jnp.sum(unrolled.rows**2))
    if unrolled.logits is not None:
        value += data_energy(problem, unrolled.logits)
    return value


class Linearisation(NamedTuple):
    """The objective to second order (Gauss-Newton) around one point.

    value: the objective itself.
    push: v -> S v, (free,) -> (outputs,);  pull: u -> S' u;  Hessian I + S'S.
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
    likelihood = problem.structure.discrete
    gain = observed_gain(problem)
    slope = jax.grad(lambda eta: data_energy(problem, eta))(logits)

    def push(vector: Array) -> Array:
        row, logit = tangent(vector)
        return jnp.concatenate([row, likelihood.push_root(logits, gain, logit)])

    def pull(vector: Array) -> Array:
        root = likelihood.pull_root(logits, gain, vector[num_rows:])
        return transpose((vector[:num_rows], root))[0]

    gradient = whitened + transpose((rows, slope))[0]
    return Linearisation(value, gradient, push, pull, num_rows + logits.shape[0])
