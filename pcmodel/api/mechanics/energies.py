r"""The energy of every level, with its normalisers or of the errors alone.

The whole energy is $-\log p(x, y)$, with $\tfrac12 (d \log 2\pi - \log\det \Pi)$ for every level.  Other predictive-coding
packages print the errors alone, $\tfrac12 e^\top \Pi e$, and count no prior of a level whose values are given.  Both have the
same gradients in latents and in the weights of layers; they differ in what they say of precisions.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from pcmodel.api.batching import run_over_examples
from pcmodel.api.mechanics.by_level import ByLevel
from pcmodel.api.mechanics.points import AtLatents, by_level, energies_at, point_of
from pcmodel.api.pose import Clamps, Observation, Prior, pose
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.model.modulation import Modulation
from pcmodel.networks.network import Network


class Energies(NamedTuple):
    """Energies of one example, or of each of a batch.

    total: sum over levels, ([batch,]), nats.
    levels: each level's part of it, ([batch,]), nats.
    """

    total: Array
    levels: ByLevel


@checked_arguments
def energies(
    network: Network,
    observation: Observation | None = None,
    *,
    latents: AtLatents | None = None,
    prior: Prior | None = None,
    modulation: Modulation | None = None,
    clamp: Clamps | None = None,
    solver: Solver | None = None,
    at_sweep: bool | None = None,
    errors_only: bool = False,
) -> Energies:
    r"""The energy of every level at given latents, or at the mode.

    latents: one array per level, ([batch,] width), clamped units as clamped whatever they hold; None: the mode that
        `solver` finds, which is then taken as fixed by derivatives (at a mode they are those of the energy of the mode).
    at_sweep: whether the solver begins exactly at the top-down sweep, where every top level is clamped as a whole; None: a
        descent (`StateDescent`, `ErrorDescent`) does, as in training by `classical`, other solvers a thousandth beside it.
    errors_only: $\tfrac12 e^\top \Pi e$ of each level (of discrete data still the negative log-likelihood), without
        normalisers, and 0 for the prior of a top level that is clamped as a whole.

    Other arguments and errors as for `infer`.  Differentiable with respect to every array; `nnx.value_and_grad` of
    `energies(network, ...).total` gives the gradient that `nnx.Optimizer` takes.
    """
    posed = pose(network, observation, prior=prior, modulation=modulation, clamp=clamp)
    levels = run_over_examples(
        energies_at,
        posed.problem,
        point_of(posed, latents, solver, at_sweep=at_sweep),
        batching=posed.batching,
        errors_only=errors_only,
    )
    names = posed.problem.structure.model.names
    return Energies(jnp.sum(levels, axis=-1), by_level(names, levels))
