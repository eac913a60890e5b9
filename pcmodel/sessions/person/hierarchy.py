"""The hierarchy of a belief about the self, and where its levels lie.

    self (the belief; negative is bad)
      feeling           everyday, memory, body
      therapist, expectation

Experience reaches the belief through what it makes one feel; words and expectations reach it directly. Every map is the
identity, so that all levels are in belief units.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Finite, Positive
from pcmodel.learning.linear.moments import Parameters
from pcmodel.model.problem import Structure
from pcmodel.networks.architectures.hierarchy import Level
from pcmodel.networks.architectures.linear_hierarchy import linear_hierarchy
from pcmodel.networks.network import Network
from pcmodel.networks.pure import PureNetwork, as_model
from pcmodel.neuromodulation.accounts.maps import Anatomy, anatomy
from pcmodel.sessions.protocol.events import STREAMS

FELT = ("everyday", "memory", "body")
"""The streams that reach the belief through a feeling."""
ABSENT = -60.0
"""Log-precision of a stream that is absent, whose value is at the prediction."""


@checked_arguments
def self_belief_network(
    *, belief: Finite = -2.0, precision: Positive = 8.0, feeling: Positive = 4.0
) -> Network:
    """The network of a belief about the self, an ordinary one for `pcmodel.infer`, `posterior` and `relax`.

    belief: prior mean of the self, belief units.
    precision: of that prior.
    feeling: precision with which the self predicts feelings.
    """
    levels = {
        name: Level(1, parents=["feeling" if name in FELT else "self"])
        for name in STREAMS
    }
    levels["feeling"] = Level(1, parents=["self"], precision=feeling)
    levels["self"] = Level(1, prior_mean=np.full(1, belief), precision=precision)
    return linear_hierarchy(levels)


@cache
def self_model() -> PureNetwork:
    """The split network, whose weights, all 1, are shared by everybody."""
    with (
        jax.ensure_compile_time_eval()
    ):  # it may be asked for first within a traced function
        return as_model(self_belief_network())


def self_structure() -> Structure:
    """The hierarchy with every stream given; feeling and self are free."""
    model = self_model().model
    return Structure(
        model, tuple((0,) if name in STREAMS else () for name in model.names), ()
    )


@cache
def self_anatomy() -> Anatomy:
    """The receptors of its levels: assumed are sensory networks for the streams, control for the feeling, default for
    the self."""
    networks = (*("sensory",) * len(STREAMS), "control", "default")
    return anatomy(*networks).of(self_model().model.parents)


def self_parameters(
    belief: Float[Array, ""],
    log_precision: Float[Array, ""],
    *,
    log_precisions: Float[Array, " streams"],
    feeling: Float[Array, ""],
) -> Parameters:
    """The parameters of one person's hierarchy.

    belief: prior mean of the self.
    log_precision: of that prior.
    log_precisions: of the streams.
    feeling: precision with which the self predicts the feeling.
    """
    pure, dtype = self_model(), belief.dtype
    layers = tuple(
        {name: value.astype(dtype) for name, value in layer.items()}
        for layer in pure.weights["layers"]
    )
    return Parameters(
        {"layers": layers, "prior_mean": belief[None]},
        (*log_precisions, jnp.log(feeling.astype(dtype)), log_precision),
    )


def self_values(values: Float[Array, " streams"]) -> tuple[Array, ...]:
    """The clamped values of every level: one for each stream, none above."""
    empty = jnp.zeros((0,), values.dtype)
    return (*(value[None] for value in values), empty, empty)
