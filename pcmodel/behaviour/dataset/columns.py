"""Which column of a file is which of the task's, and the numbers in it."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.cells import to_flag, to_number
from pcmodel.behaviour.dataset.readers import RawTable
from pcmodel.behaviour.dataset.schema import (
    PARTICIPANT,
    PARTICIPANT_NAMES,
    SESSION_NAMES,
    TRIAL_NAMES,
    Column,
    Task,
)
from pcmodel.behaviour.dataset.violations import Violations
from pcmodel.errors import unknown_name


def find_columns(
    raw: RawTable,
    task: Task,
    given: Mapping[str, str],
    extra: Sequence[str],
    problems: Violations,
) -> dict[str, str]:
    """The task's names, participant, session, trial and `extra` to names in the file."""
    file = raw.file[0]
    known = {
        PARTICIPANT: PARTICIPANT_NAMES,
        "session": SESSION_NAMES,
        "trial": TRIAL_NAMES,
        **{column.name: (column.name, *column.names) for column in task.columns},
    }
    for name in given:
        if name not in known:
            problems.add(
                str(unknown_name("column of the task", name, known)), file=file
            )
    places = {}
    for name, names in known.items():
        names = (given[name],) if name in given else names
        place = next((n for n in names if n in raw.columns), None)
        if place is not None:
            places[name] = place
        elif name in given or not _may_be_absent(task, name):
            problems.add(_absent(name, names, raw), file=file)
    _check_apart(task, places, file, problems)
    for name in extra:
        if name == places.get(PARTICIPANT):
            problems.add(
                "names people, whose differences are (1 | participant) in a formula",
                file=file,
                column=name,
            )
        if name in raw.columns:
            places[name] = name
        elif name not in places:
            problems.add(str(unknown_name("column", name, raw.columns)), file=file)
    return places


def _check_apart(
    task: Task, places: Mapping[str, str], file: str, problems: Violations
) -> None:
    """No column of the file is two of the task's."""
    taken: dict[str, str] = {}
    for column in task.columns:
        place = places.get(column.name)
        if place is not None and taken.setdefault(place, column.name) != column.name:
            problems.add(
                f"cannot be both the {taken[place]} and the {column.name}",
                file=file,
                column=place,
            )


def _may_be_absent(task: Task, name: str) -> bool:
    if name in ("session", "trial"):
        return True
    return name != PARTICIPANT and task.column(name).optional


def _absent(name: str, names: Sequence[str], raw: RawTable) -> str:
    called = " or ".join(repr(n) for n in names)
    there = ", ".join(raw.columns)
    return f"there is no column {called} for the {name}; its columns are {there}"


def parse_columns(
    raw: RawTable,
    task: Task,
    places: Mapping[str, str],
    scale: Sequence[float] | None,
    problems: Violations,
) -> dict[str, Float[np.ndarray, " rows"]]:
    """The task's columns as numbers, NaN where missing."""
    values = {}
    for column in task.columns:
        if column.name not in places:
            fill = np.nan if column.default is None else column.default
            values[column.name] = np.full(raw.num_rows, fill)
            continue
        own = (column.low, column.high)
        if scale is not None and column.name == task.response:
            own = tuple(scale)
        place = places[column.name]
        values[column.name] = _parse(raw, column, place, own, problems)
        _check_column(raw, task, column, place, values[column.name], problems)
    return values


def _check_column(
    raw: RawTable,
    task: Task,
    column: Column,
    place: str,
    found: np.ndarray,
    problems: Violations,
) -> None:
    """What no single cell shows."""
    seen = found[np.isfinite(found)]
    if not len(seen):
        if not column.optional and column.name != task.response:
            problems.add("has no value at all", file=raw.file[0], column=place)
    elif column.kind == "integer" and seen.max() > 2 * len(np.unique(seen)):
        problems.add(
            f"goes up to {seen.max():g}, with {len(np.unique(seen))} different values: "
            "options are counted from 1, and a missing choice is written n/a",
            file=raw.file[0],
            column=place,
        )


def _parse(
    raw: RawTable,
    column: Column,
    place: str,
    scale: Sequence[float | None],
    problems: Violations,
) -> Float[np.ndarray, " rows"]:
    read = to_flag if column.kind == "flag" else to_number
    cells = raw.columns[place]
    # Each distinct cell is read once: a hundred thousand rows hold a few hundred.
    numbers = {cell: read(cell) for cell in set(cells)}
    wrong = {cell: _problem(n, column, scale) for cell, n in numbers.items()}
    found = np.full(raw.num_rows, np.nan)
    for i, cell in enumerate(cells):
        problem, number = wrong[cell], numbers[cell]
        if problem:
            problems.add(
                problem, file=raw.file[i], row=raw.row[i], column=place, value=cell
            )
        elif number is not None:
            found[i] = number
    return _as_binary(raw, place, found, problems) if column.kind == "binary" else found


def _problem(
    value: float | None, column: Column, scale: Sequence[float | None]
) -> str | None:
    if value is None:
        kind = "true or false" if column.kind == "flag" else "a number"
        return f"is not {kind}, nor n/a"
    if np.isnan(value):
        return "is missing, and must be known" if column.complete else None
    if column.kind == "integer" and value != round(value):
        return "is not a whole number"
    low, high, *rest = scale
    if (low is not None and value < low) or (high is not None and value > high):
        ends = f"{low:g} or more" if high is None else f"{low:g} to {high:g}"
        return f"lies outside the scale, {ends}"
    if low is not None and rest and rest[0] and _is_between(value - low, rest[0]):
        return f"lies between steps of {rest[0]:g}; give the scale as LOW,HIGH,STEP"
    return None


def _is_between(height: float, step: float) -> bool:
    return abs(height / step - round(height / step)) > 1e-6


def _as_binary(
    raw: RawTable, place: str, found: np.ndarray, problems: Violations
) -> Float[np.ndarray, " rows"]:
    """0 and 1 as they are; of two other values the larger becomes 1."""
    values = np.unique(found[np.isfinite(found)])
    if set(values) <= {0.0, 1.0}:
        return found
    if len(values) != 2:
        shown = ", ".join(f"{v:g}" for v in values[:8])
        problems.add(
            f"holds {len(values)} values ({shown}{', ...' if len(values) > 8 else ''}); "
            "a binary column holds two, or 0 and 1",
            file=raw.file[0],
            column=place,
        )
        return found
    return np.where(np.isnan(found), np.nan, (found == values[1]).astype(float))
