"""The numbers in the task's columns, each read as its kind."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.schema import Column, Task
from pcmodel.behaviour.dataset.tables.cells import to_flag, to_number
from pcmodel.behaviour.dataset.tables.pasted import as_codes, as_missing, must_be_known
from pcmodel.behaviour.dataset.task_table import TaskTable
from pcmodel.behaviour.dataset.values.codes import either_code, read_binary, rows_of
from pcmodel.behaviour.dataset.values.missing import is_settled
from pcmodel.behaviour.dataset.values.near_numbers import why_no_number, words_advice
from pcmodel.behaviour.dataset.values.options import read_options
from pcmodel.behaviour.dataset.values.scales import Limits
from pcmodel.behaviour.dataset.values.suspects import ADVICE, suspects
from pcmodel.errors import UserError


def parse_columns(
    table: TaskTable, scale: Sequence[float] | None
) -> dict[str, Float[np.ndarray, " rows"]]:
    """By name the task's columns as numbers, NaN where missing.

    `scale`: low end, high end and, if there is one, step of the responses. UserError for a
    scale that does not suit the task; cells that cannot be read are refused.
    """
    _check_scale(table.task, scale)
    _check_sidecars(table)
    values = {}
    for column in table.task.columns:
        if column.name in table.places:
            values[column.name] = _read(table, column, scale)
        else:
            fill = np.nan if column.default is None else column.default
            values[column.name] = np.full(table.raw.num_rows, fill)
    return values


def _read(
    table: TaskTable, column: Column, scale: Sequence[float] | None
) -> Float[np.ndarray, " rows"]:
    place, before = table.places[column.name], len(table.problems)
    found = read_options(table, column.name) if column.kind == "integer" else None
    if column.kind == "binary":
        found = read_binary(table, column.name)
    elif found is None:
        own = scale if column.name == table.task.response else None
        found = _read_numbers(table, column, own)
        is_open = own is None and column.high is None
        if is_open and not is_settled(table.reading, column.name, place):
            if column.signed:  # a loss of 1, not a code
                found_once = np.where(found == -1.0, np.nan, found)
                check_suspects(table, place, found, found_once)
            else:
                check_suspects(table, place, found, found)
    _check_column(table, column, found, is_read=len(table.problems) == before)
    return found


def _check_scale(task: Task, scale: Sequence[float] | None) -> None:
    """UserError for a scale of responses that have their own, and for one out of order."""
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


def _check_sidecars(table: TaskTable) -> None:
    """Refuse a column of which the side-cars of different files say different things."""
    for name, place in table.places.items():
        if place not in table.raw.unlike:
            continue
        what, key = table.raw.unlike[place]
        if name == "reaction_time" and place in table.raw.units_by_file:
            continue  # each file's times are converted by its own unit
        settled = table.reading.codes if key == "Levels" else table.reading.units
        if name not in settled:
            advice = _for_all_files(table, name) if key == "Levels" else ""
            table.column(place).refuse(f"{what}; bring all files to one{advice}")


def _for_all_files(table: TaskTable, name: str) -> str:
    """Advice on how to say which values a column has in all files."""
    kinds = {column.name: column.kind for column in table.task.columns}
    words = sorted(rows_of(table, table.places[name]))
    advice = ", or say what holds for all"
    if kinds.get(name) in ("number", "flag") or "," in "".join(words):
        return ""
    if kinds.get(name) != "binary":
        return f"{advice} ({as_codes(name, words)})" if len(words) > 1 else ""
    return advice + (either_code(name, *words) if len(words) == 2 else "")


def check_suspects(
    table: TaskTable, place: str, found: np.ndarray, once: np.ndarray
) -> None:
    """Refuse numbers that are usual codes for a missing value and that nobody has named.

    once: the same values, each as often as it was measured (by series, not by trial).
    """
    for code in sorted(suspects(once)):
        advice = ADVICE.format(
            code=as_missing(place, f"{code:g}"), none=as_missing(place, "n/a")
        )
        for i in np.flatnonzero(found == code):
            table.cell(place, i).refuse(advice)


def _check_column(
    table: TaskTable, column: Column, found: np.ndarray, *, is_read: bool
) -> None:
    """Refuse an empty column, and options with a gap in their numbers.

    is_read: no cell of the column was refused.
    """
    place, seen = table.places[column.name], np.unique(found[np.isfinite(found)])
    if not len(seen):
        if is_read and not column.optional and column.name != table.task.response:
            table.column(place).refuse("has no value at all")
    elif column.kind == "integer" and seen.max() > 2 * len(seen):
        values = [f"{x:g}" for x in seen]
        table.column(place).refuse(
            f"goes up to {values[-1]}, with {len(values)} different values: options are "
            "counted from 1, and a missing choice is written n/a; say so if the greatest "
            f"stands for none ({as_missing(place, values[-1])}), or list the options "
            f"({as_codes(column.name, values)})"
        )


def _read_numbers(
    table: TaskTable, column: Column, scale: Sequence[float] | None
) -> Float[np.ndarray, " rows"]:
    """Numbers on their scale, or flags as 0 and 1; NaN where missing."""
    place, read = table.places[column.name], to_number
    kind = "a number"
    if column.kind == "flag":
        read, kind = to_flag, "true or false"
    numbers = {cell: read(cell) for cell in set(table.cells(place))}
    known = {cell: n for cell, n in numbers.items() if n is not None}
    words = words_advice(place, [cell for cell in numbers if cell not in known], kind)
    finite = {cell: n for cell, n in known.items() if np.isfinite(n)}
    limits = Limits(column, place, list(finite), list(finite.values()), scale)
    problems = {
        cell: why_no_number(cell) or words for cell in numbers if cell not in known
    }
    for cell, number in known.items():
        if problem := _problem(number, column, place, limits):
            problems[cell] = problem
    return table.read(place, known, problems)


def _problem(value: float, column: Column, place: str, limits: Limits) -> str | None:
    """Why a number cannot stand in the column; None where it can."""
    if np.isnan(value):
        return must_be_known(place) if column.complete else None
    if column.kind == "integer" and value != round(value):
        return "is not a whole number"
    return limits.problem(value)
