"""From unsigned bytes to the values of a network's lowest level.

A level is flat, in (height, width, channel) order with channels fastest: unit
(row * width + column) * channels + channel.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float, UInt8

from pcmodel.data.checks import AS_BYTES, WHITE, as_bytes
from pcmodel.errors import UserError

CHUNK = 4096  # images counted at a time: as integers they take eight times the memory


class Standardisation(NamedTuple):
    """Offset and scale of each channel.

    mean: subtracted, in grey levels 0 to 255.
    sd: the divisor, in grey levels 0 to 255.
    """

    mean: Float[np.ndarray, " channels"]
    sd: Float[np.ndarray, " channels"]


def standardise(
    images: UInt8[np.ndarray, "n height width channels"],
) -> Standardisation:
    """Mean and standard deviation (divisor: the number of pixels) of each channel.

    To be computed from training images only. A channel that never varies has an sd of 1, so that it
    becomes 0 everywhere. UserError for no images.
    """
    if np.size(images) == 0:
        raise UserError("there are no images to standardise by")
    images = as_bytes(images, where="standardise")
    levels = np.arange(WHITE + 1)
    counts = np.stack([_histogram(images[..., c]) for c in range(images.shape[-1])])
    share = counts / counts.sum(axis=1, keepdims=True)
    mean = share @ levels
    variance = np.sum(share * (levels - mean[:, None]) ** 2, axis=1)
    never_varies = (counts > 0).sum(axis=1) == 1
    return Standardisation(mean, np.where(never_varies, 1.0, np.sqrt(variance)))


def _histogram(values: np.ndarray) -> np.ndarray:
    """The number of pixels of each grey level, counted in chunks of images."""
    chunks = (values[i : i + CHUNK] for i in range(0, len(values), CHUNK))
    counts = [np.bincount(chunk.ravel(), minlength=WHITE + 1) for chunk in chunks]
    return np.sum(counts, axis=0)


def unit_scale(num_channels: int) -> Standardisation:
    """The standardisation that yields shares of white, in [0, 1]."""
    return Standardisation(np.zeros(num_channels), np.full(num_channels, float(WHITE)))


def as_level(
    image: ArrayLike, standardisation: Standardisation
) -> Float[Array, " width"]:
    """One image (height, width, channels) as a level: (value - mean) / sd, flat, float32."""
    _check_whole(image)
    pixels = jnp.asarray(image, jnp.float32)
    mean, sd = (jnp.asarray(each, jnp.float32)[None, None] for each in standardisation)
    return ((pixels - mean) / sd).ravel()


def as_levels(
    images: ArrayLike, standardisation: Standardisation
) -> Float[Array, "n width"]:
    """`as_level` of each of n images: (n, height * width * channels)."""
    return jax.vmap(lambda image: as_level(image, standardisation))(jnp.asarray(images))


def _check_whole(image: ArrayLike) -> None:
    """UserError for fractions, also traced ones, which were most likely scaled before."""
    kind = jnp.result_type(image)
    if not jnp.issubdtype(kind, jnp.integer):
        raise UserError(
            f"pixels are {kind}",
            where="image",
            expected=f"whole grey levels 0 to 255: {AS_BYTES} of images in [0, 1]",
        )


def as_images(
    levels: ArrayLike, standardisation: Standardisation, shape: tuple[int, int, int]
) -> UInt8[Array, "n height width channels"]:
    """Levels (n, width) as images of bytes for display: clipped to 0 to 255 and rounded."""
    mean, sd = (
        jnp.asarray(each, jnp.float32)[None, None, None] for each in standardisation
    )
    pixels = jnp.asarray(levels, jnp.float32).reshape(-1, *shape) * sd + mean
    return jnp.round(jnp.clip(pixels, 0, WHITE)).astype(jnp.uint8)
