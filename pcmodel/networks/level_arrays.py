"""Results that hold one array per level, checked against the network they are of."""

from typing import Any

import jax
import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import read_numbers
from pcmodel.networks.network import Network


def level_arrays(
    network: Network, arrays: Any, *, where: str, are_finite: bool = False
) -> list[Any]:
    """One array per level, (..., width), bottom first, as they are or as arrays.

    are_finite: whether NaN and infinities are refused.
    Raises UserError for what is no sequence, another number of levels or another width.
    """
    names, widths = network.names, network.widths
    expected = f"one array for each of the levels {', '.join(names)}, bottom first"
    if not isinstance(arrays, list | tuple | np.ndarray | jax.Array) or (
        not isinstance(arrays, list | tuple) and arrays.ndim == 0
    ):
        raise UserError(f"is {type(arrays).__name__}", where=where, expected=expected)
    if len(arrays) != len(names):
        raise UserError(f"holds {len(arrays)} arrays", where=where, expected=expected)
    found = []
    for name, width, array in zip(names, widths, arrays, strict=True):
        place = f"{where}: level {name!r}"
        shape = np.shape(read_numbers(array, where=place, finite=are_finite))
        if shape[-1:] != (width,):
            raise UserError(
                f"has shape {shape}", where=place, expected=f"(..., {width})"
            )
        found.append(array if hasattr(array, "shape") else np.asarray(array))
    return found
