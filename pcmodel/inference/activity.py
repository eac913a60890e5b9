r"""Activity that is partly generated from above.

Each level's activity is a mixture of what inference finds and what the level above generates,

$$a_L = (1-\alpha)\, x_L + \alpha\,(m + \varepsilon_L), \qquad
  a_\ell = (1-\alpha)\, x_\ell + \alpha\,(f_\ell(a_{\ell+1}) + \varepsilon_\ell),
  \quad \varepsilon_\ell \sim N(0, (g_\ell \Pi_\ell)^{-1}),$$

from perception ($\alpha = 0$) to a sample of the generative model, a dream ($\alpha = 1$): the mixture of
Bredenberg et al. (eLife 105968), with the inferred latents in the place of their recognition
pathway.  Given (clamped) units keep their values.
"""

from jax import Array
from jaxtyping import Float

from pcmodel.model.energy import discrete_level, level_factor, place, prior_mean
from pcmodel.model.precision import unwhiten
from pcmodel.model.problem import Problem
from pcmodel.model.types import Latents


def mix_top_down(
    problem: Problem, latents: Latents, noise: Float[Array, " units"], top_down: Array
) -> Latents:
    """Mixed activity of every level.

    latents: what inference found.  noise: standard normal, one number per unit of every level with
    Gaussian errors, bottom first; zeros give the mean (exactly when linear).
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
    """Length of the noise `mix_top_down` takes."""
    structure = problem.structure
    return sum(structure.model.widths[structure.first_level :])
