r"""Activity that is partly generated top-down.

Each level's activity is a mixture of its inferred latents and of what the level above generates,

$$a_L = (1-\alpha)\, x_L + \alpha\,(m + \varepsilon_L), \qquad
  a_\ell = (1-\alpha)\, x_\ell + \alpha\,(f_\ell(a_{\ell+1}) + \varepsilon_\ell),
  \quad \varepsilon_\ell \sim N(0, (g_\ell \Pi_\ell)^{-1}),$$

from perception ($\alpha = 0$) to a sample of the generative model, a dream ($\alpha = 1$): the mixture of
Bredenberg et al. (eLife 105968), with the inferred latents in place of their recognition pathway.  Clamped units
keep their values.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.posterior import whitened_covariance_root
from pcmodel.inference.whitened import unroll
from pcmodel.model.energy import (
    discrete_level,
    level_factor,
    place,
    prior_mean,
    state_from_latents,
)
from pcmodel.model.precision import unwhiten
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents


def mix_top_down(
    problem: Problem, latents: Latents, noise: Float[Array, " units"], top_down: Array
) -> Latents:
    """Mixed activity of every level, bottom first.

    latents: inferred latents.
    noise: standard normal, one number per unit of every level with Gaussian errors, bottom first; zeros give the
        mean (exactly for linear networks).
    top_down: share alpha of generated activity, in [0, 1].
    """
    structure, inputs = problem.structure, problem.inputs
    widths = structure.model.widths
    first = structure.first_level
    starts = [sum(widths[first:level]) for level in range(first, structure.top + 1)]
    activity: list[Array] = []
    above = None
    for level in reversed(range(first, structure.top + 1)):
        if above is None:
            prediction = prior_mean(problem)
        else:
            prediction = structure.model.predict_level(inputs.weights, level, above)
        start = starts[level - first]
        own = noise[start : start + widths[level]]
        generated = prediction + unwhiten(level_factor(problem, level), own)
        mixed = (1 - top_down) * latents[level] + top_down * generated
        units = structure.clamped_units(level)
        free = structure.free_units(level)
        above = place(mixed[free], free, inputs.values[level], units)
        activity.insert(0, above)
    if structure.is_discrete:
        activity.insert(0, discrete_level(problem, activity[0]))
    return tuple(activity)


def num_noise(problem: Problem) -> int:
    """Length of the noise that `mix_top_down` takes."""
    structure = problem.structure
    return sum(structure.model.widths[structure.first_level :])


class ActivityMoments(NamedTuple):
    """First and second moments of mixed activity.

    mean: mean activity of every level, bottom first.
    root: R with R R' the covariance of the free units of all levels, bottom first.
    """

    mean: Latents
    root: Float[Array, "free sources"]

    @property
    def covariance(self) -> Float[Array, "free free"]:
        """Covariance of the free units of all levels, bottom first."""
        return self.root @ self.root.T


def activity_moments(
    problem: Problem,
    whitened: Float[Array, " free"],
    top_down: Array,
    temperature: Array,
) -> ActivityMoments:
    """Moments of activity around a mode: exact for linear-Gaussian hierarchies, linearised at the mode otherwise.

    whitened: whitened errors of the free units at the mode.
    top_down: share of generated activity (`mix_top_down`).
    temperature: factor on the posterior covariance.
    """

    def mixed(whitened: Array, noise: Array) -> Latents:
        latents = unroll(problem, whitened).latents
        return mix_top_down(problem, latents, noise, top_down)

    def flat(whitened: Array, noise: Array) -> Array:
        return state_from_latents(problem.structure, mixed(whitened, noise))

    silent = jnp.zeros((num_noise(problem),), whitened.dtype)
    to_whitened, to_noise = jax.jacobian(flat, argnums=(0, 1))(whitened, silent)
    spread = to_whitened @ whitened_covariance_root(problem, whitened)
    root = jnp.concatenate([jnp.sqrt(temperature) * spread, to_noise], axis=1)
    return ActivityMoments(mixed(whitened, silent), root)
