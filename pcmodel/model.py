"""The generative model as inference sees it: widths, names, and one function.

`predict_level(weights, level, above)` is the primitive everything derives from; the top
level's "prediction" is its prior mean (`above` is None there).  A model is static and
hashable (two networks of one architecture share compiled code); its weights are a
pytree passed beside it.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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
