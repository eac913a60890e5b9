"""The interface of generative models: widths, names, and the predictions of levels.

All computations derive from `predict_level(weights, level, above)`; the prediction of the top level is its prior mean
(`above` is None there).  A model is static and hashable (networks of equal architecture share compiled programs); its
weights are a pytree that is passed separately.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jax import Array

from pcmodel.model.likelihood import Gaussian, Likelihood
from pcmodel.model.linalg import matmul
from pcmodel.model.types import Weights

FIXED = "fixed"
"""Key of the weights that holds the arrays of layers that are not learned."""


@runtime_checkable
class GenerativeModel(Protocol):
    """The properties of a network that inference and learning use."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of units of each level, bottom first."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each level, bottom first."""
        ...

    @property
    def likelihood(self) -> Likelihood:
        """Likelihood of level 0."""
        ...

    @property
    def is_linear(self) -> bool:
        """Whether every prediction is affine in the level above."""
        ...

    def predict_level(self, weights: Weights, level: int, above: Array | None) -> Array:
        """Prediction of `level`, shape (width,), from the latent above it."""
        ...


@runtime_checkable
class StackedModel(GenerativeModel, Protocol):
    """A model with stacks: runs of successive layers that differ only in the values of their weights.

    A stack is compiled to one loop instead of a copy of the layer per level, and its weights are stored as arrays with
    a leading axis of layers.
    """

    @property
    def stacks(self) -> tuple[tuple[int, int], ...]:
        """(first, end) of each stack: layers first .. end - 1 map between levels of equal width."""
        ...

    def stack_weights(self, weights: Weights, first: int, end: int) -> Any:
        """Weights of layers first .. end - 1 of one stack, leaves (end - first, ...)."""
        ...

    def predict_in_stack(self, layer: Any, level: int, above: Array) -> Array:
        """Prediction of a level by a layer of its stack, from that layer's own weights."""
        ...

    @property
    def one_for_all(self) -> tuple[tuple[int, int], ...]:
        """The stacks whose layers share all weights, which are stored without an axis of layers."""
        ...

    @property
    def shared(self) -> tuple[tuple[int, Any, int, Any], ...]:
        """Shared arrays as (entry, path, owner, source): the array at `path` of entry `entry` of `weights["layers"]`
        is stored only at `source` of entry `owner`."""
        ...


Axes = Mapping[tuple[Any, ...], tuple[int, ...] | None]
"""For every array of a layer, by its path: the axes whose indices feed different units (empty if each entry feeds all
units); None for an array that does not scale the prediction."""


@runtime_checkable
class OrientedModel(GenerativeModel, Protocol):
    """A model that declares which axes of its arrays feed different units."""

    def output_axes(self, weights: Weights, index: int) -> Axes:
        """Axes for the layer of entry `index` of `weights["layers"]`, shared arrays included."""
        ...


@dataclass(frozen=True)
class LinearModel:
    """Affine predictions W x + b, independent of any network library.

    `weights` is `{"layers": ((W_0, b_0), ...), "prior_mean": m}` with W_l of shape
    (width_l, width_{l+1}).
    """

    widths: tuple[int, ...]
    names: tuple[str, ...]
    likelihood: Likelihood = Gaussian()
    is_linear: bool = True

    def predict_level(self, weights: Weights, level: int, above: Array | None) -> Array:
        """Prediction W x + b of a level; the prior mean at the top."""
        if above is None:
            return weights["prior_mean"]
        matrix, bias = weights["layers"][level]
        return matmul(matrix, above) + bias


def default_names(num_levels: int) -> tuple[str, ...]:
    """The default names of levels, ("data", "hidden1", ..., "top")."""
    middle = tuple(f"hidden{level}" for level in range(1, num_levels - 1))
    return ("data", *middle, "top")


def sweep(model: GenerativeModel, weights: Weights) -> tuple[Array, ...]:
    """Top-down pass from the prior mean: the latents at which every error is zero."""
    above = None
    latents = []
    for level in reversed(range(len(model.widths))):
        above = jnp.asarray(model.predict_level(weights, level, above))
        latents.append(above)
    return tuple(reversed(latents))


def predict_down(
    model: GenerativeModel, weights: Weights, above: Array, *, level: int
) -> Array:
    """Prediction of level 0 from the latent of `level`, with the levels between at their predictions."""
    stacks = {end: first for first, end in stacks_of(model)}
    while level > 0:
        first = stacks.get(level)
        if first is None:
            level -= 1
            above = model.predict_level(weights, level, above)
            continue
        above = _down_stack(as_stacked(model), weights, first, level, above)
        level = first
    return above


def stacks_of(model: GenerativeModel) -> tuple[tuple[int, int], ...]:
    """The model's stacks; empty for a model without."""
    return model.stacks if isinstance(model, StackedModel) else ()


def spans_of(model: GenerativeModel) -> tuple[tuple[int, int], ...]:
    """(first, end) of the layers that each entry of `weights["layers"]` holds, bottom first."""
    ends, spans, level = dict(stacks_of(model)), [], 0
    while level < len(model.widths) - 1:
        end = ends.get(level, level + 1)
        spans.append((level, end))
        level = end
    return tuple(spans)


def by_layer(model: GenerativeModel, layers: Sequence[Any]) -> tuple[Any, ...]:
    """Entries of `weights["layers"]` split into one entry per layer, bottom first.

    An array that several layers share is stored at the lowest of them; a layer without arrays of its own has an
    empty entry, so that the index of an entry is the level that the layer predicts.
    """
    apart: list[Any] = []
    for (first, end), entry in zip(spans_of(model), layers, strict=True):
        if end - first == 1:
            apart.append(entry)
        elif (first, end) in one_for_all(model):
            apart += [entry, *({} for _ in range(first + 1, end))]
        else:
            leaves, tree = jax.tree.flatten(entry)
            split = [jnp.split(leaf, end - first) for leaf in leaves]
            apart += [
                jax.tree.unflatten(tree, [parts[i][0] for parts in split])
                for i in range(end - first)
            ]
    return tuple(apart)


def by_span(model: GenerativeModel, layers: Sequence[Any]) -> tuple[Any, ...]:
    """The inverse of `by_layer`."""
    together: list[Any] = []
    for first, end in spans_of(model):
        if end - first == 1 or (first, end) in one_for_all(model):
            together.append(layers[first])
        else:
            together.append(
                jax.tree.map(lambda *leaves: jnp.stack(leaves), *layers[first:end])
            )
    return tuple(together)


def one_for_all(model: GenerativeModel) -> tuple[tuple[int, int], ...]:
    """The model's stacks whose layers share all weights."""
    return model.one_for_all if isinstance(model, StackedModel) else ()


def output_axes(model: GenerativeModel, weights: Weights, index: int) -> Axes:
    """See `OrientedModel`; for other models matrices are taken as (units, units above)."""
    if isinstance(model, OrientedModel):
        return model.output_axes(weights, index)
    leaves = jax.tree_util.tree_leaves_with_path(weights["layers"][index])
    return {
        path_of(path): (0,) if jnp.ndim(leaf) == 2 else None for path, leaf in leaves
    }


def path_of(path: tuple[Any, ...]) -> tuple[Any, ...]:
    """A jax path as a tuple of plain keys and indices."""
    return tuple(getattr(entry, "key", getattr(entry, "idx", None)) for entry in path)


def learned(weights: Weights) -> Weights:
    """The weights without the arrays that are not learned."""
    return {name: value for name, value in weights.items() if name != FIXED}


def as_stacked(model: GenerativeModel) -> StackedModel:
    """The model as a `StackedModel`; raises TypeError if it is none."""
    if not isinstance(model, StackedModel):
        raise TypeError(f"{type(model).__name__} keeps no layers together")
    return model


def _down_stack(
    model: StackedModel, weights: Weights, first: int, end: int, above: Array
) -> Array:
    def step(above: Array, layer: Any) -> tuple[Array, None]:
        return model.predict_in_stack(layer, first, above), None

    layers = model.stack_weights(weights, first, end)
    return jax.lax.scan(step, above, layers, length=end - first, reverse=True)[0]
