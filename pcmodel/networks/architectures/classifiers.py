"""Classifiers of published benchmarks.

A classifier is a hierarchy with the *label* as level 0 and the image, which is clamped, at the top; each layer predicts
its level from the level nearer to the image.  Levels are named ("label", "conv4", ..., "conv1", "image").  Images are
flat, rows first and channels last (see `pcmodel.networks.layers.convolution`); all levels but the ends are free.

`likelihood` is Gaussian (the label's squared error, with a precision) or Categorical (its cross-entropy).
There is no batch normalisation, weight decay or dropout in these networks.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod
from typing import SupportsIndex

import jax
from flax import nnx
from jax import Array
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.whole_numbers import whole_number, whole_numbers
from pcmodel.model.likelihood import Gaussian, Likelihood
from pcmodel.networks.layers.convolution import Convolution, Shape
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.layers.pooling import MaxPool, Pool
from pcmodel.networks.layers.residual import Residual
from pcmodel.networks.layers.scaling import gain, mupc_hidden, mupc_input, mupc_readout
from pcmodel.networks.network import Network, to_log_precisions
from pcmodel.runtime.memory import check_fits

Activation = Callable[[Array], Array]
Precisions = Sequence[ArrayLike | None]


def classifier(
    layers: Sequence[nnx.Module],
    widths: Sequence[int],
    names: Sequence[str],
    *,
    likelihood: Likelihood,
    precisions: Precisions | None,
    is_linear: bool = False,
) -> Network:
    """A network whose layers, widths and names are given in the order from the image to the label."""
    return Network(
        list(layers)[::-1],
        list(widths)[::-1],
        log_precisions=to_log_precisions(precisions, len(widths)),
        likelihood=likelihood,
        names=list(names)[::-1],
        is_linear=is_linear,
    )


@checked_arguments
def mlp_classifier(
    width_in: SupportsIndex = 784,
    hidden: Sequence[SupportsIndex] = (300, 300),
    num_classes: SupportsIndex = 10,
    *,
    activation: Activation = jax.nn.relu,
    likelihood: Likelihood = Gaussian(),
    precisions: Precisions | None = None,
    rngs: nnx.Rngs,
) -> Network:
    """A multilayer perceptron with dense layers and levels ("label", "hidden2", "hidden1", "image").

    width_in: number of pixels.
    hidden: widths of the hidden levels, from the image to the label.

    The layer that reads the image is linear; the others apply `activation` to the level that they read, with initial
    weights that preserve its variance (`gain`).
    """
    width_in = whole_number(width_in, "width_in")
    num_classes = whole_number(num_classes, "num_classes")
    hidden = whole_numbers(hidden, "hidden", empty=True)
    widths = (width_in, *hidden, num_classes)
    layers = [
        Dense(
            above,
            below,
            activation=activation if index else identity,
            scale=gain(activation) if index else 1.0,
            rngs=rngs,
        )
        for index, (above, below) in enumerate(pairwise(widths))
    ]
    names = ("image", *(f"hidden{i + 1}" for i in range(len(hidden))), "label")
    return classifier(
        layers,
        widths,
        names,
        likelihood=likelihood,
        precisions=precisions,
        is_linear=activation is identity or not hidden,
    )


@checked_arguments
def residual_mlp(
    width_in: SupportsIndex = 784,
    width: SupportsIndex = 128,
    depth: SupportsIndex = 64,
    num_classes: SupportsIndex = 10,
    *,
    activation: Activation = jax.nn.relu,
    likelihood: Likelihood = Gaussian(),
    precisions: Precisions | None = None,
    rngs: nnx.Rngs,
) -> Network:
    """A residual classifier with `depth` hidden levels in the muPC parameterisation (Innocenti et al. 2025).

    A linear layer reads the image, each further hidden level is the one above it plus a dense branch, and the label
    is predicted from the last: depth + 1 layers, the L of muPC.  Unlike the original it has biases, initially zero.
    Train with `scale_by_depth(network)` after Adam.
    """
    width_in, width = whole_number(width_in, "width_in"), whole_number(width, "width")
    depth = whole_number(depth, "depth")
    num_classes = whole_number(num_classes, "num_classes")
    # A layer takes some ten thousand bytes of Python objects besides its arrays.
    check_fits(depth, max(width**2, 2500), what="a residual network's layers")
    inside = mupc_hidden(width, depth + 1)
    first = Dense(
        width_in, width, activation=identity, scaling=mupc_input(width_in), rngs=rngs
    )
    blocks = [
        Residual(Dense(width, width, activation=activation, scaling=inside, rngs=rngs))
        for _ in range(depth - 1)
    ]
    readout = Dense(
        width,
        num_classes,
        activation=activation,
        scaling=mupc_readout(width),
        rngs=rngs,
    )
    return classifier(
        [first, *blocks, readout],
        [width_in, *[width] * depth, num_classes],
        ["image", *(f"hidden{i + 1}" for i in range(depth)), "label"],
        likelihood=likelihood,
        precisions=precisions,
        is_linear=activation is identity,
    )


@checked_arguments
def vgg4(
    image_shape: Sequence[SupportsIndex] = (28, 28, 1),
    num_classes: SupportsIndex = 10,
    *,
    channels: Sequence[SupportsIndex] = (24, 48, 96),
    activation: Activation = jax.nn.relu,
    likelihood: Likelihood = Gaussian(),
    precisions: Precisions | None = None,
    rngs: nnx.Rngs,
) -> Network:
    """Three convolutions and a dense layer, for small images on a CPU.

    3 x 3 kernels, padding 1, 2 x 2 max pooling after each. Otherwise as `vgg5`.
    """
    return vgg(
        image_shape,
        num_classes,
        channels=channels,
        paddings=(1, 1, 1),
        pooled=(True, True, True),
        activation=activation,
        likelihood=likelihood,
        precisions=precisions,
        rngs=rngs,
    )


@checked_arguments
def vgg5(
    image_shape: Sequence[SupportsIndex] = (32, 32, 3),
    num_classes: SupportsIndex = 10,
    *,
    channels: Sequence[SupportsIndex] = (128, 256, 512, 512),
    activation: Activation = jax.nn.gelu,
    likelihood: Likelihood = Gaussian(),
    precisions: Precisions | None = None,
    rngs: nnx.Rngs,
) -> Network:
    """VGG-5 of the PCX benchmark (Pinchetti et al. 2025): four convolutions, one dense layer.

    3 x 3 kernels, paddings 1, 1, 1, 0, 2 x 2 max pooling after each.  Levels are the outputs of the convolutions; in
    PCX they are those of the pools, with a quarter of the units.  Raises UserError for images too small to be pooled
    four times.
    """
    return vgg(
        image_shape,
        num_classes,
        channels=channels,
        paddings=(1, 1, 1, 0),
        pooled=(True, True, True, True),
        activation=activation,
        likelihood=likelihood,
        precisions=precisions,
        rngs=rngs,
    )


@checked_arguments
def vgg6(
    image_shape: Sequence[SupportsIndex] = (32, 32, 3),
    num_classes: SupportsIndex = 10,
    *,
    channels: Sequence[SupportsIndex] = (128, 256, 512, 512, 512),
    activation: Activation = jax.nn.relu,
    likelihood: Likelihood = Gaussian(),
    precisions: Precisions | None = None,
    rngs: nnx.Rngs,
) -> Network:
    """Five convolutions and a dense layer (Kerjan, Hoier & Scellier 2026, who name it after the convolutions, VGG5).

    3 x 3 kernels, padding 1, 2 x 2 max pooling after all but the first. Otherwise as `vgg5`.
    """
    return vgg(
        image_shape,
        num_classes,
        channels=channels,
        paddings=(1, 1, 1, 1, 1),
        pooled=(False, True, True, True, True),
        activation=activation,
        likelihood=likelihood,
        precisions=precisions,
        rngs=rngs,
    )


@checked_arguments
def vgg7(
    image_shape: Sequence[SupportsIndex] = (32, 32, 3),
    num_classes: SupportsIndex = 10,
    *,
    channels: Sequence[SupportsIndex] = (128, 128, 256, 256, 512, 512),
    activation: Activation = jax.nn.gelu,
    likelihood: Likelihood = Gaussian(),
    precisions: Precisions | None = None,
    rngs: nnx.Rngs,
) -> Network:
    """VGG-7 of the PCX benchmark (Pinchetti et al. 2025): six convolutions, one dense layer.

    3 x 3 kernels, paddings 1, 1, 1, 0, 1, 0, 2 x 2 max pooling after the first, third and fifth.
    Otherwise as `vgg5`.
    """
    return vgg(
        image_shape,
        num_classes,
        channels=channels,
        paddings=(1, 1, 1, 0, 1, 0),
        pooled=(True, False, True, False, True, False),
        activation=activation,
        likelihood=likelihood,
        precisions=precisions,
        rngs=rngs,
    )


def vgg(
    image_shape: Sequence[SupportsIndex],
    num_classes: SupportsIndex,
    *,
    channels: Sequence[SupportsIndex],
    paddings: Sequence[int],
    pooled: Sequence[bool],
    activation: Activation,
    likelihood: Likelihood,
    precisions: Precisions | None,
    rngs: nnx.Rngs,
) -> Network:
    """3 x 3 convolutions, some followed by pooling, and a dense layer that predicts the label."""
    image_shape = whole_numbers(image_shape, "image_shape")
    num_classes = whole_number(num_classes, "num_classes")
    channels = whole_numbers(channels, "channels")
    if len(channels) != len(paddings):
        raise UserError(
            f"expected {len(paddings)} numbers of channels, got {len(channels)}."
        )
    scales = {pool: gain(activation, pool) for pool in (None, MaxPool(2))}
    layers, shape = [], tuple(image_shape)
    pool, active, scale = None, identity, 1.0
    for number, padding, pools in zip(channels, paddings, pooled, strict=True):
        layers.append(
            Convolution(
                shape,  # type: ignore[arg-type]
                number,
                padding=padding,
                pool=pool,
                activation=active,
                scale=scale,
                rngs=rngs,
            )
        )
        shape, pool, active = (
            layers[-1].shape,
            MaxPool(2) if pools else None,
            activation,
        )
        scale = scales[pool]
    layers.append(
        readout_of_maps(shape, num_classes, pool=pool, activation=activation, rngs=rngs)  # type: ignore[arg-type]
    )
    widths = [prod(image_shape), *(prod(layer.shape) for layer in layers)]
    names = ["image", *(f"conv{i + 1}" for i in range(len(channels))), "label"]
    return classifier(
        layers, widths, names, likelihood=likelihood, precisions=precisions
    )


def readout_of_maps(
    shape: Shape,
    num_classes: SupportsIndex,
    *,
    pool: Pool | None,
    activation: Activation,
    rngs: nnx.Rngs,
) -> Convolution:
    """A dense layer from activated, pooled maps, as a convolution whose window is the whole map."""
    window = 1 if pool is None else pool.window
    return Convolution(
        shape,
        num_classes,
        kernel=(max(shape[0] // window, 1), max(shape[1] // window, 1)),
        padding=0,
        pool=pool,
        activation=activation,
        rngs=rngs,
    )
