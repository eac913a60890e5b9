"""Columns of two values as 0 and 1, by a known code; unknown codes are refused."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.reading import Reading, same
from pcmodel.behaviour.dataset.tables.cells import is_blank, to_flag, to_number
from pcmodel.behaviour.dataset.tables.pasted import as_codes, as_missing, rows_without
from pcmodel.behaviour.dataset.task_table import TaskTable
from pcmodel.behaviour.dataset.values.meanings import larger_of
from pcmodel.behaviour.dataset.values.missing import is_settled
from pcmodel.behaviour.dataset.values.near_numbers import why_no_number
from pcmodel.behaviour.dataset.values.suspects import CODES, NEGATIVE
from pcmodel.behaviour.dataset.values.third_level import refuse_third


def code_used(cells: Iterable[str], found: np.ndarray) -> str:
    """Which cells count as 0 and which as 1, or as which option."""
    kinds: dict[float, dict[str, None]] = {}
    for cell, value in zip(cells, found.tolist(), strict=True):
        if np.isfinite(value):
            kinds.setdefault(value, {})[cell.strip()] = None
    return ", ".join(
        f"{', '.join(map(repr, list(kinds[value])[:4]))} is {value:g}"
        for value in sorted(kinds)
    )


def is_coded(cells: Iterable[str], found: np.ndarray) -> bool:
    """Whether some cell is read as another number than the one written in it."""
    pairs = set(zip(cells, found.tolist(), strict=True))
    return any(to_number(c) != value for c, value in pairs if np.isfinite(value))


def check_words(table: TaskTable, values: Mapping[str, np.ndarray]) -> None:
    """Refuse a word that counts as 0 in one column of the task and as 1 in another."""
    first: dict[str, tuple[str, float]] = {}
    codes: dict[str, dict[str, float]] = {}
    for name, found in values.items():
        cells = zip(table.cells(table.places[name]), found.tolist(), strict=True)
        codes[name] = {
            cell: value
            for cell, value in cells
            if np.isfinite(value) and to_number(cell) is None
        }
        for word, value in codes[name].items():
            other, before = first.setdefault(word, (name, value))
            if before != value:
                both = {other: codes[other], name: codes[name]}
                table.column(table.places[name]).refuse(
                    f"{word!r} counts as {value:g} here and as {before:g} in the "
                    f"{other}; give both one code{_one_code(both, table.reading)}"
                )


def _one_code(codes: Mapping[str, Mapping[str, float]], reading: Reading) -> str:
    """The option that gives two columns of the same two words the code of one of them."""
    one, other = codes
    words = {name: sorted(own, key=own.__getitem__) for name, own in codes.items()}
    two = set(codes[one])
    if len(two) != 2 or two != set(codes[other]) or "," in "".join(two):
        return ""
    ways = [
        as_codes(free, words[fixed])
        for free, fixed in ((other, one), (one, other))
        if free not in reading.codes
    ]
    return f" ({' or '.join(ways)})" if ways else ""


def read_binary(table: TaskTable, name: str) -> Float[np.ndarray, " rows"]:
    """0 and 1 as they are; of two other numbers the larger becomes 1; NaN where missing.

    True and yes are 1; of other words the second of the codes in `reading`, or the one that
    means so by the side-car's `Levels`. A column in which 1 is the only value is refused:
    it may be the larger of 0 and 1 or the smaller of 1 and 2.
    """
    place = table.places[name]
    cells = set(table.cells(place))
    if codes := table.reading.codes.get(name) or _levels(table, name):
        meant = f"is neither {codes[0]!r} (0) nor {codes[1]!r} (1)"
        return read_listed(table, name, codes, 0, meant)
    numbers = {cell: to_number(cell) for cell in cells}
    if not any(n is not None and np.isfinite(n) for n in numbers.values()):
        numbers = {cell: to_flag(cell) for cell in cells}
        is_words = None in numbers.values()
    else:  # f and j, and 0 of a button
        odd = [cell for cell, number in numbers.items() if number is None]
        is_words = len(odd) > 1 and not any(map(why_no_number, odd))
    if is_words:
        _refuse_words(table, name)
        return np.full(table.raw.num_rows, np.nan)
    problems = {
        cell: why_no_number(cell)
        or f"is not a number, nor n/a{if_missing(name, place, cell)}"
        for cell, number in numbers.items()
        if number is None
    }
    known = {cell: number for cell, number in numbers.items() if number is not None}
    return _as_binary(table, name, table.read(place, known, problems))


def read_listed(
    table: TaskTable, name: str, labels: Sequence[str], start: int, problem: str
) -> Float[np.ndarray, " rows"]:
    """The number of each row's label, counted from `start`; others are refused as a `problem`."""
    place = table.places[name]
    numbers, problems = {}, {}
    for cell in set(table.cells(place)):
        ranks = [i for i, label in enumerate(labels, start) if same(cell, label)]
        if ranks or is_blank(cell):
            numbers[cell] = float(ranks[0]) if ranks else np.nan
        else:
            problems[cell] = f"{problem}{if_missing(name, place, cell)}"
    return table.read(place, numbers, problems)


def _refuse_words(table: TaskTable, name: str) -> None:
    """Ask which of two words counts as 0; of three or more, which is not one of the two."""
    place = table.places[name]
    levels = rows_of(table, place)
    if len(levels) > 2:
        refuse_third(table, name, levels, has_codes=True)
        return
    # Of one word alone, the other may have any name.
    others = [word for word in ("other", "another") if word not in levels]
    one, other = sorted([*levels, *others][:2])
    if larger_of({one: "", other: ""}) == one:
        one, other = other, one
    advice = f"say which word counts as 0 and which as 1{either_code(name, one, other)}"
    for word, rows in levels.items():
        why = why_no_number(word)
        problem = f"{why}, or" if why else "is not a number, true or false;"
        for i in rows:
            table.cell(place, i).refuse(f"{problem} {advice}")


def rows_of(table: TaskTable, column: str) -> dict[str, list[int]]:
    """The rows of each level of a column; missing cells are left out."""
    levels: dict[str, list[int]] = {}
    for i, cell in enumerate(table.cells(column)):
        if not is_blank(cell):
            levels.setdefault(cell, []).append(i)
    return levels


def if_missing(name: str, place: str, cell: str) -> str:
    """Advice on the cells of a word or number that is none of the expected ones."""
    without = f"leave its rows out ({rows_without(place, cell)})"
    if set(",=") & set(cell):
        return f"; correct it, or {without}"
    return (
        f"; if it stands for no value, say so ({as_missing(name, cell)}), or {without}"
    )


def _levels(table: TaskTable, name: str) -> tuple[str, ...]:
    """The two levels of a side-car, 0 first: by size, false before true, or by meaning.

    Words whose meaning is not known are refused, and numbers whose size and meaning differ.
    """
    place = table.places[name]
    meaning = {
        level: text
        for level, text in table.raw.levels.get(place, {}).items()
        if not is_blank(level)
    }
    if len(meaning) != 2:
        return ()
    one, other = meaning
    larger = larger_of(meaning)
    for read in (to_number, to_flag):
        if None in map(read, meaning):
            continue
        low, high = sorted(meaning, key=lambda level: read(level) or 0.0)
        if larger not in (None, high):
            table.column(place).refuse(
                f"{high!r} counts as 1 and {low!r} as 0, but by the side-car they "
                f"are {meaning[high]!r} and {meaning[low]!r}; say which counts as 0 and "
                f"which as 1{either_code(name, high, low)}"
            )
        return (low, high)
    if larger is None:
        table.column(place).refuse(
            f"holds {one!r} and {other!r} by the side-car, whose order says nothing; say "
            f"which counts as 0 and which as 1{either_code(name, one, other)}"
        )
    return (other, one) if larger == one else (one, other)


def either_code(name: str, one: str, other: str) -> str:
    """Both codes of two words as options in brackets; other advice where a word has a comma."""
    if "," in one + other:
        return ", and write words without commas"
    return f" ({as_codes(name, (one, other))} or {as_codes(name, (other, one))})"


def _as_binary(
    table: TaskTable, name: str, found: np.ndarray
) -> Float[np.ndarray, " rows"]:
    """0 for the smaller and 1 for the larger of two numbers; other columns are refused."""
    place = table.places[name]
    values = np.unique(found[np.isfinite(found)])
    if set(values) <= {0.0, 1.0} and set(values) != {1.0}:
        return found
    if len(values) == 1:
        below, only, above = (_written(values[0] + step) for step in (-1.0, 0.0, 1.0))
        table.column(place).refuse(
            f"holds no value but {only}, which may be the larger of {below} and {only} or "
            f"the smaller of {only} and {above}; say which ({as_codes(name, (below, only))} "
            f"or {as_codes(name, (only, above))})"
        )
        return found
    if len(values) != 2:
        levels = {_written(v): np.flatnonzero(found == v).tolist() for v in values}
        refuse_third(table, name, levels, has_codes=False)
        return found
    pair = set(values.tolist())
    doubtful = pair & (CODES | NEGATIVE) if pair != {-1.0, 1.0} else set()
    if pair == {0.0, 2.0}:
        doubtful = doubtful or {0.0}
    if doubtful and not is_settled(table.reading, name, place):
        low, high = map(_written, values)
        for i in np.flatnonzero(np.isin(found, list(doubtful))).tolist():
            cell = table.columns[place][i].strip()
            table.cell(place, i).refuse(
                f"may stand for a missing value: the column holds {low} and {high} only; "
                f"say so ({as_missing(name, cell)}), or say the code "
                f"({as_codes(name, (low, high))})"
            )
    return np.where(np.isnan(found), np.nan, (found == values[1]).astype(float))


def _written(value: float) -> str:
    """The number in the shortest form from which it can be read back."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))
