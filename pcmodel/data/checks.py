"""What every set of labelled images must satisfy, whatever file it came from."""

import numpy as np

from pcmodel.errors import UserError


def check_images(images: np.ndarray, *, shape: tuple[int, ...], where: str) -> None:
    """Raise a UserError unless there are images, and of `shape`."""
    if images.shape[1:] != shape or len(images) == 0:
        raise UserError(
            f"holds {len(images)} images of {_by(images.shape[1:])}",
            where=where,
            expected=f"images of {_by(shape)}",
        )


def check_labels(
    labels: np.ndarray, num_images: int, *, num_classes: int, where: str
) -> None:
    """Raise a UserError unless every image has a label, and all are in range."""
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
