"""What an account makes of many effects, as arrays, so that all accounts run one compiled program."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.api.pose import pose
from pcmodel.inference.activity import activity_moments
from pcmodel.inference.infer import infer_one
from pcmodel.inference.solvers.gauss_newton import GaussNewton
from pcmodel.model.modulation import Modulation, transmitted
from pcmodel.model.types import Latents, LogPrecisions, Weights
from pcmodel.networks.layered import LayeredModel
from pcmodel.networks.pure import PureNetwork
from pcmodel.neuromodulation.accounts.accounts import Account, Effects
from pcmodel.neuromodulation.accounts.maps import Anatomy
from pcmodel.neuromodulation.course import Course
from pcmodel.neuromodulation.group import Group
from pcmodel.paradigms.belief_checks import (
    anatomy_for,
    check_modulations,
    check_reached,
    effects_of,
)
from pcmodel.runtime.matmul_precision import in_full_precision


class Factors(NamedTuple):
    """A modulation at each of several moments; the leading axes are those of the effects.

    gains: factors on precisions, lowest level first; error transmission is included as the equivalent gains, which
        have the same mode.
    own_gains: the same without error transmission.
    error_transmission: factors on the errors that a level sends up, lowest level first; 1 for the top.
    slopes: factors on activation slopes, lowest level first; 1 for level 0.
    top_down: share of activity that is generated from above, 0 to 1.
    temperature: factor on the variance of activity.
    plasticity: factor on learning rates.
    """

    gains: Float[Array, "... levels"]
    own_gains: Float[Array, "... levels"]
    error_transmission: Float[Array, "... levels"]
    slopes: Float[Array, "... levels"]
    top_down: Float[Array, "..."]
    temperature: Float[Array, "..."]
    plasticity: Float[Array, "..."]


def factors_of(
    network: PureNetwork,
    drug: Group | Course | Effects,
    *,
    account: Account,
    anatomy: Anatomy | None = None,
) -> Factors:
    """The factors at every moment.

    anatomy: receptors of each level; by default, for networks of four levels, that of the experiments.

    Raises UserError for an account that needs receptors which the drug does not reach, that makes no
    possible modulation, or does not fit the network; for effects that are no finite numbers of one shape.
    """
    model, dtype = network.model, network.weights["prior_mean"].dtype
    places = anatomy_for(model, anatomy)
    felt = effects_of(drug, dtype)
    if not isinstance(drug, Effects):
        check_reached(account, felt)
    shape = np.shape(felt.effect_2a)
    flat = Effects(*map(jnp.ravel, felt))
    check_modulations(account, places, flat, model)
    levels = range(len(model.names))
    ones = (jnp.ones((), dtype),) * len(levels)

    def one(felt: Effects) -> Factors:
        made = account.modulate(felt, places)
        alone = replace(made, error_transmission={})
        passed = transmitted(made.error_transmission, model, dtype)
        strengths = (
            jnp.stack(made.resolve(model, dtype)),
            jnp.stack(alone.resolve(model, dtype)),
            jnp.stack([jnp.asarray(passed.get(level, 1.0), dtype) for level in levels]),
        )
        slopes = jnp.stack(made.resolve_slopes(model, dtype) or ones)
        rest = (made.top_down, made.temperature, made.plasticity)
        return Factors(*strengths, slopes, *(jnp.asarray(each, dtype) for each in rest))

    found = jax.vmap(one)(flat)
    return jax.tree.map(lambda leaf: leaf.reshape((*shape, *leaf.shape[1:])), found)


@partial(jax.jit, static_argnames="model")
@in_full_precision
def _means(
    model: LayeredModel,
    weights: Weights,
    log_precisions: LogPrecisions,
    seen: Array,
    factors: Factors,
) -> tuple[Latents, Array]:
    network = PureNetwork(model, weights, log_precisions)
    levels = range(len(model.widths))

    def one(seen: Array, factors: Factors) -> tuple[Latents, Array]:
        modulation = Modulation(
            {level: factors.gains[level] for level in levels},
            {level: factors.slopes[level] for level in levels if level},
        )
        problem = pose(network, seen, modulation=modulation).problem
        found = infer_one(problem, GaussNewton())
        mixed = (factors.top_down, factors.temperature)
        return activity_moments(problem, found.whitened, *mixed).mean, found.converged

    over_moments = jax.vmap(one, in_axes=(None, 0))
    return jax.vmap(over_moments, in_axes=(0, None))(seen, factors)


def mean_activity(
    network: PureNetwork, seen: Float[Array, "cases width"], factors: Factors
) -> tuple[Latents, Array]:
    """Mean activity of every level for each observation at each moment, and whether inference converged.

    The leading axes are (cases, *those of the factors).  Exact for linear-Gaussian networks, linearised at
    the mode otherwise.
    """
    shape = factors.top_down.shape
    flat = jax.tree.map(
        lambda leaf: leaf.reshape((-1, *leaf.shape[len(shape) :])), factors
    )
    dtype = network.weights["prior_mean"].dtype
    means, converged = _means(*network, jnp.asarray(seen, dtype), flat)
    over = (len(seen), *shape)
    return (
        jax.tree.map(lambda leaf: leaf.reshape((*over, *leaf.shape[2:])), means),
        converged.reshape(over),
    )
