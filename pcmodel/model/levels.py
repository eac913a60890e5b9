"""Finding a level, or a named part of one, by its name or index.

A *part* is a named set of units of one level, such as a module or a stream.  Its address is "level/part", or its bare
name where no other level has a part of that name.
"""

import operator
from typing import (
    Annotated,
    Any,
    NamedTuple,
    Protocol,
    SupportsIndex,
    runtime_checkable,
)

import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import is_sequence, short
from pcmodel.inputs.ranges import Means

LevelName = Annotated[str | SupportsIndex, Means("a level's name or index")]
"""A level's name, or its index as a Python or numpy integer; a part's address where parts are taken."""
ALIASES = ("top", "data")
"""Names of the last and the first level of every network."""


class Part(NamedTuple):
    """A named set of units of one level.

    name: different from those of all levels and of the level's other parts.
    level: index of its level.
    units: indices of its units in the level, ascending.
    """

    name: str
    level: int
    units: tuple[int, ...]


class Units(NamedTuple):
    """A level, or some of its units.

    level: index of the level.
    units: indices of the units in the level, without duplicates; None: all of them.
    """

    level: int
    units: tuple[int, ...] | None = None


@runtime_checkable
class Named(Protocol):
    """Anything with levels, such as a network or its model; it may have `parts`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each level, bottom first."""
        ...


def parts_of(model: Named) -> tuple[Part, ...]:
    """The named parts of a model's levels, by level; empty for a model without."""
    return getattr(model, "parts", ())


def address(part: Part, names: tuple[str, ...]) -> str:
    """A part's address, "level/part"."""
    return f"{names[part.level]}/{part.name}"


def find_units(place: Any, model: Named) -> Units:
    """The level or part that a name, an address or an index means.

    Raises UserError, which names what there is, for anything that is neither, for a bare name that several parts have,
    and for "top" where several levels have no parents and none is called so.
    """
    names, parts = model.names, parts_of(model)
    if isinstance(place, str) and place == "top" and place not in names:
        refuse_several_tops(model)
    if not parts or not isinstance(place, str) or place in (*names, *ALIASES):
        return Units(level_index(place, names))
    level, slash, name = place.partition("/")
    if slash:
        index = level_index(level, names)
        found = [part for part in parts if part[:2] == (name, index)]
        if not found:
            own = [part.name for part in parts if part.level == index]
            raise UserError(
                f"level {names[index]!r} has no part {name!r}: it has {', '.join(own) or 'no parts'}."
            )
    else:
        found = [part for part in parts if part.name == place]
    if not found:
        told = ", ".join(address(part, names) for part in parts)
        raise UserError(
            f"unknown level or part {str(place)!r}: this network has {', '.join(names)} and the parts {told}."
        )
    if len(found) > 1:
        told = " or ".join(address(part, names) for part in found)
        raise UserError(f"several levels have a part {str(place)!r}; expected {told}.")
    return Units(found[0].level, found[0].units)


def refuse_several_tops(model: Named) -> None:
    """Raise a UserError if a model has several tops, of which "top" would mean the last."""
    parents = getattr(model, "parents", ())
    tops = [name for name, own in zip(model.names, parents, strict=False) if not own]
    if len(tops) > 1:
        raise UserError(
            f"there is no level 'top', and several levels have no parents: expected one of {', '.join(map(repr, tops))}."
        )


def find_level(place: Any, model: Named, *, where: str | None = None) -> int:
    """Index of a level; raises UserError for a part, and for what `find_units` refuses.

    where: of the error, such as the argument that takes only levels.
    """
    found = find_units(place, model)
    if found.units is not None:
        raise UserError(
            f"{str(place)!r} is a part of a level",
            where=where,
            expected=f"a whole level, such as {model.names[found.level]!r}",
        )
    return found.level


def told(found: Units, model: Named) -> str:
    """A level or part in words, for a message."""
    if found.units is None:
        return f"level {model.names[found.level]!r}"
    for part in parts_of(model):
        if (part.level, part.units) == found:
            return f"part {address(part, model.names)!r}"
    return f"units {short(found.units)} of level {model.names[found.level]!r}"


def indices(found: Units, width: int) -> np.ndarray:
    """Indices of the units in a level of `width` units."""
    units = range(width) if found.units is None else found.units
    return np.asarray(units, dtype=int)


def level_index(level: Any, names: tuple[str, ...]) -> int:
    """Index of a level given its name or index (negative counts from the top).

    "top" and "data" always name the last and the first level.  Raises UserError for a level that does not exist, and
    for an index that is not a Python or numpy integer (such as True or 1.0).
    """
    if isinstance(level, str):
        if level in names:
            return names.index(level)
        if level in ALIASES:
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


def level_indices(
    levels: Any, model: Named, *, where: str | None = None
) -> tuple[int, ...]:
    """Indices of a level or of several, ascending and without duplicates; raises UserError as `find_level` does."""
    found = {find_level(level, model, where=where) for level in as_levels(levels)}
    return tuple(sorted(found))


def as_levels(levels: Any) -> tuple[LevelName, ...]:
    """One level, or several, as a tuple."""
    return tuple(levels) if is_sequence(levels) else (levels,)


def plain_levels(levels: Any) -> tuple[LevelName, ...]:
    """One level, or several, as names and Python integers; raises UserError for anything else."""
    return tuple(
        level if isinstance(level, str) else as_index(level)
        for level in as_levels(levels)
    )
