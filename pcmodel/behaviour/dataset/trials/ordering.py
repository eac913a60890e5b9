"""The order of trials within a series."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from pcmodel.behaviour.dataset.naming import called, plain
from pcmodel.behaviour.dataset.schema import BLOCK_NAMES
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import comparison, every, known_only, option
from pcmodel.behaviour.dataset.trials.blocks import (
    check_blocks,
    check_counts,
    check_positions,
    check_stretches,
    check_together,
    find_blocks,
    numbers_of,
    parts_of,
    stands,
    tenths,
)
from pcmodel.behaviour.dataset.trials.clocks import (
    Clock,
    counts_anew,
    find_clocks,
    numbers_rows,
)
from pcmodel.behaviour.dataset.trials.ids import column_that_begins
from pcmodel.behaviour.dataset.trials.twice import find_twice, refuse_twice
from pcmodel.behaviour.dataset.values.suspects import suspects
from pcmodel.behaviour.dataset.violations import Violations

FEW = 0.1  # of the steps from trial to trial, and a sign of no order at all

# Of the task's columns those that say whose trial it is, and which.
NO_OUTCOMES = {"participant", "session", "block", "trial"}
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
    belief is carried on; blocks that have no numbers come as they stand. Without a trial
    column rows stay as they stand. Trials that stand twice are named where it is
    settled which rows are trials of which series.
    """
    column = places.get("trial")
    block = places.get("block")
    names = [n for n in called(raw.columns, BLOCK_NAMES) if n not in used]
    if block and block not in names and ("block" in given or block not in used):
        names = [block]
    column = None if stands(raw, given) else column
    blocks = find_blocks(raw, names, series, column, given.get("block"))
    part = parts_of(series, list(blocks.values()))
    taken = used | set(places.values())
    if stands(raw, given):
        return np.argsort(series, kind="stable"), "order: as the rows stand"
    if column is None:
        done = [raw.columns[n] for k, n in places.items() if k not in NO_OUTCOMES]
        _check_order(raw, part, taken, done, problems)
        if settled:
            _check_anew(raw, part, taken, problems)
            for name in names:
                check_together(raw, name, series, problems)
        return np.argsort(series, kind="stable"), "order: as the rows stand"
    numbers = _numbers(raw, column, problems)
    is_twice = bool(find_twice(series, numbers))
    first = block if "block" in given else None
    chosen = _counted_in(series, numbers, blocks, first) if is_twice else []
    keys = [blocks[n] for n in chosen]
    order = np.lexsort((numbers, *reversed(keys), series))
    before = len(problems)
    if "trial" not in given and (chosen or not is_twice):
        _check_trials(raw, column, order, series, part, taken, problems)
    if len(problems) == before and not _is_timed(raw, order, series, taken):
        if chosen and "block" not in given:
            _check_blocks(raw, chosen[0], keys, numbers, series, taken, given, problems)
        elif not is_twice and "trial" not in given:
            check_stretches(raw, column, numbers, series, problems)
    if chosen:
        said = ", then ".join(map(repr, (*chosen, column)))
        said += f"; the belief is carried on over {chosen[0]!r}"
        lettered = [n for n in chosen if numbers_of(raw, n) is None]
        if lettered:
            said += f"; {lettered[0]!r} is no number and goes as its rows stand"
        return order, f"order: by {said}"
    if settled:
        own = list(blocks.values())
        refuse_twice(raw, places, series, numbers, own, used, problems)
    return order, f"order: by {column!r}{_skipped(series[order], numbers[order])}"


def _is_timed(
    raw: RawTable, order: np.ndarray, series: np.ndarray, taken: set[str]
) -> bool:
    """Whether a time of each trial speaks for the order."""
    clocks = find_clocks(raw, series, taken)
    return any(c.is_time and not len(c.falls(order, series)) for c in clocks)


def _check_blocks(
    raw: RawTable,
    name: str,
    keys: Sequence[np.ndarray],
    numbers: np.ndarray,
    series: np.ndarray,
    taken: set[str],
    given: Mapping[str, str],
    problems: Violations,
) -> None:
    """Blocks were done in the order of their numbers, by another column or the rows."""
    before = len(problems)
    check_positions(raw, name, keys[0], series, taken, problems)
    if len(problems) == before and len(keys) == 1:
        check_counts(raw, name, keys[0], numbers, series, taken, problems)
    within = np.argsort(np.lexsort((numbers, *reversed(keys[1:]))))
    if len(problems) == before:
        trial = given.get("trial")
        check_blocks(raw, name, keys[0], within, series, trial, problems)


def by_series(series: np.ndarray) -> list[np.ndarray]:
    """The rows of each series, as they stand.

    >>> [rows.tolist() for rows in by_series(np.asarray([0, 1, 0]))]
    [[0, 2], [1]]
    """
    order = np.argsort(series, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(series[order])) + 1)


def _counted_in(
    series: np.ndarray,
    numbers: np.ndarray,
    blocks: Mapping[str, np.ndarray],
    given: str | None,
) -> list[str]:
    """The blocks in which no number of a trial comes twice; none if there are no such."""
    tries = [[n] for n in sorted(blocks, key=lambda n: n != given)]
    tries += [list(blocks)] if len(blocks) > 1 else []
    for chosen in tries:
        if not find_twice(series, *(blocks[n] for n in chosen), numbers):
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
    # Trials before 7, 8 or 9 may have been left out; before 99, less so.
    for code in sorted(code for code in suspects(numbers) if code > 9.0):
        for i in np.flatnonzero(numbers == code):
            problems.add(
                "looks like a code for a missing value; every trial needs its number, or "
                f"leave its rows out ({option(comparison(column, '!=', cells[i].strip()))})",
                **raw.at(int(i), column),
                value=cells[i],
            )
    for cell in sorted(tenths(number)):
        problems.add(
            "is read as it were without its last zero, and would come too early; count "
            "the trials in whole numbers",
            **raw.at(cells.index(cell), column),
            value=cell,
        )
    return numbers


def _check_order(
    raw: RawTable,
    part: np.ndarray,
    taken: set[str],
    done: Sequence[Sequence[str]],
    problems: Violations,
) -> None:
    """Rows stand in the order of whatever seems to count or time the trials.

    Rows that were sorted by what was seen or `done` stand in as many stretches as that has
    values, in each of which the clock runs from its beginning: no run after a run. Nor is
    one where the numbers of all stretches together make one count.
    """
    rows = np.argsort(part, kind="stable")
    for clock in find_clocks(raw, part, taken):
        fallen = clock.falls(rows, part)
        if not len(fallen):
            continue
        as_it_is = every(clock.name, raw.columns[clock.name][fallen[0]])
        keep = f"or keep the rows as they stand ({as_it_is})"
        is_sorted = _counts_on(clock, part)
        is_sorted |= any(_begins(c, rows, part) == set(fallen.tolist()) for c in done)
        if not is_sorted and _begins_anew(clock, fallen, part):
            begun = _what_begins(raw, part, fallen, taken)
            said = f"begins anew; say what begins there{begun}, {keep}"
        else:
            named = pasted("columns", f"trial={listed(clock.name)}")
            is_count = f"if it counts them, say so ({named}), else "
            said = (
                "seems to order the trials, but the rows are not in its order; "
                f"{is_count if clock.is_number else ''}sort the rows, {keep}"
            )
        problems.add(said, **raw.at(int(fallen[0]), clock.name))


def _counts_on(clock: Clock, part: np.ndarray) -> bool:
    """Whether the numbers of each part are a count that leaves none out."""
    order = np.lexsort((clock.values, part))
    steps = np.diff(clock.values[order])[np.diff(part[order]) == 0]
    return bool(np.all(steps == 1.0))


def _begins(cells: Sequence[str], rows: np.ndarray, part: np.ndarray) -> set[int]:
    """The rows, taken in this order, whose cell is another than the one above in their part."""
    value = np.asarray([cell.strip() for cell in cells])[rows]
    changed = (value[1:] != value[:-1]) & (np.diff(part[rows]) == 0)
    return set(rows[1:][changed].tolist())


def _what_begins(
    raw: RawTable, part: np.ndarray, first: np.ndarray, taken: set[str]
) -> str:
    """How to say what begins in these rows, by the column whose value changes there."""
    name = column_that_begins(raw, part, first, taken)
    if name is None:
        return (
            ", in a column of its own (--columns session=COLUMN, or --columns "
            "block=COLUMN if the belief is carried on)"
        )
    block = pasted("columns", f"block={listed(name)}")
    return (
        f", and whether the belief starts afresh ({pasted('series', listed(name))}) or is "
        f"carried on ({block})"
    )


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
                "counts trials from the first again; say what begins there"
                f"{_what_begins(raw, part, rows[1:][inner][again], taken)}, or leave the "
                "column out",
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
            other = pasted("columns", f"trial={listed(clock.name)}")
            also = f" or {other}" if clock.is_number else ""
            problems.add(
                f"seems to order the trials, and {column!r} puts them into another "
                f"order; say which counts them ({counted}{also}), "
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
