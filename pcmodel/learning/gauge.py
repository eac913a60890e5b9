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

from pcmodel.model.generative import (
    GenerativeModel,
    StackedModel,
    learned,
    one_for_all,
    output_axes,
    path_of,
    spans_of,
)
from pcmodel.model.types import LogPrecisions, Weights

Held = tuple[tuple[int, ...] | None, ...]
"""For each array of a layer: the axes of which every index keeps a norm of its own; None where none is kept."""


def weight_norms(layer: Weights, held: Held) -> list[Array | None]:
    """The norms of a layer that are kept, one for each index of an array's held axes."""
    return [
        None if axes is None else norm_along(leaf, axes)
        for leaf, axes in zip(jax.tree.leaves(layer), held, strict=True)
    ]


def norm_along(leaf: Array, axes: tuple[int, ...]) -> Array:
    """Norm over all axes but these."""
    others = tuple(axis for axis in range(leaf.ndim) if axis not in axes)
    return jnp.sqrt(jnp.sum(leaf**2, axis=others, keepdims=True))


def held_arrays(
    model: GenerativeModel, weights: Weights, log_precisions: LogPrecisions
) -> list[list[Held]]:
    """What the gauge holds of every layer: one list an entry of `weights["layers"]`, one item a layer.

    A map into a level with one precision is held by its norm, into a level with one a unit by the norm of what
    feeds each unit (or channel: its units share their weights, so that a kernel can make up for a rescaled channel
    but not for a rescaled unit).  A map that several levels share is held if any of them is hidden; where
    they do not agree in what feeds a unit, by one norm.
    """
    spans = spans_of(model)
    uses = map_uses(model, weights)
    held = []
    for index, (first, end) in enumerate(spans):
        paths = [
            path_of(path)
            for path, _ in jax.tree_util.tree_leaves_with_path(weights["layers"][index])
        ]
        groups = (
            [tuple(range(first, end))]
            if (first, end) in one_for_all(model)
            else [(level,) for level in range(first, end)]
        )
        held.append(
            [
                tuple(
                    kept_axes(
                        [
                            (level, axes)
                            for levels, axes in uses[index, path]
                            for level in (
                                group if set(group) <= set(levels) else levels
                            )
                        ],
                        log_precisions,
                    )
                    for path in paths
                )
                for group in groups
            ]
        )
    return held


def map_uses(
    model: GenerativeModel, weights: Weights
) -> dict[tuple[int, tuple], list[tuple[tuple[int, ...], tuple[int, ...] | None]]]:
    """For each array of the weights, where it is used: (levels predicted, axes that feed different units)."""
    spans = spans_of(model)
    ties = model.shared if isinstance(model, StackedModel) else ()
    owner_of = {(index, path): (owner, source) for index, path, owner, source in ties}
    uses: dict = {}
    for index, span in enumerate(spans):
        for path, axes in output_axes(model, weights, index).items():
            owner = owner_of.get((index, path), (index, path))
            uses.setdefault(owner, []).append((tuple(range(*span)), axes))
    return uses


def kept_axes(
    uses: Sequence[tuple[int, tuple[int, ...] | None]], log_precisions: LogPrecisions
) -> tuple[int, ...] | None:
    """How the gauge holds one array that is used at (level, axes that feed different units)."""
    hidden = [(level, axes) for level, axes in uses if level > 0 and axes is not None]
    if not hidden:
        return None
    agreed = {axes for _, axes in hidden}
    by_unit = all(has_units(log_precisions[level]) for level, _ in hidden)
    return next(iter(agreed)) if by_unit and len(agreed) == 1 else ()


@dataclass(frozen=True)
class FixedWeightNorm:
    """Every map into a hidden level keeps the norm it began with (the default).

    Frobenius norm where the level has one precision, that of what feeds a unit (or channel) where each has its
    own; see `held_arrays`. The map into level 0 is free: the data fix its scale.  Which axis of a kernel feeds
    which unit is found out from the layer, whatever its orientation.

    Some layers have nothing to hold: what adds to the level above (a residual layer: a chain of them has one scale,
    that of the map it begins with), what bounds its prediction, what has no weights.  `told` names them.
    """

    name = "weight norm of every map into a hidden level fixed"

    def learns(self, level: int, num_levels: int) -> bool:
        """Whether the precision of a level is learned."""
        return True

    def told(
        self, model: GenerativeModel, weights: Weights, log_precisions: LogPrecisions
    ) -> str:
        """The gauge in words, and the hidden levels whose scale it does not fix."""
        free = levels_without(model, weights)
        if not free:
            return self.name
        names = [repr(model.names[level]) for level in free]
        some = ", ".join(names[:3]) + (
            f" and {len(names) - 3} more" if names[3:] else ""
        )
        return (
            f"{self.name}; none is known for the layer that predicts {some} (it adds to the level above, "
            "bounds its prediction, or has no weights that scale it): a precision there refers to the scale "
            "that learning left"
        )

    def reference(self, weights: Weights) -> Any:
        """What `project` refers to: the initial weights."""
        return learned(weights)

    def project(
        self,
        weights: Weights,
        initial: Any,
        log_precisions: LogPrecisions,
        *,
        model: GenerativeModel,
    ) -> Weights:
        """Weights with the initial norms."""
        held = held_arrays(model, weights, log_precisions)
        layers = [
            fix_norms(now, then, own)
            for now, then, own in zip(
                weights["layers"], initial["layers"], held, strict=True
            )
        ]
        return {**weights, "layers": tuple(layers)}


def levels_without(model: GenerativeModel, weights: Weights) -> list[int]:
    """Hidden levels whose prediction no array scales."""
    free = []
    for index, (first, end) in enumerate(spans_of(model)):
        axes = output_axes(model, weights, index).values()
        if all(one is None for one in axes):
            free += range(max(first, 1), end)
    return free


def has_units(log_precision: Array | None) -> bool:
    """Whether a level has more than one precision."""
    return log_precision is not None and log_precision.ndim > 0


def fix_norms(now: Weights, then: Weights, held: Sequence[Held]) -> Weights:
    """One entry of the layers with its earlier norms; `held` for each layer in it."""

    def fix(own: Held, now: Weights, then: Weights) -> Weights:
        return rescale(now, weight_norms(then, own), own)

    if len(held) == 1:
        return fix(held[0], now, then)
    if len(set(held[1:])) == 1 and held[0] in (held[1], (None,) * len(held[0])):
        fixed = jax.vmap(partial(fix, held[1]))(now, then)
        return fixed if held[0] == held[1] else with_bottom_free(fixed, now)
    layers = [
        fix(own, *jax.tree.map(lambda leaf, i=i: leaf[i], (now, then)))
        for i, own in enumerate(held)
    ]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *layers)


def with_bottom_free(fixed: Weights, now: Weights) -> Weights:
    """The lowest entry with its first layer, the one into level 0, as it was."""
    return jax.tree.map(lambda leaf, own: leaf.at[0].set(own[0]), fixed, now)


def rescale(layer: Weights, wanted: Sequence[Array | None], held: Held) -> Weights:
    """The layer with each held array brought to its wanted norms."""
    leaves, tree = jax.tree.flatten(layer)
    current = weight_norms(layer, held)
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

    def told(
        self, model: GenerativeModel, weights: Weights, log_precisions: LogPrecisions
    ) -> str:
        """The gauge in words."""
        del model, weights, log_precisions
        return self.name

    def project(
        self,
        weights: Weights,
        initial: Any,
        log_precisions: LogPrecisions,
        *,
        model: GenerativeModel,
    ) -> Weights:
        """Nothing to fix."""
        del initial, log_precisions, model
        return weights


Gauge = FixedWeightNorm | FixedHiddenPrecision
