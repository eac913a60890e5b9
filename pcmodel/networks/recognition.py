r"""Recognition networks: an initial guess of the latents by one bottom-up pass.

Inference usually starts from the prior (the top-down sweep); a recognition network predicts the result of inference
from the data (hybrid predictive coding, Tschantz, Millidge, Seth & Buckley 2023, PLOS Comput Biol 19:e1011280).  Its
layers predict level 1 from the data, level 2 from that guess, and so on.  In a linear-Gaussian hierarchy this is
exact: the levels are a Markov chain, so the posterior mean of each is an affine function of that of the level below.

The guess is only the initial point of inference: a poor one costs steps but does not change the mode of a convex
energy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_numbers
from pcmodel.inputs.ranges import NotNegative
from pcmodel.model.generative import FIXED, chain_parents
from pcmodel.model.precision import factor, whiten
from pcmodel.model.types import Latents, LogPrecisions, Weights
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.network import Network
from pcmodel.networks.splitting import (
    Tie,
    at,
    find_shared,
    joined,
    merged,
    split_layers,
    with_entry,
    without,
)
from pcmodel.runtime.contents import Content


@checked_arguments
class Recognition(nnx.Module):
    """Layers from each level to the one above it, bottom first.

    layers: layers[l] predicts level l + 1 from level l (the data for l = 0, else the guess of level l).
    """

    def __init__(self, layers: list[nnx.Module]):
        self.layers = nnx.List(layers)


@checked_arguments
def recognition_for(
    network: Network,
    *,
    activation: Callable[[Array], Array] = jnp.tanh,
    scale: NotNegative = 1.0,
    rngs: nnx.Rngs,
) -> Recognition:
    """Dense recognition layers of the widths of a network.

    The layer that reads the data is linear; the others apply `activation` to the level that they read. For a linear
    network use `activation=identity`, with which an exact guess can be learned.
    Raises UserError for a network of one level, or that is no chain.
    """
    if len(network.widths) < 2:
        raise UserError("a network of one level has no latents to guess.")
    if network.parents != chain_parents(len(network.widths)):
        raise UserError(
            "recognition_for guesses level after level and needs a chain; this network's levels have other parents."
        )
    return Recognition(
        [
            Dense(
                below,
                above,
                activation=activation if level else identity,
                scale=scale,
                rngs=rngs,
            )
            for level, (below, above) in enumerate(
                zip(network.widths, network.widths[1:], strict=False)
            )
        ]
    )


@dataclass(frozen=True, eq=False)
class RecognitionModel:
    """The static, hashable part of a recognition network.

    graphdefs: static description of each layer.
    ties: for each layer, the arrays that are stored in a lower one.
    content: hashable content of both; equal models share compiled programs.
    """

    graphdefs: tuple[Any, ...]
    ties: tuple[tuple[Tie, ...], ...]
    content: Content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecognitionModel) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)

    def arrays(self, weights: Weights, index: int) -> Any:
        """All arrays of a layer, shared ones included."""
        layer = weights["layers"][index]
        for path, owner, source in self.ties[index]:
            layer = with_entry(layer, path, at(weights["layers"][owner], source))
        return joined(layer, weights[FIXED][index])

    def guess(self, weights: Weights, data: Float[Array, " width"]) -> Latents:
        """Latents of every level for one example; level 0 is the data."""
        latents = [data]
        for index, graphdef in enumerate(self.graphdefs):
            layer = merged(graphdef, self.arrays(weights, index))
            latents.append(layer(latents[-1]))
        return tuple(latents)


class PureRecognition(NamedTuple):
    """A recognition network split into its static model and its weights."""

    model: RecognitionModel
    weights: Weights


def as_recognition_model(recognition: Recognition) -> PureRecognition:
    """Split a recognition network into its static model and weights.

    The weights are {"layers": one dict per layer, "fixed": likewise the arrays that are not learned}.
    """
    parts = split_layers(list(recognition.layers))
    ties = find_shared(parts).ties
    graphdefs = tuple(part.graphdef for part in parts)
    model = RecognitionModel(graphdefs, ties, Content((graphdefs, ties)))
    layers = tuple(
        without(part.learned, [tie.path for tie in own])
        for part, own in zip(parts, ties, strict=True)
    )
    return PureRecognition(
        model, {"layers": layers, FIXED: tuple(part.fixed for part in parts)}
    )


def with_recognition_weights(recognition: Recognition, weights: Weights) -> Recognition:
    """A copy of the recognition network with these weights."""
    copy = nnx.clone(recognition)
    model = as_recognition_model(recognition).model
    for index, layer in enumerate(copy.layers):
        nnx.update(layer, model.arrays(weights, index))
    return copy


@checked_arguments
def recognise(recognition: Recognition, observation: ArrayLike) -> Latents:
    """Initial guess of all latents, for `pcmodel.infer(network, data, initial=...)`: one array per level, bottom first.

    observation: level 0, (width,) or (batch, width); the latents are batched likewise.

    Raises UserError for data that are not finite or do not fit the recognition network.
    """
    model, weights = as_recognition_model(recognition)
    dtype = jax.tree.leaves(weights)[0].dtype
    data = read_numbers(observation, where="data of level 0", dtype=dtype)
    if data.ndim not in (1, 2) or not data.size:
        raise UserError(
            f"expected finite data of shape (width,) or (batch, width), got data of shape "
            f"{data.shape}."
        )
    guess = _guess_batch if data.ndim == 2 else _guess
    try:
        return guess(weights, jnp.asarray(data, dtype), model=model)
    except TypeError:
        raise UserError(
            f"the recognition network does not take data of {data.shape[-1]} units."
        ) from None


@jax.jit(static_argnames="model")
def _guess(weights: Weights, data: Array, *, model: RecognitionModel) -> Latents:
    return model.guess(weights, data)


@jax.jit(static_argnames="model")
def _guess_batch(weights: Weights, data: Array, *, model: RecognitionModel) -> Latents:
    return jax.vmap(lambda one: model.guess(weights, one))(data)


def recognition_loss(
    model: RecognitionModel,
    weights: Weights,
    inferred: Latents,
    log_precisions: LogPrecisions,
) -> Float[Array, ""]:
    r"""Mean squared whitened distance of the guess from the inferred latents of one example.

    $\frac1n \sum_{\ell \ge 1} |F_\ell^\top (\hat x_\ell - x_\ell)|^2$ over the n units above level 0, with
    $F_\ell F_\ell^\top = \Pi_\ell$: in prior standard deviations, so that the scale of a level's units does not weight
    the levels.  No derivative is taken through `inferred` or the precisions.

    inferred: latents of one example; the guess is made from level 0.
    """
    target, scales = jax.lax.stop_gradient((inferred, log_precisions))
    guess = model.guess(weights, target[0])
    one = jnp.ones((), target[0].dtype)
    total, units = jnp.zeros((), target[0].dtype), 0
    for mine, theirs, scale in zip(guess[1:], target[1:], scales[1:], strict=True):
        assert scale is not None
        total += jnp.sum(whiten(factor(scale, one, mine.shape[0]), mine - theirs) ** 2)
        units += mine.shape[0]
    return total / units
