"""The energy's gradients, for a training loop of one's own.

A step of learning in three lines: infer, take `energy_and_gradients`, apply any optimiser.  All of it is pure, and runs
under `jit`, `grad` and `vmap`.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.api.batching import over_examples
from pcmodel.api.mechanics.by_level import ByLevel
from pcmodel.api.mechanics.points import (
    AtLatents,
    Point,
    by_level,
    energies_at,
    lost_digits,
    point_of,
)
from pcmodel.api.pose import Batching, Clamps, Observation, Prior, pose
from pcmodel.errors import UserError
from pcmodel.inference.solvers.solver import Solver
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.learning.optimisation.optimisers import as_kept, as_optimised
from pcmodel.model.energy import latents_from_state, place
from pcmodel.model.generative import GenerativeModel, learned
from pcmodel.model.modulation import Modulation
from pcmodel.model.problem import Problem, Structure
from pcmodel.model.slopes import SlopedModel
from pcmodel.model.types import Latents, LogPrecisions, Weights
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model, with_arrays
from pcmodel.runtime.matmul_precision import in_full_precision


class EnergyGradients(NamedTuple):
    """Energies and their gradients; those of parameters are of the mean over examples.

    energy: mean over examples, (), nats per example.
    level_energies: mean of each level's part, ().
    weights: gradient of `energy`, in the form of `weights_of`.
    log_precisions: gradient of `energy`, one array per level of the shape of its log-precision; None for a level
        without one.
    latents: gradient of each example's own energy in its latents, ([batch,] width); 0 at clamped units, and at a
        discrete level 0.
    at: the latents where they were taken, ([batch,] width).
    rounding: share of each level's errors that may be rounding, (); the gradient of the layer that predicts the level is
        as uncertain. Compute in float64 what is above 0.01.
    """

    energy: Float[Array, ""]
    level_energies: ByLevel
    weights: Weights
    log_precisions: LogPrecisions
    latents: ByLevel
    at: ByLevel
    rounding: ByLevel


@checked_arguments
def weights_of(network: Network) -> Weights:
    """The learned weights of a network, for an optimiser.

    {"layers": one entry per layer, bottom first, whose index is the level that the layer predicts; "prior_mean": of the
    top}, without precisions and arrays that are not learned.  Parameters that layers share stand in the lowest of them.
    """
    pure = as_model(network)
    return as_optimised(pure.model, learned(pure.weights))


@checked_arguments
def with_weights(network: Network, weights: Any) -> Network:
    """A copy of the network with other learned weights, in the form of `weights_of`, traced or not.

    Raises UserError for weights of another form.
    """
    pure = as_model(network)
    if form_of(weights) != form_of(as_optimised(pure.model, learned(pure.weights))):
        raise UserError(
            "these weights are not of this network",
            where="with_weights",
            expected="what weights_of(network) gives, with other numbers",
        )
    kept = {**pure.weights, **as_kept(pure.model, weights)}
    return with_arrays(network, kept, pure.log_precisions)


def form_of(tree: Any) -> tuple[Any, list[tuple[int, ...]]]:
    """Structure and shapes of a pytree."""
    return jax.tree.structure(tree), [np.shape(leaf) for leaf in jax.tree.leaves(tree)]


@checked_arguments
def energy_and_gradients(
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
) -> EnergyGradients:
    r"""Energies, and their gradients in weights, log-precisions and latents, at fixed latents.

    latents: where to take them, one array per level, ([batch,] width); None: at the mode that `solver` finds. At a
        mode the gradient of the weights is that of the energy of the mode (envelope theorem), and local to each level:
        $-\Pi_\ell e_\ell \, \partial \mu_\ell / \partial \theta_\ell$.
    at_sweep: whether the solver begins exactly at the top-down sweep, where every top level is clamped as a whole; None: a
        descent (`StateDescent`, `ErrorDescent`) does, as in training by `classical`, other solvers a thousandth beside it.
    errors_only: of the energy without normalisers and without the prior of a clamped top, as `energies` has it.

    Other arguments and errors as for `infer`.  Runs under `jit`.  Precisions cannot be learned from modes: their
    gradient is for posterior draws (`Posterior.sample`), or to be looked at.
    """
    posed = pose(network, observation, prior=prior, modulation=modulation, clamp=clamp)
    point = point_of(posed, latents, solver, at_sweep=at_sweep)
    return _gradients(
        posed.problem, point, batching=posed.batching, errors_only=errors_only
    )


@partial(jax.jit, static_argnames=("batching", "errors_only"))
@in_full_precision
def _gradients(
    problem: Problem, point: Point, *, batching: Batching, errors_only: bool
) -> EnergyGradients:
    structure = problem.structure

    def total(weights: Weights, log_precisions: LogPrecisions, state: Array):
        own, at = (
            with_parameters(problem, weights, log_precisions),
            point._replace(state=state),
        )
        function = partial(energies_at, errors_only=errors_only)
        levels = mean_of(over_examples(function, own, at, batching=batching), batching)
        return jnp.sum(levels), levels

    parameters = learned_of(problem), problem.inputs.log_precisions
    (energy, levels), (weights, log_precisions, pull) = jax.value_and_grad(
        total, argnums=(0, 1, 2), has_aux=True
    )(*parameters, point.state)
    size = point.state.shape[0] if batching.is_batched else 1
    names = structure.model.names
    at = over_examples(latents_from_state, problem, point.state, batching=batching)
    spread = partial(by_unit, structure)
    pulls = (jax.vmap(spread) if batching.is_batched else spread)(size * pull)
    return EnergyGradients(
        energy,
        by_level(names, levels),
        as_optimised(network_model(structure), weights),
        log_precisions,
        ByLevel(names, pulls),
        ByLevel(names, at),
        rounding_of(problem, point, batching),
    )


def rounding_of(problem: Problem, point: Point, batching: Batching) -> ByLevel:
    """`EnergyGradients.rounding`, over all examples; 0 where a level has no errors."""
    parts = over_examples(lost_digits, problem, point, batching=batching)
    lost, whole = (mean_of(part, batching) for part in parts)
    share = jnp.where(lost > 0, jnp.sqrt(lost / jnp.where(whole > 0, whole, 1)), 0)
    share = jnp.where((lost > 0) & (whole == 0), jnp.inf, share)
    return by_level(problem.structure.model.names, share)


def mean_of(values: Array, batching: Batching) -> Array:
    """The mean over the examples of a batch; of a single example itself."""
    return jnp.mean(values, axis=0) if batching.is_batched else values


def by_unit(structure: Structure, state: Float[Array, " free"]) -> Latents:
    """A number for every free unit as one array per level, with 0 at all other units."""
    levels = []
    for level, (own, width) in enumerate(
        zip(structure.free_slices(), structure.model.widths, strict=True)
    ):
        free = structure.free_units(level)
        others = np.setdiff1d(np.arange(width), free)
        zeros = jnp.zeros((len(others),), state.dtype)
        levels.append(place(state[own], free, zeros, others))
    return tuple(levels)


def network_model(structure: Structure) -> GenerativeModel:
    """The network's own model, without a modulation's slopes."""
    model = structure.model
    return model.model if isinstance(model, SlopedModel) else model


def learned_of(problem: Problem) -> Weights:
    """The learned weights of a problem's network."""
    weights = problem.inputs.weights
    sloped = isinstance(problem.structure.model, SlopedModel)
    return learned(weights["network"] if sloped else weights)


def with_parameters(
    problem: Problem, weights: Weights, log_precisions: LogPrecisions
) -> Problem:
    """The problem with other learned weights and log-precisions."""
    inputs, whole = problem.inputs, problem.inputs.weights
    if isinstance(problem.structure.model, SlopedModel):
        whole = {**whole, "network": {**whole["network"], **weights}}
    else:
        whole = {**whole, **weights}
    inputs = inputs._replace(weights=whole, log_precisions=log_precisions)
    return Problem(problem.structure, inputs)
