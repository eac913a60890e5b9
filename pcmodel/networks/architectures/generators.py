"""Networks that generate images: level 0 is the image, and each level above it holds coarser maps."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import SupportsIndex

import jax.numpy as jnp
from flax import nnx

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.whole_numbers import whole_number, whole_numbers
from pcmodel.model.likelihood import Gaussian, Likelihood
from pcmodel.networks.architectures.classifiers import Activation, Precisions
from pcmodel.networks.layers.convolution import TransposedConvolution
from pcmodel.networks.layers.dense import Dense, identity
from pcmodel.networks.layers.scaling import gain
from pcmodel.networks.network import Network, to_log_precisions


@checked_arguments
def convolutional_generator(
    image_shape: Sequence[SupportsIndex] = (28, 28, 1),
    width: SupportsIndex = 32,
    *,
    channels: Sequence[SupportsIndex] = (16, 32),
    kernel: SupportsIndex = 4,
    activation: Activation = jnp.tanh,
    likelihood: Likelihood = Gaussian(),
    precisions: Precisions | None = None,
    rngs: nnx.Rngs,
) -> Network:
    """A generative hierarchy of transposed convolutions ("image", "maps1", "maps2", "top").

    image_shape: (height, width, channels); images are flat, rows first and channels last.
    width: units of the top level, from which a dense linear layer predicts the coarsest maps.
    channels: of the levels between, from the image upwards; each has half the height and width of the one below.

    Raises UserError for images whose sides cannot be halved that often.
    """
    image_shape = whole_numbers(image_shape, "image_shape")
    width, kernel = whole_number(width, "width"), whole_number(kernel, "kernel")
    channels = whole_numbers(channels, "channels")
    factor = 2 ** len(channels)
    if len(image_shape) != 3 or image_shape[0] % factor or image_shape[1] % factor:
        raise UserError(
            f"{len(channels)} levels of maps halve the image's sides {len(channels)} times: "
            f"expected (height, width, channels) with sides divisible by {factor}, "
            f"got {tuple(image_shape)}."
        )
    shapes = [tuple(image_shape)]
    for number in channels:
        shapes.append((shapes[-1][0] // 2, shapes[-1][1] // 2, number))
    layers = [
        TransposedConvolution(
            above,  # type: ignore[arg-type]
            below[2],
            kernel=kernel,
            stride=2,
            activation=activation,
            scale=gain(activation),
            rngs=rngs,
        )
        for below, above in pairwise(shapes)
    ]
    coarsest = prod(shapes[-1])
    layers.append(Dense(width, coarsest, activation=identity, rngs=rngs))  # type: ignore[arg-type]
    widths = [*(prod(shape) for shape in shapes), width]
    maps = [f"maps{i + 1}" for i in range(len(channels))]
    return Network(
        layers,
        widths,
        log_precisions=to_log_precisions(precisions, len(widths)),
        likelihood=likelihood,
        names=["image", *maps, "top"],
        is_linear=activation is identity,
    )
