"""Reaction times in seconds, whatever the table's unit."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.naming import plain, words
from pcmodel.behaviour.dataset.tables.pasted import rows_not_in, rows_without
from pcmodel.behaviour.dataset.task_table import TaskTable
from pcmodel.behaviour.dataset.violations import Place

MICRO = {"us", "usec", "usecs", "\u00b5s", "\u03bcs", "microsec", "microsecond"}
NAMES = {
    "us": MICRO | {"microseconds"},
    "ms": {"ms", "msec", "msecs", "millis", "millisec", "millisecond", "milliseconds"},
    "s": {"s", "sec", "secs", "second", "seconds"},
}
SCALE = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
# Medians: of a decision in s, of any in ms, and of any in us.
LONGEST, SHORTEST_MS, SHORTEST_US = 20.0, 100.0, 1e5
FAR = 100.0  # times another person's median: no difference between people
MOST = 200.0  # times the median, or less than it: no time of the same unit
MOST_TIMES = 8  # that are listed in an option
BY_USER, BY_SIDECAR = "as --units says", "as the side-car says"
EITHER = "--units reaction_time=s or --units reaction_time=ms"


class Group(NamedTuple):
    """The reaction times of one person, session and file.

    label: person, session and file.
    row: the first row with a time.
    median: of the times, in the table's unit.
    kind: the unit by the median's size; "?" where two would do.
    """

    label: tuple[str, ...]
    row: int
    median: float
    kind: str


def in_seconds(
    table: TaskTable,
    times: Float[np.ndarray, " rows"],
    labels: Sequence[tuple[str, ...]],
    people: str | None,
) -> tuple[Float[np.ndarray, " rows"], str]:
    """The times in seconds, and a note on their unit and what it was taken from.

    The unit is the one named in `reading`, that of each file's side-car, or that in the
    column's name; else it follows from the medians of the groups of rows with one label
    (person, session and file), which must agree. `people` is the column of the persons.
    """
    place = table.places["reaction_time"]
    groups = _groups(labels, times)
    before = len(table.problems)
    if place in table.raw.units_by_file and "reaction_time" not in table.reading.units:
        units = _by_file(table, place)
        if not units:
            return times, ""
        for group in groups:
            _check_kind(
                table.row(place, group.row), group, units[group.row], BY_SIDECAR
            )
        scale = np.asarray([SCALE[unit] for unit in units])
        if len(table.problems) == before:
            _check_alone(table, times, scale)
        each = ", ".join(sorted(set(units)))
        return times * scale, f"{place}: {each}, by each file's side-car"
    unit, source = _unit_of(table, place)
    if unit is None:
        unit = _by_size(table, place, groups)
        if not unit:
            return times, ""
        _check_alone(table, times, np.asarray(SCALE[unit]))
        return times * SCALE[unit], f"{place}: taken for {unit} by size"
    if unit not in SCALE:
        table.column(place).refuse(
            f"is in {unit!r}, {source}; expected s or ms (--units reaction_time=ms), or us"
        )
        return times, ""
    if source == BY_USER:
        _check_apart(table, groups, unit, people)
    else:
        for group in groups:
            _check_kind(table.row(place, group.row), group, unit, source)
    if len(table.problems) == before:
        _check_alone(table, times, np.asarray(SCALE[unit]), is_given=source == BY_USER)
    return times * SCALE[unit], f"{place}: {unit}, {source}"


def _groups(labels: Sequence[tuple[str, ...]], times: np.ndarray) -> list[Group]:
    rows: dict[tuple[str, ...], list[int]] = {}
    for i in np.flatnonzero(np.isfinite(times)).tolist():
        rows.setdefault(labels[i], []).append(i)
    medians = {label: float(np.median(times[own])) for label, own in rows.items()}
    return [
        Group(x, rows[x][0], median, _kind(median)) for x, median in medians.items()
    ]


def _kind(median: float) -> str:
    """The unit that a median of this size has; "?" between those of s and ms."""
    if median <= LONGEST:
        return "s"
    if median >= SHORTEST_US:
        return "us"
    return "ms" if SHORTEST_MS <= median <= LONGEST / SCALE["ms"] else "?"


def _by_size(table: TaskTable, place: str, groups: Sequence[Group]) -> str:
    """The unit of all groups by their size; "" where they differ or it is not clear."""
    kinds = [group.kind for group in groups]
    if len(set(kinds)) <= 1 and not {"?", "us"} & set(kinds):
        return next(iter(kinds), "s")
    common = max(dict.fromkeys(kinds), key=kinds.count)
    odd = next((group for group in groups if group.kind != common), groups[0])
    table.row(place, odd.row).refuse(
        "may be in seconds, milliseconds or microseconds (the median of the person "
        f"here is {odd.median:g}); bring all to one unit and say it "
        f"({EITHER} or --units reaction_time=us)"
    )
    return ""


def _by_file(table: TaskTable, place: str) -> list[str]:
    """The unit of each row by its file's side-car; none where one is not known."""
    files, _ = table.raw.origin.get(place, (table.raw.file, table.raw.row))
    named = table.raw.units_by_file[place]
    units = {file: _unit(named.get(file, "")) for file in dict.fromkeys(files)}
    for file, unit in units.items():
        if unit not in SCALE:
            problem = f"is in {unit!r}, {BY_SIDECAR}" if unit else "has no unit"
            Place(table.problems, file, place).refuse(
                f"{problem}, and side-cars of other files name theirs; write s or ms as "
                f"Units in this file's, or say what holds for all files ({EITHER})"
            )
    known = set(units.values()) <= set(SCALE)
    return [units[file] for file in files] if known else []


def _check_kind(place: Place, group: Group, unit: str, source: str) -> None:
    """Refuse times whose size is not that of the unit which the table names."""
    if group.kind not in (unit, "?"):
        place.refuse(
            f"has a median of {group.median:g} {unit} in one person ({source}), which "
            f"looks like {group.kind}; say the unit ({EITHER})"
        )


def _check_apart(
    table: TaskTable, groups: Sequence[Group], unit: str, people: str | None
) -> None:
    """Refuse times a thousand times those of the others, where the user named the unit."""
    own = [group.median for group in groups if group.kind == unit]
    middle = float(np.median(own)) if own else np.nan
    far = [
        group
        for group in groups
        if (group.median > FAR * middle or group.median < middle / FAR)
        and group.kind not in (unit, "?")
    ]
    near = {group.label[0] for group in groups if group not in far}
    for group in far:
        without = ""
        if people is not None and group.label[0] not in near:
            without = f" ({rows_without(people, group.label[0])})"
        table.row(table.places["reaction_time"], group.row).refuse(
            f"has a median of {group.median:g} in one person or session and of {middle:g} "
            f"in others, so that not all are in {unit}; bring all to one unit, or "
            f"leave the rows out{without}"
        )


def _check_alone(
    table: TaskTable,
    times: Float[np.ndarray, " rows"],
    scale: np.ndarray,
    *,
    is_given: bool = False,
) -> None:
    """Refuse times of another unit than all others: minutes long, or below 10 ms.

    is_given: the user named the unit, so that long and short times are right, but not
    those that are hundreds of times the median, or as much below it.
    """
    place, seconds = table.places["reaction_time"], times * scale
    if not np.any(np.isfinite(seconds)):
        return
    middle = float(np.nanmedian(seconds))
    is_s = np.broadcast_to(scale == 1.0, seconds.shape)
    longest = np.where(is_s, max(60.0, 50.0 * middle), np.inf)
    odd = (seconds > longest) | (seconds < np.where(is_s, 0.0, 0.01))
    wrong = odd & (seconds > 0.0)
    wrong &= (seconds > MOST * middle) | (seconds < middle / MOST)
    cells = sorted({table.columns[place][i].strip() for i in np.flatnonzero(wrong)})
    without = "bring all to one unit"
    if len(cells) <= MOST_TIMES:
        without = f"leave the rows out ({rows_not_in(place, cells)})"
    for i in np.flatnonzero(wrong if is_given else odd).tolist():
        advice = without if wrong[i] else f"say the unit of all ({EITHER})"
        table.cell(place, i).refuse(
            f"is of another unit, or a code, it seems: the median is {middle:.3g} s; "
            f"correct it, or {advice}"
        )


def _unit_of(table: TaskTable, place: str) -> tuple[str | None, str]:
    """The unit that was named, by the user, a side-car or the column's name, and by which."""
    if "reaction_time" in table.reading.units:
        return _unit(table.reading.units["reaction_time"]), BY_USER
    if place in table.raw.units:
        return _unit(table.raw.units[place]), BY_SIDECAR
    last = words(place)[-1:]
    for unit, names in NAMES.items():
        ends = [n for n in names if plain(place).endswith(n) and len(n) > 2]
        ends += [n for n in ("ms",) if unit == n and plain(place).endswith(n)]
        if ends or (len(words(place)) > 1 and names & set(last)):
            return unit, "as the column's name says"
    return None, ""


def _unit(name: str) -> str:
    """`s`, `ms` or `us` for the names of these; other names as they are."""
    name = name.strip().lower()
    return next((unit for unit, names in NAMES.items() if name in names), name)
