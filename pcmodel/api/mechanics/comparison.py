"""The gradient of learning at the equilibrium beside that of backpropagation."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.api.batching import over_examples
from pcmodel.api.mechanics.by_level import ByLevel
from pcmodel.api.mechanics.gradients import (
    learned_of,
    mean_of,
    network_model,
    rounding_of,
    with_parameters,
)
from pcmodel.api.mechanics.points import AtLatents, Point, energies_at, point_of
from pcmodel.api.pose import Batching, Clamps, Observation, Prior, pose
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inference.whitened import objective
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.learning.optimisation.optimisers import as_optimised
from pcmodel.model.generative import GenerativeModel, tops_of
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Problem
from pcmodel.model.types import Weights
from pcmodel.networks.network import Network
from pcmodel.runtime.matmul_precision import in_full_precision


class GradientComparison(NamedTuple):
    """Two gradients of the weights, both means over examples, compared level by level.

    cosine: of the angle between them for the layer that predicts each level (at a top: the prior mean), (); NaN
        where one of them is 0.
    norm_ratio: norm of `equilibrium` over that of `backpropagation`, (); NaN for 0 / 0.
    total_cosine: of all weights together, ().
    equilibrium: gradient of the energy with latents fixed, in the form of `weights_of`.
    backpropagation: gradient of the loss, in the same form.
    rounding: share of each level's errors that may be rounding, as in `EnergyGradients`; above 0.01 a cosine may be of
        noise.
    """

    cosine: ByLevel
    norm_ratio: ByLevel
    total_cosine: Float[Array, ""]
    equilibrium: Weights
    backpropagation: Weights
    rounding: ByLevel


@checked_arguments
def compare_with_backpropagation(
    network: Network,
    observation: Observation | None = None,
    *,
    latents: AtLatents | None = None,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    solver: Solver | None = None,
    at_sweep: bool | None = None,
) -> GradientComparison:
    """The gradient of the weights at the equilibrium, and that of backpropagation, for the same examples.

    latents: where the first is taken; None: at the mode that `solver` finds.
    at_sweep: whether the solver begins exactly at the top-down sweep, where every top level is clamped as a whole; None: a
        descent (`StateDescent`, `ErrorDescent`) does, as in training by `classical`, other solvers a thousandth beside it.

    The loss of backpropagation is the energy with every free unit at its prediction: the squared errors of what is
    clamped, times half their precision, or the negative log-likelihood of discrete data.  The two agree to first order
    where errors are small against the precisions of the hidden levels (Whittington & Bogacz 2017; Millidge et al.
    2022).  Layers that share all parameters are compared at the lowest of their levels, NaN at the others.
    Other arguments and errors as for `infer`.
    """
    posed = pose(network, observation, prior=prior, modulation=modulation, clamp=clamp)
    point = point_of(posed, latents, solver, at_sweep=at_sweep)
    return _compare(posed.problem, point, batching=posed.batching)


@partial(jax.jit, static_argnames=("batching",))
@in_full_precision
def _compare(
    problem: Problem, point: Point, *, batching: Batching
) -> GradientComparison:
    model = network_model(problem.structure)

    def mean(function, weights: Weights, *arrays: Point) -> Array:
        own = with_parameters(problem, weights, problem.inputs.log_precisions)
        return mean_of(
            over_examples(function, own, *arrays, batching=batching), batching
        )

    def at_equilibrium(weights: Weights) -> Array:
        return jnp.sum(mean(energies_at, weights, point))

    def loss(weights: Weights) -> Array:
        return mean(sweep_loss, weights)

    own = learned_of(problem)
    first, second = (
        as_optimised(model, jax.grad(function)(own))
        for function in (at_equilibrium, loss)
    )
    cosines, ratios = [], []
    parts = (by_predicted(each, model) for each in (first, second))
    for one, other in zip(*parts, strict=True):
        cosine, ratio = angle(one, other)
        cosines.append(cosine)
        ratios.append(ratio)
    names = model.names
    total, _ = angle(first, second)
    return GradientComparison(
        ByLevel(names, cosines),
        ByLevel(names, ratios),
        total,
        first,
        second,
        rounding_of(problem, point, batching),
    )


def sweep_loss(problem: Problem) -> Float[Array, ""]:
    """The energy, less what does not depend on latents, with the whitened error of every free unit 0."""
    dtype = problem.inputs.gains[0].dtype
    return objective(problem, jnp.zeros((problem.structure.num_free,), dtype))


def by_predicted(weights: Weights, model: GenerativeModel) -> list[Weights]:
    """The entry of the layer that predicts each level, bottom first; of a top, its prior mean."""
    ends = np.cumsum([model.widths[level] for level in tops_of(model)])
    means = jnp.split(weights["prior_mean"], ends[:-1])
    return [*weights["layers"], *means]


def angle(one: Weights, other: Weights) -> tuple[Array, Array]:
    """Cosine of the angle between two pytrees, and the ratio of their norms."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    flat = [(a.ravel(), b.ravel()) for a, b in pairs]
    if not flat:
        return jnp.full((), jnp.nan), jnp.full((), jnp.nan)
    first, second = (jnp.concatenate(parts) for parts in zip(*flat, strict=True))
    # Scaled before squaring: the square of a small gradient may underflow.
    sizes = [jnp.max(jnp.abs(each)) for each in (first, second)]
    unit = [
        each / jnp.where(size > 0, size, 1)
        for each, size in zip((first, second), sizes, strict=True)
    ]
    norms = [jnp.sqrt(jnp.sum(each**2)) for each in unit]
    cosine = jnp.clip(jnp.sum(unit[0] * unit[1]) / (norms[0] * norms[1]), -1, 1)
    return cosine, (norms[0] / norms[1]) * (sizes[0] / sizes[1])
