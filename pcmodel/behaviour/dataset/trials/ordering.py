"""The order of trials within a series."""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Int

from pcmodel.behaviour.dataset.naming import called, plain
from pcmodel.behaviour.dataset.schema import BLOCK_NAMES
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import comparison, every, known_only, option
from pcmodel.behaviour.dataset.trials.clocks import (
    Clock,
    counts_anew,
    find_clocks,
    numbers_rows,
)
from pcmodel.behaviour.dataset.trials.ids import as_two, comes_once, parting_column
from pcmodel.behaviour.dataset.values.suspects import suspects
from pcmodel.behaviour.dataset.violations import Violations

FEW = 0.1  # of the steps from trial to trial, and a sign of no order at all

MOST_TOLD = 3  # kinds of rows
LEAST_STEPS = 7  # of a series, on average, that show whether it is mixed
MIXED = (0.25, 0.75)  # of the steps go back: half of them do in a random order


def in_order(
    raw: RawTable,
    places: Mapping[str, str],
    series: np.ndarray,
    used: set[str],
    given: Mapping[str, str],
    problems: Violations,
    *,
    settled: bool = True,
) -> tuple[Int[np.ndarray, " rows"], str]:
    """Rows sorted by series and trial, and a note on how.

    Trials that are counted anew in each block are sorted by block, then trial, and the
    belief is carried on; blocks that are given and have no numbers come as they stand.
    Without a trial column rows stay as they stand. Trials that
    stand twice are named where it is settled which rows are trials of which series.
    """
    column = places.get("trial")
    block = places.get("block")
    names = [n for n in called(raw.columns, BLOCK_NAMES) if n not in used]
    if block and block not in names and ("block" in given or block not in used):
        names = [block]
    blocks = {n: b for n in names if (b := _blocks(raw, n)) is not None}
    stand = ""
    if block and "block" in given and block not in blocks:
        found = _blocks_as_they_stand(raw, block, series)
        if found is not None:
            blocks, stand = {block: found}, ", whose values come as the rows stand"
    part = _parts(series, list(blocks.values()))
    taken = used | set(places.values())
    if column is None:
        _check_order(raw, part, taken, problems)
        if settled:
            _check_anew(raw, part, taken, problems)
        return np.argsort(series, kind="stable"), "order: as the rows stand"
    numbers = _numbers(raw, column, problems)
    twice = _twice(series, numbers)
    chosen = _counted_in(series, numbers, blocks) if twice else []
    keys = [blocks[n] for n in chosen]
    order = np.lexsort((numbers, *reversed(keys), series))
    if "trial" not in given and (chosen or not twice):
        _check_trials(raw, column, order, series, part, taken, problems)
    if chosen:
        said = ", then ".join(map(repr, (*chosen, column)))
        carried = f"the belief is carried on over {chosen[0]!r}"
        return order, f"order: by {said}; {carried}{stand}"
    if settled and twice:
        # What is seen and done in a trial, by whom.
        read = {p for name, p in places.items() if name != "block"} - used
        said = _twice_in_words(raw, places, series, numbers, read)
        for i, first in twice:
            told = f"{raw.columns[column][i]}, as in row {raw.at(first, column)['row']}"
            problems.add(said, **raw.at(i, column), value=told)
    return order, f"order: by {column!r}{_skipped(series[order], numbers[order])}"


def _twice_in_words(
    raw: RawTable,
    places: Mapping[str, str],
    series: np.ndarray,
    numbers: np.ndarray,
    taken: set[str],
) -> str:
    """That trials stand twice, and what to say of the column that tells them apart."""
    name = parting_column(raw, series, numbers, taken)
    if name is None:
        kinds = parting_column(raw, series, numbers, taken, in_turn=False)
        told = " or ".join(_one_kind(raw, kinds, taken)) if kinds else ""
        return (
            "the same trial of the same participant stands twice; if they are of "
            "different sessions or blocks, name those columns as series (--series, or "
            "--columns block=COLUMN to carry the belief on), and if a trial has several "
            f"rows, keep one of them ({told or '--where'})"
        )
    block = pasted("columns", f"block={listed(name)}")
    kept = _one_kind(raw, name, taken)[:1]
    return (
        f"the same trial of the same participant stands twice, in several values of {name!r}; "
        f"say so if the belief starts afresh with it ({pasted('series', listed(name))})"
        f", is carried on over it ({block}) or if two people share an id "
        f"({as_two(places['participant'], name)})"
        f"{''.join(f', or keep one value ({own})' for own in kept)}"
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


def by_series(series: np.ndarray) -> list[np.ndarray]:
    """The rows of each series, as they stand.

    >>> [rows.tolist() for rows in by_series(np.asarray([0, 1, 0]))]
    [[0, 2], [1]]
    """
    order = np.argsort(series, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(series[order])) + 1)


def _counted_in(
    series: np.ndarray, numbers: np.ndarray, blocks: Mapping[str, np.ndarray]
) -> list[str]:
    """The blocks in which no number of a trial comes twice; none if there are no such."""
    tries = [[n] for n in blocks] + ([list(blocks)] if len(blocks) > 1 else [])
    for chosen in tries:
        if not _twice(series, *(blocks[n] for n in chosen), numbers):
            return chosen
    return []


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
        said = "must be a number"
        if is_missing(cells[i]):
            said += f"; fill it in, or leave its rows out ({known_only(column)})"
        problems.add(said, **raw.at(int(i), column), value=cells[i])
    for code in sorted(code for code in suspects(numbers) if code > 0.0):
        for i in np.flatnonzero(numbers == code):
            problems.add(
                "looks like a code for a missing value; every trial needs its number, or "
                f"leave its rows out ({option(comparison(column, '!=', cells[i].strip()))})",
                **raw.at(int(i), column),
                value=cells[i],
            )
    for cell in sorted(_tenths(number)):
        problems.add(
            "is read as it were without its last zero, and would come too early; count "
            "the trials in whole numbers",
            **raw.at(cells.index(cell), column),
            value=cell,
        )
    return numbers


def _tenths(cells: Iterable[str]) -> set[str]:
    """Numbers like 1.10 among others like 1.2: the tenth of a part, and not 1.1."""
    end = {cell: cell.strip().partition(".")[2] for cell in cells}
    if len({len(text) for text in end.values() if text}) < 2:
        return set()
    return {c for c, text in end.items() if len(text) > 1 and text.endswith("0")}


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
    """The number of each row's block (`block-2` is 2, but `-2` is less than 1).

    None where there is none.
    """
    numbers = {}
    for cell in set(raw.columns[column]):
        number = to_number(cell)
        if number is None:
            found = re.fullmatch(r"\D*(\d+)", cell.strip())
            number = float(found.group(1)) if found else np.nan
        if np.isnan(number):
            return None
        numbers[cell] = number
    if _tenths(numbers) or len(set(numbers.values())) != len(numbers):
        return None
    return np.asarray([numbers[cell] for cell in raw.columns[column]])


def _blocks_as_they_stand(
    raw: RawTable, column: str, series: np.ndarray
) -> np.ndarray | None:
    """The place of each row's block among those of its series; None where one comes back."""
    cells = [cell.strip() for cell in raw.columns[column]]
    if any(map(is_missing, set(cells))) or not comes_once(series, cells):
        return None
    place: dict[int, dict[str, int]] = {}
    for own, cell in zip(series.tolist(), cells, strict=True):
        place.setdefault(own, {}).setdefault(cell, len(place[own]))
    rows = zip(series.tolist(), cells, strict=True)
    return np.asarray([place[own][cell] for own, cell in rows], dtype=float)


def _parts(series: np.ndarray, blocks: Sequence[np.ndarray]) -> np.ndarray:
    """The number of each row's series and blocks."""
    keys = np.stack([series, *blocks], axis=1)
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)


def _check_order(
    raw: RawTable, part: np.ndarray, taken: set[str], problems: Violations
) -> None:
    """Rows stand in the order of whatever seems to count or time the trials."""
    rows = np.argsort(part, kind="stable")
    for clock in find_clocks(raw, part, taken):
        fallen = clock.falls(rows, part)
        if not len(fallen):
            continue
        as_it_is = every(clock.name, raw.columns[clock.name][fallen[0]])
        keep = f"or keep the rows as they stand ({as_it_is})"
        if _begins_anew(clock, fallen, part):
            said = (
                "begins anew; say what begins there (--columns session=COLUMN, or "
                f"--columns block=COLUMN if the belief is carried on), {keep}"
            )
        else:
            named = pasted("columns", f"trial={listed(clock.name)}")
            counts = f"if it counts them, say so ({named}), else "
            said = (
                "seems to order the trials, but the rows are not in its order; "
                f"{counts if clock.is_number else ''}sort the rows, {keep}"
            )
        problems.add(said, **raw.at(int(fallen[0]), clock.name))


def _begins_anew(clock: Clock, fallen: np.ndarray, part: np.ndarray) -> bool:
    """Whether the clock falls in few rows, and to where it had started: a run after a run."""
    if len(fallen) > FEW * len(part):
        return False
    for row in fallen:
        own = clock.values[part == part[row]]
        if clock.values[row] > np.nanquantile(own, FEW):
            return False
    return True


def _check_anew(
    raw: RawTable, part: np.ndarray, taken: set[str], problems: Violations
) -> None:
    """Trials that are counted from the first again are of another session or block."""
    rows = np.argsort(part, kind="stable")
    for clock in find_clocks(raw, part, taken, anew=True):
        values, own = clock.values[rows], part[rows]
        inner = np.diff(own) == 0
        steps, begins = np.diff(values)[inner], values[1:][inner]
        again = steps < 0.0
        if counts_anew(clock.name) or not 0 < again.sum() <= FEW * len(steps):
            continue
        if set(steps[~again]) == {1.0} and set(begins[again]) == {values[0]}:
            problems.add(
                "counts trials from the first again; say what begins there (--columns "
                "session=COLUMN, or --columns block=COLUMN if the belief is carried on), "
                "or leave the column out",
                **raw.at(int(rows[1:][inner][again][0]), clock.name),
            )


def _check_trials(
    raw: RawTable,
    column: str,
    order: np.ndarray,
    series: np.ndarray,
    part: np.ndarray,
    taken: set[str],
    problems: Violations,
) -> None:
    """The column of trials counts trials, and not the items that were shown in them."""
    counted = pasted("columns", f"trial={listed(column)}")
    stand = np.argsort(series, kind="stable")
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order))
    own = Clock(column, rank, False, True).falls(stand, series)
    if not len(own):
        return  # the rows stand in its order
    most = FEW * len(stand)
    for clock in find_clocks(raw, part, taken):
        within = part if len(clock.falls(stand, series)) else series
        fallen = clock.falls(order, within)
        before = len(clock.falls(stand, within))
        if before <= most:  # the rows, too, speak for the clock
            least = max(before, most) if before else 0
            asked = len(fallen) > least and not numbers_rows(clock.name)
        else:
            asked = clock.is_time and len(fallen) > most
        if asked:
            problems.add(
                f"seems to order the trials, and {column!r} puts them into another "
                f"order; say which counts them ({counted}, or another), "
                f"or that this one does not ({every(clock.name, raw.columns[clock.name][fallen[0]])})",
                **raw.at(int(fallen[0]), clock.name),
            )
            return
    if len(own) > most and (
        plain(column).endswith("id") or _is_out_of_order(series, len(own))
    ):
        problems.add(
            "may number the items that were shown, since the rows are not in its order; "
            f"if it counts the trials, say so ({counted}), else rename it",
            **raw.at(int(own[0]), column),
        )


def _is_out_of_order(series: np.ndarray, falls: int) -> bool:
    """Whether rows stand series by series, and yet within them as if by chance.

    Rows that were shuffled would stand in no order at all.
    """
    changes = int(np.count_nonzero(np.diff(series)))
    count = len(np.unique(series))
    within = len(series) - count
    ordered = changes == count - 1 and count > 1 and within >= LEAST_STEPS * count
    return ordered and MIXED[0] * within < falls < MIXED[1] * within
