"""Which rows are of one person: ids that two people share, and ids of several columns."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from pcmodel.behaviour.dataset.naming import called, words
from pcmodel.behaviour.dataset.schema import BLOCK_NAMES, PARTICIPANT
from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.behaviour.dataset.tables.pasted import (
    all_rows,
    as_column,
    as_series,
    must_be_known,
)
from pcmodel.behaviour.dataset.task_table import TaskTable, Trials
from pcmodel.behaviour.dataset.trials.sessions import is_in_turn, split_rows

PEOPLE = {
    *("group", "site", "study", "cohort", "dataset", "sample", "diagnosis", "sex"),
    *("gender", "experiment", "centre", "center", "lab"),
}


def as_two(participant: str, column: str) -> str:
    """The option that takes an id in two levels of a column for two people."""
    return as_column(PARTICIPANT, f"{participant}+{column}")


def ids_put_together(table: TaskTable) -> tuple[str, ...]:
    """The columns that together name a person (`participant=id+site`); () where one does."""
    name = table.given.get(PARTICIPANT, "")
    if not name or name in table.columns:
        return ()
    parts = _parts(name, tuple(table.columns))
    return parts if len(parts) > 1 else ()


def _parts(name: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns whose names, joined by +, are the name; () for none."""
    if name in columns:
        return (name,)
    for column in columns:
        if name.startswith(f"{column}+"):
            rest = _parts(name[len(column) + 1 :], columns)
            if rest:
                return (column, *rest)
    return ()


def with_ids(table: TaskTable, parts: Sequence[str]) -> TaskTable:
    """The table with one more column, of ids that are made of the cells of several."""
    for part in parts:
        for i, cell in enumerate(table.columns[part]):
            if is_missing(cell):
                table.row(part, i).refuse(must_be_known(part))
    rows = zip(*map(table.cells, parts), strict=True)
    ids = {table.given[PARTICIPANT]: [" + ".join(row) for row in rows]}
    return replace(table, raw=table.raw._replace(columns=table.columns | ids))


def check_people_apart(trials: Trials, who: np.ndarray, used: set[str]) -> None:
    """Refuse an id of two people, as of two groups or of two parts of the table."""
    before = len(trials.problems)
    for name, cells in trials.columns.items():
        if name in used or not set(words(name)) & PEOPLE:
            continue
        rows = split_rows(cells, who)
        if len(rows) and is_in_turn(trials, cells, who, rows):
            trials.row(name, rows[0]).refuse(
                "differs within one participant: if two people share an id, say so "
                f"({as_two(trials.places[PARTICIPANT], name)}); else say that they do not "
                f"({all_rows(name, cells[rows[0]])})"
            )
    if len(trials.problems) == before and len(set(trials.raw.file)) == 1:
        _check_parts(trials, used)


def _check_parts(trials: Trials, used: set[str]) -> None:
    """Refuse ids that occur in several parts of a table: they may be of other people.

    A table has parts where those of several conditions were put together.
    """
    blocks = set(called(trials.columns, BLOCK_NAMES))
    for name, cells in trials.columns.items():
        if name in used or name in blocks or not _is_in_parts(trials, name):
            continue
        rows = split_rows(cells, trials.series)
        if not len(rows) or not _counts_again(trials, cells):
            continue
        two = as_two(trials.places[PARTICIPANT], name)
        trials.column(name).refuse(
            "the table is in parts by this column, and the same participants stand in "
            "several, whose trials would be taken for one run: say so if the belief "
            f"starts afresh in each ({as_series(name)}), if the ids are those of "
            f"other people ({two}), or if it is one run "
            f"({all_rows(name, cells[rows[0]])})"
        )
        return


def _is_in_parts(trials: Trials, column: str) -> bool:
    """Whether each value of a column is in one stretch of rows, with several series in each."""
    cells = trials.cells(column)
    levels = set(cells)
    changes = sum(one != other for one, other in pairwise(cells))
    if len(levels) < 2 or changes != len(levels) - 1 or any(map(is_missing, levels)):
        return False
    inside: dict[str, set[int]] = {}
    for cell, own in zip(cells, trials.series.tolist(), strict=True):
        inside.setdefault(cell, set()).add(own)
    return all(len(own) > 1 for own in inside.values())


def _counts_again(trials: Trials, cells: Sequence[str]) -> bool:
    """Whether numbers of trials come again in another part of the table, or there are none."""
    if "trial" not in trials.places:
        return True
    numbers = trials.columns[trials.places["trial"]]
    rows = list(zip(trials.series.tolist(), numbers, strict=True))
    parts = list(zip(rows, cells, strict=True))
    return len(set(rows)) < len(rows) and len(set(parts)) == len(parts)


def parting_column(
    trials: Trials, numbers: np.ndarray, taken: set[str], *, in_turn: bool = True
) -> str | None:
    """The column in each of whose values no number of a trial occurs twice.

    in_turn: the values follow each other, as sessions do, and do not alternate.
    """
    for name in (name for name in trials.columns if name not in taken):
        cells = trials.cells(name)
        if any(map(is_missing, set(cells))):
            continue
        keys = list(zip(trials.series.tolist(), cells, numbers.tolist(), strict=True))
        parted = len(set(keys)) == len(keys) and len(split_rows(cells, trials.series))
        if parted and (not in_turn or comes_once(trials.series, cells)):
            return name
    return None


def column_that_begins(
    table: TaskTable, part: np.ndarray, first: np.ndarray, taken: set[str]
) -> str | None:
    """The column whose value changes, within a part, in the rows `first` and in no other."""
    rows = np.argsort(part, kind="stable")
    inner = np.diff(part[rows]) == 0
    begins = set(first.tolist())
    for name in (name for name in table.columns if name not in taken):
        cells = table.cells(name)
        if any(map(is_missing, set(cells))):
            continue
        value = np.asarray(cells)[rows]
        changed = inner & (value[1:] != value[:-1])
        if set(rows[1:][changed].tolist()) == begins:
            return name
    return None


def comes_once(series: np.ndarray, cells: Sequence[str]) -> bool:
    """Whether each value has one stretch of rows in each series."""
    last: dict[int, str] = {}
    seen: set[tuple[int, str]] = set()
    for own, cell in zip(series.tolist(), cells, strict=True):
        if last.get(own) != cell and (own, cell) in seen:
            return False
        last[own] = cell
        seen.add((own, cell))
    return True
