"""Handwritten digits without a download: the copy in scikit-learn.

1,797 images of 8 x 8 pixels in 17 grey levels (Alpaydin & Kaynak 1998, UCI Optical Recognition of
Handwritten Digits).
"""

from typing import NamedTuple

import numpy as np

from pcmodel.data.checks import check_labels
from pcmodel.errors import UserError
from pcmodel.inputs.arrays import read_numbers

IMAGE_SIDE = 8
NUM_CLASSES = 10


class DigitsSplit(NamedTuple):
    """The digits, divided for training and test.

    train_images: pixels in [0, 1], (examples, 64).
    train_labels: 0 to 9.
    test_images: pixels in [0, 1], (examples, 64).
    test_labels: 0 to 9.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load_digits_split() -> DigitsSplit:
    """The digits in a fixed stratified split, with a third for the test."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).astype(np.float32)
    parts = train_test_split(
        images, labels, test_size=1 / 3, stratify=labels, random_state=0
    )
    train_images, test_images, train_labels, test_labels = map(np.asarray, parts)
    return DigitsSplit(train_images, train_labels, test_images, test_labels)


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Labels as rows of the identity, shape (examples, 10); UserError for others than 0 to 9."""
    given = np.asarray(read_numbers(labels, where="one_hot"))
    if given.dtype.kind not in "iu" or given.size == 0:
        raise UserError(
            f"labels have shape {given.shape} and type {given.dtype}",
            where="one_hot",
            expected="whole numbers, labels.astype(int)",
        )
    check_labels(given.ravel(), given.size, num_classes=NUM_CLASSES, where="one_hot")
    return np.eye(NUM_CLASSES, dtype=np.float32)[given]
