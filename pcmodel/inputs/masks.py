"""Masks of the clamped units of a level, which lists of indices are not mistaken for."""

from typing import Any

import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import is_traced, read_array


def read_mask(mask: Any, width: int, *, where: str) -> np.ndarray:
    """Booleans, (width,), from booleans or zeros and ones of that shape.

    (batch, width) is accepted if all rows are equal. UserError, naming `where`, for anything else,
    and for whole numbers that could also be indices of units.
    """
    if is_traced(mask):
        raise UserError(
            "a mask decides what is computed and cannot be traced",
            where=where,
            expected="an array of booleans that is known before jit, grad or vmap",
        )
    values, missing = read_array(mask, where=f"mask of {where}")
    if missing is not None:
        raise UserError(
            "the mask is itself masked", where=where, expected=f"{width} booleans"
        )
    values = np.asarray(values)
    if values.dtype != bool:
        _check_zeros_and_ones(values, width, where)
        values = values != 0
    if values.ndim == 2 and values.shape[1] == width and len(values):
        return one_mask(values, where=where)
    if values.shape != (width,):
        raise UserError(
            f"expected a mask of shape ({width},), got {values.shape}", where=where
        )
    return values


def one_mask(rows: np.ndarray, *, where: str) -> np.ndarray:
    """The mask (width,) that all examples share; UserError where theirs differ."""
    differing = np.flatnonzero(np.any(rows != rows[:1], axis=1))
    if len(differing):
        raise UserError(
            f"the masks of examples 0 and {differing[0]} differ",
            where=where,
            expected="one mask for all: call once for each group of examples that share one",
        )
    return rows[0]


def _check_zeros_and_ones(values: np.ndarray, width: int, where: str) -> None:
    """UserError for other numbers, and for those that could be indices."""
    if not np.all((values == 0) | (values == 1)):
        shown = ", ".join(f"{value:g}" for value in values.ravel()[:6])
        raise UserError(
            f"the mask holds {shown}, which are no booleans",
            where=where,
            expected=f"{width} booleans; of indices np.isin(np.arange({width}), indices) "
            "makes them",
        )
    distinct = len(np.unique(values)) == values.size
    if values.dtype.kind in "iu" and distinct and np.all(values < width):
        raise UserError(
            f"the mask {values.tolist()} could be booleans or indices of units",
            where=where,
            expected=f"{width} booleans (dtype bool)",
        )
