"""Random changes of training images that keep their class.

Written for one image and one key; the caller maps it over a batch and compiles it:

    jax.jit(jax.vmap(Augmentation(max_shift=4, flip=True)))(jax.random.split(key, n), images)
"""

from dataclasses import dataclass
from typing import Annotated

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Key, Shaped

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.ranges import Range

Image = Shaped[Array, "height width channels"]


@checked_options("Augmentation.")
@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random changes of an image; by default none.

    Attributes:
        max_shift: rows and columns are each moved by a whole number of pixels, uniform on
            -max_shift..max_shift. This is the usual "random crop with padding max_shift".
        flip: whether left and right are exchanged with probability 1/2.
        reflect: whether new pixels are the image's mirror image (its edge not repeated), not zero.

    Other pixels keep their exact values and type. Options are static: equal ones share one
    compiled program. UserError for a negative shift, and for one that a mirror image cannot fill.
    """

    max_shift: Annotated[int, Range(0)] = 0
    flip: bool = False
    reflect: bool = False

    def __call__(self, key: Key[Array, ""], image: Image) -> Image:
        """The image, (height, width, channels), with random changes."""
        shift_key, flip_key = jax.random.split(key)
        if self.max_shift > 0:
            bound = self.max_shift
            shift = jax.random.randint(shift_key, (2,), -bound, bound + 1)
            image = shift_image(image, shift, max_shift=bound, reflect=self.reflect)
        if self.flip:
            is_flipped = jax.random.bernoulli(flip_key)
            image = jnp.where(is_flipped, flip_image(image), image)
        return image


def shift_image(
    image: Image, shift: Int[Array, "2"], *, max_shift: int, reflect: bool = False
) -> Image:
    """The image moved down by `shift[0]` and right by `shift[1]` pixels.

    Larger shifts than `max_shift` are clipped to it. New pixels are zero, or with `reflect` the
    image's mirror image. UserError when max_shift is not smaller than the side to be mirrored.
    """
    height, width, channels = image.shape
    if reflect and max_shift >= min(height, width):
        raise UserError(
            f"cannot fill a shift of {max_shift} pixels with a mirror image",
            where=f"image of {height} x {width}",
            expected=f"max_shift below {min(height, width)}",
        )
    margin = ((max_shift, max_shift), (max_shift, max_shift), (0, 0))
    padded = jnp.pad(image, margin, mode="reflect" if reflect else "constant")
    start = max_shift - shift
    return jax.lax.dynamic_slice(
        padded,
        (start[0], start[1], jnp.zeros_like(start[0])),
        (height, width, channels),
    )


def flip_image(image: Image) -> Image:
    """The image with left and right exchanged."""
    return image[:, ::-1]
