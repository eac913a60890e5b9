"""The network at the door: an `nnx.Module` that holds layers and log-precisions.

It is built, printed, edited and saved like any flax module; `as_model` splits it into a static,
hashable model and pure arrays, and everything behind the door is functions of those.  Methods never
mutate.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jax.typing import ArrayLike

from pcmodel.arrays import default_dtype, read_numbers
from pcmodel.errors import UserError
from pcmodel.likelihood import Gaussian, Likelihood
from pcmodel.model import default_names
from pcmodel.networks.layers import Dense, identity
from pcmodel.networks.matrices import read_bias, read_matrix
from pcmodel.precision import from_precision
from pcmodel.types import LogPrecisions, Weights


class LogPrecision(nnx.Param):
    """Log-precision of a level's prediction errors: (), (width,) or (width, width)."""


class Network(nnx.Module):
    """A hierarchy of levels with a precision each.

    layers[l] predicts level l from level l + 1; `prior_mean` and `log_precision[-1]` are the
    top prior.  `widths` are bottom first, so a network from 10 classes to 64 pixels
    has widths (64, ..., 10).

    Raises UserError if widths, layers, names or precisions do not fit together.
    """

    def __init__(
        self,
        layers: Sequence[nnx.Module],
        widths: Sequence[int],
        *,
        log_precisions: Sequence[ArrayLike | None],
        prior_mean: ArrayLike | None = None,
        likelihood: Likelihood = Gaussian(),
        names: Sequence[str] | None = None,
        is_linear: bool = False,
    ):
        widths = tuple(int(width) for width in widths)
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


def check_widths(widths: tuple[int, ...]) -> None:
    """Raise a UserError unless there are levels, and each has units."""
    if len(widths) < 1 or any(width < 1 for width in widths):
        raise UserError(
            f"widths must be positive integers, bottom first; got {widths}."
        )


def check_architecture(
    layers: Sequence[nnx.Module], widths: tuple[int, ...], names: tuple[str, ...]
) -> None:
    """Raise a UserError unless layers, widths and names describe one hierarchy."""
    check_widths(widths)
    if len(layers) != len(widths) - 1:
        raise UserError(
            f"{len(widths)} levels need {len(widths) - 1} layers between them, "
            f"got {len(layers)}."
        )
    if len(names) != len(widths) or len(set(names)) != len(names):
        raise UserError(f"expected {len(widths)} different level names, got {names}.")
    for level, layer in enumerate(layers):
        above = jax.ShapeDtypeStruct((widths[level + 1],), jnp.zeros(()).dtype)
        try:
            shape = jax.eval_shape(layer, above).shape  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise UserError(
                f"layer {level} cannot take level {level + 1} ({names[level + 1]!r}, "
                f"{widths[level + 1]} units): {str(error).splitlines()[0]}"
            ) from None
        if shape != (widths[level],):
            raise UserError(
                f"layer {level} predicts shape {shape}, but level {level} "
                f"({names[level]!r}) has {widths[level]} units."
            )


def check_precisions(
    log_precisions: Sequence[ArrayLike | None],
    widths: tuple[int, ...],
    names: tuple[str, ...],
    likelihood: Likelihood,
) -> list[np.ndarray | Array | None]:
    """Log-precisions as arrays of legal shape, None exactly for discrete data."""
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


def dense(
    widths: Sequence[int],
    *,
    activation: Callable[[Array], Array] = jnp.tanh,
    precisions: Sequence[ArrayLike | None] | None = None,
    likelihood: Likelihood = Gaussian(),
    names: Sequence[str] | None = None,
    scale: float = 1.0,
    rngs: nnx.Rngs,
) -> Network:
    """A fully connected hierarchy, widths bottom first.

    The layer out of the top level is linear (a belief's units act as they are); the
    others pass through `activation`.  `precisions` default to 1 everywhere.
    """
    if len(widths) < 2:
        raise UserError(f"a hierarchy needs at least two levels, got widths {widths}.")
    check_widths(tuple(int(width) for width in widths))
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

    weights[l] has shape (width_l, width_{l+1}); precisions has one entry per level, the last for
    the top prior.  With a Gaussian level 0 everything about it is exact: the mode is the posterior
    mean, the curvature its precision, the free energy minus the log evidence.
    """
    matrices = [read_matrix(matrix, level) for level, matrix in enumerate(weights)]
    widths = [matrix.shape[0] for matrix in matrices]
    widths.append(matrices[-1].shape[1] if matrices else int(np.size(prior_mean)))
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
    """The random numbers that a builder draws its initial weights from."""
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
"""So many equal layers in a row are kept as one array and run as one loop."""


@dataclass(frozen=True)
class LayeredModel:
    """The static side of a network; see `pcmodel.model.StackedModel`.

    spans: (first, end) of the layers that each entry of `weights["layers"]` holds, bottom first; with
    more than one, its arrays have a leading axis of layers.
    """

    graphdefs: tuple[Any, ...]
    spans: tuple[tuple[int, int], ...]
    widths: tuple[int, ...]
    names: tuple[str, ...]
    likelihood: Likelihood
    is_linear: bool

    @property
    def stacks(self) -> tuple[tuple[int, int], ...]:
        """The spans of more than one layer."""
        return tuple(span for span in self.spans if span[1] - span[0] > 1)

    def span_of(self, level: int) -> int:
        """Index of the span whose layers predict a level."""
        return next(i for i, (_, end) in enumerate(self.spans) if level < end)

    def stack_weights(self, weights: Weights, first: int, end: int) -> Any:
        """Weights of layers first .. end - 1 of one stack."""
        index = self.span_of(first)
        start, stop = self.spans[index]
        whole = weights["layers"][index]
        if (first, end) == (start, stop):
            return whole
        return jax.tree.map(lambda leaf: leaf[first - start : end - start], whole)

    def predict_in_stack(self, layer: Any, level: int, above: Array) -> Array:
        """Prediction of a level of a stack from one layer's weights."""
        return nnx.merge(self.graphdefs[self.span_of(level)], layer)(above)

    def predict_level(self, weights: Weights, level: int, above: Array | None) -> Array:
        """Prediction of a level from the one above; the prior mean at the top."""
        if above is None:
            return weights["prior_mean"]
        index = self.span_of(level)
        layer = weights["layers"][index]
        start, stop = self.spans[index]
        if stop - start > 1:
            layer = jax.tree.map(lambda leaf: leaf[level - start], layer)
        return nnx.merge(self.graphdefs[index], layer)(above)


class PureNetwork(NamedTuple):
    """A network split at the door: static model, and two pytrees of arrays."""

    model: LayeredModel
    weights: Weights
    log_precisions: LogPrecisions


def as_model(network: Network) -> PureNetwork:
    """Split a network into its static model, weights and log-precisions.

    weights: {"layers": one entry per span of `LayeredModel`, "prior_mean": (width of the top,)}.
    """
    parts = [nnx.split(layer) for layer in network.layers]
    graphdefs = [graphdef for graphdef, _ in parts]
    states = [nnx.to_pure_dict(state) for _, state in parts]
    spans = find_spans(graphdefs, network.widths)
    layers = tuple(
        states[first]
        if end - first == 1
        else jax.tree.map(lambda *leaves: jnp.stack(leaves), *states[first:end])
        for first, end in spans
    )
    model = LayeredModel(
        tuple(graphdefs[first] for first, _ in spans),
        spans,
        network.widths,
        network.names,
        network.likelihood,
        network.is_linear,
    )
    weights = {"layers": layers, "prior_mean": network.prior_mean[...]}
    log_precisions = tuple(
        None if value is None else value[...] for value in network.log_precision
    )
    return PureNetwork(model, weights, log_precisions)


def find_spans(
    graphdefs: Sequence[Any], widths: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """Runs of at least `STACKED_FROM` equal layers between levels of one width; else one each."""

    def kind(layer: int) -> Any:
        square = widths[layer] == widths[layer + 1]
        return (graphdefs[layer], widths[layer]) if square else None

    spans, first = [], 0
    while first < len(graphdefs):
        end, own = first + 1, kind(first)
        while own is not None and end < len(graphdefs) and kind(end) == own:
            end += 1
        end = end if end - first >= STACKED_FROM else first + 1
        spans.append((first, end))
        first = end
    return tuple(spans)


def per_layer(model: LayeredModel, layers: Sequence[Any]) -> list[Any]:
    """Entries of `weights["layers"]` taken apart into one entry per layer, bottom first."""
    apart = []
    for (first, end), entry in zip(model.spans, layers, strict=True):
        if end - first == 1:
            apart.append(entry)
            continue
        for index in range(end - first):
            apart.append(jax.tree.map(lambda leaf, i=index: leaf[i], entry))
    return apart


def with_arrays(
    network: Network, weights: Weights, log_precisions: LogPrecisions
) -> Network:
    """A copy of the network holding these arrays."""
    copy = nnx.clone(network)
    layers = per_layer(as_model(network).model, weights["layers"])
    for layer, state in zip(copy.layers, layers, strict=True):
        nnx.update(layer, state)
    copy.prior_mean[...] = weights["prior_mean"]
    for variable, value in zip(copy.log_precision, log_precisions, strict=True):
        if variable is not None:
            variable[...] = value
    return copy
