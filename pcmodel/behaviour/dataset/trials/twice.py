"""Trials that occur twice: which column may distinguish them, and advice on it."""

from collections.abc import Sequence

import numpy as np

from pcmodel.behaviour.dataset.schema import PARTICIPANT
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_numbers
from pcmodel.behaviour.dataset.tables.pasted import as_column, as_series, rows_with
from pcmodel.behaviour.dataset.task_table import TaskTable, Trials
from pcmodel.behaviour.dataset.trials.blocks import (
    numbers_of,
    row_order_option,
    to_carry_on,
)
from pcmodel.behaviour.dataset.trials.clocks import counts
from pcmodel.behaviour.dataset.trials.ids import as_two, parting_column

MOST_VALUES = 3  # of which an option is shown
FEW = 0.2  # of the steps from row to row go back where trials are counted anew
PROBLEM = "the same trial of the same participant stands twice"


def find_twice(series: np.ndarray, *keys: np.ndarray) -> list[tuple[int, int]]:
    """Each row whose series and keys are those of an earlier row, and that row."""
    first: dict[tuple, int] = {}
    rows = zip(series.tolist(), *(key.tolist() for key in keys), strict=True)
    found = []
    for i, row in enumerate(rows):
        if np.isfinite(row[-1]) and first.setdefault(row, i) != i:
            found.append((i, first[row]))
    return found


def refuse_twice(
    trials: Trials, numbers: np.ndarray, blocks: Sequence[np.ndarray], used: set[str]
) -> None:
    """Refuse trials that occur twice, with advice on the column that distinguishes them."""
    twice, column = find_twice(trials.series, numbers), trials.places["trial"]
    if not twice:
        return
    # Outcome, response and person do not distinguish trials.
    read = {place for name, place in trials.places.items() if name != "block"} - used
    other = _other_count(trials, blocks, used | set(trials.places.values()))
    problem = _problem(trials, numbers, read | {other or column})
    if other:
        option = as_column("trial", other)
        problem += f"; if {other!r} counts the trials, say so ({option})"
    for i, first in twice:
        there = trials.raw.at(first, column)["row"]
        value = f"{trials.columns[column][i]}, as in row {there}"
        trials.row(column, i)._replace(value=value).refuse(problem)


def _problem(trials: Trials, numbers: np.ndarray, taken: set[str]) -> str:
    """That trials occur twice, and what to say of the column that distinguishes them."""
    name = parting_column(trials, numbers, taken)
    if name is not None:
        only = "".join(
            f", or keep one value ({own})"
            for own in _one_value(trials, name, taken)[:1]
        )
        return (
            f"{PROBLEM}, in several values of {name!r}; say so if the belief starts afresh "
            f"with it ({as_series(name)}), is carried on over it "
            f"({as_column('block', name)}) or if two people share an id "
            f"({as_two(trials.places[PARTICIPANT], name)}){only}"
        )
    name = parting_column(trials, numbers, taken, in_turn=False)
    if name is None:
        return _without_column(trials.series, numbers)
    return _within_trials(trials, name, taken)


def _without_column(series: np.ndarray, numbers: np.ndarray) -> str:
    """The complaint where no column distinguishes the trials."""
    order = np.argsort(series, kind="stable")
    inner = np.diff(series[order]) == 0
    steps = np.diff(numbers[order])[inner]
    stands = ""
    if np.mean(steps <= 0.0) <= FEW and not np.any(steps == 0.0):
        stands = (
            "; if their numbers begin anew and the rows stand as they were done, say so "
            f"({row_order_option()})"
        )
    return (
        f"{PROBLEM}{stands}; if they are of different sessions or blocks, name those "
        "columns as series (--series=COLUMN, or --columns block=COLUMN to carry the belief "
        "on), and if a trial has several rows, keep one of them (--where 'COLUMN == VALUE')"
    )


def _within_trials(trials: Trials, name: str, taken: set[str]) -> str:
    """The complaint where a column differs within each trial, and no column between runs."""
    carried = f"to carry it on, so too ({as_column('block', name)})"
    if numbers_of(trials, name) is None:
        carried = to_carry_on(name, trials.places["trial"])
    options = " or ".join(_one_value(trials, name, taken))
    only = f"; if a trial has several rows, keep one of them ({options})"
    return (
        f"{PROBLEM}, in several values of {name!r}; if those are sessions or blocks, say so "
        f"if the belief starts afresh with it ({as_series(name)}), or, "
        f"{carried}{only if options else ''}"
    )


def _one_value(table: TaskTable, column: str, read: set[str]) -> list[str]:
    """The options that keep one value of a column, of those without missing cells in `read`."""
    cells = table.cells(column)
    full = set(cells)
    for own in read:
        rows = zip(cells, table.columns[own], strict=True)
        full &= {cell for cell, value in rows if not is_missing(value)}
    levels = [level for level in dict.fromkeys(cells) if level in full]
    return [rows_with(column, level) for level in levels][:MOST_VALUES]


def _other_count(
    trials: Trials, blocks: Sequence[np.ndarray], taken: set[str]
) -> str | None:
    """Another column of counts in which no trial of a block comes twice: `SubTrial`."""
    for name, cells in trials.columns.items():
        if name in taken or not counts(name):
            continue
        values = to_numbers(cells)
        if values is None or not np.all(np.isfinite(values)):
            continue
        if not find_twice(trials.series, *blocks, values):
            return name
    return None
