r"""Activity that is partly generated top-down.

Each level's activity is a mixture of its inferred latents and of what the level above generates,

$$a_L = (1-\alpha)\, x_L + \alpha\,(m + \varepsilon_L), \qquad
  a_\ell = (1-\alpha)\, x_\ell + \alpha\,(f_\ell(a_{\mathrm{pa}(\ell)}) + \varepsilon_\ell),
  \quad \varepsilon_\ell \sim N(0, (g_\ell \Pi_\ell)^{-1}),$$

from perception ($\alpha = 0$) to a sample of the generative model, a dream ($\alpha = 1$): the mixture of
Bredenberg et al. (eLife 105968), with the inferred latents in place of their recognition pathway.  Clamped units
keep their values.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.inference.posterior import whitened_covariance_root
from pcmodel.inference.whitened import unroll
from pcmodel.model.energy import (
    level_factor,
    place,
    predict_latent,
    state_from_latents,
    with_discrete,
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
    widths, levels = structure.model.widths, structure.gaussian_levels
    ends = np.cumsum([0, *(widths[level] for level in levels)])
    activity: dict[int, Array] = {}
    for number, level in reversed(list(enumerate(levels))):
        prediction = predict_latent(problem, level, activity)
        own = noise[int(ends[number]) : int(ends[number + 1])]
        generated = prediction + unwhiten(level_factor(problem, level), own)
        mixed = (1 - top_down) * latents[level] + top_down * generated
        units = structure.clamped_units(level)
        free = structure.free_units(level)
        activity[level] = place(mixed[free], free, inputs.values[level], units)
    return with_discrete(problem, activity)


def num_noise(problem: Problem) -> int:
    """Length of the noise that `mix_top_down` takes."""
    structure = problem.structure
    return sum(structure.model.widths[level] for level in structure.gaussian_levels)


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
