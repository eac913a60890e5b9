"""A series in two places of a table, as where a run was broken off and begun again."""

from itertools import pairwise

import numpy as np

from pcmodel.behaviour.dataset.schema import PARTICIPANT
from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.behaviour.dataset.tables.pasted import (
    as_column,
    as_series,
    comparison,
    option,
)
from pcmodel.behaviour.dataset.task_table import TaskTable, Trials
from pcmodel.behaviour.dataset.trials.blocks import is_row_order

LEAST_ROWS = 3.0  # of a stretch, on average, in a table that is not sorted by trials
MOST_APART = 0.5  # of the series, where the others show that each should stand together


def check_restarts(trials: Trials, used: set[str], people: str | None) -> str:
    """A note on series whose rows do not stand together, where trials have no numbers.

    Those are refused whose stretches another column distinguishes. `people` is the column by
    which one person's rows can be left out, None where there is none.
    """
    if "trial" in trials.places or is_row_order(trials):
        return ""
    apart = _apart(trials.series)
    if not apart:
        return ""
    name = None if "block" in trials.given else _parting_column(trials, apart, used)
    if name is None:
        return (
            f"rows apart: those of {len(apart)} series stand in several places of the "
            "table, and are taken for one run each"
        )
    who = trials.cells(trials.places[PARTICIPANT])
    for stretches in apart:
        first, last = (int(rows[0]) for rows in (stretches[0], stretches[-1]))
        trials.row(name, first).refuse(
            f"is of {who[first]!r} as row "
            f"{trials.raw.row[last]} is, though rows of others stand between: say so if the "
            f"belief starts afresh with {name!r} ({as_series(name)}) or is "
            f"carried on over it ({as_column('block', name)})"
            f"{_without(trials, name, first, people)}"
        )
    return ""


def _apart(series: np.ndarray) -> list[list[np.ndarray]]:
    """By series with several stretches of rows these, if such series are few and they are long."""
    ends = np.flatnonzero(np.diff(series)) + 1
    each: dict[int, list[np.ndarray]] = {}
    for rows in np.split(np.arange(len(series)), ends):
        each.setdefault(int(series[rows[0]]), []).append(rows)
    apart = [stretches for stretches in each.values() if len(stretches) > 1]
    pieces = sum(map(len, apart))
    if not apart or len(apart) > MOST_APART * len(each):
        return []
    long = sum(len(rows) for stretches in apart for rows in stretches)
    return apart if long >= LEAST_ROWS * pieces else []


def _parting_column(
    table: TaskTable, apart: list[list[np.ndarray]], used: set[str]
) -> str | None:
    """The column that has one value in each stretch, and another in the next."""
    taken = used | {place for key, place in table.places.items() if key != "block"}
    for name, cells in table.columns.items():
        if name in taken:
            continue
        values = [[{cells[i].strip() for i in rows} for rows in s] for s in apart]
        once = all(
            len(v) == 1 and not any(map(is_missing, v)) for s in values for v in s
        )
        if once and all(a != b for s in values for a, b in pairwise(s)):
            return name
    return None


def _without(table: TaskTable, name: str, row: int, people: str | None) -> str:
    """Advice to leave the first stretch out, where that can be written."""
    if people is None:
        return ""
    person, cell = table.columns[people][row].strip(), table.columns[name][row].strip()
    kept = f"{comparison(people, '!=', person)} or {comparison(name, '!=', cell)}"
    return f", or leave these rows out ({option(kept)})"
