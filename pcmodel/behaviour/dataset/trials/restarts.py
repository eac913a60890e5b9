"""One series in two places of a table: a start that was broken off, and the run after it."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from pcmodel.behaviour.dataset.schema import PARTICIPANT
from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import comparison, option
from pcmodel.behaviour.dataset.trials.blocks import stands
from pcmodel.behaviour.dataset.violations import Violations

LEAST_ROWS = 3.0  # of a stretch, on average, in a table that is not sorted by trials
MOST_APART = 0.5  # of the series, where the others show that each should stand together


def check_restarts(
    raw: RawTable,
    places: Mapping[str, str],
    series: np.ndarray,
    used: set[str],
    given: Mapping[str, str],
    people: str | None,
    problems: Violations,
) -> str:
    """Without numbers of trials, the rows of a series stand together; else a note on it.

    Refused are those which another column tells apart. `people` is the column by which
    one person's rows can be left out, None where there is none.
    """
    if "trial" in places or stands(raw, given):
        return ""
    apart = _apart(series)
    if not apart:
        return ""
    name = None if "block" in given else _telling(raw, places, apart, used)
    if name is None:
        return (
            f"rows apart: those of {len(apart)} series stand in several places of the "
            "table, and are taken for one run each"
        )
    for stretches in apart:
        first, last = (int(rows[0]) for rows in (stretches[0], stretches[-1]))
        problems.add(
            f"is of {raw.columns[places[PARTICIPANT]][first].strip()!r} as row "
            f"{raw.row[last]} is, though rows of others stand between: say so if the "
            f"belief starts afresh with {name!r} ({pasted('series', listed(name))}) or is "
            f"carried on over it ({pasted('columns', f'block={listed(name)}')})"
            f"{_without(raw, name, first, people)}",
            **raw.at(first, name),
        )
    return ""


def _apart(series: np.ndarray) -> list[list[np.ndarray]]:
    """The stretches of rows of the series that have several, if they are few and long."""
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


def _telling(
    raw: RawTable,
    places: Mapping[str, str],
    apart: list[list[np.ndarray]],
    used: set[str],
) -> str | None:
    """The column that has one value in each stretch, and another in the next."""
    taken = used | {place for key, place in places.items() if key != "block"}
    for name, cells in raw.columns.items():
        if name in taken:
            continue
        values = [[{cells[i].strip() for i in rows} for rows in s] for s in apart]
        once = all(
            len(v) == 1 and not any(map(is_missing, v)) for s in values for v in s
        )
        if once and all(a != b for s in values for a, b in pairwise(s)):
            return name
    return None


def _without(raw: RawTable, name: str, row: int, people: str | None) -> str:
    """How to leave the first stretch out, where that can be written."""
    if people is None:
        return ""
    person, cell = raw.columns[people][row].strip(), raw.columns[name][row].strip()
    kept = f"{comparison(people, '!=', person)} or {comparison(name, '!=', cell)}"
    return f", or leave these rows out ({option(kept)})"
