"""Named parts of the levels of a network, as its author writes them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, SupportsIndex

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import is_sequence, is_whole, short
from pcmodel.inputs.whole_numbers import whole_number, whole_numbers
from pcmodel.model.levels import ALIASES, Part, address, level_index

Division = Mapping[str, SupportsIndex | Sequence[SupportsIndex]]
"""The parts of one level by name: sizes, in the order of its units, or indices of units."""


def check_parts(
    given: Any, widths: tuple[int, ...], names: tuple[str, ...]
) -> tuple[Part, ...]:
    """The parts of all levels, by level; raises UserError for parts that do not fit their levels or have no address.

    given: a mapping from levels to their `Division`; a sequence of `Part`; or None.
    """
    if not given:
        return ()
    found = list(_from_levels(given, widths, names))
    for name in names:
        if "/" in name:
            raise UserError(
                f"level {name!r} has a '/' in its name, with which parts of levels are addressed."
            )
    seen: set[str] = set()
    for part in found:
        check_name(part, names)
        if (place := address(part, names)) in seen:
            raise UserError(f"level {names[part.level]!r} has two parts {part.name!r}.")
        seen.add(place)
    return tuple(sorted(found, key=lambda part: part.level))


def _from_levels(
    given: Any, widths: tuple[int, ...], names: tuple[str, ...]
) -> Iterator[Part]:
    if isinstance(given, Mapping):
        divided: dict[int, Any] = {}
        for level, division in given.items():
            index = level_index(level, names)
            if index in divided:
                raise UserError(f"the parts of level {names[index]!r} are given twice.")
            divided[index] = division
            yield from divide(division, index, widths, names)
        return
    for part in given:
        if not isinstance(part, Part):
            raise UserError(
                f"holds {short(part)}",
                where="parts",
                expected="pcmodel's Part objects, or the parts of each level by its name",
            )
        level = level_index(part.level, names)
        yield from divide({part.name: part.units}, level, widths, names)


def divide(
    division: Mapping[str, Any],
    level: int,
    widths: tuple[int, ...],
    names: tuple[str, ...],
) -> list[Part]:
    """The parts of one level."""
    where, width = f"parts of level {names[level]!r}", widths[level]
    sizes = {name: given for name, given in division.items() if is_whole(given)}
    if sizes and len(sizes) < len(division):
        raise UserError(
            f"{where}: expected a number of units for every part, or indices of units for every part."
        )
    if not sizes:
        return [
            Part(
                name,
                level,
                check_units(units, f"part {name!r} of level {names[level]!r}", width),
            )
            for name, units in division.items()
        ]
    numbers = [whole_number(size, f"{where}: a size") for size in sizes.values()]
    if sum(numbers) != width:
        raise UserError(
            f"{where}: {' + '.join(map(str, numbers))} units are {sum(numbers)}, but the level has {width}."
        )
    bounds = pairwise(accumulate(numbers, initial=0))
    return [
        Part(name, level, tuple(range(first, end)))
        for name, (first, end) in zip(sizes, bounds, strict=True)
    ]


def check_units(units: Any, where: str, width: int) -> tuple[int, ...]:
    """Ascending indices of units; raises UserError for others."""
    expected = f"indices from 0 to {width - 1}, ascending, or a number of units"
    if not is_sequence(units):
        raise UserError(f"is {short(units)}", where=where, expected=expected)
    found = whole_numbers(units, f"units of {where}", least=0, empty=True)
    if not found or found[-1] >= width or any(a >= b for a, b in pairwise(found)):
        raise UserError(
            f"has the units {', '.join(map(str, found[:8])) or 'none'}",
            where=where,
            expected=expected,
        )
    return found


def check_name(part: Part, names: tuple[str, ...]) -> None:
    """Raise a UserError for the name of a part that cannot be used in an address."""
    owner = names[part.level]
    if not isinstance(part.name, str) or not part.name or "/" in part.name:
        raise UserError(
            f"a part of level {owner!r} is called {short(part.name)}; expected a name without '/'."
        )
    if part.name in (*names, *ALIASES):
        raise UserError(
            f"two things are called {part.name!r}: a level and a part of level {owner!r}."
        )
