"""Trials that stand twice: what may tell them apart, and how to say so."""

from collections.abc import Mapping, Sequence

import numpy as np

from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import comparison, option
from pcmodel.behaviour.dataset.trials.blocks import (
    as_they_stand,
    numbers_of,
    to_carry_on,
)
from pcmodel.behaviour.dataset.trials.clocks import counts
from pcmodel.behaviour.dataset.trials.ids import as_two, parting_column
from pcmodel.behaviour.dataset.violations import Violations

MOST_TOLD = 3  # kinds of rows
FEW = 0.2  # of the steps from row to row go back where trials are counted anew
SAID = "the same trial of the same participant stands twice"


def find_twice(series: np.ndarray, *keys: np.ndarray) -> list[tuple[int, int]]:
    """Rows whose series and keys stand in an earlier row, with that row."""
    first: dict[tuple, int] = {}
    rows = zip(series.tolist(), *(key.tolist() for key in keys), strict=True)
    found = []
    for i, row in enumerate(rows):
        if np.isfinite(row[-1]) and first.setdefault(row, i) != i:
            found.append((i, first[row]))
    return found


def refuse_twice(
    raw: RawTable,
    places: Mapping[str, str],
    series: np.ndarray,
    numbers: np.ndarray,
    blocks: Sequence[np.ndarray],
    used: set[str],
    problems: Violations,
) -> None:
    """Name the rows of trials that stand twice, with what the table tells of them."""
    twice, column = find_twice(series, numbers), places["trial"]
    if not twice:
        return
    # What is seen and done in a trial, by whom, tells no trials apart.
    read = {place for name, place in places.items() if name != "block"} - used
    other = _other_count(raw, series, blocks, used | set(places.values()))
    said = _in_words(raw, places, series, numbers, read | {other or column})
    if other:
        counted = pasted("columns", f"trial={listed(other)}")
        said += f"; if {other!r} counts the trials, say so ({counted})"
    for i, first in twice:
        told = f"{raw.columns[column][i]}, as in row {raw.at(first, column)['row']}"
        problems.add(said, **raw.at(i, column), value=told)


def _in_words(
    raw: RawTable,
    places: Mapping[str, str],
    series: np.ndarray,
    numbers: np.ndarray,
    taken: set[str],
) -> str:
    """That trials stand twice, and what to say of the column that tells them apart."""
    name = parting_column(raw, series, numbers, taken)
    if name is None:
        name = parting_column(raw, series, numbers, taken, in_turn=False)
        if name is None:
            return _of_no_column(series, numbers)
        return _among_each_other(raw, name, places["trial"], taken)
    kept = _one_kind(raw, name, taken)[:1]
    return (
        f"{SAID}, in several values of {name!r}; say so if the belief starts afresh with it "
        f"({pasted('series', listed(name))}), is carried on over it "
        f"({pasted('columns', f'block={listed(name)}')}) or if two people share an id "
        f"({as_two(places['participant'], name)})"
        f"{''.join(f', or keep one value ({own})' for own in kept)}"
    )


def _of_no_column(series: np.ndarray, numbers: np.ndarray) -> str:
    """That no column parts the trials; rows may stand as they were done, run after run."""
    order = np.argsort(series, kind="stable")
    inner = np.diff(series[order]) == 0
    steps = np.diff(numbers[order])[inner]
    stands = ""
    if np.mean(steps <= 0.0) <= FEW and not np.any(steps == 0.0):
        stands = (
            "; if their numbers begin anew and the rows stand as they were done, say so "
            f"({as_they_stand(None)})"
        )
    return (
        f"{SAID}{stands}; if they are of different sessions or blocks, name those columns "
        "as series (--series=COLUMN, or --columns block=COLUMN to carry the belief on), "
        "and if a trial has several rows, keep one of them (--where 'COLUMN == VALUE')"
    )


def _among_each_other(raw: RawTable, name: str, trial: str, taken: set[str]) -> str:
    """That no column parts trials one stretch after the other; `name` does trial by trial."""
    block = pasted("columns", f"block={listed(name)}")
    carried = f"to carry it on, so too ({block})"
    if numbers_of(raw, name) is None:
        carried = to_carry_on(name, trial)
    told = " or ".join(_one_kind(raw, name, taken))
    kept = f"; if a trial has several rows, keep one of them ({told})" if told else ""
    return (
        f"{SAID}, in several values of {name!r}; if those are sessions or blocks, say so if "
        f"the belief starts afresh with it ({pasted('series', listed(name))}), or, "
        f"{carried}{kept}"
    )


def _one_kind(raw: RawTable, column: str, read: set[str]) -> list[str]:
    """The options that keep the rows of one value of a column, of those in which all was recorded."""
    cells = [cell.strip() for cell in raw.columns[column]]
    full = set(cells)
    for own in read:
        rows = zip(cells, raw.columns[own], strict=True)
        full &= {cell for cell, value in rows if not is_missing(value)}
    levels = [level for level in dict.fromkeys(cells) if level in full]
    return [option(comparison(column, "==", level)) for level in levels][:MOST_TOLD]


def _other_count(
    raw: RawTable, series: np.ndarray, blocks: Sequence[np.ndarray], taken: set[str]
) -> str | None:
    """Another column by whose name and numbers no trial of a block comes twice: `SubTrial`."""
    for name, cells in raw.columns.items():
        if name in taken or not counts(name):
            continue
        numbers = [to_number(cell) for cell in cells]
        if None in numbers or not np.all(np.isfinite(values := np.asarray(numbers))):
            continue
        if not find_twice(series, *blocks, values.astype(float)):
            return name
    return None
