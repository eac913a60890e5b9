"""The order of trials within a series."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from pcmodel.behaviour.dataset.naming import called, plain
from pcmodel.behaviour.dataset.schema import BLOCK_NAMES
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import (
    all_rows,
    as_column,
    as_series,
    known_only,
    rows_without,
)
from pcmodel.behaviour.dataset.task_table import TaskTable, Trials
from pcmodel.behaviour.dataset.trials.blocks import (
    check_blocks,
    check_counts,
    check_positions,
    check_stretches,
    check_together,
    find_blocks,
    is_row_order,
    numbers_of,
    parts_of,
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

FEW = 0.1  # share of the steps from trial to trial that may break an order
# Of the task's columns those that say whose trial it is, and which.
NO_OUTCOMES = {"participant", "session", "block", "trial"}
LEAST_STEPS = 7  # of a series, on average, that show whether it is mixed
MIXED = (0.25, 0.75)  # of the steps go back: half of them do in a random order
AS_ROWS = "order: as the rows stand"


def in_order(
    trials: Trials, used: set[str], *, settled: bool = True
) -> tuple[Int[np.ndarray, " rows"], str]:
    """Rows sorted by series and trial, and a note on how.

    Trials that are counted anew in each block are sorted by block, then trial, and the
    belief is carried on; blocks that have no numbers follow each other as their rows do.
    Without a trial column the rows keep their order. Trials that occur twice are refused
    where it is `settled` which rows are trials of which series.
    """
    block = trials.places.get("block")
    names = [n for n in called(trials.columns, BLOCK_NAMES) if n not in used]
    if block and block not in names and ("block" in trials.given or block not in used):
        names = [block]
    if is_row_order(trials):
        return np.argsort(trials.series, kind="stable"), AS_ROWS
    column = trials.places.get("trial")
    blocks = find_blocks(trials, names, column)
    part = parts_of(trials.series, list(blocks.values()))
    taken = used | set(trials.places.values())
    if column is None:
        _check_order(trials, part, taken)
        if settled:
            _check_anew(trials, part, taken)
            for name in names:
                check_together(trials, name)
        return np.argsort(trials.series, kind="stable"), AS_ROWS
    numbers = _numbers(trials, column)
    is_twice = bool(find_twice(trials.series, numbers))
    chosen = _counted_in(trials, numbers, blocks) if is_twice else []
    keys = [blocks[n] for n in chosen]
    order = np.lexsort((numbers, *reversed(keys), trials.series))
    before = len(trials.problems)
    if "trial" not in trials.given and (chosen or not is_twice):
        _check_trials(trials, column, order, part, taken)
    if len(trials.problems) == before and not _is_timed(trials, order, taken):
        if chosen and "block" not in trials.given:
            _check_blocks(trials, chosen[0], keys, numbers, taken)
        elif not is_twice and "trial" not in trials.given:
            check_stretches(trials, column, numbers)
    if chosen:
        return order, _block_note(trials, chosen, column)
    if settled:
        refuse_twice(trials, numbers, list(blocks.values()), used)
    skipped = _skipped(trials.series[order], numbers[order])
    return order, f"order: by {column!r}{skipped}"


def _block_note(trials: Trials, chosen: Sequence[str], column: str) -> str:
    """The note that trials are sorted by the `chosen` columns of blocks, then by trial."""
    note = f"order: by {', then '.join(map(repr, (*chosen, column)))}"
    note += f"; the belief is carried on over {chosen[0]!r}"
    lettered = [name for name in chosen if numbers_of(trials, name) is None]
    if lettered:
        note += f"; {lettered[0]!r} is no number and goes as its rows stand"
    return note


def _is_timed(trials: Trials, order: np.ndarray, taken: set[str]) -> bool:
    """Whether a column with the time of each trial confirms the order."""
    clocks = find_clocks(trials, trials.series, taken)
    return any(c.is_time and not len(c.falls(order, trials.series)) for c in clocks)


def _check_blocks(
    trials: Trials,
    name: str,
    keys: Sequence[np.ndarray],
    numbers: np.ndarray,
    taken: set[str],
) -> None:
    """Refuse blocks that were done in another order than that of their numbers.

    Another column may say so, or the order of the rows.
    """
    before = len(trials.problems)
    check_positions(trials, name, keys[0], taken)
    if len(trials.problems) == before and len(keys) == 1:
        check_counts(trials, name, keys[0], numbers, taken)
    if len(trials.problems) == before:
        within = np.argsort(np.lexsort((numbers, *reversed(keys[1:]))))
        check_blocks(trials, name, keys[0], within)


def _counted_in(
    trials: Trials, numbers: np.ndarray, blocks: Mapping[str, np.ndarray]
) -> list[str]:
    """The columns of blocks in which no trial has the number of another; [] for none."""
    given = trials.places.get("block") if "block" in trials.given else None
    tries = [[n] for n in sorted(blocks, key=lambda n: n != given)]
    tries += [list(blocks)] if len(blocks) > 1 else []
    for chosen in tries:
        if not find_twice(trials.series, *(blocks[n] for n in chosen), numbers):
            return chosen
    return []


def _skipped(series: np.ndarray, numbers: np.ndarray) -> str:
    """A note on the number of series in which sorted numbers are left out; "" for none.

    Series count if their numbers usually rise by one.
    """
    steps, same = np.diff(numbers), np.diff(series) == 0
    if not same.any() or np.median(steps[same]) != 1.0:
        return ""
    count = len(np.unique(series[1:][same & (steps > 1.0)]))
    note = f"; numbers are skipped in {count} series: a trial that is not there"
    return f"{note} teaches nothing" if count else ""


def _numbers(table: TaskTable, column: str) -> np.ndarray:
    """The numbers of the trials; cells without one, and codes of missing ones, are refused."""
    cells = table.cells(column)
    number = {cell: to_number(cell) for cell in set(cells)}
    numbers = np.asarray([number[cell] for cell in cells], dtype=float)
    for i in np.flatnonzero(np.isnan(numbers)):
        problem = "must be a number"
        if is_missing(cells[i]):
            problem += f"; fill it in, or leave its rows out ({known_only(column)})"
        table.cell(column, i).refuse(problem)
    # Trials before 7, 8 or 9 may have been left out; before 99, less so.
    for code in sorted(code for code in suspects(numbers) if code > 9.0):
        for i in np.flatnonzero(numbers == code):
            table.cell(column, i).refuse(
                "looks like a code for a missing value; every trial needs its number, or "
                f"leave its rows out ({rows_without(column, cells[i])})"
            )
    for cell in sorted(tenths(number)):
        table.cell(column, cells.index(cell)).refuse(
            "is read as it were without its last zero, and would come too early; count "
            "the trials in whole numbers"
        )
    return numbers


def _check_order(trials: Trials, part: np.ndarray, taken: set[str]) -> None:
    """Refuse rows that are not in the order of a column that counts or times the trials.

    Rows that were sorted by an outcome or a response stand in as many stretches as that has
    values, in each of which the clock runs from its beginning: these are not one run after
    the other. Nor are stretches whose numbers together make one count.
    """
    places = trials.places.items()
    done = [trials.columns[n] for name, n in places if name not in NO_OUTCOMES]
    rows = np.argsort(part, kind="stable")
    for clock in find_clocks(trials, part, taken):
        fallen = clock.falls(rows, part)
        if not len(fallen):
            continue
        as_it_is = all_rows(clock.name, trials.columns[clock.name][fallen[0]])
        keep = f"or keep the rows as they stand ({as_it_is})"
        is_sorted = _counts_on(clock, part)
        is_sorted |= any(_begins(c, rows, part) == set(fallen.tolist()) for c in done)
        if not is_sorted and _begins_anew(clock, fallen, part):
            begun = _what_begins(trials, part, fallen, taken)
            problem = f"begins anew; say what begins there{begun}, {keep}"
        else:
            counts = as_column("trial", clock.name)
            is_count = f"if it counts them, say so ({counts}), else "
            problem = (
                "seems to order the trials, but the rows are not in its order; "
                f"{is_count if clock.is_number else ''}sort the rows, {keep}"
            )
        trials.row(clock.name, fallen[0]).refuse(problem)


def _counts_on(clock: Clock, part: np.ndarray) -> bool:
    """Whether the numbers of each part are a count that leaves none out."""
    order = np.lexsort((clock.values, part))
    steps = np.diff(clock.values[order])[np.diff(part[order]) == 0]
    return bool(np.all(steps == 1.0))


def _begins(cells: Sequence[str], rows: np.ndarray, part: np.ndarray) -> set[int]:
    """The rows, in this order, whose cell differs from the one above in their part."""
    value = np.asarray([cell.strip() for cell in cells])[rows]
    changed = (value[1:] != value[:-1]) & (np.diff(part[rows]) == 0)
    return set(rows[1:][changed].tolist())


def _what_begins(
    table: TaskTable, part: np.ndarray, first: np.ndarray, taken: set[str]
) -> str:
    """Advice on how to say what begins in these rows, by the column that changes there."""
    name = column_that_begins(table, part, first, taken)
    if name is None:
        return (
            ", in a column of its own (--columns session=COLUMN, or --columns "
            "block=COLUMN if the belief is carried on)"
        )
    return (
        f", and whether the belief starts afresh ({as_series(name)}) or is "
        f"carried on ({as_column('block', name)})"
    )


def _begins_anew(clock: Clock, fallen: np.ndarray, part: np.ndarray) -> bool:
    """Whether the clock falls in few rows, and to about where it had started."""
    if len(fallen) > FEW * len(part):
        return False
    for row in fallen:
        own = clock.values[part == part[row]]
        if clock.values[row] > np.nanquantile(own, FEW):
            return False
    return True


def _check_anew(table: TaskTable, part: np.ndarray, taken: set[str]) -> None:
    """Refuse trials that are counted from the first again, as in a new session or block."""
    rows = np.argsort(part, kind="stable")
    for clock in find_clocks(table, part, taken, anew=True):
        values, own = clock.values[rows], part[rows]
        inner = np.diff(own) == 0
        steps, begins = np.diff(values)[inner], values[1:][inner]
        again = steps < 0.0
        if counts_anew(clock.name) or not 0 < again.sum() <= FEW * len(steps):
            continue
        if set(steps[~again]) == {1.0} and set(begins[again]) == {values[0]}:
            first = rows[1:][inner][again]
            table.row(clock.name, first[0]).refuse(
                "counts trials from the first again; say what begins there"
                f"{_what_begins(table, part, first, taken)}, or leave the column out"
            )


def _check_trials(
    trials: Trials, column: str, order: np.ndarray, part: np.ndarray, taken: set[str]
) -> None:
    """Refuse a column of trials that may count the items that were shown in them."""
    counted = as_column("trial", column)
    stand = np.argsort(trials.series, kind="stable")
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order))
    own = Clock(column, rank, False, True).falls(stand, trials.series)
    if not len(own):
        return  # the rows stand in its order
    most = FEW * len(stand)
    for clock in find_clocks(trials, part, taken):
        within = part if len(clock.falls(stand, trials.series)) else trials.series
        fallen = clock.falls(order, within)
        before = len(clock.falls(stand, within))
        if before <= most:  # the rows, too, speak for the clock
            least = max(before, most) if before else 0
            contradicts = len(fallen) > least and not numbers_rows(clock.name)
        else:
            contradicts = clock.is_time and len(fallen) > most
        if contradicts:
            also = f" or {as_column('trial', clock.name)}" if clock.is_number else ""
            neither = all_rows(clock.name, trials.columns[clock.name][fallen[0]])
            trials.row(clock.name, fallen[0]).refuse(
                f"seems to order the trials, and {column!r} puts them into another "
                f"order; say which counts them ({counted}{also}), "
                f"or that this one does not ({neither})"
            )
            return
    if len(own) > most and (
        plain(column).endswith("id") or _is_out_of_order(trials.series, len(own))
    ):
        trials.row(column, own[0]).refuse(
            "may number the items that were shown, since the rows are not in its order; "
            f"if it counts the trials, say so ({counted}), else rename it"
        )


def _is_out_of_order(series: np.ndarray, falls: int) -> bool:
    """Whether rows stand series by series, and within each series in a random order."""
    changes = int(np.count_nonzero(np.diff(series)))
    count = len(np.unique(series))
    within = len(series) - count
    ordered = changes == count - 1 and count > 1 and within >= LEAST_STEPS * count
    return ordered and MIXED[0] * within < falls < MIXED[1] * within
