"""Two-valued columns as 0 and 1: by a code that is known, or not at all."""

from collections.abc import Iterable, Mapping
from shlex import quote

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.reading import Reading, same
from pcmodel.behaviour.dataset.tables.cells import to_flag, to_number
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.values.meanings import larger_of
from pcmodel.behaviour.dataset.values.missing import is_settled
from pcmodel.behaviour.dataset.values.near_numbers import why_no_number, words_advice
from pcmodel.behaviour.dataset.values.suspects import CODES, NEGATIVE
from pcmodel.behaviour.dataset.violations import Violations


def told(cells: Iterable[str], found: np.ndarray) -> str:
    """Which cells count as 0 and which as 1."""
    kinds: dict[float, dict[str, None]] = {0.0: {}, 1.0: {}}
    for cell, value in zip(cells, found.tolist(), strict=True):
        if value in kinds:
            kinds[value][cell.strip()] = None
    said = [
        f"{', '.join(map(repr, list(words)[:4]))} is {value:g}"
        for value, words in kinds.items()
        if words
    ]
    return ", ".join(said)


def check_words(
    raw: RawTable,
    places: Mapping[str, str],
    values: Mapping[str, np.ndarray],
    problems: Violations,
) -> None:
    """No word counts as 0 in one column of the task and as 1 in another."""
    first: dict[str, tuple[str, float]] = {}
    for name, found in values.items():
        said: dict[str, float] = {}
        for cell, value in zip(raw.columns[places[name]], found.tolist(), strict=True):
            if np.isfinite(value) and to_number(cell) is None:
                said[cell.strip()] = value
        for word, value in said.items():
            other, before = first.setdefault(word, (name, value))
            if before != value:
                problems.add(
                    f"{word!r} counts as {value:g} here and as {before:g} in the "
                    f"{other}; give both one code (--codes {other}=A,B --codes "
                    f"{name}=A,B)",
                    file=raw.at(0, places[name])["file"],
                    column=places[name],
                )


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
        return _by_codes(raw, place, cells, codes, problems)
    words = {cell: to_number(cell) for cell in set(cells)}
    if not any(n is not None and np.isfinite(n) for n in words.values()):
        words = {cell: to_flag(cell) for cell in words}
        advice = (
            "is not a number, true or false; say which word counts as 0 and which as 1 "
            f"(--codes {name}=WORD0,WORD1)"
        )
    else:
        advice = words_advice(place, [c for c, n in words.items() if n is None])
    found = np.full(raw.num_rows, np.nan)
    for i, cell in enumerate(cells):
        number = words[cell]
        if number is None:
            said = why_no_number(cell) or advice
            problems.add(said, **raw.at(i, place), value=raw.columns[place][i])
        else:
            found[i] = number
    return _as_binary(raw, name, place, found, reading, problems)


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
                f"which as 1 ({_codes(name, *reversed(pair))} or {_codes(name, *pair)})",
                file=raw.at(0, place)["file"],
                column=place,
            )
        return pair
    if larger is None:
        problems.add(
            f"holds {one!r} and {other!r} by the side-car, whose order says nothing; say "
            f"which counts as 0 and which as 1 ({_codes(name, one, other)} or "
            f"{_codes(name, other, one)})",
            file=raw.at(0, place)["file"],
            column=place,
        )
        return (one, other)
    return (other, one) if larger == one else (one, other)


def _codes(name: str, zero: str, one: str) -> str:
    """The option as it can be pasted into a shell."""
    return f"--codes {quote(f'{name}={zero},{one}')}"


def _by_codes(
    raw: RawTable,
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
                f"is neither {codes[0]!r} (0) nor {codes[1]!r} (1)",
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
    if set(values) == {1.0}:
        problems.add(
            "holds no value but 1, which is the larger of 0 and 1 or the smaller of 1 "
            f"and 2; say which (--codes {name}=0,1 or --codes {name}=1,2)",
            **where,
        )
        return found
    if set(values) <= {0.0, 1.0}:
        return found
    if len(values) != 2:
        shown = ", ".join(f"{v:g}" for v in values[:8])
        problem = (
            f"holds {len(values)} values ({shown}{', ...' if len(values) > 8 else ''}); "
            f"a binary column holds two, or 0 and 1 (--missing {name}=CODE names codes of "
            f"missing values, --codes {name}=A,B what counts as 0 and 1)"
        )
        for i in np.flatnonzero(_is_odd(found, values)).tolist():
            cell = raw.columns[place][i].strip()
            problems.add(problem, **raw.at(i, place), value=cell)
        return found
    pair = set(values.tolist())
    is_known = is_settled(reading, name, place)
    doubtful = pair & (CODES | NEGATIVE) if pair != {-1.0, 1.0} else set()
    if (doubtful or pair == {0.0, 2.0}) and not is_known:
        low, high = (f"{value:g}" for value in values)
        problem = (
            f"may stand for a missing value: the column holds {low} and {high} only; "
            f"say so (--missing {name}=CODE), or say the code (--codes {name}={low},{high})"
        )
        for i in np.flatnonzero(np.isin(found, list(doubtful or {0.0}))).tolist():
            cell = raw.columns[place][i].strip()
            problems.add(problem, **raw.at(i, place), value=cell)
    return np.where(np.isnan(found), np.nan, (found == values[1]).astype(float))


def _is_odd(found: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Where a value is neither 0 nor 1, or, without them, none of the two commonest."""
    usual = {0.0, 1.0}
    if not usual <= set(values):
        counts = sorted(values, key=lambda v: -int((found == v).sum()))
        usual = set(counts[:2]) if len(values) > 2 else set()
    return np.isfinite(found) & ~np.isin(found, list(usual))
