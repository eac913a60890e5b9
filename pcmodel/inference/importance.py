r"""Importance ratios of the Laplace posterior's own draws: how far it is from the posterior.

With $z = z^* + d$, $d \sim q = N(0, H^{-1})$, $H = I + S^\top S$,

$$ \log \frac{p(z, y)}{q(z)} = -F + E(z^*) - E(z) + \tfrac12 d^\top H d , $$

so that the mean ratio is $p(y)$ whatever q is, and constant, $e^{-F}$, exactly where the posterior is the Gaussian
that q says.  Each ratio is a difference from the mode, summed unit by unit: energies of thousands of nats
would leave no digits of it in float32.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.guard import energy_change, point_at
from pcmodel.inference.posterior import (
    DIRECT_LOG_DET,
    free_energy,
    hessian_factor,
    whitened_samples,
)
from pcmodel.inference.solver import Solver
from pcmodel.inference.whitened import Linearisation, linearise, unroll
from pcmodel.problem import Problem
from pcmodel.small import solve_lower_transposed
from pcmodel.types import Latents

APART = 1.0
"""Posterior standard deviations from which another mode is another one."""


class ImportanceDraws(NamedTuple):
    """Laplace draws of one example.

    latents: each (samples, width).  log_ratios: nats, relative to the Laplace evidence.
    log_evidence: that evidence, -F.
    """

    latents: Latents
    log_ratios: Float[Array, " samples"]
    log_evidence: Float[Array, ""]


def importance_draws(
    problem: Problem, whitened: Float[Array, " free"], key: Array, num_samples: int
) -> ImportanceDraws:
    """Draws around a mode, each with the logarithm of its importance ratio."""
    draws, squares = gaussian_draws(problem, whitened, key, num_samples)
    mode = point_at(problem, whitened)

    def ratio(draw: Array, square: Array) -> Array:
        return 0.5 * square - energy_change(problem, mode, point_at(problem, draw))

    return ImportanceDraws(
        jax.vmap(lambda z: unroll(problem, z).latents)(draws),
        jax.vmap(ratio)(draws, squares),
        -free_energy(problem, whitened),
    )


def gaussian_draws(
    problem: Problem, whitened: Float[Array, " free"], key: Array, num_samples: int
) -> tuple[Float[Array, "samples free"], Float[Array, " samples"]]:
    """z of the Laplace posterior, and d'H d of each.

    From a factor of H where it is affordable: the draws then have the very density that the ratios assume.
    """
    linear = linearise(problem, whitened)
    size, dtype = whitened.shape[0], whitened.dtype
    if size <= DIRECT_LOG_DET:
        noise = jax.random.normal(key, (num_samples, size), dtype)
        lower = hessian_factor(linear)
        steps = solve_lower_transposed(lower, noise.T).T
        return whitened[None] + steps, jnp.sum(noise**2, axis=1)
    draws = whitened_samples(problem, whitened, key, num_samples)
    steps = draws - whitened[None]
    outputs = jax.vmap(linear.push)(steps)
    return draws, jnp.sum(steps**2, axis=1) + jnp.sum(outputs**2, axis=1)


def elsewhere(
    problem: Problem,
    whitened: Float[Array, " free"],
    key: Array,
    solver: Solver,
    num_starts: int,
) -> Float[Array, ""]:
    """Evidence of the best other mode relative to this one's, both by Laplace; 0 where none is found.

    Sought from draws of the prior; a mode is another one if it is more than `APART` posterior standard
    deviations away, measured at either.
    """
    if whitened.shape[0] == 0:
        return jnp.zeros((), whitened.dtype)
    here = free_energy(problem, whitened)
    starts = jax.random.normal(key, (num_starts, whitened.shape[0]), whitened.dtype)

    def distance(linear: Linearisation, step: Array) -> Array:
        return jnp.sqrt(jnp.sum(step**2) + jnp.sum(linear.push(step) ** 2))

    own = linearise(problem, whitened)

    def relative(start: Array) -> Array:
        found = solver.minimise(problem, start)
        step = found.whitened - whitened
        near = jnp.minimum(
            distance(own, step), distance(linearise(problem, found.whitened), step)
        )
        counts = found.converged & (near > APART)
        other = free_energy(problem, jnp.where(counts, found.whitened, whitened))
        return jnp.where(counts, jnp.exp(jnp.minimum(here - other, 80.0)), 0.0)

    return jnp.max(jax.vmap(relative)(starts))
