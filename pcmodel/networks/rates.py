"""One learning rate for every depth: the factors of each array of a network.

The numbers and their derivation stand in `pcmodel.networks.scaling`; this file collects them from the
layers, as a tree shaped like the weights and as an optax transformation.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from pcmodel.networks.convolution import Convolution, TransposedConvolution
from pcmodel.networks.layers import Dense
from pcmodel.networks.network import Network, as_model
from pcmodel.networks.residual import Chain, Residual
from pcmodel.types import Weights


def learning_rates(network: Network) -> Weights:
    """Factor of the base learning rate for every array of the network's weights.

    A tree of floats shaped like `as_model(network).weights`; 1 where no `Scaling` says otherwise
    (standard layers, layers of your own, the prior mean).
    """
    # Layers of one stack have one static description, and so one scaling.
    layers = tuple(
        layer_rates(network.layers[first]) for first, _ in as_model(network).model.spans
    )
    return {"layers": layers, "prior_mean": 1.0}


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
    if isinstance(layer, Chain):
        return {"layers": {i: layer_rates(part) for i, part in enumerate(layer.layers)}}
    state = nnx.to_pure_dict(nnx.split(layer)[1])
    return jax.tree.map(lambda _: 1.0, state)


def scale_by_depth(network: Network) -> optax.GradientTransformation:
    """Multiply updates by `learning_rates(network)`: chain it after Adam.

        optax.chain(optax.adam(1e-2), scale_by_depth(network))

    It makes one base rate serve muPC networks of every width and depth, and changes nothing
    in a standard network.  Only for optimisers whose updates do not grow with the gradient.
    """
    factors = learning_rates(network)

    def scale(update, factor: float):
        return update if factor == 1.0 else jnp.asarray(factor, update.dtype) * update

    return optax.stateless(lambda updates, _: jax.tree.map(scale, updates, factors))
