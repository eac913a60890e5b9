"""Series in .npy and .npz files, with an axis for times, regions, and maybe people and conditions."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arrays import read_numbers
from pcmodel.inputs.files import (
    UNREADABLE_ARCHIVE,
    read_bytes,
    shown,
    why_unreadable,
)

AXES = ("time", "region", "person", "condition")


class Piece(NamedTuple):
    """One recording in an array.

    values: (times, regions).
    person: its place on the axis of people, from 0; None without one.
    condition: its place on the axis of conditions, from 0; None without one.
    """

    values: Float[np.ndarray, "times regions"]
    person: int | None
    condition: int | None


def check_axes(axes: Sequence[str]) -> tuple[str, ...]:
    """The names of axes; UserError for unknown ones, one that stands twice, and without time and region."""
    found = tuple(str(axis).strip().lower() for axis in axes)
    for axis in found:
        if axis not in AXES:
            raise unknown_name("axis", axis, AXES, where="axes")
    if len(set(found)) < len(found) or not {"time", "region"} <= set(found):
        raise UserError(
            f"cannot be {','.join(found)}",
            where="axes",
            expected="time and region, and person and condition where there are such axes, "
            "each once",
        )
    return found


def read_pieces(path: Path, *, axes: tuple[str, ...], array: str | None) -> list[Piece]:
    """The recordings of an array file.

    axes: what each axis of the array is, in order.
    array: its name in an .npz file; needed where several have so many axes.
    Raises UserError for a file that is no archive of arrays, and for another number of axes.
    """
    where = shown(path)
    values = _read(path, len(axes), array)
    numbers = np.asarray(read_numbers(values, where=where, finite=False))
    if numbers.ndim != len(axes):
        raise UserError(
            f"has the shape {numbers.shape}",
            where=where,
            expected=f"{len(axes)} axes, {','.join(axes)} (--axes says what they are)",
        )
    wanted = [axes.index(name) for name in ("person", "condition") if name in axes]
    order = [*wanted, axes.index("time"), axes.index("region")]
    turned = np.transpose(numbers, order)
    pieces = []
    for place in np.ndindex(*turned.shape[:-2]):
        own = dict(zip([axes[axis] for axis in wanted], place, strict=True))
        pieces.append(Piece(turned[place], own.get("person"), own.get("condition")))
    return pieces


def _read(path: Path, number: int, array: str | None) -> np.ndarray:
    where = shown(path)
    content = io.BytesIO(read_bytes(path))
    try:
        loaded = np.load(content, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            if array is not None:
                raise UserError(
                    f"is one array, without the name {array!r}",
                    where=where,
                    expected="--array to be left out",
                )
            return loaded
        if array is not None:
            if array not in loaded.files:
                raise unknown_name("array", array, loaded.files, where=where)
            return loaded[array]
        found = {name: loaded[name] for name in loaded.files}
    except UserError:
        raise
    except UNREADABLE_ARCHIVE as error:
        raise UserError(
            f"cannot be read ({why_unreadable(error)})",
            where=where,
            expected="an array of numbers in numpy's format",
        ) from None
    fit = [name for name, values in found.items() if values.ndim == number]
    if len(fit) != 1:
        shapes = ", ".join(f"{name} {values.shape}" for name, values in found.items())
        raise UserError(
            f"holds {len(fit)} arrays of {number} axes ({shapes or 'none at all'})",
            where=where,
            expected="one, or its name with --array, and with --axes what its axes are",
        )
    return found[fit[0]]
