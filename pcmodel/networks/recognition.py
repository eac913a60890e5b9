r"""Recognition: a first guess of the latents, bottom up, in one pass.

Inference from the top-down sweep starts where the prior is; a recognition network starts where similar
data ended before (hybrid predictive coding, Tschantz, Millidge, Seth & Buckley 2023, PLOS Comput Biol
19:e1011280).  It runs against the layers of the generative network, guessing level 1 from the data,
level 2 from that guess, and so on.  In a linear-Gaussian hierarchy that loses nothing: the levels are a Markov
chain, so the posterior mean of each is an affine function of that of the one below.

It is trained to predict where inference ends; the guess is only a place to start, so a bad one costs
steps and never changes the mode of a convex energy.
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
from pcmodel.model.generative import FIXED
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

    layers[l] guesses level l + 1 from level l (the data for l = 0, else the guess of level l).
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

    The layer out of the data is linear in them; the others read their activated level. For a linear
    network pass `activation=identity`, with which the best guess is exact.
    Raises UserError for a network of one level, which has nothing to guess.
    """
    if len(network.widths) < 2:
        raise UserError("a network of one level has no latents to guess.")
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
    """The static side of a recognition network: hashable, shared by equal architectures.

    ties: for each layer, the arrays that it takes from a lower one.
    """

    graphdefs: tuple[Any, ...]
    ties: tuple[tuple[Tie, ...], ...]
    content: Content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecognitionModel) and self.content == other.content

    def __hash__(self) -> int:
        return hash(self.content)

    def arrays(self, weights: Weights, index: int) -> Any:
        """Everything that a layer holds."""
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
    """A recognition network split at the door."""

    model: RecognitionModel
    weights: Weights


def as_recognition_model(recognition: Recognition) -> PureRecognition:
    """Split a recognition network into its static model and weights.

    weights: {"layers": one dict a layer, "fixed": the arrays that do not learn, alike}.
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
    """A copy of the recognition network holding these weights."""
    copy = nnx.clone(recognition)
    model = as_recognition_model(recognition).model
    for index, layer in enumerate(copy.layers):
        nnx.update(layer, model.arrays(weights, index))
    return copy


@checked_arguments
def recognise(recognition: Recognition, observation: ArrayLike) -> Latents:
    """First guess of all latents, for `pcmodel.infer(network, data, initial=...)`.

    observation: (width,) or (batch, width) of level 0; each latent comes back alike. A level that
    `infer` is to clamp must be set to its values by the caller.
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
    r"""Mean squared whitened distance of the guess from where inference ended, one example.

    $\frac1n \sum_{\ell \ge 1} |F_\ell^\top (\hat x_\ell - x_\ell)|^2$ over the n units above level 0, with
    $F_\ell F_\ell^\top = \Pi_\ell$: in prior standard deviations, so that no level is learned at the cost of another
    because its units are large.  `inferred` is a target: no derivative goes through it or the precisions.

    inferred: latents of one example; level 0 is what the guess is made from.
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
