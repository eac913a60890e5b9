"""Directed linear-Gaussian hierarchies from their matrices: `linear_gaussian` for levels written by name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.typing import ArrayLike

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_numbers
from pcmodel.networks.architectures.hierarchy import Level, hierarchy
from pcmodel.networks.layers.additive import Additive
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.network import Network


@checked_arguments
def linear_hierarchy(
    levels: Mapping[str, Level],
    *,
    weights: Mapping[str, Sequence[ArrayLike]] | None = None,
) -> Network:
    """A directed hierarchy x_l = sum_p W_lp x_p + noise, p the parents of level l.

    levels: as for `pcmodel.hierarchy`, without layers.
    weights: by level one matrix, (width, width of the parent), for each of its parents in their order; levels that are
        not named repeat their parents (identity matrices).

    Raises UserError for weights of a level that is unknown or a top, that do not fit the widths or are not finite, and
    as `pcmodel.hierarchy` does.
    """
    given = dict(weights or {})
    for name in given:
        if name not in levels or not levels[name].parents:
            below = [each for each, level in levels.items() if level.parents]
            raise unknown_name("level with parents", name, below, where="weights")
    made = {}
    for name, level in levels.items():
        if level.layer is not None:
            raise UserError(
                "has a layer of its own",
                where=f"level {name!r}",
                expected="a level without, whose maps are the weights",
            )
        known = [levels[parent] for parent in level.parents if parent in levels]
        if level.parents and len(known) == len(level.parents):
            layer = _linear_layer(name, level, known, given.get(name))
            level = replace(level, layer=layer)
        made[name] = level
    return hierarchy(made, activation=identity, rngs=nnx.Rngs(0))


def _linear_layer(
    name: str,
    level: Level,
    parents: Sequence[Level],
    weights: Sequence[ArrayLike] | None,
) -> Dense | Additive:
    shapes = [(int(level.width), int(parent.width)) for parent in parents]
    matrices = (
        [np.eye(*shape) for shape in shapes] if weights is None else list(weights)
    )
    if len(matrices) != len(shapes):
        raise UserError(
            f"has {len(matrices)} matrices",
            where=f"weights of level {name!r}",
            expected=f"one for each of its parents, {', '.join(level.parents)}",
        )
    maps = [
        _map(matrix, shape, f"weights of level {name!r} on {parent!r}")
        for matrix, shape, parent in zip(matrices, shapes, level.parents, strict=True)
    ]
    return maps[0] if len(maps) == 1 else Additive(maps)


def _map(matrix: ArrayLike, shape: tuple[int, int], where: str) -> Dense:
    """A dense map without bias."""
    values = jnp.atleast_2d(jnp.asarray(read_numbers(matrix, where=where), float))
    if values.shape != shape:
        raise UserError(f"have shape {values.shape}", where=where, expected=f"{shape}")
    layer = Dense(shape[1], shape[0], activation=identity, bias=False, rngs=nnx.Rngs(0))
    layer.weight[...] = values
    return layer
