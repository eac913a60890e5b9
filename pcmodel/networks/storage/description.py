"""Descriptions of layers as JSON, without their arrays.

A description is `{"layer": name, **options}` with the options of the constructor.  Only layers of this package are
described, and only the names listed here are built, so that a file cannot construct anything else.
"""

from dataclasses import asdict
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from pcmodel.errors import UserError
from pcmodel.networks.layers.additive import Additive
from pcmodel.networks.layers.convolution import Convolution, TransposedConvolution
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.layers.pooling import AveragePool, MaxPool, Pool
from pcmodel.networks.layers.residual import Residual, Sequential
from pcmodel.networks.layers.scaling import Scaling

ACTIVATIONS = {
    "identity": identity,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "hard_tanh": jax.nn.hard_tanh,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
}
MAPS = {"Convolution": Convolution, "TransposedConvolution": TransposedConvolution}
POOLS = {"MaxPool": MaxPool, "AveragePool": AveragePool}
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""Exceptions that an invalid description raises."""

Description = dict[str, Any]


def describe_layer(layer: nnx.Module) -> Description | None:
    """The description for `build_layer`; None for a layer or activation that is not listed here."""
    if type(layer) is Dense:
        width, width_above = layer.weight.shape
        sizes = {"width_above": width_above, "width": width}
        if layer.bias is None:
            sizes["bias"] = False
        return _described("Dense", layer, sizes)
    if type(layer) is Convolution:
        pool = None if layer.pool is None else describe_pool(layer.pool)
        return _described("Convolution", layer, {**map_sizes(layer), "pool": pool})
    if type(layer) is TransposedConvolution:
        return _described("TransposedConvolution", layer, map_sizes(layer))
    if type(layer) is Residual:
        parts = {"branch": describe_layer(layer.branch)}
        if layer.skip is not None:
            parts["skip"] = describe_layer(layer.skip)
        if None in parts.values():
            return None
        return {"layer": "Residual", **parts, "scale": layer.scale}
    if type(layer) is Additive:
        added = [describe_layer(part) for part in layer.maps]
        return None if None in added else {"layer": "Additive", "maps": added}
    if type(layer) is Sequential:
        chained = [describe_layer(part) for part in layer.layers]
        return None if None in chained else {"layer": "Chain", "layers": chained}
    return None


def _described(
    name: str, layer: Dense | Convolution | TransposedConvolution, options: Description
) -> Description | None:
    names = [key for key, value in ACTIVATIONS.items() if value is layer.activation]
    if not names:
        return None
    scaling = asdict(layer.scaling)
    return {"layer": name, **options, "activation": names[0], "scaling": scaling}


def map_sizes(layer: Convolution | TransposedConvolution) -> Description:
    """The size options of a convolutional layer."""
    return {
        "shape_above": list(layer.shape_above),
        "channels": layer.shape[2],
        "kernel": list(layer.weight.shape[:2]),
        "stride": layer.stride,
        "padding": layer.padding,
    }


def describe_pool(pool: Pool) -> Description:
    """A pool's kind and window."""
    return {"pool": type(pool).__name__, "window": pool.window}


def build_layer(description: Any) -> nnx.Module:
    """The layer of a description, with arbitrary values of its arrays.

    Raises UserError for an invalid description.
    """
    try:
        return _build(dict(description))
    except MALFORMED:
        raise UserError(f"there is no layer {description!r}.") from None


def _build(options: Description) -> nnx.Module:
    name = options.pop("layer")
    if name in ("Sequential", "Chain"):  # the former name occurs in files
        return Sequential([_build(dict(part)) for part in options["layers"]])
    if name == "Additive":
        return Additive([_build(dict(part)) for part in options["maps"]])
    if name == "Residual":
        skip = options.get("skip")
        return Residual(
            _build(dict(options["branch"])),
            skip=None if skip is None else _build(dict(skip)),
            scale=options["scale"],
        )
    activation = ACTIVATIONS[options.pop("activation")]
    scaling = Scaling(**options.pop("scaling"))
    common = {"activation": activation, "scaling": scaling, "rngs": nnx.Rngs(0)}
    if name == "Dense":
        return Dense(**options, **common)
    for key in ("shape_above", "kernel"):
        options[key] = tuple(options[key])
    pool = options.pop("pool", None)
    if pool is not None:
        common["pool"] = POOLS[pool["pool"]](pool["window"])
    return MAPS[name](**options, **common)
