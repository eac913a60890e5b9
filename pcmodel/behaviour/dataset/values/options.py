"""Options of a bandit as 1, 2 and so on: by a code, a side-car's `Levels`, or as words.

Which option has which number changes no estimate, so words are numbered by the alphabet and
`pcmodel check` prints the numbers. Words that may be no option are refused until the user
says what they are.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.naming import check_alike
from pcmodel.behaviour.dataset.naming import words as words_of
from pcmodel.behaviour.dataset.tables.cells import is_blank, to_number
from pcmodel.behaviour.dataset.tables.pasted import as_codes, as_missing, rows_without
from pcmodel.behaviour.dataset.task_table import TaskTable
from pcmodel.behaviour.dataset.values.codes import if_missing, read_listed, rows_of
from pcmodel.behaviour.dataset.values.meanings import NO_CHOICE
from pcmodel.behaviour.dataset.values.near_numbers import why_no_number

SIDES = {"left", "right", "l", "r", "top", "bottom", "up", "down"}
SHOWN = {
    *("stim", "stimulus", "option", "image", "img", "picture", "shape", "symbol"),
    *("cue", "color", "colour", "item", "card", "arm", "choice", "figure", "face"),
}
MOST = 12  # words that are options
RARE, LEAST_ROWS = (
    0.005,
    50,
)  # share and number of rows below which a word is a misspelling

Rows = Mapping[str, Sequence[int]]  # by level its rows


def read_options(table: TaskTable, name: str) -> Float[np.ndarray, " rows"] | None:
    """Options by number, NaN where missing; None where the cells are numbers already."""
    place = table.places[name]
    if codes := table.reading.codes.get(name) or _levels(table, place):
        return _read_listed(table, name, codes)
    rows = rows_of(table, place)
    numbers = {cell: to_number(cell) for cell in rows}
    is_numeric, words = None not in numbers.values(), sorted(rows, key=_by_number)
    if is_numeric and (0.0 not in numbers.values() or len(rows) > MOST):
        return None
    if is_numeric:
        _refuse_zero(table, name, rows)
    elif any(number is not None for number in numbers.values()):
        _refuse_mixed(table, name, rows, words)
    elif not 2 <= len(words) <= MOST:
        table.column(place).refuse(
            f"holds {len(words)} word{'s' if len(words) > 1 else ''}, such as "
            f"{words[0]!r}; list all options (--codes {name}=A,B,...)"
        )
    else:
        check_alike(table, place)
        _check_sides(table, name, words)
        _check_words(table, name, rows)
        return _read_listed(table, name, words)
    return np.full(table.raw.num_rows, np.nan)


def _read_listed(
    table: TaskTable, name: str, options: Sequence[str]
) -> Float[np.ndarray, " rows"]:
    meant = f"is none of the options {', '.join(options)}"
    return read_listed(table, name, options, 1, meant)


def check_options(
    table: TaskTable, name: str, found: np.ndarray, parts: np.ndarray
) -> None:
    """Refuse series or blocks (`parts`) that have no option in common.

    Where one has the options 1 and 2 and another 3 and 4, nobody could choose among four.
    """
    place = table.places[name]
    first: tuple[int, set[float]] | None = None
    for part in range(int(parts.max()) + 1 if np.isfinite(found).any() else 0):
        rows = np.flatnonzero((parts == part) & np.isfinite(found))
        own = set(found[rows].tolist())
        if len(own) < 2:
            continue
        first = first or (int(rows[0]), own)
        if own & first[1]:
            continue
        cells = {
            value: table.columns[place][i].strip() for i, value in enumerate(found)
        }
        here, there = (
            " and ".join(cells[value] for value in sorted(options))
            for options in (own, first[1])
        )
        every = [cells[v] for v in sorted(set(found[np.isfinite(found)]))]
        table.row(place, int(rows[0])).refuse(
            f"has the options {here} in one series or block and {there} in another, which "
            "would be one choice among all; write 1, 2 and so on for the options of each, "
            f"or, if all could be chosen, list them ({as_codes(name, every)})"
        )
        return


def _levels(table: TaskTable, place: str) -> tuple[str, ...]:
    """The options of a side-car's `Levels`, where they are not 1, 2 and so on."""
    meaning = table.raw.levels.get(place, {})
    numbers = [to_number(level) for level in meaning if not is_blank(level)]
    if all(n is not None and n >= 1.0 for n in numbers):
        return ()
    return tuple(
        level
        for level, text in meaning.items()
        if not NO_CHOICE.fullmatch(level)
        and not NO_CHOICE.fullmatch(text.strip() or level)
        and (to_number(level) or 0.0) >= 0.0
    )


def _by_number(word: str) -> tuple[str | int, ...]:
    """A key that sorts arm2 before arm10."""
    parts = re.split(r"(\d+)", word)
    return tuple(int(p) if i % 2 else p for i, p in enumerate(parts))


def _refuse_mixed(
    table: TaskTable, name: str, rows: Rows, words: Sequence[str]
) -> None:
    """Refuse words among numbers: they are most often no options."""
    place = table.places[name]
    every = f", or, if it is an option, list all ({as_codes(name, words)})"
    every = "" if "," in "".join(words) else every
    odd = [word for word in words if to_number(word) is None]
    are_numbers = all(map(why_no_number, odd))
    for word in odd if len(words) <= MOST or are_numbers else ():
        problem = why_no_number(word) or (
            "is not a number, as other options are"
            f"{if_missing(name, place, word)}{every}"
        )
        for i in rows[word]:
            table.cell(place, i).refuse(problem)
    if len(words) > MOST and not are_numbers:
        table.column(place).refuse(
            f"holds numbers and words; write options as 1, 2 and so on (or list all, "
            f"--codes {name}=A,B,...)"
        )


def _check_sides(table: TaskTable, name: str, words: Sequence[str]) -> None:
    """Refuse sides as options where another column says what was shown on one of them."""
    if not {word.lower() for word in words} <= SIDES:
        return
    for other, cells in table.columns.items():
        own = {word for word in words_of(other) if not word.isdecimal()}
        shown = {cell.strip() for cell in cells if not is_blank(cell)}
        if own & SIDES and own & SHOWN and len(shown) > 1:
            table.column(table.places[name]).refuse(
                f"holds sides, and {other!r} tells what stood there; name the column of "
                f"what was chosen (--columns {name}=COLUMN), or, if the sides are the "
                f"options, list them ({as_codes(name, words)})"
            )
            return


def _refuse_zero(table: TaskTable, name: str, rows: Rows) -> None:
    """Refuse 0, which is the first option or no choice; options are counted from 1."""
    every = as_codes(name, sorted(rows, key=lambda cell: to_number(cell) or 0.0))
    for cell, own in rows.items():
        for i in own if to_number(cell) == 0.0 else ():
            table.cell(table.places[name], i).refuse(
                "is the first option or none, and options are counted from 1: if it is "
                f"one, list all ({every}), and if no choice was made, say so "
                f"({as_missing(name, cell)})"
            )


def _check_words(table: TaskTable, name: str, rows: Rows) -> None:
    """Refuse words for a choice that was not made, and words so rare that they are misspelt."""
    place = table.places[name]
    count = sum(map(len, rows.values()))
    every = as_codes(name, sorted(rows))
    for word, own in rows.items():
        rare = len(rows) > 2 and count >= LEAST_ROWS and len(own) <= RARE * count + 1
        if not NO_CHOICE.fullmatch(word) and not rare:
            continue
        for i in own:
            table.cell(place, i).refuse(
                "is no option, it seems; if no choice was made, say so "
                f"({as_missing(name, word)}), or leave the rows out "
                f"({rows_without(place, word)}), or, if it is one, list all ({every})"
            )
