"""A network split into a static, hashable model and pure arrays, on which all computations operate."""

from typing import Any, NamedTuple

import jax
from flax import nnx
from jax import Array

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import short
from pcmodel.model.generative import FIXED
from pcmodel.model.likelihood import Gaussian
from pcmodel.model.types import LogPrecisions, Weights
from pcmodel.networks.layered import (
    LayeredModel,
    find_spans,
    is_one_for_all,
    span_ties,
    stacked,
    whole_layers,
)
from pcmodel.networks.network import Network
from pcmodel.networks.splitting import find_shared, split_layers, without
from pcmodel.runtime.contents import Content

STACKED_FROM = 4
"""Smallest number of successive equal layers that form a stack."""


class PureNetwork(NamedTuple):
    """A network split into its static model and two pytrees of arrays."""

    model: LayeredModel
    weights: Weights
    log_precisions: LogPrecisions


def as_model(network: Network) -> PureNetwork:
    """Split a network into its static model, weights and log-precisions.

    The weights are {"layers": one entry per span of `LayeredModel`, "prior_mean": (units of the tops,)}, and "fixed",
    like "layers", if layers have arrays that are not learned.
    """
    parts = split_layers(list(network.layers))
    sharing = find_shared(parts)
    spans = find_spans(parts, sharing, network.widths, network.parents, STACKED_FROM)
    one = tuple(span for span in spans if is_one_for_all(parts, sharing, span))
    ties = span_ties(sharing, spans)
    layers, fixed = [], []
    for span, own in zip(spans, ties, strict=True):
        members = parts[span[0] : span[1]]
        left = [without(part.learned, [tie.path for tie in own]) for part in members]
        layers.append(left[0] if span in one else stacked(left))
        fixed.append(stacked([part.fixed for part in members]))
    static = (
        tuple(parts[first].graphdef for first, _ in spans),
        spans,
        one,
        ties,
        network.widths,
        network.names,
        network.parents,
        network.likelihoods,
        tied_precisions(network),
        network.parts,
        network.is_linear,
    )
    model = LayeredModel(*static, content=Content(static))
    weights = {"layers": tuple(layers), "prior_mean": network.prior_mean[...]}
    if jax.tree.leaves(fixed):
        weights[FIXED] = tuple(fixed)
    return PureNetwork(model, weights, log_precisions_of(network))


def log_precisions_of(network: Network) -> LogPrecisions:
    """The log-precision of every level; raises UserError for one that does not fit its level."""
    return tuple(
        held(network, level, value) for level, value in enumerate(network.log_precision)
    )


def tied_precisions(network: Network) -> tuple[tuple[int, ...], ...]:
    """The groups of levels that hold one log-precision object between them, which is learned as one number."""
    holders: dict[int, list[int]] = {}
    for level, value in enumerate(network.log_precision):
        if value is not None:
            holders.setdefault(id(value), []).append(level)
    return tuple(tuple(levels) for levels in holders.values() if len(levels) > 1)


def held(network: Network, level: int, value: Any) -> Array | None:
    """The log-precision that a level of a (possibly edited) network holds; raises UserError unless it is of its width."""
    width = network.widths[level]
    if value is None and not isinstance(network.likelihoods[level], Gaussian):
        return None
    array: Any = value[...] if isinstance(value, nnx.Variable) else None
    if array is not None and array.shape in ((), (width,), (width, width)):
        return array
    where = f"log_precision[{level}]"
    raise UserError(
        f"is {short(value)}" if array is None else f"has shape {array.shape}",
        where=where,
        expected=f"one number, {width}, or {width} x {width}, set by network.{where}[...] = values",
    )


def with_arrays(
    network: Network, weights: Weights, log_precisions: LogPrecisions
) -> Network:
    """A copy of the network with these arrays."""
    copy = nnx.clone(network)
    layers = whole_layers(as_model(network).model, weights)
    for layer, state in zip(copy.layers, layers, strict=True):
        nnx.update(layer, state)
    copy.prior_mean.set_value(weights["prior_mean"])  # with its dtype
    for variable, value in zip(copy.log_precision, log_precisions, strict=True):
        if variable is not None:
            variable.set_value(value)
    return copy
