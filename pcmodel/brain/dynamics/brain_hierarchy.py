"""A modular hierarchy of brain networks, taught by a world whose streams share causes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.api.learning.linear_em import linear_em
from pcmodel.brain.dynamics.plan import MODULES, BrainPlan, Module, ranks, senses_of
from pcmodel.brain.dynamics.teaching import (
    Taught,
    acting,
    draw_streams,
    make_world,
    regress,
)
from pcmodel.brain.measures.random_numbers import generator
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import CountOrZero
from pcmodel.networks.architectures.hierarchy import Level, hierarchy
from pcmodel.networks.architectures.keys import rngs_of
from pcmodel.networks.layers.additive import Additive
from pcmodel.networks.layers.dense import identity
from pcmodel.networks.network import Network


class Region(NamedTuple):
    """A region of the brain: a part of a level.

    name: such as "default 1".
    network: the module to which it belongs.
    units: places of its units in the module's level.
    """

    name: str
    network: str
    units: tuple[int, ...]


@dataclass(frozen=True)
class BrainHierarchy:
    """A taught hierarchy, and what its levels are.

    network: the hierarchy; one level per module, regions and groups of regions as parts.
    modules: by level.
    plan: how it was made.
    sense_covariance: of all senses' units in the streams that taught it, senses in their order.
    """

    network: Network
    modules: Mapping[str, Module]
    plan: BrainPlan
    sense_covariance: Float[np.ndarray, "units units"]

    @cached_property
    def senses(self) -> tuple[str, ...]:
        """Levels that receive input."""
        return senses_of(self.modules)

    @cached_property
    def networks(self) -> tuple[str, ...]:
        """Levels that are networks of regions, lowest first."""
        return tuple(name for name in self.modules if name not in self.senses)

    @cached_property
    def ranks(self) -> dict[str, int]:
        """Height of each level above the senses."""
        return ranks(self.modules)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """All regions, network by network."""
        return tuple(
            Region(f"{name} {place + 1}", name, units)
            for name in self.networks
            for place, units in enumerate(
                region_units(self.modules[name], self.plan.units)
            )
        )


def region_units(module: Module, units: int) -> list[tuple[int, ...]]:
    """The units of each region of a module."""
    return [
        tuple(range(place * units, (place + 1) * units))
        for place in range(module.regions)
    ]


@checked_arguments
def brain_hierarchy(
    key: Array,
    *,
    plan: BrainPlan | None = None,
    modules: Mapping[str, Module] | None = None,
    squashed: bool = False,
    sense_steps: CountOrZero = 0,
) -> BrainHierarchy:
    """A hierarchy of brain modules that learned from streams of a world of its own.

    key: of the world and of the examples; another key is another person in another world.
    plan: `BrainPlan()` if None.
    modules: senses first; seven cortical networks if None (`MODULES`).
    squashed: whether levels below the top act through tanh, in the world and in the hierarchy; else it is linear.
    sense_steps: steps of exact EM on the senses alone, after teaching with all causes given; linear ones only.
    Raises UserError for modules without an order, and for too few examples.
    """
    plan, modules = plan or BrainPlan(), dict(modules or MODULES)
    if squashed and sense_steps:
        raise UserError(
            "exact EM learns linear hierarchies", where="sense_steps", expected="0"
        )
    rng = generator(key)
    world = make_world(modules, plan, rng, squashed=squashed)
    streams = draw_streams(world, modules, plan.examples, rng)
    taught = {
        name: regress(
            name,
            streams[name],
            [acting(streams[p], modules[p], squashed) for p in module.parents],
        )
        for name, module in modules.items()
    }
    network = assemble(modules, plan, taught, squashed=squashed, key=key)
    senses = senses_of(modules)
    if sense_steps:
        given: Any = {name: streams[name] for name in senses}
        network = linear_em(network, given, num_steps=sense_steps).network
    seen = np.hstack([streams[name] for name in senses])
    return BrainHierarchy(
        network, modules, plan, np.atleast_2d(np.cov(seen.T, bias=True))
    )


def assemble(
    modules: Mapping[str, Module],
    plan: BrainPlan,
    taught: Mapping[str, Taught],
    *,
    squashed: bool,
    key: Array,
) -> Network:
    """The network with what its levels learned."""
    levels = {
        name: Level(
            module.regions * plan.units,
            parents=module.parents,
            precision=taught[name].precision,
            prior_mean=None if module.parents else taught[name].bias,
            parts=parts_of_module(module, plan.units),
        )
        for name, module in modules.items()
    }
    network = hierarchy(
        levels, activation=jnp.tanh if squashed else identity, rngs=rngs_of(key)
    )
    for name, layer in zip(network.names, network.layers, strict=False):
        set_maps(layer, taught[name])
    return network


def parts_of_module(module: Module, units: int) -> dict[str, list[int]]:
    """Each region as a part, and each named group of regions."""
    own = region_units(module, units)
    found = {f"region {place + 1}": list(u) for place, u in enumerate(own)}
    groups = {
        name: [unit for place in places for unit in own[place]]
        for name, places in module.parts.items()
    }
    return found | groups


def set_maps(layer: Any, taught: Taught) -> None:
    """Write what a level learned into its dense maps."""
    maps: list[Any] = list(layer.maps) if isinstance(layer, Additive) else [layer]
    for own, weight in zip(maps, taught.maps, strict=True):
        own.weight[...] = jnp.asarray(weight, own.weight[...].dtype)
    maps[0].bias[...] = jnp.asarray(taught.bias, maps[0].bias[...].dtype)
