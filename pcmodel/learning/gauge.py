"""The gauge: which of many equivalent networks learning returns.

Rescaling a hidden level and compensating in weights and precision changes nothing observable,
so with learned weights a hidden precision means something only once that scale is fixed.  Two
ways, both stated with the result; report invariants (the prior's share of the posterior precision,
the revision) rather than raw hidden precisions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

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

    def reference(self, weights: Weights) -> Any:
        """What `project` refers to: the initial weights."""
        return weights

    def project(
        self,
        weights: Weights,
        initial: Any,
        log_precisions: LogPrecisions,
        *,
        spans: Sequence[tuple[int, int]],
    ) -> Weights:
        """Weights with the initial norms; see `pcmodel.model.spans_of`."""
        layers = []
        for (first, end), now, then in zip(
            spans, weights["layers"], initial["layers"], strict=True
        ):
            per_unit = tuple(has_units(log_precisions[i]) for i in range(first, end))
            fixed = fix_norms(now, then, per_unit)
            layers.append(fixed if first else with_bottom_free(fixed, now, end))
        return {**weights, "layers": tuple(layers)}


def has_units(log_precision: Array | None) -> bool:
    """Whether a level has more than one precision."""
    return log_precision is not None and log_precision.ndim > 0


def fix_norms(now: Weights, then: Weights, per_unit: tuple[bool, ...]) -> Weights:
    """One entry of the layers with its earlier norms; `per_unit` for each layer in it."""

    def fix(kind: bool, now: Weights, then: Weights) -> Weights:
        return rescale(now, weight_norms(then, per_unit=kind), per_unit=kind)

    if len(per_unit) == 1:
        return fix(per_unit[0], now, then)
    if len(set(per_unit)) == 1:
        return jax.vmap(partial(fix, per_unit[0]))(now, then)
    layers = [
        fix(kind, *jax.tree.map(lambda leaf, i=i: leaf[i], (now, then)))
        for i, kind in enumerate(per_unit)
    ]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *layers)


def with_bottom_free(fixed: Weights, now: Weights, end: int) -> Weights:
    """The lowest entry with its first layer, the one into level 0, as it was."""
    if end == 1:
        return now
    return jax.tree.map(lambda leaf, own: leaf.at[0].set(own[0]), fixed, now)


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

    def reference(self, weights: Weights) -> Any:
        """Nothing."""
        del weights
        return ()

    def project(
        self,
        weights: Weights,
        initial: Any,
        log_precisions: LogPrecisions,
        *,
        spans: Sequence[tuple[int, int]],
    ) -> Weights:
        """Nothing to fix."""
        del initial, log_precisions, spans
        return weights


Gauge = FixedWeightNorm | FixedHiddenPrecision
