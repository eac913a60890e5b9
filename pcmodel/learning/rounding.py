r"""Energies at a mode, and their gradient in the weights, from errors that are not rounded away.

At fixed latents the gradient is $-\Pi e\, \partial\mu / \partial\theta$.  Under a high precision the error of a hidden unit is
smaller than the last digit of its value: in float32 and at a precision of $10^6$ the difference of value and prediction
makes the gradient wrong by some 10 %, at $10^8$ by its whole size.  A solver knows the error from its whitened one.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.implicit_derivatives import with_derivative_of
from pcmodel.inference.whitened import run_parts, units_of
from pcmodel.model.discrete_energy import discrete_energy
from pcmodel.model.energy import (
    add_belief_energies,
    level_energies,
    level_factor,
    place,
    predictions,
    stack_factors,
    stack_normalisers,
)
from pcmodel.model.linalg import take
from pcmodel.model.precision import (
    PartitionedFactor,
    log_normaliser,
    unwhiten,
    whiten,
)
from pcmodel.model.problem import Problem, Run, level_runs, split_runs
from pcmodel.model.types import Latents


def energies_of_draws(
    problem: Problem, draws: Latents, whitened: Any
) -> Float[Array, " levels"]:
    """Mean energy of each level over draws of one example, nats.

    draws: one array per level, (samples, width).
    whitened: whitened errors of the only draw, (free,); () where errors are differences of latents and predictions.
    """
    if draws[0].shape[0] > 1:
        each = jax.vmap(partial(level_energies, problem))(draws)
        return jnp.mean(each, axis=0)
    # Without an inner `vmap` the compiler shares these products with the E-step.
    only = tuple(level[0] for level in draws)
    if isinstance(whitened, tuple):
        return level_energies(problem, only)
    return mode_energies(problem, only, whitened)


def mode_energies(
    problem: Problem, latents: Latents, whitened: Float[Array, " free"]
) -> Float[Array, " levels"]:
    """`level_energies` at the latents of given whitened errors, which determine the errors of free units."""
    structure = problem.structure
    predicted, runs = predictions(problem, latents), level_runs(problem)
    terms = {
        level: discrete_energy(problem, level, predicted[level])[None]
        for level in structure.discrete_levels
    }
    pieces = split_runs(structure, runs, whitened)
    for run, piece in zip(runs, pieces, strict=True):
        if run.is_stack:
            levels = slice(run.first, run.end)
            rounded = jnp.stack(latents[levels]) - jnp.stack(predicted[levels])
            known = errors_of_run(problem, run, rounded, piece)
            error, factors = (
                with_derivative_of(known, rounded),
                stack_factors(problem, run),
            )
            squares = jnp.sum(jax.vmap(whiten)(factors, error) ** 2, axis=1)
            terms[run.first] = 0.5 * squares + stack_normalisers(factors)
            continue
        own = level_factor(problem, run.first)
        rounded = latents[run.first] - predicted[run.first]
        known = errors_of_run(problem, run, rounded, piece)
        half = 0.5 * jnp.sum(whiten(own, with_derivative_of(known, rounded)) ** 2)
        terms[run.first] = (half + log_normaliser(own, rounded.shape[0]))[None]
    whole = jnp.concatenate([terms[first] for first in sorted(terms)])
    return add_belief_energies(problem, latents, whole)


def errors_of_run(
    problem: Problem, run: Run, rounded: Array, whitened: Array
) -> Float[Array, "*levels width"]:
    """Errors of a level, or of every level of a stack: of clamped units the rounded differences, of free ones from their
    whitened errors."""
    free, clamped = units_of(problem, run)

    def one(parts: PartitionedFactor, rounded: Array, whitened: Array) -> Array:
        given = take(rounded, clamped)
        if parts.coupling is not None:
            whitened = whitened - parts.coupling.T @ given
        return place(unwhiten(parts.free, whitened), free, given, clamped)

    own = run_parts(problem, run)
    return (jax.vmap(one) if run.is_stack else one)(own, rounded, whitened)
