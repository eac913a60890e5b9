"""Finding a level by name or index."""

import operator
from typing import Annotated, Any, SupportsIndex

import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import is_sequence, short
from pcmodel.inputs.ranges import Means

LevelName = Annotated[str | SupportsIndex, Means("a level's name or index")]
"""A level's name, or its index as a Python or numpy integer."""


def level_index(level: Any, names: tuple[str, ...]) -> int:
    """Index of a level given its name or index (negative counts from the top).

    "top" and "data" always name the last and the first level.  Raises UserError for a level that does not exist, and
    for an index that is not a Python or numpy integer (such as True or 1.0).
    """
    if isinstance(level, str):
        if level in names:
            return names.index(level)
        if level in ("top", "data"):
            return len(names) - 1 if level == "top" else 0
        raise UserError(
            f"unknown level {str(level)!r}: this network has {', '.join(names)}."
        )
    index = as_index(level)
    if not -len(names) <= index < len(names):
        raise UserError(
            f"level {index} does not exist: this network has {len(names)} levels "
            f"(0 = {names[0]} .. {len(names) - 1} = {names[-1]})."
        )
    return index % len(names)


def as_index(level: Any) -> int:
    """A level's index as a Python integer; raises UserError for anything else."""
    kind = getattr(level, "dtype", None)
    is_boolean = isinstance(level, bool) or (kind is not None and kind == np.bool_)
    try:
        if not is_boolean:
            return operator.index(level)
    except TypeError:
        pass
    raise UserError(
        f"a level is called by its name or its index, not by {short(level)} of type {type(level).__name__}."
    )


def level_indices(levels: Any, names: tuple[str, ...]) -> tuple[int, ...]:
    """Indices of a level or of several, ascending and without duplicates."""
    return tuple(sorted({level_index(level, names) for level in as_levels(levels)}))


def as_levels(levels: Any) -> tuple[LevelName, ...]:
    """One level, or several, as a tuple."""
    return tuple(levels) if is_sequence(levels) else (levels,)


def plain_levels(levels: Any) -> tuple[LevelName, ...]:
    """One level, or several, as names and Python integers; raises UserError for anything else."""
    return tuple(
        level if isinstance(level, str) else as_index(level)
        for level in as_levels(levels)
    )
