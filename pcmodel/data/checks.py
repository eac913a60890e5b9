"""Checks of labelled images, from files or arrays."""

from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import read_numbers

WHITE = 255
LEAST_WHITE = 64  # the brightest pixel of thousands: 16 in scikit-learn's digits, 15 or 63 in others
AS_BYTES = "np.round(255 * images).astype(np.uint8)"


def as_bytes(
    images: Any, *, where: str
) -> UInt8[np.ndarray, "n height width channels"]:
    """Grey levels 0 to 255 as bytes, (n, height, width, channels).

    Whole numbers in that range may have any type. UserError for no images, another number of axes,
    channels first, fractions, and values outside of the range.
    """
    values = np.asarray(read_numbers(images, where=where))
    _check_axes(values.shape, where)
    if values.dtype == np.uint8:
        return values
    if values.dtype == bool or (values.max() <= 1 and values.min() >= 0):
        raise _looks_scaled(where, f"no pixel is above 1 ({values.dtype})")
    if values.min() < 0 or values.max() > WHITE:
        raise UserError(
            f"pixels go from {float(values.min()):g} to {float(values.max()):g}",
            where=where,
            expected="grey levels 0 to 255, not standardised: that is done in training",
        )
    if np.any(values != np.floor(values)):
        raise UserError(
            "pixels are fractions",
            where=where,
            expected="whole grey levels 0 to 255: np.round(images).astype(np.uint8)",
        )
    return values.astype(np.uint8)


def check_brightness(images: UInt8[np.ndarray, "..."], *, where: str) -> None:
    """UserError for a set of bytes that seem to have another white than 255."""
    brightest = int(images.max())
    if brightest <= 1:
        raise _looks_scaled(where, "no pixel of the whole set is above 1")
    if brightest <= LEAST_WHITE:
        raise UserError(
            f"no pixel of the whole set is above {brightest}, so that white may be {brightest} and not {WHITE}",
            where=where,
            expected=f"grey levels 0 to {WHITE}: np.round(images * ({WHITE} / white)).astype(np.uint8)",
        )


def as_labels(
    labels: Any, num_images: int, *, num_classes: int, where: str
) -> Int[np.ndarray, " n"]:
    """The labels, one whole number from 0 to num_classes - 1 for each image; UserError for others."""
    values = np.asarray(read_numbers(labels, where=where))
    remedy = None
    if values.ndim == 2 and values.shape[1] == 1:
        remedy = "labels of shape (images,): labels.ravel()"
    elif values.ndim != 1:
        remedy = "one number for each image (of one-hot rows: labels.argmax(axis=1))"
    elif values.dtype.kind not in "iu":
        remedy = "whole numbers: labels.astype(int)"
    if remedy:
        raise UserError(
            f"labels have shape {values.shape} and type {values.dtype}",
            where=where,
            expected=remedy,
        )
    check_labels(values, num_images, num_classes=num_classes, where=where)
    return values


def _check_axes(shape: tuple[int, ...], where: str) -> None:
    """UserError for another shape than (n, height, width, channels), with a way to it."""
    remedy = None
    if len(shape) == 3:
        remedy = "an axis of channels: images[..., None]"
    elif len(shape) != 4:
        remedy = "images.reshape(-1, height, width, channels)"
    elif 0 in shape:
        remedy = "one image or more"
    elif shape[1] in (1, 3) and shape[2] == shape[3] > 4:
        remedy = "channels last: np.moveaxis(images, 1, -1)"
    if remedy:
        raise UserError(f"images have shape {shape}", where=where, expected=remedy)


def _looks_scaled(where: str, what: str) -> UserError:
    return UserError(
        what,
        where=where,
        expected=f"grey levels 0 to 255: {AS_BYTES} of images in [0, 1]",
    )


def check_images(images: np.ndarray, *, shape: tuple[int, ...], where: str) -> None:
    """UserError unless there are images, and of `shape`."""
    if images.shape[1:] != shape or len(images) == 0:
        raise UserError(
            f"holds {len(images)} images of {_by(images.shape[1:])}",
            where=where,
            expected=f"images of {_by(shape)}",
        )


def check_labels(
    labels: np.ndarray, num_images: int, *, num_classes: int, where: str
) -> None:
    """UserError unless every image has a label, and all are in range."""
    if len(labels) != num_images:
        raise UserError(
            f"holds {len(labels)} labels for {num_images} images",
            where=where,
            expected="one each",
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if len(wrong):
        raise UserError(
            f"example {wrong[0]} has label {labels[wrong[0]]}",
            where=where,
            expected=f"0 to {num_classes - 1}",
        )


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
