r"""Convolutional layers over flat levels.

A level of maps is one flat vector, rows first and channels last: unit (i, j, c) of (h, w, channels) maps has
index (i w + j) channels + c.  A layer reads the level above in the order

    activation -> pool -> linear map,

so that a latent is the *output of a convolution*: counted from the image this is the usual sequence convolution ->
activation -> pool, with latents before the activation instead of after the pool.

The functions are for one example; under `jax.vmap` they become batched convolutions.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import SupportsIndex

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import NotNegative
from pcmodel.inputs.whole_numbers import whole_number, whole_numbers
from pcmodel.networks.layers.pooling import Pool, pooled_shape
from pcmodel.networks.layers.scaling import STANDARD, Scaling, initial_weights, multiply

Shape = tuple[int, int, int]
Pads = tuple[tuple[int, int], tuple[int, int]]
LAYOUT = ("NHWC", "HWIO", "NHWC")


@checked_arguments
class Convolution(nnx.Module):
    """Prediction of maps from maps: a (K * pool(act(x))) + b, a = `scaling.multiplier`.

    shape_above: (height, width, channels) of the level above.
    kernel: side, or (rows, columns), of the window; the kernel is not flipped (a
        cross-correlation, as in all network libraries) and has shape
        (rows, columns, channels above, channels).
    padding: rows and columns of zeros on each side, or "SAME" for ceil(size / stride) outputs.
    pool: applied to the activated level above, before the convolution.
    scale: initial weights are normal with variance `scale`^2 / fan-in, fan-in = kernel rows x columns x
        channels above, unless `scaling` has a `deviation`; biases (one per channel) are zero.

    `shape` is (height, width, channels) of the prediction.  Raises UserError if the prediction has no units.
    """

    def __init__(
        self,
        shape_above: Sequence[SupportsIndex],
        channels: SupportsIndex,
        *,
        kernel: SupportsIndex | Sequence[SupportsIndex] = 3,
        stride: SupportsIndex = 1,
        padding: SupportsIndex | str = "SAME",
        pool: Pool | None = None,
        activation: Callable[[Array], Array] = jnp.tanh,
        scale: NotNegative = 1.0,
        scaling: Scaling = STANDARD,
        rngs: nnx.Rngs,
    ):
        maps = check_maps(shape_above)
        channels = whole_number(channels, "channels")
        stride, padding = whole_number(stride, "stride"), check_padding(padding)
        window = window_of(kernel)
        size = pooled_shape(maps, pool)
        self.pads = pads_of(size, window, stride, padding)
        rows, columns = (
            (size[i] + sum(self.pads[i]) - window[i]) // stride + 1 for i in (0, 1)
        )
        if min(rows, columns, *size) < 1:
            raise UserError(
                f"a {window[0]} x {window[1]} convolution with padding {padding!r} leaves "
                f"nothing of maps of {size[0]} x {size[1]} units."
            )
        shape = (*window, maps[2], channels)
        values = initial_weights(shape, prod(shape[:3]), scale, scaling, rngs)
        self.weight = nnx.Param(values)
        self.bias = nnx.Param(jnp.zeros((channels,), values.dtype))
        self.shape_above = maps
        self.shape = (rows, columns, channels)
        self.stride = stride
        self.padding = padding
        self.pool = pool
        self.activation = activation
        self.scaling = scaling

    def __call__(self, above: Float[Array, " above"]) -> Float[Array, " width"]:
        """Prediction of the level below `above`."""
        maps = self.activation(above).reshape(self.shape_above)
        if self.pool is not None:
            maps = self.pool(maps)
        product = convolve(maps, self.weight[...], self.stride, self.pads)
        return add_bias(multiply(self.scaling.multiplier, product), self.bias[...])


@checked_arguments
class TransposedConvolution(nnx.Module):
    """Prediction of large maps from small ones: the adjoint of a convolution.

    With the same kernel size, stride and padding it is the transpose of the linear map of the
    `Convolution` that would lead from the large maps to the small ones (its kernel with the
    last two axes exchanged).  Each unit above contributes a kernel-sized patch; patches are `stride` apart.

    shape_above: (height, width, channels) of the level above.
    padding: rows and columns removed from each side of the output, or "SAME" for size x stride outputs.
    scale: initial weights are normal with variance `scale`^2 / fan-in, fan-in = rows x columns x channels above /
        stride^2, unless `scaling` has a `deviation`.

    The kernel has shape (rows, columns, channels above, channels).
    `shape` is (height, width, channels) of the prediction.  Raises UserError if the prediction has no units.
    """

    def __init__(
        self,
        shape_above: Sequence[SupportsIndex],
        channels: SupportsIndex,
        *,
        kernel: SupportsIndex | Sequence[SupportsIndex] = 3,
        stride: SupportsIndex = 1,
        padding: SupportsIndex | str = "SAME",
        activation: Callable[[Array], Array] = jnp.tanh,
        scale: NotNegative = 1.0,
        scaling: Scaling = STANDARD,
        rngs: nnx.Rngs,
    ):
        maps = check_maps(shape_above)
        channels = whole_number(channels, "channels")
        stride, padding = whole_number(stride, "stride"), check_padding(padding)
        window = window_of(kernel)
        sizes = [painted_size(maps[i], window[i], stride, padding) for i in (0, 1)]
        if min(sizes) < 1:
            raise UserError(
                f"padding {padding!r} leaves nothing of what a {window[0]} x {window[1]} "
                f"transposed convolution paints from {maps[0]} x {maps[1]} units."
            )
        self.shape = (sizes[0], sizes[1], channels)
        self.pads = adjoint_pads(self.shape, maps, window, stride, padding)
        shape = (*window, maps[2], channels)
        values = initial_weights(
            shape, prod(shape[:3]) / stride**2, scale, scaling, rngs
        )
        self.weight = nnx.Param(values)
        self.bias = nnx.Param(jnp.zeros((channels,), values.dtype))
        self.shape_above = maps
        self.stride = stride
        self.padding = padding
        self.activation = activation
        self.scaling = scaling

    def __call__(self, above: Float[Array, " above"]) -> Float[Array, " width"]:
        """Prediction of the level below `above`."""
        maps = self.activation(above).reshape(self.shape_above)
        product = jax.lax.conv_general_dilated(
            maps[None],
            jnp.flip(self.weight[...], (0, 1)),
            (1, 1),
            self.pads,
            lhs_dilation=(self.stride, self.stride),
            dimension_numbers=LAYOUT,
        )[0]
        return add_bias(multiply(self.scaling.multiplier, product), self.bias[...])


def convolve(
    maps: Float[Array, "h w c"],
    kernel: Float[Array, "rows columns c d"],
    stride: int,
    pads: Pads,
) -> Float[Array, "p q d"]:
    """Cross-correlation of one example's maps with a kernel.

    It is computed as a product of patches with the kernel on CPUs, for which XLA has no fast convolutions (nor
    derivatives of them) inside loops, such as in training (jax issue 12868), and on all devices if there are no more
    windows than units in a window: the derivative of such a convolution has a kernel nearly as large as the maps.
    """
    padded = jnp.pad(maps, (*pads, (0, 0)))
    window = kernel.shape[0], kernel.shape[1]
    rows, columns = ((padded.shape[i] - window[i]) // stride + 1 for i in (0, 1))
    if rows * columns <= window[0] * window[1] or multiplies_patches():
        patches = patches_of(padded, window, (rows, columns), stride)
        product = patches @ kernel.reshape(-1, kernel.shape[3])
        return product.reshape(rows, columns, -1)
    return jax.lax.conv_general_dilated(
        maps[None], kernel, (stride, stride), pads, dimension_numbers=LAYOUT
    )[0]


def multiplies_patches() -> bool:
    """Whether convolutions are computed as matrix products on the present device."""
    return jax.default_backend() == "cpu"


def patches_of(
    maps: Float[Array, "h w c"],
    window: tuple[int, int],
    counts: tuple[int, int],
    stride: int,
) -> Float[Array, "windows units"]:
    """The windows of a map as rows, by one slice per window or per unit of a window, whichever are fewer."""
    if counts[0] * counts[1] <= window[0] * window[1]:
        windows = [
            maps[i * stride :, j * stride :][: window[0], : window[1]].reshape(-1)
            for i in range(counts[0])
            for j in range(counts[1])
        ]
        return jnp.stack(windows)
    reach = [(count - 1) * stride + 1 for count in counts]
    units = [
        maps[i : i + reach[0] : stride, j : j + reach[1] : stride]
        for i in range(window[0])
        for j in range(window[1])
    ]
    return jnp.concatenate(units, axis=2).reshape(counts[0] * counts[1], -1)


def add_bias(
    maps: Float[Array, "h w c"], bias: Float[Array, " c"]
) -> Float[Array, " width"]:
    """Maps plus one bias per channel, flattened."""
    return (maps + jnp.broadcast_to(bias, maps.shape)).reshape(-1)


def check_maps(given: Sequence[SupportsIndex]) -> Shape:
    """The shape (height, width, channels) of maps; raises UserError for anything else."""
    shape = whole_numbers(
        given, "each number of a shape of maps (height, width, channels)"
    )
    if len(shape) != 3:
        raise UserError(
            f"maps have a shape (height, width, channels) of positive numbers, got {shape}."
        )
    return shape[0], shape[1], shape[2]


def check_padding(padding: SupportsIndex | str) -> int | str:
    """The padding; raises UserError unless it is "SAME" or a number of rows."""
    if isinstance(padding, str):
        if padding != "SAME":
            raise UserError(
                f'padding must be "SAME" or a number of rows, got {padding!r}.'
            )
        return padding
    return whole_number(padding, 'padding (or "SAME")', least=0)


def window_of(kernel: SupportsIndex | Sequence[SupportsIndex]) -> tuple[int, int]:
    """(rows, columns) of a kernel given by its side or by both; raises UserError for anything else."""
    pair = hasattr(kernel, "__iter__") and getattr(kernel, "ndim", 1)
    window = whole_numbers(kernel if pair else (kernel, kernel), "a kernel's side")
    if len(window) != 2:
        raise UserError(
            f"a kernel has a side, or (rows, columns), of at least 1, got {kernel}."
        )
    return window[0], window[1]


def pads_of(
    size: tuple[int, ...], window: tuple[int, int], stride: int, padding: int | str
) -> Pads:
    """Zeros (before, after) that a convolution adds to the rows and columns of maps of a size."""
    if not isinstance(padding, str):
        return ((padding, padding), (padding, padding))
    pads = []
    for length, side in zip(size[:2], window, strict=True):
        total = max((-(-length // stride) - 1) * stride + side - length, 0)
        pads.append((total // 2, total - total // 2))
    return pads[0], pads[1]


def painted_size(length: int, side: int, stride: int, padding: int | str) -> int:
    """Rows (or columns) of a transposed convolution's output."""
    if isinstance(padding, str):
        return length * stride
    return (length - 1) * stride + side - 2 * padding


def adjoint_pads(
    shape: Shape,
    shape_above: Shape,
    window: tuple[int, int],
    stride: int,
    padding: int | str,
) -> Pads:
    """Padding of the dilated convolution that is the transpose of the convolution from `shape` to `shape_above`."""
    forward = pads_of(shape, window, stride, padding)
    pads = []
    for i in (0, 1):
        before, after = forward[i]
        unread = shape[i] + before + after - window[i] - (shape_above[i] - 1) * stride
        pads.append((window[i] - 1 - before, window[i] - 1 - after + unread))
    return pads[0], pads[1]
