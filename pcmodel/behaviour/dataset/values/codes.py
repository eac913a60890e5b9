"""Two-valued columns as 0 and 1: by a code that is known, or not at all."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.reading import Reading, same
from pcmodel.behaviour.dataset.tables.cells import to_flag, to_number
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import comparison, option
from pcmodel.behaviour.dataset.values.meanings import larger_of
from pcmodel.behaviour.dataset.values.missing import is_settled
from pcmodel.behaviour.dataset.values.near_numbers import why_no_number
from pcmodel.behaviour.dataset.values.suspects import CODES, NEGATIVE
from pcmodel.behaviour.dataset.values.third_level import refuse_third
from pcmodel.behaviour.dataset.violations import Violations


def told(cells: Iterable[str], found: np.ndarray) -> str:
    """Which cells count as 0 and which as 1, or as which option."""
    kinds: dict[float, dict[str, None]] = {}
    for cell, value in zip(cells, found.tolist(), strict=True):
        if np.isfinite(value):
            kinds.setdefault(value, {})[cell.strip()] = None
    return ", ".join(
        f"{', '.join(map(repr, list(kinds[value])[:4]))} is {value:g}"
        for value in sorted(kinds)
    )


def _written(value: float) -> str:
    """The number as short as it can be read back."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def is_coded(cells: Iterable[str], found: np.ndarray) -> bool:
    """Whether a cell is read as another number than it is."""
    pairs = set(zip(cells, found.tolist(), strict=True))
    return any(to_number(c) != value for c, value in pairs if np.isfinite(value))


def check_words(
    raw: RawTable,
    places: Mapping[str, str],
    values: Mapping[str, np.ndarray],
    reading: Reading,
    problems: Violations,
) -> None:
    """No word counts as 0 in one column of the task and as 1 in another."""
    first: dict[str, tuple[str, float]] = {}
    said: dict[str, dict[str, float]] = {}
    for name, found in values.items():
        cells = zip(raw.columns[places[name]], found.tolist(), strict=True)
        said[name] = {
            cell.strip(): value
            for cell, value in cells
            if np.isfinite(value) and to_number(cell) is None
        }
        for word, value in said[name].items():
            other, before = first.setdefault(word, (name, value))
            if before != value:
                told = _one_code({other: said[other], name: said[name]}, reading)
                problems.add(
                    f"{word!r} counts as {value:g} here and as {before:g} in the "
                    f"{other}; give both one code{told}",
                    file=raw.at(0, places[name])["file"],
                    column=places[name],
                )


def _one_code(said: Mapping[str, Mapping[str, float]], reading: Reading) -> str:
    """The option that gives two columns of the same two words the code of one of them."""
    one, other = said
    words = sorted(said[one], key=said[one].__getitem__)
    if len(words) != 2 or set(words) != set(said[other]) or "," in "".join(words):
        return ""
    ways = [
        code_of(free, *sorted(said[kept], key=said[kept].__getitem__))
        for free, kept in ((other, one), (one, other))
        if free not in reading.codes
    ]
    return f" ({' or '.join(ways)})" if ways else ""


def read_binary(
    raw: RawTable, name: str, place: str, reading: Reading, problems: Violations
) -> Float[np.ndarray, " rows"]:
    """0 and 1 as they are; of two other numbers the larger becomes 1.

    True and yes are 1; of other words the second of the codes in `reading`, or the one of
    the side-car's `Levels` that means so. A column in which 1 is the only value is refused: it may be the
    larger of 0 and 1 or the smaller of 1 and 2.
    """
    cells = [cell.strip() for cell in raw.columns[place]]
    codes = reading.codes.get(name) or _levels(raw, name, place, problems)
    if codes:
        return _by_codes(raw, name, place, cells, codes, problems)
    words = {cell: to_number(cell) for cell in set(cells)}
    if not any(n is not None and np.isfinite(n) for n in words.values()):
        flags = {cell: to_flag(cell) for cell in words}
        if None in flags.values():
            _refuse_words(raw, name, place, cells, problems)
            return np.full(raw.num_rows, np.nan)
        words = flags
    odd = [cell for cell, number in words.items() if number is None]
    if len(odd) > 1 and not any(map(why_no_number, odd)):
        _refuse_words(raw, name, place, cells, problems)  # f and j, and 0 of a button
        return np.full(raw.num_rows, np.nan)
    found = np.full(raw.num_rows, np.nan)
    for i, cell in enumerate(cells):
        number = words[cell]
        if number is None:
            said = why_no_number(cell) or _no_number(name, place, cell)
            problems.add(said, **raw.at(i, place), value=cell)
        else:
            found[i] = number
    return _as_binary(raw, name, place, found, reading, problems)


def _refuse_words(
    raw: RawTable, name: str, place: str, cells: Sequence[str], problems: Violations
) -> None:
    """Of words nothing says which counts as 0; and of three, which is none."""
    levels = rows_of(cells)
    if len(levels) > 2:
        refuse_third(raw, name, place, levels, problems, has_codes=True)
        return
    # Of one word alone, the other may have any name.
    others = [word for word in ("other", "another") if word not in levels]
    one, other = sorted([*levels, *others][:2])
    if larger_of({one: "", other: ""}) == one:
        one, other = other, one
    advice = f"say which word counts as 0 and which as 1{either_code(name, one, other)}"
    for word, rows in levels.items():
        why = why_no_number(word)
        said = (
            f"{why}, or {advice}"
            if why
            else f"is not a number, true or false; {advice}"
        )
        for i in rows:
            problems.add(said, **raw.at(i, place), value=word)


def rows_of(cells: Sequence[str]) -> dict[str, list[int]]:
    """The rows of each word; none of missing cells."""
    levels: dict[str, list[int]] = {}
    for i, cell in enumerate(cells):
        if not np.isnan(to_number(cell) or 0.0):
            levels.setdefault(cell, []).append(i)
    return levels


def _no_number(name: str, place: str, cell: str) -> str:
    return f"is not a number, nor n/a{if_missing(name, place, cell)}"


def if_missing(name: str, place: str, cell: str) -> str:
    """What to do with the cells of a word or number that is none of the two."""
    without = f"leave its rows out ({option(comparison(place, '!=', cell))})"
    if set(",=") & set(cell):
        return f"; correct it, or {without}"
    missing = pasted("missing", f"{name}={cell}")
    return f"; if it stands for no value, say so ({missing}), or {without}"


def _levels(
    raw: RawTable, name: str, place: str, problems: Violations
) -> tuple[str, ...]:
    """The two levels of a side-car, 0 first: by size, false before true, or by meaning.

    Words whose meaning says nothing are refused, and numbers whose size and meaning differ.
    """
    told = {
        level: text
        for level, text in raw.levels.get(place, {}).items()
        if not np.isnan(to_number(level) or 0.0)
    }
    if len(told) != 2:
        return ()
    one, other = told
    larger = larger_of(told)
    for read in (to_number, to_flag):
        numbers = [read(level) for level in told]
        if None in numbers:
            continue
        pair = tuple(sorted(told, key=lambda level: read(level) or 0.0))
        if larger not in (None, pair[1]):
            problems.add(
                f"{pair[1]!r} counts as 1 and {pair[0]!r} as 0, but by the side-car they "
                f"are {told[pair[1]]!r} and {told[pair[0]]!r}; say which counts as 0 and "
                f"which as 1{either_code(name, *reversed(pair))}",
                file=raw.at(0, place)["file"],
                column=place,
            )
        return pair
    if larger is None:
        problems.add(
            f"holds {one!r} and {other!r} by the side-car, whose order says nothing; say "
            f"which counts as 0 and which as 1{either_code(name, one, other)}",
            file=raw.at(0, place)["file"],
            column=place,
        )
        return (one, other)
    return (other, one) if larger == one else (one, other)


def code_of(name: str, zero: str, one: str) -> str:
    """The option that says which word counts as 0 and which as 1."""
    return pasted("codes", f"{listed(name)}={zero},{one}")


def either_code(name: str, one: str, other: str) -> str:
    """The options of both orders, in brackets; nothing where a list cannot hold a word."""
    if "," in one + other:
        return ", and write words without commas"
    return f" ({code_of(name, one, other)} or {code_of(name, other, one)})"


def _by_codes(
    raw: RawTable,
    name: str,
    place: str,
    cells: list[str],
    codes: tuple[str, ...],
    problems: Violations,
) -> Float[np.ndarray, " rows"]:
    value = {}
    for cell in set(cells):
        flags = [same(cell, code) for code in codes]
        missing = np.isnan(to_number(cell) or 0.0)
        value[cell] = float(flags.index(True)) if any(flags) else np.nan
        if not any(flags) and not missing:
            value[cell] = None
    found = np.full(raw.num_rows, np.nan)
    for i, cell in enumerate(cells):
        if value[cell] is None:
            problems.add(
                f"is neither {codes[0]!r} (0) nor {codes[1]!r} (1)"
                f"{if_missing(name, place, cell)}",
                **raw.at(i, place),
                value=cell,
            )
        else:
            found[i] = value[cell]
    return found


def _as_binary(
    raw: RawTable,
    name: str,
    place: str,
    found: np.ndarray,
    reading: Reading,
    problems: Violations,
) -> Float[np.ndarray, " rows"]:
    values = np.unique(found[np.isfinite(found)])
    where = {"file": raw.at(0, place)["file"], "column": place}
    if set(values) <= {0.0, 1.0} and set(values) != {1.0}:
        return found
    if len(values) == 1:
        below, only, above = (_written(values[0] + step) for step in (-1.0, 0.0, 1.0))
        problems.add(
            f"holds no value but {only}, which may be the larger of {below} and {only} or "
            f"the smaller of {only} and {above}; say which ({code_of(name, below, only)} "
            f"or {code_of(name, only, above)})",
            **where,
        )
        return found
    if len(values) != 2:
        levels = {_written(v): np.flatnonzero(found == v).tolist() for v in values}
        refuse_third(raw, name, place, levels, problems, has_codes=False)
        return found
    pair = set(values.tolist())
    is_known = is_settled(reading, name, place)
    doubtful = pair & (CODES | NEGATIVE) if pair != {-1.0, 1.0} else set()
    if (doubtful or pair == {0.0, 2.0}) and not is_known:
        low, high = map(_written, values)
        for i in np.flatnonzero(np.isin(found, list(doubtful or {0.0}))).tolist():
            cell = raw.columns[place][i].strip()
            problems.add(
                f"may stand for a missing value: the column holds {low} and {high} only; "
                f"say so ({pasted('missing', f'{name}={cell}')}), or say the code "
                f"({code_of(name, low, high)})",
                **raw.at(i, place),
                value=cell,
            )
    return np.where(np.isnan(found), np.nan, (found == values[1]).astype(float))
