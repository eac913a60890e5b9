"""The numbers in the task's columns, each read as its kind."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.reading import Reading
from pcmodel.behaviour.dataset.schema import Column, Task
from pcmodel.behaviour.dataset.tables.cells import to_flag, to_number
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import must_be_known
from pcmodel.behaviour.dataset.values.codes import either_code, read_binary, rows_of
from pcmodel.behaviour.dataset.values.missing import is_settled
from pcmodel.behaviour.dataset.values.near_numbers import why_no_number, words_advice
from pcmodel.behaviour.dataset.values.options import list_of, read_options
from pcmodel.behaviour.dataset.values.scales import Limits
from pcmodel.behaviour.dataset.values.suspects import ADVICE, suspects
from pcmodel.behaviour.dataset.violations import Violations
from pcmodel.errors import UserError


def parse_columns(
    raw: RawTable,
    task: Task,
    places: Mapping[str, str],
    scale: Sequence[float] | None,
    reading: Reading,
    problems: Violations,
) -> dict[str, Float[np.ndarray, " rows"]]:
    """The task's columns as numbers, NaN where missing."""
    _check_scale(task, scale)
    _check_told(raw, task, places, reading, problems)
    values = {}
    for column in task.columns:
        if column.name not in places:
            fill = np.nan if column.default is None else column.default
            values[column.name] = np.full(raw.num_rows, fill)
            continue
        place, before = places[column.name], len(problems)
        if column.kind == "binary":
            found = read_binary(raw, column.name, place, reading, problems)
        elif (
            column.kind != "integer"
            or (found := read_options(raw, column.name, place, reading, problems))
            is None
        ):
            own = scale if column.name == task.response else None
            found = _parse(raw, column, place, own, problems)
            is_open = own is None and column.high is None
            if is_open and not is_settled(reading, column.name, place):
                check_suspects(raw, place, found, found, problems)
        values[column.name] = found
        is_read = len(problems) == before
        _check_column(raw, task, column, place, found, problems, is_read=is_read)
    return values


def _check_scale(task: Task, scale: Sequence[float] | None) -> None:
    """A scale is that of responses which have none of their own."""
    if scale is None:
        return
    response = task.column(task.response)
    if response.kind != "number" or response.low is not None:
        raise UserError(
            f"is given, but responses of the {task.name} task have none to give",
            where="scale",
            expected="it to be left out",
        )
    low, high, step = (*scale, 0.0, 0.0, 0.0)[:3] if len(scale) > 1 else (0, 0, 0)
    if len(scale) not in (2, 3) or not (low < high and step >= 0.0):
        raise UserError(
            f"is {', '.join(f'{number:g}' for number in scale)}",
            where="scale",
            expected="its low end, its high end and, if it has one, its step",
        )


def _check_told(
    raw: RawTable,
    task: Task,
    places: Mapping[str, str],
    reading: Reading,
    problems: Violations,
) -> None:
    """What side-cars say of a column that is used is the same for all files, or was settled."""
    for name, place in places.items():
        if place not in raw.unlike:
            continue
        what, key = raw.unlike[place]
        if name == "reaction_time" and place in raw.units_by_file:
            continue  # each file's times are converted by its own unit
        if name not in (reading.codes if key == "Levels" else reading.units):
            settled = _for_all(raw, task, name, place) if key == "Levels" else ""
            problems.add(
                f"{what}; bring all files to one{settled}",
                file=raw.at(0, place)["file"],
                column=place,
            )


def _for_all(raw: RawTable, task: Task, name: str, place: str) -> str:
    """How to say which values a column has in all files, by those that stand there."""
    kinds = {column.name: column.kind for column in task.columns}
    words = sorted(rows_of([cell.strip() for cell in raw.columns[place]]))
    said = ", or say what holds for all"
    if kinds.get(name) in ("number", "flag") or "," in "".join(words):
        return ""
    if kinds.get(name) != "binary":
        return f"{said} ({list_of(name, words)})" if len(words) > 1 else ""
    return said + (either_code(name, *words) if len(words) == 2 else "")


def check_suspects(
    raw: RawTable,
    place: str,
    found: np.ndarray,
    once: np.ndarray,
    problems: Violations,
) -> None:
    """No number is a usual code for a missing value that nobody has named.

    once: the same values, each as often as it was measured (by series, not by trial).
    """
    for code in sorted(suspects(once)):
        for i in np.flatnonzero(found == code):
            cell = raw.columns[place][i].strip()
            named = pasted("missing", f"{listed(place)}={code:g}")
            none = pasted("missing", f"{listed(place)}=n/a")
            advice = ADVICE.format(code=named, none=none)
            problems.add(advice, **raw.at(int(i), place), value=cell)


def _check_column(
    raw: RawTable,
    task: Task,
    column: Column,
    place: str,
    found: np.ndarray,
    problems: Violations,
    *,
    is_read: bool,
) -> None:
    """What no single cell shows; is_read: no cell was refused."""
    seen = found[np.isfinite(found)]
    if not len(seen):
        if is_read and not column.optional and column.name != task.response:
            problems.add("has no value at all", file=raw.file[0], column=place)
    elif column.kind == "integer" and seen.max() > 2 * len(np.unique(seen)):
        values = [f"{x:g}" for x in np.unique(seen)]
        missing = pasted("missing", f"{listed(place)}={values[-1]}")
        problems.add(
            f"goes up to {values[-1]}, with {len(values)} different values: options are "
            "counted from 1, and a missing choice is written n/a; say so if the greatest "
            f"stands for none ({missing}), or list the options "
            f"({list_of(column.name, values)})",
            file=raw.file[0],
            column=place,
        )


def _parse(
    raw: RawTable,
    column: Column,
    place: str,
    scale: Sequence[float] | None,
    problems: Violations,
) -> Float[np.ndarray, " rows"]:
    read = to_flag if column.kind == "flag" else to_number
    cells = raw.columns[place]
    # Each distinct cell is read once: a hundred thousand rows hold a few hundred.
    numbers = {cell: read(cell) for cell in set(cells)}
    finite = {c: n for c, n in numbers.items() if n is not None and np.isfinite(n)}
    limits = Limits(column, place, list(finite), list(finite.values()), scale)
    known = must_be_known(place)
    kind = "true or false" if column.kind == "flag" else "a number"
    words = words_advice(place, [c for c, n in numbers.items() if n is None], kind)
    wrong = {
        cell: (why_no_number(cell) or words)
        if number is None
        else _problem(number, column, known, limits)
        for cell, number in numbers.items()
    }
    found = np.full(raw.num_rows, np.nan)
    for i, cell in enumerate(cells):
        problem, number = wrong[cell], numbers[cell]
        if problem:
            problems.add(problem, **raw.at(i, place), value=cell)
        elif number is not None:
            found[i] = number
    return found


def _problem(value: float, column: Column, known: str, limits: Limits) -> str | None:
    if np.isnan(value):
        return known if column.complete else None
    if column.kind == "integer" and value != round(value):
        return "is not a whole number"
    return limits.problem(value)
