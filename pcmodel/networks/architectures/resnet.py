"""ResNet-18 for small images, with one level per block.

The blocks are those of He et al. 2016 ("Identity mappings in deep residual networks"): activation before
each convolution, so that the identity passes a latent down unchanged.  A branch has two 3 x 3 convolutions; the
activity between them is computed, not inferred.  Where the shape changes a strided 1 x 1 convolution replaces the
identity.

There is no batch normalisation, which would make the energy of an example depend on the others.  Instead each branch is
multiplied by Depth-muP's constant 1 / sqrt(blocks), and the initial weights of every convolution preserve the variance
of its input (`gain`), so that the variance of activity grows by at most (1 + 1/blocks)^blocks < e.
"""

from collections.abc import Sequence
from math import prod
from typing import SupportsIndex

import jax
from flax import nnx

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.whole_numbers import whole_number, whole_numbers
from pcmodel.model.likelihood import Gaussian, Likelihood
from pcmodel.networks.architectures.classifiers import (
    Activation,
    Precisions,
    classifier,
    readout_of_maps,
)
from pcmodel.networks.layers.convolution import Convolution, Shape
from pcmodel.networks.layers.dense import identity
from pcmodel.networks.layers.pooling import AveragePool
from pcmodel.networks.layers.residual import Residual, Sequential
from pcmodel.networks.layers.scaling import gain
from pcmodel.networks.network import Network


@checked_arguments
def resnet18(
    image_shape: Sequence[SupportsIndex] = (32, 32, 3),
    num_classes: SupportsIndex = 10,
    *,
    channels: Sequence[SupportsIndex] = (64, 128, 256, 512),
    activation: Activation = jax.nn.relu,
    likelihood: Likelihood = Gaussian(),
    precisions: Precisions | None = None,
    rngs: nnx.Rngs,
) -> Network:
    """ResNet-18 for 32 x 32 images: a 3 x 3 stem, 4 x 2 blocks, average pooling and a dense layer.

    channels: of the four stages; all but the first halve height and width.

    Levels are ("label", "block8", ..., "block1", "stem", "image").  See the module for the replacement of batch
    normalisation.
    """
    image_shape = whole_numbers(image_shape, "image_shape")
    num_classes = whole_number(num_classes, "num_classes")
    channels = whole_numbers(channels, "channels")
    num_blocks = 2 * len(channels)
    keeping = gain(activation)
    stem = Convolution(
        image_shape,
        channels[0],
        padding=1,
        activation=identity,
        rngs=rngs,
    )
    layers: list[nnx.Module] = [stem]
    shapes = [stem.shape]
    for stage, number in enumerate(channels):
        for repeat in range(2):
            stride = 2 if stage and not repeat else 1
            layer, shape = block(
                shapes[-1],
                number,
                stride=stride,
                scale=num_blocks**-0.5,
                weight_scale=keeping,
                activation=activation,
                rngs=rngs,
            )
            layers.append(layer)
            shapes.append(shape)
    pool = AveragePool(min(shapes[-1][:2]))
    last = shapes[-1]
    layers.append(
        readout_of_maps(last, num_classes, pool=pool, activation=activation, rngs=rngs)
    )
    blocks = [f"block{i + 1}" for i in range(num_blocks)]
    return classifier(
        layers,
        [prod(image_shape), *(prod(shape) for shape in shapes), num_classes],
        ["image", "stem", *blocks, "label"],
        likelihood=likelihood,
        precisions=precisions,
    )


def block(
    shape_above: Shape,
    channels: int,
    *,
    stride: int,
    scale: float,
    weight_scale: float,
    activation: Activation,
    rngs: nnx.Rngs,
) -> tuple[Residual, Shape]:
    """One residual block, and the shape of its prediction."""
    first = Convolution(
        shape_above,
        channels,
        stride=stride,
        padding=1,
        activation=activation,
        scale=weight_scale,
        rngs=rngs,
    )
    second = Convolution(
        first.shape,
        channels,
        padding=1,
        activation=activation,
        scale=weight_scale,
        rngs=rngs,
    )
    skip = None
    if stride != 1 or channels != shape_above[2]:
        skip = Convolution(
            shape_above,
            channels,
            kernel=1,
            stride=stride,
            padding=0,
            activation=identity,
            rngs=rngs,
        )
    return Residual(Sequential([first, second]), skip=skip, scale=scale), second.shape
