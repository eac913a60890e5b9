r"""The exact E-step of a linear-Gaussian hierarchy: latents and errors under its posterior.

The posterior is Gaussian, with a covariance that all examples share.  Its mean is that of each example; its root is
pushed through the hierarchy from whitened errors, so that the small errors of precise levels are no differences of
large latents.

The same moments of the *model*, with nothing clamped, are those of data that it would draw itself.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.posterior import free_energy, hessian_factor
from pcmodel.inference.whitened import linearise, unroll
from pcmodel.learning.em import problem_of
from pcmodel.learning.rounding import errors_of_run
from pcmodel.model.energy import predictions
from pcmodel.model.linalg import rows_of, solve_lower_transposed, solve_spd
from pcmodel.model.problem import Problem, Structure, level_runs, split_runs, unstack
from pcmodel.model.slopes import Factors
from pcmodel.model.types import Latents, LogPrecisions, Weights


class Parameters(NamedTuple):
    """What EM moves.

    weights: of the network.
    log_precisions: of its levels, as they are without a drug.
    """

    weights: Weights
    log_precisions: LogPrecisions


class Moments(NamedTuple):
    """Means of a batch and the root of the covariance that its examples share.

    latents: posterior mean of each level, (batch, width).
    errors: posterior mean of each level's errors, (batch, width).
    latent_rows: of each level, (sources, width); rows' rows is the posterior covariance, 0 for clamped units.
    error_rows: of each level's errors, likewise.
    shares: weight of each example in a mean over the batch; their sum is 1, or 0 without any evidence.
    """

    latents: Latents
    errors: Latents
    latent_rows: Latents
    error_rows: Latents
    shares: Float[Array, " batch"]


def posterior_moments(
    parameters: Parameters,
    values: tuple[Array, ...],
    shares: Float[Array, " batch"],
    *,
    structure: Structure,
    factors: Factors | None,
) -> tuple[Moments, Float[Array, " batch"]]:
    """The E-step: moments of all levels, and the log evidence of each example, nats.

    values: clamped values of each level, (batch, units).
    """

    def pose(example: tuple[Array, ...]) -> Problem:
        return problem_of(structure, *parameters, example, factors)

    first = pose(tuple(value[0] for value in values))
    start = jnp.zeros((structure.num_free,), first.inputs.gains[0].dtype)
    # The Hessian depends on which units are given, not on their values: that of the first example is everyone's.
    lower = hessian_factor(linearise(first, start))

    def one(example: tuple[Array, ...]) -> tuple[Latents, Latents, Array]:
        problem, whitened = pose(example), start
        for _ in range(2):  # the second step corrects the rounding of the first
            whitened -= solve_spd(lower, linearise(problem, whitened).gradient)
        return *outcome(problem, whitened), -free_energy(problem, whitened)

    latents, errors, evidence = jax.vmap(one)(values)
    _, push = jax.linearize(lambda z: outcome(first, z), start)
    latent_rows, error_rows = pushed(push, lower)
    return Moments(latents, errors, latent_rows, error_rows, shares), evidence


def model_moments(
    parameters: Parameters, *, structure: Structure, factors: Factors | None
) -> Moments:
    """Moments of the model's own draws, as if of one example with nothing clamped."""
    free = replace(structure, clamped=((),) * len(structure.clamped))
    problem = problem_of(free, *parameters, None, factors)
    start = jnp.zeros((free.num_free,), problem.inputs.gains[0].dtype)
    (latents, errors), push = jax.linearize(lambda z: outcome(problem, z), start)
    latent_rows, error_rows = rows_of(push, start.shape[0], start.dtype)
    latents, errors = jax.tree.map(lambda mean: mean[None], (latents, errors))
    return Moments(
        latents, errors, latent_rows, error_rows, jnp.ones((1,), start.dtype)
    )


def pushed(
    push: Callable[[Array], tuple[Latents, Latents]], lower: Float[Array, "free free"]
) -> tuple[Latents, Latents]:
    """The images of the columns of L^-T under a linear map, as rows."""
    if not lower.shape[0]:
        return jax.vmap(push)(jnp.zeros((0, 0), lower.dtype))
    if lower.shape[0] == 1:
        return rows_of(lambda one: push(one / lower[0]), 1, lower.dtype)
    columns = solve_lower_transposed(lower, jnp.eye(lower.shape[0], dtype=lower.dtype))
    return jax.vmap(push)(columns.T)


def outcome(
    problem: Problem, whitened: Float[Array, " free"]
) -> tuple[Latents, Latents]:
    """Latents and errors of every level from whitened errors, without taking differences for free units."""
    latents = unroll(problem, whitened).latents
    predicted, runs = predictions(problem, latents), level_runs(problem)
    found: dict[int, Array] = {}
    for run, piece in zip(
        runs, split_runs(problem.structure, runs, whitened), strict=True
    ):
        rounded = [latents[level] - predicted[level] for level in run.levels]
        if run.is_stack:
            own = errors_of_run(problem, run, jnp.stack(rounded), piece)
            found.update(zip(run.levels, unstack(own), strict=True))
        else:
            found[run.first] = errors_of_run(problem, run, rounded[0], piece)
    return latents, tuple(found[level] for level in range(len(latents)))
