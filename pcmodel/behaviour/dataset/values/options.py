"""Options of a bandit as 1, 2 and so on: by a code, a side-car's `Levels`, or as words.

Which option has which number changes no estimate, so words are numbered by the alphabet and
`pcmodel check` prints which is which. What may be no option is asked about.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.naming import check_alike
from pcmodel.behaviour.dataset.naming import words as words_of
from pcmodel.behaviour.dataset.reading import Reading, same
from pcmodel.behaviour.dataset.tables.cells import to_number
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import comparison, option
from pcmodel.behaviour.dataset.values.codes import if_missing, rows_of
from pcmodel.behaviour.dataset.values.meanings import NO_CHOICE
from pcmodel.behaviour.dataset.values.near_numbers import why_no_number
from pcmodel.behaviour.dataset.violations import Violations

SIDES = {"left", "right", "l", "r", "top", "bottom", "up", "down"}
SHOWN = {
    *(
        "stim",
        "stimulus",
        "option",
        "image",
        "img",
        "picture",
        "shape",
        "symbol",
        "cue",
    ),
    *("color", "colour", "item", "card", "arm", "choice", "figure", "face"),
}
MOST = 12  # words that are options
RARE, LEAST_ROWS = 0.005, 50  # of the choices: a slip of the pen


def read_options(
    raw: RawTable, name: str, place: str, reading: Reading, problems: Violations
) -> Float[np.ndarray, " rows"] | None:
    """Options by number, NaN where missing; None where the cells are numbers already."""
    cells = [cell.strip() for cell in raw.columns[place]]
    if codes := reading.codes.get(name) or _levels(raw, place):
        return _by_list(raw, name, place, cells, codes, problems)
    rows = rows_of(cells)
    numbers = {cell: to_number(cell) for cell in rows}
    if 0.0 in numbers.values() and None not in numbers.values() and len(rows) <= MOST:
        _refuse_nought(raw, name, place, rows, problems)
        return np.full(raw.num_rows, np.nan)
    if not rows or None not in numbers.values():
        return None
    words = sorted(rows, key=_by_number)
    if any(number is not None for number in numbers.values()):
        _refuse_mixed(raw, name, place, rows, words, problems)
        return np.full(raw.num_rows, np.nan)
    if len(words) < 2 or len(words) > MOST:
        problems.add(
            f"holds {len(words)} word{'s' if len(words) > 1 else ''}, such as "
            f"{words[0]!r}; list all options (--codes {name}=A,B,...)",
            file=raw.at(0, place)["file"],
            column=place,
        )
        return np.full(raw.num_rows, np.nan)
    check_alike(raw, place, problems)
    _check_sides(raw, name, place, words, problems)
    _check_words(raw, name, place, rows, problems)
    return _by_list(raw, name, place, cells, tuple(words), problems)


def check_options(
    raw: RawTable,
    name: str,
    place: str,
    found: np.ndarray,
    parts: np.ndarray,
    problems: Violations,
) -> None:
    """All series and blocks are of the same options, or of some in common.

    Where one had the options 1 and 2 and another 3 and 4, nobody could choose among four.
    """
    first: tuple[int, set[float]] | None = None
    for part in range(int(parts.max()) + 1 if np.isfinite(found).any() else 0):
        rows = np.flatnonzero((parts == part) & np.isfinite(found))
        own = set(found[rows].tolist())
        if len(own) < 2:
            continue
        first = first or (int(rows[0]), own)
        if own & first[1]:
            continue
        cells = {value: raw.columns[place][i].strip() for i, value in enumerate(found)}
        here, there = (
            " and ".join(cells[value] for value in sorted(options))
            for options in (own, first[1])
        )
        every = [cells[v] for v in sorted(set(found[np.isfinite(found)]))]
        problems.add(
            f"has the options {here} in one series or block and {there} in another, which "
            "would be one choice among all; write 1, 2 and so on for the options of each, "
            f"or, if all could be chosen, list them ({list_of(name, every)})",
            **raw.at(int(rows[0]), place),
        )
        return


def list_of(name: str, options: Sequence[str]) -> str:
    """The option of the command line that lists all options of a choice."""
    return pasted("codes", f"{listed(name)}={','.join(options)}")


def _levels(raw: RawTable, place: str) -> tuple[str, ...]:
    """The options of a side-car's `Levels`, where they are not 1, 2 and so on."""
    told = raw.levels.get(place, {})
    numbers = [to_number(level) for level in told]
    if all(n is not None and n >= 1.0 for n in numbers if n is None or n == n):
        return ()
    return tuple(
        level
        for level, text in told.items()
        if not NO_CHOICE.fullmatch(level)
        and not NO_CHOICE.fullmatch(text.strip() or level)
        and (to_number(level) or 0.0) >= 0.0
    )


def _by_number(word: str) -> tuple[str | int, ...]:
    """arm2 before arm10."""
    parts = re.split(r"(\d+)", word)
    return tuple(int(p) if i % 2 else p for i, p in enumerate(parts))


def _refuse_mixed(
    raw: RawTable,
    name: str,
    place: str,
    rows: Mapping[str, Sequence[int]],
    words: Sequence[str],
    problems: Violations,
) -> None:
    """A word among numbers of options is most often none."""
    every = f", or, if it is an option, list all ({list_of(name, words)})"
    every = "" if "," in "".join(words) else every
    odd = [word for word in words if to_number(word) is None]
    for word in odd if len(words) <= MOST or all(map(why_no_number, odd)) else ():
        said = f"is not a number, as other options are{if_missing(name, place, word)}{every}"
        for i in rows[word]:
            problems.add(why_no_number(word) or said, **raw.at(i, place), value=word)
    if len(words) > MOST and not all(map(why_no_number, odd)):
        problems.add(
            f"holds numbers and words; write options as 1, 2 and so on (or list all, "
            f"--codes {name}=A,B,...)",
            file=raw.at(0, place)["file"],
            column=place,
        )


def _check_sides(
    raw: RawTable, name: str, place: str, words: Sequence[str], problems: Violations
) -> None:
    """Sides are no options where another column tells what stood on one of them."""
    sides = {word.lower() for word in words}
    if not sides <= SIDES:
        return
    for other, cells in raw.columns.items():
        said = {word for word in words_of(other) if not word.isdecimal()}
        shown = {cell.strip() for cell in cells if to_number(cell) == to_number(cell)}
        if said & SIDES and said & SHOWN and len(shown) > 1:
            problems.add(
                f"holds sides, and {other!r} tells what stood there; name the column of "
                f"what was chosen (--columns {name}=COLUMN), or, if the sides are the "
                f"options, list them ({list_of(name, words)})",
                file=raw.at(0, place)["file"],
                column=place,
            )
            return


def _refuse_nought(
    raw: RawTable,
    name: str,
    place: str,
    rows: Mapping[str, Sequence[int]],
    problems: Violations,
) -> None:
    """0 is the first option, or no choice at all; options are counted from 1."""
    every = list_of(name, sorted(rows, key=lambda cell: to_number(cell) or 0.0))
    for cell, own in rows.items():
        for i in own if to_number(cell) == 0.0 else ():
            problems.add(
                "is the first option or none, and options are counted from 1: if it is "
                f"one, list all ({every}), and if no choice was made, say so "
                f"({pasted('missing', f'{name}={cell}')})",
                **raw.at(i, place),
                value=cell,
            )


def _check_words(
    raw: RawTable,
    name: str,
    place: str,
    rows: Mapping[str, Sequence[int]],
    problems: Violations,
) -> None:
    """No word stands for a choice that was not made, or is another's slip."""
    count = sum(map(len, rows.values()))
    every = list_of(name, sorted(rows))
    for word, own in rows.items():
        rare = len(rows) > 2 and count >= LEAST_ROWS and len(own) <= RARE * count + 1
        if not NO_CHOICE.fullmatch(word) and not rare:
            continue
        missing = pasted("missing", f"{name}={word}")
        without = option(comparison(place, "!=", word))
        for i in own:
            problems.add(
                f"is no option, it seems; if no choice was made, say so ({missing}), or "
                f"leave the rows out ({without}), or, if it is one, list all ({every})",
                **raw.at(i, place),
                value=word,
            )


def _by_list(
    raw: RawTable,
    name: str,
    place: str,
    cells: Sequence[str],
    codes: Sequence[str],
    problems: Violations,
) -> Float[np.ndarray, " rows"]:
    number: dict[str, float | None] = {}
    for cell in set(cells):
        places = [i for i, code in enumerate(codes, 1) if same(cell, code)]
        number[cell] = float(places[0]) if places else None
        if not places and np.isnan(to_number(cell) or 0.0):
            number[cell] = np.nan
    found = np.full(raw.num_rows, np.nan)
    for i, cell in enumerate(cells):
        value = number[cell]
        if value is None:
            problems.add(
                f"is none of the options {', '.join(codes)}"
                f"{if_missing(name, place, cell)}",
                **raw.at(i, place),
                value=cell,
            )
        else:
            found[i] = value
    return found
