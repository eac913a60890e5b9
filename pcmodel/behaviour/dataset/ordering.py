"""The order of trials within a series, and rows that are no trials."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from pcmodel.behaviour.dataset.cells import is_missing, to_flag, to_number
from pcmodel.behaviour.dataset.naming import called, plain
from pcmodel.behaviour.dataset.readers import RawTable
from pcmodel.behaviour.dataset.schema import BLOCK_NAMES, PHASE_NAMES, Task
from pcmodel.behaviour.dataset.suspects import suspects
from pcmodel.behaviour.dataset.violations import Violations
from pcmodel.behaviour.dataset.where import comparison, option

# Words of rows that are shown or done, but are no trials of the task.
NO_TRIAL = re.compile(
    r"practi[cs]e|training|tutorial|instruction|fixation|\bcue\b|\bbreak\b|\bdemo\b"
    r"|pause|warm.?up|example",
    re.IGNORECASE,
)
# Columns that order the trials, if there is no column of trials.
COUNTERS = (
    *("onset", "nr", "no", "number", "num", "n", "t", "order", "index", "count"),
    *("time", "timestamp", "starttime", "position", "sequence", "seq", "row"),
)
PREPARING = re.compile(r"practi[cs]e|training|tutorial|instruction|warm.?up", re.I)
MOST_LEVELS = 40  # of a column that tells kinds of rows apart
EXCLUDED = ("exclude", "excluded", "outlier", "isoutlier", "reject", "rejected", "bad")
FLAGS = ("practice", "ispractice", "training")


def in_order(
    raw: RawTable,
    places: Mapping[str, str],
    series: np.ndarray,
    used: set[str],
    problems: Violations,
) -> tuple[Int[np.ndarray, " rows"], str]:
    """Rows sorted by series and trial, and a note on how.

    Trials that are counted anew in each block are sorted by block, then trial, and the
    belief is carried on. Without a trial column rows stay as they stand.
    """
    column = places.get("trial")
    given = places.get("block")
    names = [n for n in called(raw.columns, BLOCK_NAMES) if n not in used]
    names = [given] if given and given not in names and given not in used else names
    blocks = {n: b for n in names if (b := _blocks(raw, n)) is not None}
    if column is None:
        _check_order(raw, series, list(blocks.values()), used, problems)
        return np.argsort(series, kind="stable"), "order: as the rows stand"
    numbers = _numbers(raw, column, problems)
    twice = _twice(series, numbers)
    if twice:
        tries = [[n] for n in blocks] + ([list(blocks)] if len(blocks) > 1 else [])
        for chosen in tries:
            keys = [blocks[n] for n in chosen]
            if not _twice(series, *keys, numbers):
                said = ", then ".join(map(repr, (*chosen, column)))
                note = f"order: by {said}; the belief is carried on over {chosen[0]!r}"
                return np.lexsort((numbers, *reversed(keys), series)), note
    for i, first in twice:
        at = raw.at(first, column)
        problems.add(
            "the same trial of the same participant stands twice; if they are of "
            "different sessions or blocks, name those columns as series",
            **raw.at(i, column),
            value=f"{raw.columns[column][i]}, as in row {at['row']}",
        )
    order = np.lexsort((numbers, series))
    return order, f"order: by {column!r}{_skipped(series[order], numbers[order])}"


def _skipped(series: np.ndarray, numbers: np.ndarray) -> str:
    """Says of how many series the sorted numbers leave some out, where they else rise by one."""
    steps, same = np.diff(numbers), np.diff(series) == 0
    if not same.any() or np.median(steps[same]) != 1.0:
        return ""
    count = len(np.unique(series[1:][same & (steps > 1.0)]))
    said = f"; numbers are skipped in {count} series: a trial that is not there"
    return f"{said} teaches nothing" if count else ""


def _numbers(raw: RawTable, column: str, problems: Violations) -> np.ndarray:
    cells = raw.columns[column]
    number = {cell: to_number(cell) for cell in set(cells)}
    numbers = np.asarray([number[cell] for cell in cells], dtype=float)
    for i in np.flatnonzero(np.isnan(numbers)):
        problems.add("must be a number", **raw.at(int(i), column), value=cells[i])
    for code in sorted(code for code in suspects(numbers) if code > 0.0):
        for i in np.flatnonzero(numbers == code):
            problems.add(
                "looks like a code for a missing value; every trial needs its number",
                **raw.at(int(i), column),
                value=cells[i],
            )
    return numbers


def _twice(series: np.ndarray, *keys: np.ndarray) -> list[tuple[int, int]]:
    """Rows whose series and keys stand in an earlier row, with that row."""
    first: dict[tuple, int] = {}
    rows = zip(series.tolist(), *(key.tolist() for key in keys), strict=True)
    found = []
    for i, row in enumerate(rows):
        if np.isfinite(row[-1]) and first.setdefault(row, i) != i:
            found.append((i, first[row]))
    return found


def _blocks(raw: RawTable, column: str) -> np.ndarray | None:
    """The number of each row's block (`block-2` is 2); None where there is none."""
    numbers = {}
    for cell in set(raw.columns[column]):
        found = re.fullmatch(r"\D*?(\d+(?:\.\d+)?)", cell.strip())
        if found is None:
            return None
        numbers[cell] = float(found.group(1))
    if len(set(numbers.values())) != len(numbers):
        return None
    return np.asarray([numbers[cell] for cell in raw.columns[column]])


def _check_order(
    raw: RawTable,
    series: np.ndarray,
    blocks: list[np.ndarray],
    used: set[str],
    problems: Violations,
) -> None:
    """Rows stand in the order of whatever seems to count or time the trials."""
    for name, cells in raw.columns.items():
        word = plain(name)
        if name in used or not ("trial" in word or word in COUNTERS):
            continue
        numbers = [to_number(cell) for cell in cells]
        if any(n is None or np.isnan(n) for n in numbers):
            continue
        values = np.asarray(numbers, dtype=float)
        keys = np.stack([series, *blocks], axis=1)
        part = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
        different = np.unique(np.stack([part, values]), axis=1).shape[1]
        if different < 0.9 * len(values):
            continue  # a number that comes back counts no trials
        rows = np.argsort(part, kind="stable")
        falls = (np.diff(values[rows]) < 0.0) & (np.diff(part[rows]) == 0)
        if falls.any():
            problems.add(
                "seems to order the trials, but the rows are not in its order; if it "
                f"counts them, say so (--columns trial={name}), else sort the rows",
                **raw.at(int(rows[1:][falls][0]), name),
            )


def check_sessions(
    raw: RawTable,
    places: Mapping[str, str],
    who: Sequence[str],
    used: set[str],
    problems: Violations,
) -> None:
    """Sessions under a name that is not known must not run together."""
    if "session" in places:
        return
    for name, cells in raw.columns.items():
        word = plain(name)
        if name in used or not ("session" in word or "visit" in word):
            continue
        if len(set(zip(who, cells, strict=True))) > len(set(who)):
            problems.add(
                "seems to name sessions, and a person has several; say whether it does "
                f"(--columns session={name}), or leave the column out",
                file=raw.at(0, name)["file"],
                column=name,
            )


def check_rows(
    raw: RawTable,
    task: Task,
    places: Mapping[str, str],
    values: Mapping[str, np.ndarray],
    used: set[str],
    problems: Violations,
) -> None:
    """Cues, practice and instructions are no trials, and are to be left out.

    Rows are refused that a column of phases or types calls so, and all rows of a type in
    which nothing is ever seen or done, unless `where` or a formula speaks of the column.
    """
    taken = {place for name, place in places.items() if name != "block"}
    empty = np.isnan(values["outcome"]) & np.isnan(values[task.response])
    phases = set(called(raw.columns, PHASE_NAMES))
    for name, column in raw.columns.items():
        if name in used or name in taken:
            continue
        levels = set(column)
        if not 2 <= len(levels) <= MOST_LEVELS:
            continue
        for level in sorted(levels):
            why = _no_trial(name, level.strip(), name in phases)
            if is_missing(level) or not (why or name in phases):
                continue
            rows = [i for i, cell in enumerate(column) if cell == level]
            if not why and empty[rows].all():
                why = "has neither outcome nor response and is no trial"
            without = comparison(name, "!=", level.strip())
            every = f"{without} or {comparison(name, '==', level.strip())}"
            for i in rows if why else ():
                problems.add(
                    f"{why}, it seems; leave them out ({option(without)}), or keep all "
                    f"({option(every)})",
                    **raw.at(i, name),
                    value=level.strip(),
                )


def _no_trial(name: str, level: str, is_phase: bool) -> str:
    """Why rows of this level are no trials, by the words alone; empty if nothing says so."""
    if plain(name) in FLAGS and to_flag(level) == 1.0:
        return "is no trial of the task"
    if plain(name) in EXCLUDED and to_flag(level) == 1.0:
        return "is to be left out"
    if PREPARING.match(level) or (is_phase and NO_TRIAL.search(level)):
        return "is no trial of the task"
    return ""
