"""A posed problem as a linear system: the energy's curvature, and what activity reads of it."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.inference.activity import mix_top_down, num_noise
from pcmodel.inference.posterior import covariance_root
from pcmodel.model.energy import (
    energy,
    latents_from_state,
    level_factor,
    predictions,
    state_from_latents,
)
from pcmodel.model.precision import precision_matrix
from pcmodel.model.problem import Problem
from pcmodel.runtime.matmul_precision import in_full_precision


class Expansion(NamedTuple):
    """Derivatives at 0; exact for a linear-Gaussian hierarchy.

    curvature: H, of the energy in the free units, (free, free).
    root: R with R R' = H^-1, by whitened coordinates, where precisions far apart lose no digits, (free, free).
    coupling: derivative of the energy's gradient in the driven units, (free, driven).
    slope: gradient of the energy at 0, (free,).
    from_state: of activity in the free units, (free, free).
    from_drive: of activity in the driven units, (free, driven).
    from_noise: of activity in the whitened noise of what is generated from above, (free, noise).
    rest: activity at 0, (free,).
    error_from_state: of the errors in the free units, (free, free).
    error_from_drive: of the errors in the driven units, (free, driven).
    error_rest: errors at 0, (free,).
    """

    curvature: Array
    root: Array
    coupling: Array
    slope: Array
    from_state: Array
    from_drive: Array
    from_noise: Array
    rest: Array
    error_from_state: Array
    error_from_drive: Array
    error_rest: Array


@partial(jax.jit, static_argnames=("driven",))
@in_full_precision
def expand(problem: Problem, top_down: Array, *, driven: tuple[int, ...]) -> Expansion:
    """Of one example. top_down: share of generated activity.  driven: levels whose clamped values vary."""
    structure, inputs = problem.structure, problem.inputs
    dtype = inputs.gains[0].dtype
    sizes = [inputs.values[level].shape[0] for level in driven]

    def under(drive: Array) -> Problem:
        values = list(inputs.values)
        pieces = jnp.split(drive, np.cumsum(sizes)[:-1]) if driven else []
        for level, piece in zip(driven, pieces, strict=True):
            values[level] = piece
        return Problem(structure, inputs._replace(values=tuple(values)))

    def slope(state: Array, drive: Array) -> Array:
        own = under(drive)
        return jax.grad(lambda x: energy(own, latents_from_state(own, x)))(state)

    def activity(state: Array, drive: Array, noise: Array) -> Array:
        own = under(drive)
        mixed = mix_top_down(own, latents_from_state(own, state), noise, top_down)
        return state_from_latents(structure, mixed)

    def errors(state: Array, drive: Array) -> Array:
        own = under(drive)
        latents = latents_from_state(own, state)
        left = [x - p for x, p in zip(latents, predictions(own, latents), strict=True)]
        return state_from_latents(structure, tuple(left))

    state = jnp.zeros((structure.num_free,), dtype)
    # Levels that are driven and have no values of their own stay as they are.
    drive = jnp.zeros((sum(sizes),), dtype)
    noise = jnp.zeros((num_noise(problem),), dtype)
    curvature, coupling = jax.jacobian(slope, argnums=(0, 1))(state, drive)
    read = jax.jacobian(activity, argnums=(0, 1, 2))(state, drive, noise)
    wrong = jax.jacobian(errors, argnums=(0, 1))(state, drive)
    return Expansion._make(
        (
            0.5 * (curvature + curvature.T),
            covariance_root(problem, jnp.zeros((structure.num_free,), dtype)),
            coupling,
            slope(state, drive),
            *read,
            activity(state, drive, noise),
            *wrong,
            errors(state, drive),
        )
    )


@jax.jit
def level_precisions(problem: Problem) -> tuple[Float[Array, "width width"], ...]:
    """Precision of every level's errors, gains included."""
    levels = range(problem.structure.top + 1)
    return tuple(precision_matrix(level_factor(problem, level)) for level in levels)


@jax.jit
def level_factors(problem: Problem) -> tuple[Array, ...]:
    """Lower triangular factor of every level's precision, gains included."""
    levels = range(problem.structure.top + 1)
    found = [level_factor(problem, level) for level in levels]
    return tuple(jnp.diag(one) if one.ndim == 1 else one for one in found)
