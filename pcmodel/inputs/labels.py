"""Class labels in place of one-hot rows: as many labels as classes look like one vector."""

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import Numbers


def looks_like_labels(array: Numbers, width: int) -> bool:
    """Whether every value is a class of `width`, and some class is neither 0 nor 1."""
    if isinstance(array, Tracer) or not array.size:
        return False
    whole = (array >= 0) & (array < width) & (array == np.floor(array))
    return bool(np.all(whole) and np.any(array > 1))


def label_hint(array: Numbers, width: int) -> str:
    """Advice for the error about an array of the wrong shape, if it may hold labels; else ""."""
    whole = not jnp.issubdtype(array.dtype, jnp.floating)
    if np.ndim(array) == 1 and (whole or looks_like_labels(array, width)):
        return f" (labels? give them one-hot: np.eye({width})[labels])"
    return ""


def refuse_labels(place: str, width: int, batch_size: int | None) -> None:
    """UserError where there are as many examples as units, `width` whole numbers.

    place: the level or part, for the message.
    """
    if batch_size == width:
        raise UserError(
            f"{width} whole numbers for {batch_size} examples could be a label of each or one "
            f"vector of {width} units for all",
            where=place,
            expected=f"one-hot rows, np.eye({width})[labels], or the vector as shape "
            f"({batch_size}, {width})",
        )
