"""The gauge: which of many equivalent networks learning returns.

Rescaling a hidden level and compensating in weights and precision changes nothing observable,
so with learned weights a hidden precision means something only once that scale is fixed.  Two
ways, both stated with the result; report invariants (the prior's share of the posterior precision,
the revision) rather than raw hidden precisions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from pcmodel.types import LogPrecisions, Weights

FREE = "branch"
"""Key under which a residual layer keeps what it adds to the level above."""


def weight_norms(layer: Weights, *, per_unit: bool) -> list[Array | None]:
    """Norm of each map of a layer (one an output if per unit); None where none is fixed.

    A matrix (units, units above) has a norm a row; a convolution kernel (rows, columns, channels
    above, channels) one a *channel*: its units share their weights, so the kernel can make up for
    a rescaled channel but not for a rescaled unit.  Biases have none.

    Nor has the branch of a residual layer.  Its level is the level above plus something, so it cannot be
    rescaled alone: a chain of such levels has one scale, that of the map it begins with, and
    what a branch adds to it is for the data to say.
    """
    return [
        None if is_free(path) else output_norm(leaf, per_unit=per_unit)
        for path, leaf in jax.tree_util.tree_leaves_with_path(layer)
    ]


def is_free(path: tuple) -> bool:
    """Whether an array belongs to the branch of a residual layer."""
    return any(getattr(entry, "key", None) == FREE for entry in path)


def output_norm(leaf: Array, *, per_unit: bool) -> Array | None:
    """Norm of a matrix or kernel, over everything or over what feeds each output."""
    if leaf.ndim not in (2, 4):
        return None
    inputs = (1,) if leaf.ndim == 2 else (0, 1, 2)
    axes = inputs if per_unit else None
    return jnp.sqrt(jnp.sum(leaf**2, axis=axes, keepdims=True))


@dataclass(frozen=True)
class FixedWeightNorm:
    """Every map into a hidden level keeps the norm it began with (the default).

    Frobenius norm where the level has one precision, row (or channel) norms where each unit has its
    own; see `weight_norms`. The map into level 0 is free: the data fix its scale.
    """

    name = "weight norm of every map into a hidden level fixed"

    def learns(self, level: int, num_levels: int) -> bool:
        """Whether the precision of a level is learned."""
        return True

    def project(
        self, weights: Weights, initial: Weights, log_precisions: LogPrecisions
    ) -> Weights:
        """Weights with the initial norms."""
        layers = [weights["layers"][0]]
        for level, layer in enumerate(weights["layers"][1:], start=1):
            log_precision = log_precisions[level]
            per_unit = log_precision is not None and log_precision.ndim > 0
            wanted = weight_norms(initial["layers"][level], per_unit=per_unit)
            layers.append(rescale(layer, wanted, per_unit=per_unit))
        return {**weights, "layers": tuple(layers)}


def rescale(
    layer: Weights, wanted: Sequence[Array | None], *, per_unit: bool
) -> Weights:
    """The layer with each matrix brought to its wanted norm."""
    leaves, tree = jax.tree.flatten(layer)
    current = weight_norms(layer, per_unit=per_unit)
    scaled = [
        leaf if now is None or norm is None else leaf * ratio(norm, now)
        for leaf, norm, now in zip(leaves, wanted, current, strict=True)
    ]
    return jax.tree.unflatten(tree, scaled)


def ratio(wanted: Array, current: Array) -> Array:
    """wanted / current, 1 where weights are all zero and have no direction."""
    zero = current == 0
    return jnp.where(zero, 1.0, wanted / jnp.where(zero, 1.0, current))


@dataclass(frozen=True)
class FixedHiddenPrecision:
    """Hidden precisions stay as they began; weights are free; only the data's and the top's
    precisions are learned."""

    name = "hidden precisions fixed"

    def learns(self, level: int, num_levels: int) -> bool:
        """Only the bottom and the top."""
        return level in (0, num_levels - 1)

    def project(
        self, weights: Weights, initial: Weights, log_precisions: LogPrecisions
    ) -> Weights:
        """Nothing to fix."""
        return weights


Gauge = FixedWeightNorm | FixedHiddenPrecision
