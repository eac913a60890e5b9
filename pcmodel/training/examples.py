"""Images and labels as the levels that training clamps.

Images stay bytes on the device; a batch becomes levels there, inside the compiled step.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.data.augment import Augmentation
from pcmodel.data.checks import as_bytes, as_labels
from pcmodel.data.images import ImageData, load_images, split_validation
from pcmodel.data.standardisation import (
    Standardisation,
    as_level,
    standardise,
    unit_scale,
)
from pcmodel.errors import UserError
from pcmodel.training.plan import DataPlan


class Examples(NamedTuple):
    """Images as bytes, (n, height, width, channels), and their labels, (n,).

    Arrays of numpy as they were read, of jax on the devices.
    """

    images: Any
    labels: Any


class Split(NamedTuple):
    """Three disjoint sets, what their images look like, and how they are scaled."""

    train: Examples
    validation: Examples
    test: Examples
    image_shape: tuple[int, int, int]
    num_classes: int
    standardisation: Standardisation


@dataclass(frozen=True)
class Preparation:
    """From one example's bytes to the clamped values of every level; static.

    is_generative: the image is level 0 and the label the top, else the other way round.
    mean, sd: of each channel, in grey levels.  dtype: of the levels.
    """

    is_generative: bool
    num_levels: int
    num_classes: int
    mean: tuple[float, ...]
    sd: tuple[float, ...]
    dtype: str
    augmentation: Augmentation = Augmentation()

    def __call__(self, key: Array, example: Examples) -> tuple[Array, ...]:
        """values[l], (clamped units of level l,); the image is augmented."""
        image, label = example
        ends = (
            self.pixels(self.augmentation(key, image)),
            jax.nn.one_hot(label, self.num_classes, dtype=self.dtype),
        )
        bottom, top = ends if self.is_generative else ends[::-1]
        free = jnp.zeros((0,), self.dtype)
        return (bottom, *[free] * (self.num_levels - 2), top)

    def pixels(self, image: Array) -> Float[Array, " width"]:
        """One image as a level, not augmented."""
        scale = Standardisation(np.asarray(self.mean), np.asarray(self.sd))
        return as_level(image, scale).astype(self.dtype)


def check_examples(
    examples: Examples, preparation: Preparation, *, where: str
) -> Examples:
    """Bytes and whole-number labels on the host; UserError for anything else."""
    images = as_bytes(examples.images, where=f"images of {where}")
    labels = as_labels(
        examples.labels,
        len(images),
        num_classes=preparation.num_classes,
        where=f"labels of {where}",
    )
    return Examples(images, labels)


def load_split(plan: DataPlan, data: ImageData | None = None) -> Split:
    """The images of a plan (or these), cut into training, validation and test.

    Raises UserError for images that cannot be found, are damaged, or too few.
    """
    data = load_images(plan.name, plan.folder) if data is None else data
    data, images, labels = split_validation(data, plan.validation)
    wanted = plan.examples or len(data.train_images)
    if wanted > len(data.train_images):
        raise UserError(
            f"cannot be {wanted}",
            where="data.examples",
            expected=f"at most {len(data.train_images)}, what {data.name} has beside "
            f"{plan.validation} for validation",
        )
    train = Examples(data.train_images[:wanted], data.train_labels[:wanted])
    kept = slice(None, plan.examples)
    scale = (
        standardise if plan.standardise else lambda images: unit_scale(images.shape[-1])
    )
    return Split(
        train,
        Examples(images, labels),
        Examples(data.test_images[kept], data.test_labels[kept]),
        data.image_shape,
        data.num_classes,
        scale(train.images),
    )
