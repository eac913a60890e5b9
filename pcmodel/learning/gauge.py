"""The gauge: which of many equivalent networks learning returns.

Rescaling a hidden level and compensating in weights and precision changes nothing observable, so with learned weights
a hidden precision is identified only once that scale is fixed.  There are two ways to fix it, and results name the
one in use.  Report invariants (the prior's share of the posterior precision, the revision) rather than raw hidden
precisions.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from pcmodel.model.generative import (
    GenerativeModel,
    StackedModel,
    ends_of,
    is_chain,
    learned,
    one_for_all,
    output_axes,
    path_of,
    spans_of,
    tops_of,
)
from pcmodel.model.types import LogPrecisions, Weights

Held = tuple[tuple[int, ...] | None, ...]
"""For each array of a layer: the axes of which every index keeps a norm of its own; None if no norm is kept."""


def weight_norms(layer: Weights, held: Held) -> list[Array | None]:
    """The fixed norms of a layer, one for each index of an array's held axes (None for a free array)."""
    return [
        None if axes is None else norm_along(leaf, axes)
        for leaf, axes in zip(jax.tree.leaves(layer), held, strict=True)
    ]


def norm_along(leaf: Array, axes: tuple[int, ...]) -> Array:
    """Euclidean norm over all axes but these, which are kept."""
    others = tuple(axis for axis in range(leaf.ndim) if axis not in axes)
    return jnp.sqrt(jnp.sum(leaf**2, axis=others, keepdims=True))


def held_arrays(
    model: GenerativeModel, weights: Weights, log_precisions: LogPrecisions
) -> list[list[Held]]:
    """Which norms the gauge fixes: one list per entry of `weights["layers"]`, one item per layer in it.

    A map into a level with a single precision keeps its norm; a map into a level with one precision per unit keeps
    the norm of the weights of each unit (of each channel in a convolution: the units of a channel share a kernel,
    which can compensate a rescaled channel but not a rescaled unit).  A map shared by several levels is fixed if any
    of them is hidden, by a single norm if the levels differ in which axes feed a unit.  Which maps of a hierarchy that is
    no chain are fixed is told by `fixing_maps`.
    """
    spans, uses = spans_of(model), map_uses(model, weights)
    fixing = fixing_maps(model, shared_levels(model, uses))
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
                        {level for level, slot in fixing if slot == slot_of(path)},
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


def slot_of(path: tuple[Any, ...]) -> int:
    """The number of the parent that an array of an additive layer reads; 0 for other layers."""
    return path[1] if len(path) > 1 and path[0] == "maps" else 0


def shared_levels(model: GenerativeModel, uses: Mapping[Any, Any]) -> list[list[int]]:
    """The groups of levels that share an array of weights."""
    spans, found = spans_of(model), []
    for (index, _), places in uses.items():
        whole = spans[index] in one_for_all(model) or len(places) > 1
        levels = sorted({level for own, _ in places for level in own})
        if whole and len(levels) > 1 and levels not in found:
            found.append(levels)
    return found


def fixing_maps(
    model: GenerativeModel, shared: Sequence[Sequence[int]] = ()
) -> set[tuple[int, int]]:
    """The maps whose norms fix the scales of hidden levels and tops, as (level, number of the parent).

    A map's norm scales with its level and against its parent, so that fixing the norms of a forest of maps fixes
    scales alone, while one more, which closes a loop (a connection that skips a level), would fix what can be
    observed: it is free, as are maps between levels that have one scale because they share a layer (over time).  Maps
    into ends are free: the data fix their scale.  In a chain all maps into hidden levels are fixed.

    shared: groups of levels that share a layer.
    """
    ends = ends_of(model)
    hidden = [
        level for level, own in enumerate(model.parents) if own and level not in ends
    ]
    if is_chain(model):
        return {(level, 0) for level in hidden}
    scale = list(range(len(model.parents)))

    def find(level: int) -> int:
        while scale[level] != level:
            level = scale[level]
        return level

    for levels in shared:
        above = zip(*(model.parents[level] for level in levels), strict=False)
        for group in (levels, *above):
            for level in group:
                scale[find(level)] = find(group[0])
    kept = set()
    for level in hidden:
        for slot, parent in enumerate(model.parents[level]):
            if find(level) != find(parent):
                kept.add((level, slot))
                scale[find(level)] = find(parent)
    return kept


def kept_axes(
    uses: Sequence[tuple[int, tuple[int, ...] | None]],
    log_precisions: LogPrecisions,
    fixing: Collection[int],
) -> tuple[int, ...] | None:
    """The held axes of one array that is used at each (level, axes that feed different units); None if free.

    fixing: levels whose map of this parent fixes a scale.
    """
    hidden = [
        (level, axes) for level, axes in uses if level in fixing and axes is not None
    ]
    if not hidden:
        return None
    agreed = {axes for _, axes in hidden}
    by_unit = all(has_units(log_precisions[level]) for level, _ in hidden)
    return next(iter(agreed)) if by_unit and len(agreed) == 1 else ()


@dataclass(frozen=True)
class FixedWeightNorm:
    """Every map into a hidden level keeps its initial norm (the default).

    That is the Frobenius norm where the level has a single precision, and the norm of the weights of each unit (or
    channel) where each has its own; see `held_arrays`. A map into an end is free: the data fix its scale.  Which
    axis of a kernel feeds which unit is inferred from the layer, whatever its orientation.

    The scale of some layers cannot be fixed: layers that add to the level above (residual layers: a chain of them has
    one scale, that of its first map), that bound their prediction, or that have no weights.  `told` names them.
    """

    name = "weight norm of every map into a hidden level fixed"

    def learns(self, level: int, model: GenerativeModel) -> bool:
        """Whether the precision of a level may be learned: always."""
        del level, model
        return True

    def told(
        self, model: GenerativeModel, weights: Weights, log_precisions: LogPrecisions
    ) -> str:
        """A sentence that describes the gauge and names the hidden levels whose scale it does not fix."""
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
        """The initial weights, whose norms `project` restores."""
        return learned(weights)

    def project(
        self,
        weights: Weights,
        initial: Any,
        log_precisions: LogPrecisions,
        *,
        model: GenerativeModel,
    ) -> Weights:
        """The weights rescaled to their initial norms."""
        held = held_arrays(model, weights, log_precisions)
        layers = [
            fix_norms(now, then, own)
            for now, then, own in zip(
                weights["layers"], initial["layers"], held, strict=True
            )
        ]
        return {**weights, "layers": tuple(layers)}


def levels_without(model: GenerativeModel, weights: Weights) -> list[int]:
    """Hidden levels whose prediction is scaled by no array of weights."""
    free, ends = [], ends_of(model)
    for index, (first, end) in enumerate(spans_of(model)):
        axes = output_axes(model, weights, index).values()
        if all(one is None for one in axes):
            free += [level for level in range(first, end) if level not in ends]
    return free


def has_units(log_precision: Array | None) -> bool:
    """Whether a level has more than one precision."""
    return log_precision is not None and log_precision.ndim > 0


def fix_norms(now: Weights, then: Weights, held: Sequence[Held]) -> Weights:
    """One entry `now` of the layers, rescaled to the norms of `then`; `held` has an item per layer in it."""

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
    """The lowest entry with its first layer, the map into level 0, not rescaled."""
    return jax.tree.map(lambda leaf, own: leaf.at[0].set(own[0]), fixed, now)


def rescale(layer: Weights, wanted: Sequence[Array | None], held: Held) -> Weights:
    """The layer with each held array rescaled to its wanted norms."""
    leaves, tree = jax.tree.flatten(layer)
    current = weight_norms(layer, held)
    scaled = [
        leaf if now is None or norm is None else leaf * ratio(norm, now)
        for leaf, norm, now in zip(leaves, wanted, current, strict=True)
    ]
    return jax.tree.unflatten(tree, scaled)


def ratio(wanted: Array, current: Array) -> Array:
    """wanted / current; 1 where all weights are zero."""
    zero = current == 0
    return jnp.where(zero, 1.0, wanted / jnp.where(zero, 1.0, current))


@dataclass(frozen=True)
class FixedHiddenPrecision:
    """Hidden precisions keep their initial values: only those of ends and tops are learned; weights are free."""

    name = "hidden precisions fixed"

    def learns(self, level: int, model: GenerativeModel) -> bool:
        """Whether the level is an end or a top."""
        return level in ends_of(model) or level in tops_of(model)

    def reference(self, weights: Weights) -> Any:
        """An empty tuple: `project` needs no reference."""
        del weights
        return ()

    def told(
        self, model: GenerativeModel, weights: Weights, log_precisions: LogPrecisions
    ) -> str:
        """A phrase that describes the gauge."""
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
        """The weights unchanged."""
        del initial, log_precisions, model
        return weights


Gauge = FixedWeightNorm | FixedHiddenPrecision
