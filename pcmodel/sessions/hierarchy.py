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
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from pcmodel.api.pose import under_modulation
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Finite, Positive
from pcmodel.model.modulation import Levels, Modulation
from pcmodel.model.problem import Inputs, Problem, Structure
from pcmodel.networks.architectures.hierarchy import Level
from pcmodel.networks.architectures.linear_hierarchy import linear_hierarchy
from pcmodel.networks.network import Network
from pcmodel.networks.pure import PureNetwork, as_model
from pcmodel.neuromodulation.accounts.maps import Anatomy, anatomy
from pcmodel.sessions.protocol.events import STREAMS

FELT = ("everyday", "memory", "body")
"""The streams that reach the belief through a feeling."""
ROLES = (STREAMS, ("feeling",), ("self",))
"""The levels that play senses, middle and top for an account of neuromodulation."""
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
    levels["self"] = Level(1, prior_mean=[belief], precision=precision)
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


def self_anatomy() -> Anatomy:
    """The cortical networks of the three roles: assumed."""
    return anatomy("sensory", "control", "default")


def self_problem(
    belief: Float[Array, ""],
    log_precision: Float[Array, ""],
    *,
    values: Float[Array, " streams"],
    log_precisions: Float[Array, " streams"],
    feeling: ArrayLike,
    modulation: Modulation | None = None,
) -> Problem:
    """The inference problem of one event.

    belief: prior mean of the self.
    log_precision: of that prior.
    values: of the streams.
    log_precisions: of the streams.
    feeling: precision with which the self predicts the feeling.
    modulation: at that moment, in the names of the hierarchy's levels, without top-down mixing and temperature.
    """
    pure, dtype = self_model(), belief.dtype
    weights = {
        "layers": tuple(
            {name: value.astype(dtype) for name, value in layer.items()}
            for layer in pure.weights["layers"]
        ),
        "prior_mean": belief[None],
    }
    middle = jnp.log(jnp.asarray(feeling, dtype))
    ends = range(len(STREAMS))
    empty = jnp.zeros((0,), dtype)
    inputs = Inputs(
        weights,
        (*(log_precisions[end] for end in ends), middle, log_precision),
        (jnp.ones((), dtype),) * (len(STREAMS) + 2),
        (*(values[end][None] for end in ends), empty, empty),
        (),
    )
    return under_modulation(Problem(self_structure(), inputs), modulation)


def by_role(modulation: Modulation) -> Modulation:
    """A modulation of three levels (0: senses, 1: middle, 2: top) as one of the levels that play these roles."""

    def named(factors: Levels) -> dict[str, ArrayLike]:
        return {name: factors[role] for role in factors for name in ROLES[int(role)]}

    return Modulation(
        named(modulation.gains),
        named(modulation.slopes),
        named(modulation.error_transmission),
        modulation.top_down,
        modulation.temperature,
        modulation.plasticity,
    )
