"""Images and labels as the levels that training clamps.

Images stay bytes on the device; a batch is converted to levels inside the compiled step.
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
    """Images and their labels, as numpy arrays or, on the devices, jax arrays.

    images: bytes, (n, height, width, channels).
    labels: whole numbers, (n,).
    """

    images: Any
    labels: Any


class Split(NamedTuple):
    """Training, validation and test examples, which are disjoint.

    image_shape: (height, width, channels).
    num_classes: number of labels.
    standardisation: mean and SD of each channel, grey levels.
    """

    train: Examples
    validation: Examples
    test: Examples
    image_shape: tuple[int, int, int]
    num_classes: int
    standardisation: Standardisation


@dataclass(frozen=True)
class Preparation:
    """Converts one example's bytes to the clamped values of every level; a static argument.

    is_generative: the image is level 0 and the label the top; else the reverse.
    num_levels: number of levels of the network.
    num_classes: number of labels.
    mean: of each channel, grey levels.
    sd: of each channel, grey levels.
    dtype: of the levels.
    augmentation: random shifts and mirror images.
    """

    is_generative: bool
    num_levels: int
    num_classes: int
    mean: tuple[float, ...]
    sd: tuple[float, ...]
    dtype: str
    augmentation: Augmentation = Augmentation()

    def __call__(self, key: Array, example: Examples) -> tuple[Array, ...]:
        """values[l], (clamped units of level l,), from an augmented image."""
        image, label = example
        ends = (
            self.pixels(self.augmentation(key, image)),
            jax.nn.one_hot(label, self.num_classes, dtype=self.dtype),
        )
        bottom, top = ends if self.is_generative else ends[::-1]
        free = jnp.zeros((0,), self.dtype)
        return (bottom, *[free] * (self.num_levels - 2), top)

    def pixels(self, image: Array) -> Float[Array, " width"]:
        """One image as a level, without augmentation."""
        scale = Standardisation(np.asarray(self.mean), np.asarray(self.sd))
        return as_level(image, scale).astype(self.dtype)


def some_of(examples: Examples, number: int | None) -> Examples:
    """So many of the examples, drawn at random, the same in every call and in their order; None or too many: all.

    Files of test images may be sorted by class, writer or difficulty, of which the first few would be no sample.
    """
    size = len(examples.images)
    if number is None or number >= size:
        return examples
    drawn = np.sort(np.random.default_rng(0).choice(size, number, replace=False))
    return Examples(examples.images[drawn], examples.labels[drawn])


def check_examples(
    examples: Examples, preparation: Preparation, *, where: str
) -> Examples:
    """Bytes and whole-number labels as numpy arrays; UserError for anything else."""
    images = as_bytes(examples.images, where=f"images of {where}")
    labels = as_labels(
        examples.labels,
        len(images),
        num_classes=preparation.num_classes,
        where=f"labels of {where}",
    )
    return Examples(images, labels)


def load_split(plan: DataPlan, data: ImageData | None = None) -> Split:
    """The images of a plan (or `data`), split into training, validation and test examples.

    Raises UserError for images that cannot be found, are damaged, or are too few.
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
    scale = (
        standardise if plan.standardise else lambda images: unit_scale(images.shape[-1])
    )
    return Split(
        train,
        Examples(images, labels),
        some_of(Examples(data.test_images, data.test_labels), plan.examples),
        data.image_shape,
        data.num_classes,
        scale(train.images),
    )
