"""The static part of a network: its layers, grouped into spans.

Successive equal layers form a stack, stored as arrays with an axis of layers and run as a loop; layers that share all
parameters are stored once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from pcmodel.model.generative import FIXED, Axes, num_layers
from pcmodel.model.levels import Part
from pcmodel.model.likelihood import Likelihood
from pcmodel.model.types import Weights
from pcmodel.networks.orientation import layer_axes
from pcmodel.networks.splitting import (
    LayerParts,
    Shared,
    Tie,
    at,
    joined,
    merged,
    with_entry,
)
from pcmodel.runtime.contents import Content


@dataclass(frozen=True, eq=False)
class LayeredModel:
    """The static part of a network; see `pcmodel.model.generative.StackedModel`.

    graphdefs: static description of the first layer of each span.
    spans: (first, end) of the layers in each entry of `weights["layers"]`, bottom first; the arrays of an entry with
        several layers have a leading axis of layers.
    one_for_all: spans whose layers share all parameters, so that their arrays have no such axis.
    ties: for each span, the arrays that are stored in another.
    widths: units of each level, bottom first.
    names: name of each level, bottom first.
    parents: indices of each level's parents; () for tops, which come last.
    likelihoods: likelihood of each level.
    tied_precisions: groups of levels that share their precision.
    parts: named parts of the levels.
    is_linear: whether every prediction is affine.
    content: hashable content of these fields when the network was split; equal models share compiled programs.
    """

    graphdefs: tuple[Any, ...]
    spans: tuple[tuple[int, int], ...]
    one_for_all: tuple[tuple[int, int], ...]
    ties: tuple[tuple[Tie, ...], ...]
    widths: tuple[int, ...]
    names: tuple[str, ...]
    parents: tuple[tuple[int, ...], ...]
    likelihoods: tuple[Likelihood, ...]
    tied_precisions: tuple[tuple[int, ...], ...]
    parts: tuple[Part, ...]
    is_linear: bool
    content: Content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LayeredModel) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)

    @property
    def stacks(self) -> tuple[tuple[int, int], ...]:
        """The spans with several layers."""
        return tuple(span for span in self.spans if span[1] - span[0] > 1)

    @property
    def shared(self) -> tuple[tuple[int, Any, int, Any], ...]:
        """All ties as (span, path, owner, source)."""
        return tuple(
            (index, tie.path, tie.owner, tie.source)
            for index, own in enumerate(self.ties)
            for tie in own
        )

    def output_axes(self, weights: Weights, index: int) -> Axes:
        """Which axes of a layer's arrays feed different units; see `pcmodel.networks.orientation`."""
        whole = self.arrays(weights, index)
        first, end = self.spans[index]
        if end - first > 1:
            whole = jax.eval_shape(
                lambda tree: jax.tree.map(lambda leaf: leaf[0], tree), whole
            )
        above = tuple(self.widths[parent] for parent in self.parents[first])
        return layer_axes(self.graphdefs[index], whole, above)

    def span_of(self, level: int) -> int:
        """Index of the span whose layers predict a level."""
        return next(i for i, (_, end) in enumerate(self.spans) if level < end)

    def arrays(self, weights: Weights, index: int) -> Any:
        """All arrays of the layers of a span, shared ones included, with an axis of layers if there are several."""
        layer = weights["layers"][index]
        for path, owner, source in self.ties[index]:
            layer = with_entry(layer, path, at(weights["layers"][owner], source))
        start, stop = self.spans[index]
        if self.spans[index] in self.one_for_all:
            layer = jax.tree.map(
                lambda leaf: jnp.broadcast_to(leaf, (stop - start, *leaf.shape)), layer
            )
        return joined(layer, weights[FIXED][index]) if FIXED in weights else layer

    def stack_weights(self, weights: Weights, first: int, end: int) -> Any:
        """Weights of layers first .. end - 1 of one stack."""
        index = self.span_of(first)
        start, stop = self.spans[index]
        whole = self.arrays(weights, index)
        if (first, end) == (start, stop):
            return whole
        return jax.tree.map(lambda leaf: leaf[first - start : end - start], whole)

    def predict_in_stack(self, layer: Any, level: int, above: Array) -> Array:
        """Prediction of a level of a stack from one layer's weights."""
        return merged(self.graphdefs[self.span_of(level)], layer)(above)

    def predict_level(
        self, weights: Weights, level: int, parents: tuple[Array, ...]
    ) -> Array:
        """Prediction of a level from its parents; the prior mean for a top."""
        if not parents:
            return self.prior_mean(weights, level)
        index = self.span_of(level)
        layer = self.arrays(weights, index)
        start, stop = self.spans[index]
        if stop - start > 1:
            layer = jax.tree.map(lambda leaf: leaf[level - start], layer)
        return merged(self.graphdefs[index], layer)(*parents)

    def prior_mean(self, weights: Weights, level: int) -> Array:
        """Prior mean of a top; those of several tops are stored one after another."""
        whole, first = weights["prior_mean"], num_layers(self)
        if level == first and level == len(self.widths) - 1:
            return whole
        start = sum(self.widths[first:level])
        return whole[start : start + self.widths[level]]


def whole_layers(model: LayeredModel, weights: Weights) -> list[Any]:
    """All arrays of each layer, shared ones included, bottom first."""
    layers = []
    for index, (first, end) in enumerate(model.spans):
        whole = model.arrays(weights, index)
        for number in range(end - first):
            layers.append(
                whole
                if end - first == 1
                else jax.tree.map(lambda leaf, i=number: leaf[i], whole)
            )
    return layers


def stacked(members: Sequence[Any]) -> Any:
    """The arrays of equal layers stacked along a leading axis; those of a single layer unchanged."""
    if len(members) == 1:
        return members[0]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *members)


def span_ties(
    sharing: Shared, spans: Sequence[tuple[int, int]]
) -> tuple[tuple[Tie, ...], ...]:
    """The ties of each span's first layer to other spans, by the index of the owner's span."""
    index_of = {
        level: index
        for index, (first, end) in enumerate(spans)
        for level in range(first, end)
    }
    return tuple(
        tuple(
            Tie(tie.path, index_of[tie.owner], tie.source)
            for tie in sharing.ties[first]
        )
        for first, _ in spans
    )


def is_one_for_all(
    parts: Sequence[LayerParts], sharing: Shared, span: tuple[int, int]
) -> bool:
    """Whether a span has several layers, which share all parameters."""
    own = parts[span[0]].parameters
    return span[1] - span[0] > 1 and any(one in sharing.twice for _, one in own)


def find_spans(
    parts: Sequence[LayerParts],
    sharing: Shared,
    widths: Sequence[int],
    parents: Sequence[tuple[int, ...]],
    least: int,
) -> tuple[tuple[int, int], ...]:
    """(first, end) of runs of at least `least` equal layers, and of single layers.

    The levels of a run have one parent each, the next level (and all equal widths), or the level a fixed distance above
    and outside of the run.

    Layers that share parameters count as equal only if they share all of them.
    """

    def kind(layer: int) -> Any:
        part = parts[layer]
        above = parents[layer][0]
        if len(parents[layer]) > 1 or (
            above == layer + 1 and widths[layer] != widths[above]
        ):
            return None
        is_shared = any(one in sharing.twice for _, one in part.parameters)
        held = part.parameters if is_shared else None
        sizes = widths[layer], widths[above], above - layer
        return part.graphdef, sizes, held, forms(part)

    spans, first = [], 0
    while first < len(parts):
        end, own = first + 1, kind(first)
        most = len(parts) if own is None else furthest(first, parents[first][0])
        while own is not None and end < min(most, len(parts)) and kind(end) == own:
            end += 1
        end = end if end - first >= least else first + 1
        spans.append((first, end))
        first = end
    return tuple(spans)


def furthest(first: int, parent: int) -> int:
    """The end that a run from level `first` may have: without bound in a chain, else before the parents."""
    return parent if parent > first + 1 else 2**31


def forms(part: LayerParts) -> tuple[Any, ...]:
    """Shape and dtype of every array of a layer, which its static description does not contain."""
    leaves = jax.tree.leaves((part.learned, part.fixed))
    return tuple((leaf.shape, leaf.dtype) for leaf in leaves)
