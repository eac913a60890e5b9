r"""Importance ratios of draws from the Laplace posterior and from defensive proposals.

With $z = z^* + d$, $d \sim q = N(0, H^{-1})$, $H = I + S^\top S$,

$$ \log \frac{p(z, y)}{q(z)} = -F + E(z^*) - E(z) + \tfrac12 d^\top H d , $$

so that the mean ratio is $p(y)$ for any q, and all ratios equal $e^{-F}$ if and only if the posterior is the Gaussian
q.  Each ratio is a difference from the mode, summed unit by unit, because energies of thousands of nats would leave
it no correct digit in float32.

Draws from q carry no information about regions they do not reach: with a plateau beyond a steep slope their ratios
look reliable and are wrong.  The same number of draws therefore comes from the approximation under tempered evidence,
$I + t\,S^\top S$ with t from 1 down to 0, the prior; together they form a defensive mixture (Hesterberg 1995,
Technometrics 37:185), whose ratios $p / \sum_j \alpha_j q_j$ are bounded wherever the likelihood is.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import logsumexp
from jaxtyping import Float

from pcmodel.inference.linear.dual_primal import output_jacobian
from pcmodel.inference.posterior import free_energy, whitened_samples
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.solvers.sufficient_decrease import energy_change, point_at
from pcmodel.inference.whitened import Linearisation, linearise, unroll
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents

LARGEST_FACTOR = 1024
"""Largest number of free units with defensive draws, which need a decomposition of S."""
NUM_TEMPERED = 5
"""Number of defensive proposals: tempered evidence, and the prior."""
NEAR = 0.2
"""Largest residual, in posterior standard deviations, at which the evidence of a mode is used."""
APART = 1.0
"""Smallest distance of distinct modes, in posterior standard deviations."""


class ImportanceDraws(NamedTuple):
    """Draws of one example; log ratios are relative to the Laplace evidence, nats.

    own: log ratios of the draws from the Laplace posterior.
    latents: draws from the Laplace posterior, then as many defensive ones (none for large problems), (draws, width).
    log_ratios: log ratios of all draws to the mixture.
    log_evidence: Laplace log evidence, -F, nats.
    """

    own: Float[Array, " samples"]
    latents: Latents
    log_ratios: Float[Array, " draws"]
    log_evidence: Float[Array, ""]


def importance_draws(
    problem: Problem, whitened: Float[Array, " free"], key: Array, num_samples: int
) -> ImportanceDraws:
    """Draws around a mode, each with the logarithm of its importance ratio."""
    if 0 < whitened.shape[0] <= LARGEST_FACTOR:
        found = mixture_draws(problem, whitened, key, num_samples)
    else:
        found = solved_draws(problem, whitened, key, num_samples)
    mode = point_at(problem, whitened)

    def fallen(draw: Array) -> tuple[Array, Latents]:
        change = energy_change(problem, mode, point_at(problem, draw))
        return -change, unroll(problem, draw).latents

    fall, latents = jax.vmap(fallen)(found.whitened)
    return ImportanceDraws(
        fall[:num_samples] - found.own,
        latents,
        fall - found.mixture,
        -free_energy(problem, whitened),
    )


class ProposalDraws(NamedTuple):
    """Whitened draws and their log densities, relative to that of the Laplace posterior at its mode.

    whitened: draws of the whitened errors.
    own: log densities of the first `num_samples` under the Laplace posterior.
    mixture: log densities of all draws under the mixture of proposals.
    """

    whitened: Float[Array, "draws free"]
    own: Float[Array, " samples"]
    mixture: Float[Array, " draws"]


def solved_draws(
    problem: Problem, whitened: Float[Array, " free"], key: Array, num_samples: int
) -> ProposalDraws:
    """Draws from the Laplace posterior alone, by perturb-and-solve, for problems too large to factor."""
    linear = linearise(problem, whitened)
    draws = whitened_samples(problem, whitened, key, num_samples)
    steps = draws - whitened[None]
    outputs = jax.vmap(linear.push)(steps)
    density = -0.5 * (jnp.sum(steps**2, axis=1) + jnp.sum(outputs**2, axis=1))
    return ProposalDraws(draws, density, density)


def mixture_draws(
    problem: Problem, whitened: Float[Array, " free"], key: Array, num_samples: int
) -> ProposalDraws:
    """Laplace and defensive draws, made in the singular directions of S, where every proposal is diagonal."""
    dtype, size = whitened.dtype, whitened.shape[0]
    matrix = output_jacobian(linearise(problem, whitened))
    if matrix.shape[0] == 0:
        matrix = jnp.zeros((1, size), dtype)
    _, singular, directions = jnp.linalg.svd(
        matrix, full_matrices=matrix.shape[0] < size
    )
    squares = jnp.zeros((size,), dtype).at[: singular.shape[0]].set(singular**2)
    mode = directions @ whitened
    # t s^2 from s^2 to 1 for the largest s, and the prior.
    shares = jnp.linspace(0, 1, NUM_TEMPERED).astype(dtype)
    tempering = jnp.exp(-shares * jnp.log1p(squares[0]))
    tempering = jnp.concatenate([tempering, jnp.zeros((1,), dtype)])
    precision = 1 + tempering[:, None] * squares[None]
    # Means of the linearised posteriors under tempered evidence.
    centres = (tempering[:, None] * (1 + squares[None]) / precision) * mode[None]
    # The last proposal, the prior, is N(0, I) whatever the mode.
    kinds = np.concatenate(
        [np.zeros(num_samples, int), 1 + np.arange(num_samples) % NUM_TEMPERED]
    )
    noise = jax.random.normal(key, (len(kinds), size), dtype)
    points = centres[kinds] + noise / jnp.sqrt(precision[kinds])
    away = points[:, None] - centres[None]
    # Relative to the Laplace posterior at its mode, so that determinants nearly cancel.
    determinants = jnp.log(precision) - jnp.log(precision[:1])
    density = 0.5 * jnp.sum(determinants[None] - precision[None] * away**2, axis=2)
    counts = np.bincount(kinds, minlength=NUM_TEMPERED + 1) / len(kinds)
    mixture = logsumexp(density + jnp.log(jnp.asarray(counts, dtype))[None], axis=1)
    return ProposalDraws(points @ directions, density[:num_samples, 0], mixture)


def elsewhere(
    problem: Problem,
    whitened: Float[Array, " free"],
    key: Array,
    solver: Solver,
    num_starts: int,
) -> Float[Array, ""]:
    """Ratio of the Laplace evidence of the best other mode to that of this mode; 0 if no other is found.

    The solver starts from `num_starts` draws of the prior; a mode counts as another one if it is more than `APART`
    posterior standard deviations away, by the Hessian at either.
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
        # Not `converged`: these searches do not check for saddles.
        counts = (found.residual <= NEAR) & (near > APART)
        other = free_energy(problem, jnp.where(counts, found.whitened, whitened))
        return jnp.where(counts, jnp.exp(jnp.minimum(here - other, 80.0)), 0.0)

    return jnp.max(jax.vmap(relative)(starts))
