"""`Network`, an `nnx.Module` of layers and log-precisions, and functions that build networks.

A network is built, printed, edited and saved like any flax module; `as_model` splits it into a static,
hashable model and pure arrays, on which all computations operate.  Functions do not modify a network.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments, short
from pcmodel.inputs.arrays import default_dtype, read_numbers
from pcmodel.inputs.ranges import NotNegative
from pcmodel.inputs.whole_numbers import whole_numbers
from pcmodel.model.generative import FIXED, default_names
from pcmodel.model.likelihood import Gaussian, Likelihood
from pcmodel.model.precision import from_precision
from pcmodel.model.types import LogPrecisions, Weights
from pcmodel.networks.layered import (
    LayeredModel,
    find_spans,
    is_one_for_all,
    span_ties,
    stacked,
    whole_layers,
)
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.matrices import read_bias, read_matrix
from pcmodel.networks.splitting import (
    find_shared,
    functions_of,
    prediction_shape,
    split_layers,
    without,
)
from pcmodel.runtime.contents import Content
from pcmodel.runtime.memory import check_fits


class LogPrecision(nnx.Param):
    """Log-precision of a level's prediction errors: (), (width,) or (width, width)."""


@checked_arguments
class Network(nnx.Module):
    """A hierarchy of levels with a precision each.

    layers: layers[l] predicts level l from level l + 1.
    widths: units of each level, bottom first: (64, ..., 10) for a network from 10 classes to 64 pixels.
    log_precisions: one per level, (), (width,) or (width, width); the last is that of the top prior.
    prior_mean: of the top level, (width,); None: zeros.
    is_linear: whether all layers are affine.

    Raises UserError if widths, layers, names or precisions do not fit together.
    """

    def __init__(
        self,
        layers: Sequence[nnx.Module],
        widths: Sequence[SupportsIndex],
        *,
        log_precisions: Sequence[ArrayLike | None],
        prior_mean: ArrayLike | None = None,
        likelihood: Likelihood = Gaussian(),
        names: Sequence[str] | None = None,
        is_linear: bool = False,
    ):
        widths = check_widths(widths)
        check_fits(sum(widths), what="a network's levels")
        names = tuple(names) if names is not None else default_names(len(widths))
        check_architecture(layers, widths, names)
        log_precisions = check_precisions(log_precisions, widths, names, likelihood)
        prior = np.zeros(widths[-1]) if prior_mean is None else prior_mean
        prior = read_numbers(
            prior, where=f"prior mean of level {names[-1]!r}", dtype=default_dtype()
        )
        if prior.shape != (widths[-1],):
            raise UserError(
                f"prior mean of level {names[-1]!r}: expected {widths[-1]} finite numbers, "
                f"got shape {prior.shape}."
            )
        self.layers = nnx.List(layers)
        self.prior_mean = nnx.Param(jnp.asarray(prior, dtype=float))
        self.log_precision = nnx.List(
            [
                None if value is None else LogPrecision(jnp.asarray(value, dtype=float))
                for value in log_precisions
            ]
        )
        self.widths = widths
        self.names = names
        self.likelihood = likelihood
        self.is_linear = is_linear

    @property
    def is_linear(self) -> bool:
        """Whether predictions are affine: the value set last, or False if a layer or function has changed since."""
        built, now = self.linear_with, functions_of(self.layers)
        if built is None or len(built) != len(now):
            return False
        pairs = zip(now, built, strict=True)
        return all(one is identity or one is other for one, other in pairs)

    @is_linear.setter
    def is_linear(self, value: bool) -> None:
        self.linear_with = functions_of(self.layers) if value else None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Network":
        """`nnx.clone`, because a deep copy of an activation would be another function."""
        return nnx.clone(self)


def check_widths(widths: Any) -> tuple[int, ...]:
    """The widths as integers; raises UserError unless they are positive and there are any."""
    try:
        return whole_numbers(widths, "each of the widths")
    except UserError as error:
        raise UserError(
            f"widths must be positive integers, bottom first; got {widths}: {error}"
        ) from None


def check_architecture(
    layers: Sequence[nnx.Module], widths: tuple[int, ...], names: tuple[str, ...]
) -> None:
    """Raise a UserError unless layers, widths and names describe one hierarchy."""
    if len(layers) != len(widths) - 1:
        raise UserError(
            f"{len(widths)} levels need {len(widths) - 1} layers between them, "
            f"got {len(layers)}."
        )
    if len(names) != len(widths) or len(set(names)) != len(names):
        raise UserError(f"expected {len(widths)} different level names, got {names}.")
    for name, place in (("data", 0), ("top", len(names) - 1)):
        if name in names and names.index(name) != place:
            raise UserError(
                f"level {names.index(name)} is called {name!r}, which always means level "
                f"{place}: names are bottom first, got {names}."
            )
    for level, parts in enumerate(split_layers(layers)):
        above = jax.ShapeDtypeStruct((widths[level + 1],), jnp.zeros(()).dtype)
        try:
            predicted = prediction_shape(parts, above)
        except Exception as error:  # a custom layer may raise anything
            reason = [*str(error).splitlines(), type(error).__name__][0]
            raise UserError(
                f"layer {level} cannot take level {level + 1} ({names[level + 1]!r}, "
                f"{widths[level + 1]} units): {reason}"
            ) from error
        if not isinstance(predicted, jax.ShapeDtypeStruct):
            raise UserError(
                f"layer {level} predicts a {type(predicted).__name__}, but level {level} "
                f"({names[level]!r}) is one array of {widths[level]} units."
            )
        if predicted.shape != (widths[level],):
            raise UserError(
                f"layer {level} predicts shape {predicted.shape}, but level {level} "
                f"({names[level]!r}) has {widths[level]} units."
            )
        if not jnp.issubdtype(predicted.dtype, jnp.floating):
            raise UserError(
                f"layer {level} predicts {predicted.dtype} numbers; expected floats, which "
                f"level {level} ({names[level]!r}) is made of."
            )


def check_precisions(
    log_precisions: Sequence[ArrayLike | None],
    widths: tuple[int, ...],
    names: tuple[str, ...],
    likelihood: Likelihood,
) -> list[np.ndarray | Array | None]:
    """Log-precisions as arrays, None for a discrete level 0; raises UserError for wrong shapes."""
    if len(log_precisions) != len(widths):
        raise UserError(
            f"expected {len(widths)} log-precisions (one per level), "
            f"got {len(log_precisions)}."
        )
    checked: list[np.ndarray | Array | None] = []
    for level, (value, width) in enumerate(zip(log_precisions, widths, strict=True)):
        if level == 0 and not isinstance(likelihood, Gaussian):
            checked.append(None)
            continue
        where = f"log-precision of level {names[level]!r}"
        array = read_numbers(value, where=where, dtype=default_dtype())
        if array.shape not in ((), (width,), (width, width)):
            raise UserError(
                f"log-precision of level {names[level]!r}: expected shape (), ({width},) or "
                f"({width}, {width}), got {array.shape}."
            )
        checked.append(array)
    return checked


@checked_arguments
def dense(
    widths: Sequence[SupportsIndex],
    *,
    activation: Callable[[Array], Array] = jnp.tanh,
    precisions: Sequence[ArrayLike | None] | None = None,
    likelihood: Likelihood = Gaussian(),
    names: Sequence[str] | None = None,
    scale: NotNegative = 1.0,
    rngs: nnx.Rngs,
) -> Network:
    """A fully connected hierarchy, widths bottom first.

    The layer that reads the top level is linear; the others apply `activation` to the level that they read.
    `precisions` default to 1 everywhere.  Raises UserError for fewer than two levels.
    """
    widths = check_widths(widths)
    if len(widths) < 2:
        raise UserError(f"a hierarchy needs at least two levels, got widths {widths}.")
    check_fits(
        sum(above * below for below, above in pairwise(widths)),
        what="a dense network's weights",
    )
    last = len(widths) - 2
    layers = [
        Dense(
            widths[level + 1],
            widths[level],
            activation=identity if level == last else activation,
            scale=scale,
            rngs=rngs,
        )
        for level in range(last + 1)
    ]
    return Network(
        layers,
        widths,
        log_precisions=to_log_precisions(precisions, len(widths)),
        likelihood=likelihood,
        names=names,
        is_linear=activation is identity or last == 0,
    )


@checked_arguments
def linear_gaussian(
    weights: Sequence[ArrayLike],
    precisions: Sequence[ArrayLike | None],
    *,
    biases: Sequence[ArrayLike] | None = None,
    prior_mean: ArrayLike | None = None,
    likelihood: Likelihood = Gaussian(),
    names: Sequence[str] | None = None,
) -> Network:
    """A linear hierarchy from its matrices: x_l = W_l x_{l+1} + b_l + noise.

    weights: weights[l] has shape (width_l, width_{l+1}).
    precisions: one per level, the last for the top prior.

    With a Gaussian level 0 inference is exact: the mode is the posterior mean, the curvature the posterior
    precision, the free energy minus the log evidence.
    """
    matrices = [read_matrix(matrix, level) for level, matrix in enumerate(weights)]
    widths = [matrix.shape[0] for matrix in matrices]
    widths.append(matrices[-1].shape[1] if matrices else int(np.size(prior_mean)))  # type: ignore[arg-type]
    for level, (matrix, width) in enumerate(zip(matrices, widths[1:], strict=True)):
        if matrix.shape[1] != width:
            raise UserError(
                f"weights[{level}] has shape {matrix.shape}, but level {level + 1} has "
                f"{width} units."
            )
    layers = []
    for level, matrix in enumerate(matrices):
        layer = Dense(
            matrix.shape[1], matrix.shape[0], activation=identity, rngs=nnx.Rngs(0)
        )
        layer.weight[...] = matrix
        if biases is not None:
            layer.bias[...] = read_bias(biases, level, matrix.shape[0])
        layers.append(layer)
    return Network(
        layers,
        widths,
        log_precisions=to_log_precisions(precisions, len(widths)),
        prior_mean=prior_mean,
        likelihood=likelihood,
        names=names,
        is_linear=True,
    )


def initial_weights_of(seed: int) -> nnx.Rngs:
    """The random state for the initial weights of a network."""
    return nnx.Rngs(seed)


def to_log_precisions(
    precisions: Sequence[ArrayLike | None] | None, num_levels: int
) -> list[ArrayLike | None]:
    """Log-precisions from positive precisions (None for a level without one)."""
    if precisions is None:
        return [0.0] * num_levels
    return [
        None
        if value is None
        else from_precision(value, where=f"precision of level {level}")
        for level, value in enumerate(precisions)
    ]


STACKED_FROM = 4
"""Smallest number of successive equal layers that form a stack."""


class PureNetwork(NamedTuple):
    """A network split into its static model and two pytrees of arrays."""

    model: LayeredModel
    weights: Weights
    log_precisions: LogPrecisions


def as_model(network: Network) -> PureNetwork:
    """Split a network into its static model, weights and log-precisions.

    The weights are {"layers": one entry per span of `LayeredModel`, "prior_mean": (width of the top,)}, and "fixed",
    like "layers", if layers have arrays that are not learned.
    """
    parts = split_layers(list(network.layers))
    sharing = find_shared(parts)
    spans = find_spans(parts, sharing, network.widths, STACKED_FROM)
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
        network.likelihood,
        network.is_linear,
    )
    model = LayeredModel(*static, content=Content(static))
    weights = {"layers": tuple(layers), "prior_mean": network.prior_mean[...]}
    if jax.tree.leaves(fixed):
        weights[FIXED] = tuple(fixed)
    return PureNetwork(model, weights, log_precisions_of(network))


def log_precisions_of(network: Network) -> LogPrecisions:
    """The log-precision of every level; raises UserError if two levels share one object."""
    holders: dict[int, int] = {}
    for level, value in enumerate(network.log_precision):
        check_held(network, level, value)
        if value is not None and holders.setdefault(id(value), level) != level:
            raise UserError(
                f"levels {holders[id(value)]} and {level} hold one log-precision object between them: "
                "give each level its own."
            )
    return tuple(
        None if value is None else value[...] for value in network.log_precision
    )


def check_held(network: Network, level: int, value: Any) -> None:
    """Raise a UserError unless a level of a (possibly edited) network has a log-precision of its width."""
    width, where = network.widths[level], f"log_precision[{level}]"
    if value is None and level == 0 and network.likelihood.name != "gaussian":
        return
    expected = f"one number, {width}, or {width} x {width}, set by network.{where}[...] = values"
    if not isinstance(value, nnx.Variable):
        raise UserError(f"is {short(value)}", where=where, expected=expected)
    if value.shape not in ((), (width,), (width, width)):
        raise UserError(f"has shape {value.shape}", where=where, expected=expected)


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
