"""Blocks of trials that are counted anew in each, and which of them was done first.

Numbers of blocks may be those of conditions, which half of the people did in the other
order. Where rows stand block by block in another order than the numbers, it is asked.
Blocks that have letters or words follow each other as their rows stand.
"""

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from pcmodel.behaviour.dataset.naming import words
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.violations import Violations

STANDING = "row"  # `--columns trial=row`: trials were done as the rows stand
# Words that number blocks as they followed each other, if all of a column's are such.
ONE, TWO = (
    "one two three four five six seven eight nine ten",
    "first second third fourth",
)
NUMBERS = {word: i for i, word in enumerate(ONE.split(), 1)}
NUMBERS |= {word: i for i, word in enumerate(TWO.split(), 1)}
NUMBERS |= {"pre": 1, "post": 2, "before": 1, "after": 2}
BLOCKS = {"block", "run", "list", "condition", "miniblock", "task"}
PLACES = {"order", "position", "pos", "sequence", "seq", "place", "rank"}
MANY = 10  # blocks, which a spreadsheet may have sorted as words: 1, 10, 2
LONG = 5.0  # rows of a stretch, on average, that is no chance
IN_BLOCKS = 0.5  # of the people at least, whose rows then stand so by no chance


def stands(raw: RawTable, given: Mapping[str, str]) -> bool:
    """Whether the user said that the rows stand as the trials were done."""
    return given.get("trial") == STANDING and STANDING not in raw.columns


def as_they_stand(given: str | None) -> str:
    """The option that says so, in place of the column of trials that was given."""
    instead = f" in place of trial={given}" if given else ""
    return pasted("columns", f"trial={STANDING}") + instead


def find_blocks(
    raw: RawTable,
    names: Sequence[str],
    series: np.ndarray,
    trial: str | None,
    given: str | None,
) -> dict[str, Float[np.ndarray, " rows"]]:
    """By column what orders the blocks: their numbers, else where their rows begin.

    Of the column that the user named, trials need not rise within a block.
    """
    found = {n: b for n in names if (b := numbers_of(raw, n)) is not None}
    part = parts_of(series, list(found.values()))
    for name in names:
        if name not in found and (name == given or trial is not None):
            cells = [cell.strip() for cell in raw.columns[name]]
            own = None
            if trial is not None and name != given:
                own = [to_number(cell) for cell in raw.columns[trial]]
            rank = _begins(cells, own, part)
            if rank is not None and not any(map(is_missing, cells)):
                found[name] = rank
    return found


def parts_of(
    series: np.ndarray, blocks: Sequence[np.ndarray]
) -> Int[np.ndarray, " rows"]:
    """The number of each row's series and blocks."""
    keys = np.stack([series, *blocks], axis=1)
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)


def check_blocks(
    raw: RawTable,
    name: str,
    block: np.ndarray,
    within: np.ndarray,
    series: np.ndarray,
    given: str | None,
    problems: Violations,
) -> None:
    """Rows that stand block by block stand in the order of the blocks' numbers.

    Rows that stand in no order, or sorted by the numbers as words, say nothing of it.
    `within` is the rank of each row's trial in its block; `given` the column of trials,
    where the user said it.
    """
    several = in_blocks = 0
    odd: list[int] = []  # the row at which a block of a lower number begins
    for own in range(int(series.max()) + 1):
        rows = np.flatnonzero(series == own)
        begins = np.flatnonzero(np.diff(block[rows])) + 1
        many = len(np.unique(block[rows]))
        several += many > 1
        follow = np.diff(within[rows]) > 0
        follow[begins - 1] = True
        if many < 2 or len(begins) + 1 != many or not follow.all():
            continue
        in_blocks += 1
        cells = [raw.columns[name][rows[i]].strip() for i in (0, *begins)]
        falls = begins[np.diff(block[rows])[begins - 1] < 0.0]
        if len(falls) and not (many >= MANY and cells == sorted(cells)):
            odd.append(int(rows[falls[0]]))
    if not odd or in_blocks < IN_BLOCKS * several:
        return
    first = raw.columns[name][odd[0]].strip()
    problems.add(
        f"the rows stand in another order of blocks than its numbers ({first} after a "
        f"higher number; so in {len(odd)} of {several} series); if the rows stand as the "
        f"trials were done, say so ({as_they_stand(given)}), if the blocks were done by their "
        f"numbers, too ({pasted('columns', f'block={listed(name)}')}), or let the belief "
        f"start afresh in each ({pasted('series', listed(name))})",
        **raw.at(odd[0], name),
        value=first,
    )


def check_positions(
    raw: RawTable,
    name: str,
    block: np.ndarray,
    series: np.ndarray,
    taken: Collection[str],
    problems: Violations,
) -> None:
    """No column such as `block_order` puts the blocks of a series into another order.

    One that is called `order` alone does, where it numbers each series' blocks from 1.
    """
    for other, cells in raw.columns.items():
        said = set(words(other))
        if other in taken or not ((said & PLACES and said & BLOCKS) or said <= PLACES):
            continue
        numbers = [to_number(cell) for cell in cells]
        if None in numbers or not np.isfinite(np.asarray(numbers, float)).all():
            continue
        place = np.asarray(numbers, float)
        pairs = np.unique(np.stack([series, block, place]), axis=1)
        inner = np.diff(pairs[0]) == 0
        once = np.all(np.diff(pairs[1])[inner] > 0.0)  # one place for each block
        from_one = all(
            sorted(pairs[2][pairs[0] == s]) == list(range(1, 1 + np.sum(pairs[0] == s)))
            for s in np.unique(pairs[0])
        )
        once = once and (bool(said & BLOCKS) or from_one)
        moved = np.flatnonzero(inner & (np.diff(pairs[2]) < 0.0))
        if not once or not len(moved):
            continue
        own, later = pairs[:, moved[0] + 1][[0, 1]]
        row = int(np.argmax((series == own) & (block == later)))
        problems.add(
            f"seems to be the order of the blocks, and {name!r} puts them into another; "
            f"say which does ({pasted('columns', f'block={listed(other)}')} or "
            f"{pasted('columns', f'block={listed(name)}')})",
            **raw.at(row, other),
        )
        return


def check_counts(
    raw: RawTable,
    name: str,
    block: np.ndarray,
    numbers: np.ndarray,
    series: np.ndarray,
    taken: Collection[str],
    problems: Violations,
) -> None:
    """No column counts the trials of a series over its blocks, and those in another order.

    It has every number once, block after block, and rises with each block's own `numbers`.
    """
    longest = int(np.bincount(series).max())
    for other, cells in raw.columns.items():
        if other in taken or len(set(cells)) < longest:
            continue
        number = {cell: to_number(cell) for cell in set(cells)}
        if None in number.values():
            continue
        values = np.asarray([number[cell] for cell in cells], float)
        order = np.lexsort((values, series))
        inner = np.diff(series[order]) == 0
        if not np.all(np.diff(values[order])[inner] == 1.0):
            continue
        anew = np.diff(block[order]) != 0.0
        rises = np.diff(numbers[order]) > 0.0
        begun = len(np.unique(np.stack([series, block]), axis=1).T)
        if not np.all(anew | rises | ~inner) or 1 + np.sum(anew | ~inner) != begun:
            continue
        falls = np.flatnonzero(inner & (np.diff(block[order]) < 0.0))
        if len(falls):
            problems.add(
                f"counts the trials over the blocks, and {name!r} puts those into another "
                f"order; say which does ({pasted('columns', f'trial={listed(other)}')} or "
                f"{pasted('columns', f'block={listed(name)}')})",
                **raw.at(int(order[falls[0] + 1]), other),
            )
            return


def check_together(
    raw: RawTable, name: str, series: np.ndarray, problems: Violations
) -> None:
    """Without numbers of trials, the rows of a block stand together.

    A table that was sorted by trials, whose column is gone, has a row of each block in turn.
    """
    cells = np.asarray([cell.strip() for cell in raw.columns[name]])
    several, odd = 0, list[int]()
    for own in range(int(series.max()) + 1):
        rows = np.flatnonzero(series == own)
        begins = np.flatnonzero(cells[rows][1:] != cells[rows][:-1]) + 1
        many = len(np.unique(cells[rows]))
        several += many > 1
        if many > 1 and len(rows) >= 2 * many and 2 * (len(begins) + 1) > len(rows):
            odd.append(int(rows[begins[0]]))
    if odd and len(odd) >= IN_BLOCKS * several:
        problems.add(
            "changes about with every row, so that no block's rows stand together; if the "
            f"rows stand as the trials were done, say so ({as_they_stand(None)}), or let the "
            f"belief start afresh in each ({pasted('series', listed(name))}), or sort the "
            "rows by block",
            **raw.at(odd[0], name),
            value=str(cells[odd[0]]),
        )


def check_stretches(
    raw: RawTable,
    column: str,
    numbers: np.ndarray,
    series: np.ndarray,
    problems: Violations,
) -> None:
    """Rows do not stand in stretches of trials, of which a later one has the lower numbers.

    So they do where conditions were numbered on, 1 to 20 and 21 to 40, and done in the other
    order. Numbers that lie among each other in the stretches are those of sorted rows.
    """
    odd: list[int] = []
    in_order = 0
    for own in range(int(series.max()) + 1):
        rows = np.flatnonzero(series == own)
        falls = np.flatnonzero(np.diff(numbers[rows]) < 0.0) + 1
        in_order += not len(falls)
        cells = [raw.columns[column][i].strip() for i in rows]
        if not len(falls) or len(rows) < LONG * (len(falls) + 1):
            continue
        parts = sorted(np.split(numbers[rows], falls), key=lambda part: part[0])
        apart = all(a[-1] < b[0] for a, b in itertools.pairwise(parts))
        if apart and cells != sorted(cells):
            odd.append(int(rows[falls[0]]))
    count = int(series.max()) + 1
    if odd and len(odd) + in_order >= IN_BLOCKS * count:
        cell = raw.columns[column][odd[0]].strip()
        problems.add(
            f"the rows stand in another order than these numbers, stretch by stretch (so "
            f"in {len(odd)} of {count} series); if the rows stand as the trials were done, "
            f"say so ({as_they_stand(None)}), and if the trials were done by their numbers, "
            f"too ({pasted('columns', f'trial={listed(column)}')})",
            **raw.at(odd[0], column),
            value=cell,
        )


def to_carry_on(name: str, trial: str) -> str:
    """Advice on how to carry the belief on over blocks that have no numbers."""
    return (
        f"to carry the belief on, number the blocks of {name!r} in every row as they "
        f"followed each other, or sort the rows by block and {trial!r}"
    )


def tenths(cells: Iterable[str]) -> set[str]:
    """Numbers like 1.10 among others like 1.2: the tenth of a part, and not 1.1."""
    end = {cell: cell.strip().partition(".")[2] for cell in cells}
    if len({len(text) for text in end.values() if text}) < 2:
        return set()
    return {c for c, text in end.items() if len(text) > 1 and text.endswith("0")}


def numbers_of(raw: RawTable, column: str) -> Float[np.ndarray, " rows"] | None:
    """The number of each row's block (`block-2` is 2, but `-2` is less than 1).

    None where there is none, or where two labels have one number (`A1`, `B1`).
    """
    numbers = {}
    for cell in set(raw.columns[column]):
        number = to_number(cell)
        if number is None:
            found = re.fullmatch(r"\D*(\d+)", cell.strip())
            number = float(found.group(1) if found else _of_words(cell))
        if np.isnan(number):
            return None
        numbers[cell] = number
    if tenths(numbers) or len(set(numbers.values())) != len(numbers):
        return None
    return np.asarray([numbers[cell] for cell in raw.columns[column]])


def _of_words(cell: str) -> float:
    """The number that the words of a cell say: `second run` is 2; NaN for none or two."""
    found = [NUMBERS[word] for word in words(cell) if word in NUMBERS]
    return found[0] if len(found) == 1 else np.nan


def _begins(
    cells: Sequence[str], trials: Sequence[float | None] | None, part: np.ndarray
) -> Float[np.ndarray, " rows"] | None:
    """The row at which each row's block begins; None where blocks do not stand together.

    They do where a label has one stretch of rows in each part, `trials` rising in it.
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
