"""The interface of generative models: levels, their parents, and the predictions of levels.

A hierarchy is a directed graph without cycles.  A level is predicted from its *parents*; a level without parents is a
*top*, whose prediction is its prior mean; a level without children is an *end*.  Levels are numbered so that every
parent has a higher index than its children, and tops come last: predictions flow down the index.  In a chain the only
parent of level l is level l + 1.

All computations derive from `predict_level(weights, level, parents)`.  A model is static and hashable (networks of equal
architecture share compiled programs); its weights are a pytree that is passed separately.
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
    def parents(self) -> tuple[tuple[int, ...], ...]:
        """Indices of each level's parents, in the order in which its prediction takes them; () for a top."""
        ...

    @property
    def likelihoods(self) -> tuple[Likelihood, ...]:
        """Likelihood of each level; one that is not Gaussian belongs to an end."""
        ...

    @property
    def is_linear(self) -> bool:
        """Whether every prediction is affine in the parents."""
        ...

    def predict_level(
        self, weights: Weights, level: int, parents: tuple[Array, ...]
    ) -> Array:
        """Prediction of `level`, shape (width,), from its parents' latents; the prior mean for a top."""
        ...


@runtime_checkable
class StackedModel(GenerativeModel, Protocol):
    """A model with stacks: runs of successive layers that differ only in the values of their weights.

    Each level of a stack has one parent: the next level, or the one at a fixed distance outside of the stack.  A stack
    is compiled to one loop, or one mapped layer, instead of a copy of the layer per level, and its weights are stored as
    arrays with a leading axis of layers.
    """

    @property
    def stacks(self) -> tuple[tuple[int, int], ...]:
        """(first, end) of each stack: layers first .. end - 1 predict levels of equal width."""
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
    """A chain with affine predictions W x + b, independent of any network library.

    `weights` is `{"layers": ((W_0, b_0), ...), "prior_mean": m}` with W_l of shape
    (width_l, width_{l+1}).
    """

    widths: tuple[int, ...]
    names: tuple[str, ...]
    likelihood: Likelihood = Gaussian()
    is_linear: bool = True

    @property
    def parents(self) -> tuple[tuple[int, ...], ...]:
        """The next level, for every level but the last."""
        return chain_parents(len(self.widths))

    @property
    def likelihoods(self) -> tuple[Likelihood, ...]:
        """Gaussian above level 0."""
        return (self.likelihood, *(Gaussian() for _ in self.widths[1:]))

    def predict_level(
        self, weights: Weights, level: int, parents: tuple[Array, ...]
    ) -> Array:
        """Prediction W x + b of a level; the prior mean at the top."""
        if not parents:
            return weights["prior_mean"]
        matrix, bias = weights["layers"][level]
        return matmul(matrix, parents[0]) + bias


def default_names(num_levels: int) -> tuple[str, ...]:
    """The default names of levels, ("data", "hidden1", ..., "top")."""
    middle = tuple(f"hidden{level}" for level in range(1, num_levels - 1))
    return ("data", *middle, "top")


def chain_parents(num_levels: int) -> tuple[tuple[int, ...], ...]:
    """Parents of the levels of a chain: the next level, and none for the last."""
    return (*((level + 1,) for level in range(num_levels - 1)), ())


def is_chain(model: GenerativeModel) -> bool:
    """Whether the only parent of every level but the last is the next one."""
    return model.parents == chain_parents(len(model.widths))


def tops_of(model: GenerativeModel) -> tuple[int, ...]:
    """The levels without parents, which come last."""
    return tuple(level for level, own in enumerate(model.parents) if not own)


def children_of(model: GenerativeModel, level: int) -> tuple[int, ...]:
    """The levels of which a level is a parent, ascending."""
    return tuple(child for child, own in enumerate(model.parents) if level in own)


def tied_precisions(model: GenerativeModel) -> tuple[tuple[int, ...], ...]:
    """The groups of levels, ascending, that share one precision."""
    return getattr(model, "tied_precisions", ())


def ends_of(model: GenerativeModel) -> tuple[int, ...]:
    """The levels that are nobody's parent, ascending; level 0 is one."""
    inner = {parent for own in model.parents for parent in own}
    return tuple(level for level in range(len(model.widths)) if level not in inner)


def predict(
    model: GenerativeModel,
    weights: Weights,
    level: int,
    latents: Mapping[int, Array] | Sequence[Array],
) -> Array:
    """Prediction of a level from the latents, which need contain only its parents."""
    parents = tuple(latents[parent] for parent in model.parents[level])
    return model.predict_level(weights, level, parents)


def sweep(model: GenerativeModel, weights: Weights) -> tuple[Array, ...]:
    """Top-down pass from the prior means: the latents at which every error is zero."""
    latents: dict[int, Array] = {}
    for level in reversed(range(len(model.widths))):
        latents[level] = jnp.asarray(predict(model, weights, level, latents))
    return tuple(latents[level] for level in range(len(model.widths)))


def predict_down(
    model: GenerativeModel,
    weights: Weights,
    given: Mapping[int, Array],
    *,
    target: int = 0,
) -> Array:
    """Prediction of the level `target` from given latents; levels between, and tops that are not given, are predicted.

    If `target` is among the given levels, its latents are returned.
    """
    latents, needed = dict(given), ancestors(model, target, given)
    stacks = {end - 1: first for first, end in scanned(model, given)}
    level = max(needed, default=target)
    while target not in latents:
        first = stacks.get(level)
        if level not in needed:
            level -= 1
        elif first is not None and first >= target:
            above = latents[level + 1]
            stack = as_stacked(model)
            latents[first] = _down_stack(stack, weights, first, level + 1, above)
            level = first - 1
        else:
            latents[level] = predict(model, weights, level, latents)
            level -= 1
    return latents[target]


def ancestors(
    model: GenerativeModel, target: int, given: Mapping[int, Any]
) -> set[int]:
    """The levels to predict for `target`: itself and its ancestors, none that is given or only above a given one."""
    needed, waiting = set(), [target]
    while waiting:
        level = waiting.pop()
        if level not in needed and level not in given:
            needed.add(level)
            waiting += model.parents[level]
    return needed


def scanned(
    model: GenerativeModel, given: Mapping[int, Any]
) -> tuple[tuple[int, int], ...]:
    """The stacks of which only the lowest level is needed: none inside is given or a parent of a level outside."""

    def closed(first: int, end: int) -> bool:
        if model.parents[first] != (first + 1,):
            return False
        inner = range(first + 1, end)
        alone = all(children_of(model, level) == (level - 1,) for level in inner)
        return alone and not any(level in given for level in range(first, end))

    return tuple(stack for stack in stacks_of(model) if closed(*stack))


def stacks_of(model: GenerativeModel) -> tuple[tuple[int, int], ...]:
    """The model's stacks; empty for a model without."""
    return model.stacks if isinstance(model, StackedModel) else ()


def num_layers(model: GenerativeModel) -> int:
    """Number of levels with parents, each of which has a layer."""
    return sum(1 for own in model.parents if own)


def spans_of(model: GenerativeModel) -> tuple[tuple[int, int], ...]:
    """(first, end) of the layers that each entry of `weights["layers"]` holds, bottom first."""
    ends, spans, level = dict(stacks_of(model)), [], 0
    while level < num_layers(model):
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
