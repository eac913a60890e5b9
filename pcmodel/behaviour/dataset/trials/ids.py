"""Who is one person: ids that two people share, and ids that are made distinct."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from pcmodel.behaviour.dataset.naming import called, words
from pcmodel.behaviour.dataset.schema import BLOCK_NAMES, PARTICIPANT
from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import every, must_be_known
from pcmodel.behaviour.dataset.trials.sessions import is_in_turn, split_rows
from pcmodel.behaviour.dataset.violations import Violations

PEOPLE = {
    *("group", "site", "study", "cohort", "dataset", "sample", "diagnosis", "sex"),
    *("gender", "experiment", "centre", "center", "lab"),
}


def as_two(participant: str, column: str) -> str:
    """The option that takes an id in two levels of a column for two people."""
    return pasted("columns", f"{PARTICIPANT}={listed(f'{participant}+{column}')}")


def ids_put_together(raw: RawTable, given: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that together name a person (`participant=id+site`); none where one does."""
    name = given.get(PARTICIPANT, "")
    if not name or name in raw.columns:
        return ()
    parts = _parts(name, tuple(raw.columns))
    return parts if len(parts) > 1 else ()


def _parts(name: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns whose names, joined by +, are the name; none where there are no such."""
    if name in columns:
        return (name,)
    for column in columns:
        if name.startswith(f"{column}+"):
            rest = _parts(name[len(column) + 1 :], columns)
            if rest:
                return (column, *rest)
    return ()


def with_ids(
    raw: RawTable, name: str, parts: Sequence[str], problems: Violations
) -> RawTable:
    """The table with one column more, of ids that are made of several cells."""
    for part in parts:
        for i, cell in enumerate(raw.columns[part]):
            if is_missing(cell):
                problems.add(must_be_known(part), **raw.at(i, part))
    rows = zip(*(raw.columns[part] for part in parts), strict=True)
    ids = [" + ".join(cell.strip() for cell in row) for row in rows]
    return raw._replace(columns={**raw.columns, name: ids})


def check_people_apart(
    raw: RawTable,
    places: Mapping[str, str],
    who: np.ndarray,
    series: np.ndarray,
    used: set[str],
    problems: Violations,
) -> None:
    """One id does not stand for two people, of two groups or of two parts of the table."""
    before = len(problems)
    for name, cells in raw.columns.items():
        if name in used or not set(words(name)) & PEOPLE:
            continue
        rows = split_rows(cells, who)
        if len(rows) and is_in_turn(raw, places, cells, who, rows):
            problems.add(
                "differs within one participant: if two people share an id, say so "
                f"({as_two(places[PARTICIPANT], name)}); else say that they do not "
                f"({every(name, cells[rows[0]])})",
                **raw.at(int(rows[0]), name),
            )
    if len(problems) == before and len(set(raw.file)) == 1:
        _check_parts(raw, places, series, used, problems)


def _check_parts(
    raw: RawTable,
    places: Mapping[str, str],
    series: np.ndarray,
    used: set[str],
    problems: Violations,
) -> None:
    """Of a table put together from one for each condition, the same ids may be other people."""
    blocks = set(called(raw.columns, BLOCK_NAMES))
    for name, cells in raw.columns.items():
        if name in used or name in blocks or not _is_in_parts(cells, series):
            continue
        rows = split_rows(cells, series)
        if not len(rows) or not _counts_again(raw, places, series, cells):
            continue
        own = places[PARTICIPANT]
        problems.add(
            "the table is in parts by this column, and the same participants stand in "
            "several, whose trials would be taken for one run: say so if the belief "
            f"starts afresh in each ({pasted('series', listed(name))}), if the ids are those of "
            f"other people ({as_two(own, name)}), or if it is one run "
            f"({every(name, cells[rows[0]])})",
            file=raw.at(0, name)["file"],
            column=name,
        )
        return


def _is_in_parts(cells: Sequence[str], series: np.ndarray) -> bool:
    """Whether each value is in one stretch of rows, with several series in each of them."""
    stripped = [cell.strip() for cell in cells]
    if any(map(is_missing, set(stripped))):
        return False
    levels = set(stripped)
    changes = sum(one != other for one, other in pairwise(stripped))
    if len(levels) < 2 or changes != len(levels) - 1:
        return False
    inside: dict[str, set[int]] = {}
    for cell, own in zip(stripped, series.tolist(), strict=True):
        inside.setdefault(cell, set()).add(own)
    return all(len(own) > 1 for own in inside.values())


def _counts_again(
    raw: RawTable, places: Mapping[str, str], series: np.ndarray, cells: Sequence[str]
) -> bool:
    """Whether nothing says that the trials of one part go on in the next."""
    if "trial" not in places:
        return True
    trials = raw.columns[places["trial"]]
    rows = list(zip(series.tolist(), trials, strict=True))
    parts = list(zip(rows, cells, strict=True))
    return len(set(rows)) < len(rows) and len(set(parts)) == len(parts)


def parting_column(
    raw: RawTable,
    series: np.ndarray,
    trials: np.ndarray,
    taken: set[str],
    *,
    in_turn: bool = True,
) -> str | None:
    """The column in each of whose values a trial stands once at most.

    in_turn: they stand one after the other, as sessions do, and not within each trial.
    """
    for name, cells in raw.columns.items():
        stripped = [cell.strip() for cell in cells]
        if name in taken or any(map(is_missing, set(stripped))):
            continue
        keys = list(zip(series.tolist(), stripped, trials.tolist(), strict=True))
        parted = len(set(keys)) == len(keys) and len(split_rows(stripped, series))
        if parted and (not in_turn or comes_once(series, stripped)):
            return name
    return None


def column_that_begins(
    raw: RawTable, part: np.ndarray, first: np.ndarray, taken: set[str]
) -> str | None:
    """The column whose value changes, within a part, in the rows `first` and in no other."""
    rows = np.argsort(part, kind="stable")
    inner = np.diff(part[rows]) == 0
    begins = set(first.tolist())
    for name, cells in raw.columns.items():
        stripped = np.asarray([cell.strip() for cell in cells])[rows]
        if name in taken or any(map(is_missing, set(stripped.tolist()))):
            continue
        changed = inner & (stripped[1:] != stripped[:-1])
        if set(rows[1:][changed].tolist()) == begins:
            return name
    return None


def comes_once(series: np.ndarray, cells: Sequence[str]) -> bool:
    """Whether no value comes back within a series once it has passed."""
    last: dict[int, str] = {}
    seen: set[tuple[int, str]] = set()
    for own, cell in zip(series.tolist(), cells, strict=True):
        if last.get(own) != cell and (own, cell) in seen:
            return False
        last[own] = cell
        seen.add((own, cell))
    return True
