"""Learning-rate factors of the arrays of a network, with which one base rate suits every width and depth.

The factors are derived in `pcmodel.networks.layers.scaling`; this file collects them from the layers, as a tree like the
weights and as an optax transformation.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.model.generative import by_layer, path_of
from pcmodel.model.types import Weights
from pcmodel.networks.layers.additive import Additive
from pcmodel.networks.layers.convolution import Convolution, TransposedConvolution
from pcmodel.networks.layers.dense import Dense
from pcmodel.networks.layers.residual import Residual, Sequential
from pcmodel.networks.network import Network
from pcmodel.networks.pure import as_model
from pcmodel.networks.splitting import at, with_entry


@checked_arguments
def learning_rates(network: Network) -> Weights:
    """Factor on the base learning rate for every array of the network's weights.

    A tree of floats like the weights that an optimiser receives: one entry per layer, bottom first, and the prior mean.
    Factors are 1 without a `Scaling` (standard layers, custom layers, the prior mean).
    """
    pure = as_model(network)
    seen = jax.eval_shape(lambda: by_layer(pure.model, pure.weights["layers"]))
    layers = []
    for layer, own in zip(network.layers, seen, strict=True):
        # An array shared with a lower layer belongs to the entry of that layer.
        rates = layer_rates(layer)
        paths = jax.tree_util.tree_leaves_with_path(own)
        kept: Any = {}
        for path, _ in paths:
            kept = with_entry(kept, path_of(path), at(rates, path_of(path)))
        layers.append(kept)
    return {"layers": tuple(layers), "prior_mean": 1.0}


def layer_rates(layer: nnx.Module) -> Any:
    """The factors of one layer's arrays."""
    if isinstance(layer, (Dense, Convolution, TransposedConvolution)):
        rates = layer.scaling
        return {"weight": rates.weight_rate, "bias": rates.bias_rate}
    if isinstance(layer, Residual):
        parts = {"branch": layer.branch, "skip": layer.skip}
        return {
            name: layer_rates(part) for name, part in parts.items() if part is not None
        }
    if isinstance(layer, Additive):
        return {"maps": {i: layer_rates(part) for i, part in enumerate(layer.maps)}}
    if isinstance(layer, Sequential):
        return {"layers": {i: layer_rates(part) for i, part in enumerate(layer.layers)}}
    learned = nnx.to_pure_dict(nnx.split(layer, nnx.Param, ...)[1])
    return jax.tree.map(lambda _: 1.0, learned)


@checked_arguments
def scale_by_depth(network: Network) -> optax.GradientTransformation:
    """An optax transformation that multiplies updates by `learning_rates(network)`; chain it after Adam.

        optax.chain(optax.adam(1e-2), scale_by_depth(network))

    With it one base rate suits muPC networks of every width and depth; a standard network is not affected.  Only for
    optimisers whose updates do not grow with the gradient.
    """
    factors = learning_rates(network)

    def scale(update, factor: float):
        return update if factor == 1.0 else jnp.asarray(factor, update.dtype) * update

    return optax.stateless(lambda updates, _: jax.tree.map(scale, updates, factors))
