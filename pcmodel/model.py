"""The generative model as inference sees it: widths, names, and one function.

`predict_level(weights, level, above)` is the primitive everything derives from; the top
level's "prediction" is its prior mean (`above` is None there).  A model is static and
hashable (two networks of one architecture share compiled code); its weights are a
pytree passed beside it.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jax import Array

from pcmodel.likelihood import Gaussian, Likelihood
from pcmodel.small import matmul
from pcmodel.types import Weights


@runtime_checkable
class GenerativeModel(Protocol):
    """What inference and learning need of a network."""

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
        """What level 0 is made of."""
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
    """A model some of whose layers follow one another and differ in nothing but their numbers.

    Such a run is one loop in the program instead of one copy of the layer per level, and one
    array instead of many in whatever holds weights.
    """

    @property
    def stacks(self) -> tuple[tuple[int, int], ...]:
        """(first, end) of each run: layers first .. end - 1 map levels of one width."""
        ...

    def stack_weights(self, weights: Weights, first: int, end: int) -> Any:
        """Weights of these layers of one stack, leaves (end - first, ...)."""
        ...

    def predict_in_stack(self, layer: Any, level: int, above: Array) -> Array:
        """Prediction of a level by a layer of its stack, from that layer's own weights."""
        ...


@dataclass(frozen=True)
class LinearModel:
    """Affine predictions W x + b, without any network library.

    `weights` is `{"layers": ((W_0, b_0), ...), "prior_mean": m}` with W_l of shape
    (width_l, width_{l+1}).
    """

    widths: tuple[int, ...]
    names: tuple[str, ...]
    likelihood: Likelihood = Gaussian()
    is_linear: bool = True

    def predict_level(self, weights: Weights, level: int, above: Array | None) -> Array:
        """W x + b; the prior mean at the top."""
        if above is None:
            return weights["prior_mean"]
        matrix, bias = weights["layers"][level]
        return matmul(matrix, above) + bias


def default_names(num_levels: int) -> tuple[str, ...]:
    """("data", "hidden1", ..., "top")."""
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
    """Prediction of level 0 from the latent of `level`, all between at their predictions."""
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
    """The model's stacks; none where it keeps no layers together."""
    return model.stacks if isinstance(model, StackedModel) else ()


def spans_of(model: GenerativeModel) -> tuple[tuple[int, int], ...]:
    """(first, end) of the layers that each entry of `weights["layers"]` holds, bottom first."""
    ends, spans, level = dict(stacks_of(model)), [], 0
    while level < len(model.widths) - 1:
        end = ends.get(level, level + 1)
        spans.append((level, end))
        level = end
    return tuple(spans)


def as_stacked(model: GenerativeModel) -> StackedModel:
    """The model, known to have stacks."""
    if not isinstance(model, StackedModel):
        raise TypeError(f"{type(model).__name__} keeps no layers together")
    return model


def _down_stack(
    model: StackedModel, weights: Weights, first: int, end: int, above: Array
) -> Array:
    def step(above: Array, layer: Any) -> tuple[Array, None]:
        return model.predict_in_stack(layer, first, above), None

    layers = model.stack_weights(weights, first, end)
    return jax.lax.scan(step, above, layers, reverse=True)[0]
