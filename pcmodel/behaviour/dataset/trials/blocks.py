"""Blocks of trials that are counted anew in each, and which of them was done first.

Numbers of blocks may be those of conditions, which half of the people did in the other
order. Rows that stand block by block in another order than the numbers are refused.
Blocks that have letters or words follow each other in the order of their rows.
"""

import itertools
import re
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from jaxtyping import Float, Int

from pcmodel.behaviour.dataset.naming import words
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number, to_numbers
from pcmodel.behaviour.dataset.tables.pasted import as_column, as_series, pasted
from pcmodel.behaviour.dataset.task_table import TaskTable, Trials

STANDING = "row"  # `--columns trial=row`: the order of the rows is that of the trials
# Words that number blocks as they followed each other, if all of a column's are such.
ONE = "one two three four five six seven eight nine ten"
NUMBERS = {word: i for i, word in enumerate(ONE.split(), 1)}
NUMBERS |= {"first": 1, "second": 2, "third": 3, "fourth": 4}
NUMBERS |= {"pre": 1, "post": 2, "before": 1, "after": 2}
BLOCKS = {"block", "run", "list", "condition", "miniblock", "task"}
PLACES = {"order", "position", "pos", "sequence", "seq", "place", "rank"}
MANY = 10  # blocks, which a spreadsheet may have sorted as words: 1, 10, 2
LONG = 5.0  # least rows of a stretch, on average, that does not arise by chance
IN_BLOCKS = 0.5  # least share of the series whose rows stand so, for it to be no chance


def is_row_order(table: TaskTable) -> bool:
    """Whether the user said that the order of the rows is that of the trials."""
    return table.given.get("trial") == STANDING and STANDING not in table.columns


def row_order_option(given: str | None = None) -> str:
    """The option that the order of the rows is that of the trials.

    It replaces the column of trials that was `given`.
    """
    instead = f" in place of trial={given}" if given else ""
    return pasted("columns", f"trial={STANDING}") + instead


def find_blocks(
    trials: Trials, names: Sequence[str], trial: str | None
) -> dict[str, Float[np.ndarray, " rows"]]:
    """By column what orders the blocks: their numbers, else the row at which each begins.

    `trial` is the column of trials, whose numbers must rise within a block, unless the user
    named the column of blocks.
    """
    given = trials.given.get("block")
    found = {n: b for n in names if (b := numbers_of(trials, n)) is not None}
    part = parts_of(trials.series, list(found.values()))
    for name in names:
        if name not in found and (name == given or trial is not None):
            cells, own = trials.cells(name), None
            if trial is not None and name != given:
                own = [to_number(cell) for cell in trials.columns[trial]]
            rank = _begins(cells, own, part)
            if rank is not None and not any(map(is_missing, cells)):
                found[name] = rank
    return found


def parts_of(
    series: np.ndarray, blocks: Sequence[np.ndarray]
) -> Int[np.ndarray, " rows"]:
    """One number for each combination of series and blocks."""
    keys = np.stack([series, *blocks], axis=1)
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)


def check_blocks(
    trials: Trials, name: str, block: np.ndarray, within: np.ndarray
) -> None:
    """Refuse rows that stand block by block, but not in the order of the blocks' numbers.

    Rows in no order, or sorted by the numbers as words, are accepted. `within` is the rank
    of each row's trial in its block.
    """
    several = in_blocks = 0
    odd: list[int] = []  # the row at which a block of a lower number begins
    for rows in trials.by_series:
        begins = np.flatnonzero(np.diff(block[rows])) + 1
        many = len(np.unique(block[rows]))
        several += many > 1
        follow = np.diff(within[rows]) > 0
        follow[begins - 1] = True
        if many < 2 or len(begins) + 1 != many or not follow.all():
            continue
        in_blocks += 1
        cells = [trials.columns[name][rows[i]].strip() for i in (0, *begins)]
        falls = begins[np.diff(block[rows])[begins - 1] < 0.0]
        if len(falls) and not (many >= MANY and cells == sorted(cells)):
            odd.append(int(rows[falls[0]]))
    if not odd or in_blocks < IN_BLOCKS * several:
        return
    first = trials.columns[name][odd[0]].strip()
    trials.cell(name, odd[0]).refuse(
        f"the rows stand in another order of blocks than its numbers ({first} after a "
        f"higher number; so in {len(odd)} of {several} series); if the rows stand as the "
        f"trials were done, say so ({row_order_option(trials.given.get('trial'))}), if the blocks were done by their "
        f"numbers, too ({as_column('block', name)}), or let the belief "
        f"start afresh in each ({as_series(name)})"
    )


def check_positions(
    trials: Trials, name: str, block: np.ndarray, taken: Collection[str]
) -> None:
    """Refuse a column such as `block_order` that puts the blocks into another order.

    A column that is called `order` alone counts if it numbers each series' blocks from 1.
    """
    for other, cells in trials.columns.items():
        parts = set(words(other))
        is_named = bool(parts & PLACES and parts & BLOCKS)
        if other in taken or not (is_named or parts <= PLACES):
            continue
        place = to_numbers(cells)
        if place is None or not np.isfinite(place).all():
            continue
        pairs = np.unique(np.stack([trials.series, block, place]), axis=1)
        inner = np.diff(pairs[0]) == 0
        once = np.all(np.diff(pairs[1])[inner] > 0.0)  # one place for each block
        from_one = all(
            sorted(pairs[2][pairs[0] == s]) == list(range(1, 1 + np.sum(pairs[0] == s)))
            for s in np.unique(pairs[0])
        )
        once = once and (is_named or from_one)
        moved = np.flatnonzero(inner & (np.diff(pairs[2]) < 0.0))
        if not once or not len(moved):
            continue
        own, later = pairs[:, moved[0] + 1][[0, 1]]
        row = int(np.argmax((trials.series == own) & (block == later)))
        trials.row(other, row).refuse(
            f"seems to be the order of the blocks, and {name!r} puts them into another; "
            f"say which does ({as_column('block', other)} or "
            f"{as_column('block', name)})"
        )
        return


def check_counts(
    trials: Trials, name: str, block: np.ndarray, numbers: np.ndarray, taken: set[str]
) -> None:
    """Refuse a column that counts the trials over the blocks of a series in another order.

    Such a column has every number once, block after block, and rises with each block's own
    `numbers`.
    """
    longest = int(np.bincount(trials.series).max())
    for other, cells in trials.columns.items():
        if other in taken or len(set(cells)) < longest:
            continue
        values = to_numbers(cells)
        if values is None:
            continue
        order = np.lexsort((values, trials.series))
        inner = np.diff(trials.series[order]) == 0
        if not np.all(np.diff(values[order])[inner] == 1.0):
            continue
        anew = np.diff(block[order]) != 0.0
        rises = np.diff(numbers[order]) > 0.0
        begun = len(np.unique(np.stack([trials.series, block]), axis=1).T)
        if not np.all(anew | rises | ~inner) or 1 + np.sum(anew | ~inner) != begun:
            continue
        falls = np.flatnonzero(inner & (np.diff(block[order]) < 0.0))
        if len(falls):
            trials.row(other, int(order[falls[0] + 1])).refuse(
                f"counts the trials over the blocks, and {name!r} puts those into another "
                f"order; say which does ({as_column('trial', other)} or "
                f"{as_column('block', name)})"
            )
            return


def check_together(trials: Trials, name: str) -> None:
    """Refuse rows of a block that do not stand together, where trials have no numbers.

    A table that was sorted by a column of trials since removed has a row of each block in
    turn.
    """
    cells = np.asarray(trials.cells(name))
    several, odd = 0, list[int]()
    for rows in trials.by_series:
        begins = np.flatnonzero(cells[rows][1:] != cells[rows][:-1]) + 1
        many = len(np.unique(cells[rows]))
        several += many > 1
        if many > 1 and len(rows) >= 2 * many and 2 * (len(begins) + 1) > len(rows):
            odd.append(int(rows[begins[0]]))
    if odd and len(odd) >= IN_BLOCKS * several:
        trials.cell(name, odd[0]).refuse(
            "changes about with every row, so that no block's rows stand together; if the "
            f"rows stand as the trials were done, say so ({row_order_option()}), or let the "
            f"belief start afresh in each ({as_series(name)}), or sort the "
            "rows by block"
        )


def check_stretches(trials: Trials, column: str, numbers: np.ndarray) -> None:
    """Refuse stretches of rows of which a later one has the lower numbers.

    They arise where conditions are numbered on, 1 to 20 and 21 to 40, and are done in the
    other order. Where the numbers of the stretches overlap, the rows were sorted.
    """
    odd: list[int] = []
    in_order = 0
    for rows in trials.by_series:
        falls = np.flatnonzero(np.diff(numbers[rows]) < 0.0) + 1
        in_order += not len(falls)
        cells = [trials.columns[column][i].strip() for i in rows]
        if not len(falls) or len(rows) < LONG * (len(falls) + 1):
            continue
        parts = sorted(np.split(numbers[rows], falls), key=lambda part: part[0])
        apart = all(a[-1] < b[0] for a, b in itertools.pairwise(parts))
        if apart and cells != sorted(cells):
            odd.append(int(rows[falls[0]]))
    count = len(trials.by_series)
    if odd and len(odd) + in_order >= IN_BLOCKS * count:
        trials.cell(column, odd[0]).refuse(
            f"the rows stand in another order than these numbers, stretch by stretch (so "
            f"in {len(odd)} of {count} series); if the rows stand as the trials were done, "
            f"say so ({row_order_option()}), and if the trials were done by their numbers, "
            f"too ({as_column('trial', column)})"
        )


def to_carry_on(name: str, trial: str) -> str:
    """Advice on how to carry the belief on over blocks that have no numbers."""
    return (
        f"to carry the belief on, number the blocks of {name!r} in every row as they "
        f"followed each other, or sort the rows by block and {trial!r}"
    )


def tenths(cells: Iterable[str]) -> set[str]:
    """Numbers like 1.10 among others like 1.2, which count to ten and are not 1.1."""
    end = {cell: cell.strip().partition(".")[2] for cell in cells}
    if len({len(text) for text in end.values() if text}) < 2:
        return set()
    return {c for c, text in end.items() if len(text) > 1 and text.endswith("0")}


def numbers_of(table: TaskTable, column: str) -> Float[np.ndarray, " rows"] | None:
    """The number of each row's block (`block-2` is 2, but `-2` is less than 1).

    None where there is none, or where two labels have one number (`A1`, `B1`).
    """
    numbers = {}
    for cell in set(table.columns[column]):
        number = to_number(cell)
        if number is None:
            found = re.fullmatch(r"\D*(\d+)", cell.strip())
            number = float(found.group(1) if found else _of_words(cell))
        if np.isnan(number):
            return None
        numbers[cell] = number
    if tenths(numbers) or len(set(numbers.values())) != len(numbers):
        return None
    return np.asarray([numbers[cell] for cell in table.columns[column]])


def _of_words(cell: str) -> float:
    """The number that a cell has in words: 2 for `second run`; NaN for none or two."""
    found = [NUMBERS[word] for word in words(cell) if word in NUMBERS]
    return found[0] if len(found) == 1 else np.nan


def _begins(
    cells: Sequence[str], trials: Sequence[float | None] | None, part: np.ndarray
) -> Float[np.ndarray, " rows"] | None:
    """The row at which each row's block begins; None where blocks do not stand together.

    They stand together where a label has one stretch of rows in each part, in which the
    numbers of `trials`, if any, rise.
    """
    first: dict[tuple[int, str], int] = {}
    found = np.zeros(len(cells))
    last: dict[int, int] = {}  # by part, the row before
    for i, key in enumerate(zip(part.tolist(), cells, strict=True)):
        before = last.get(key[0])
        if before is not None and cells[before] == key[1]:
            one, other = (trials[before], trials[i]) if trials else (0.0, 1.0)
            if one is None or other is None or not one < other:
                return None
        elif key in first:
            return None
        found[i] = first.setdefault(key, i)
        last[key[0]] = i
    return found
