"""Cells that a person reads as a number and a computer does not: `0,5`, `10%`, `12 mg`.

Read as words they would silently turn a column of numbers into one of labels.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from pcmodel.behaviour.dataset.reading import same
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import (
    as_codes,
    as_missing,
    in_formula,
    rows_not_in,
)
from pcmodel.behaviour.dataset.task_table import TaskTable
from pcmodel.behaviour.dataset.values.suspects import CODES, NEGATIVE

UNITS = (
    *("ng", "ug", "μg", "mcg", "mg", "g", "kg", "mg/kg", "ug/kg", "μg/kg", "ml"),
    *("iu", "mmol", "nmol", "mm", "cm", "hz", "khz", "ms", "msec", "s", "sec"),
    *("secs", "second", "seconds", "min", "mins", "minute", "minutes", "h", "hr"),
    *("hrs", "hour", "hours", "day", "days", "week", "weeks", "month", "months"),
    *("y", "yr", "yrs", "year", "years", "y.o.", "yo", "points", "px", "pixel"),
    *("pixels", "deg", "degrees", "bpm", "mmhg"),
)
MOST_WORDS = 8  # that are listed in an option
MOST_LABELS = 12
LEAST_CODE = 77.0  # among labels: a 7 or 9 may be one
MINUS = dict.fromkeys(map(ord, "\u2212\u2013\u2012\ufe63"), "-")
AROUND = r"[<>≤≥~≈=±+\-()\[\]?*'€$£\s]*"
DIGITS = r"(?P<digits>\d[\d.,'\s]*|[.,]\d+)"
WRITTEN = re.compile(r"[+-]?(?:\d[\d.,'\s]*\d|[.,]\d+)")  # no unit, no sign of doubt
NEARLY = re.compile(
    rf"{AROUND}{DIGITS}(?P<power>e[+-]?\d*)?(?P<percent>\s*[%‰])?"
    rf"(?P<unit>\s*[a-zμ./]+)?{AROUND}"
)


def why_no_number(cell: str) -> str | None:
    """Why a cell that is nearly a number is none, and what to write; else None.

    >>> why_no_number("0,5"), why_no_number("left"), why_no_number("18-25")
    ('has a comma; write a point, or nothing between thousands', None, None)
    """
    if to_number(cell) is not None:
        return None
    text = unicodedata.normalize("NFKC", cell).strip().lower()
    plain = text.translate(MINUS)
    if to_number(plain) is not None and re.search(r"\d", plain):
        return "has a minus sign of print; write -, the hyphen, in its place"
    found = NEARLY.fullmatch(plain)
    if not found:
        return None
    unit = (found["unit"] or "").strip()
    if unit and unit not in UNITS:
        return None
    if unit:
        return f"has the unit {unit!r}; write the number alone"
    if found["percent"]:
        return "has a percent sign; write the number alone"
    if "," in found["digits"]:
        return "has a comma; write a point, or nothing between thousands"
    if re.search(r"\d\s+\d", found["digits"]):
        return "has a space among its digits; write them together"
    return "is nearly a number; write one"


def words_advice(place: str, cells: Sequence[str], kind: str = "a number") -> str:
    """The complaint about words in a column of numbers or flags, with advice.

    >>> words_advice("rt", ["late"])
    'is not a number, nor n/a; correct it, or say that it stands for a missing value (--missing rt=late)'
    """
    words = sorted({cell.strip() for cell in cells if not why_no_number(cell)})
    if not words or len(words) > MOST_WORDS or any("," in word for word in words):
        return f"is not {kind}, nor n/a (--missing names other words for it)"
    return (
        f"is not {kind}, nor n/a; correct it, or say that it stands for a missing value "
        f"({as_missing(place, *words)})"
    )


def check_numbers(table: TaskTable, name: str, column: str, *, settled: bool) -> None:
    """Refuse cells because of which a column of numbers would be read as labels.

    These are words among two numbers or more, and cells that are nearly numbers where no
    cell is a word: `placebo` beside `10 mg` and `20 mg` are labels. A mark is no label
    either, nor, unless that is `settled`, a usual code for a missing value.
    """
    cells = table.cells(column)
    numbers = {cell: to_number(cell) for cell in set(cells)}
    finite = {c for c, n in numbers.items() if n is not None and np.isfinite(n)}
    words = {c for c, n in numbers.items() if n is None or c.lower() == "none"}
    reasons = {cell: why_no_number(cell) for cell in words}
    # 21,5 is a number to whoever wrote it, and 12 mg may be a label.
    digits = {cell for cell in words if WRITTEN.fullmatch(cell)}
    mixed = len(finite | digits) > 1 and bool(words)
    if mixed or (words and all(reasons.values())):
        problems = {c: why or "is a word among numbers" for c, why in reasons.items()}
    else:
        problems = _marks(set(cells))
        problems |= {} if settled else _codes(column, finite, words - set(problems))
    out = set(problems) if finite else set(problems) - digits  # rows must be left
    is_more = mixed or len(finite | words) > len(problems) + 1
    advice = [*(without(column, out) if is_more else []), *as_labels(name, cells)]
    for i, cell in enumerate(cells):
        if cell in problems:
            table.cell(column, i).refuse(", or ".join([problems[cell], *advice]))


def _marks(cells: set[str]) -> dict[str, str]:
    """Marks among labels (`-`, `?`), which most often mean missing; + beside - is a label."""
    marks = {cell for cell in cells if cell and not re.search(r"\w", cell)}
    if len(marks) == len(cells):
        return {}
    return dict.fromkeys(marks, "is a mark among labels; write what it stands for")


def _codes(column: str, finite: set[str], words: set[str]) -> dict[str, str]:
    """The one number among labels, where it is a usual code for a missing value."""
    if len(finite) != 1 or not words:
        return {}
    (cell,) = finite
    if float(cell) not in CODES | NEGATIVE or 0.0 < float(cell) < LEAST_CODE:
        return {}
    advice = f"name it ({as_missing(column, cell)})"
    return {cell: f"looks like a code for a missing value; {advice}"}


def without(column: str, cells: Collection[str]) -> list[str]:
    """Advice to leave out the rows of these cells, if they are few and can be written."""
    if not cells or len(cells) > MOST_WORDS or any('"' in cell for cell in cells):
        return []
    return [f"leave its rows out ({rows_not_in(column, sorted(cells))})"]


def as_labels(name: str, cells: Sequence[str]) -> list[str]:
    """Advice to say that all cells are labels, if they are few."""
    labels: list[str] = []
    for cell in sorted(set(cells)):
        if not is_missing(cell) and not any(same(cell, label) for label in labels):
            labels.append(cell)
    if not 2 <= len(labels) <= MOST_LABELS or any("," in label for label in labels):
        return []
    return [f"if the column holds labels, list them all ({as_codes(name, labels)})"]


def listed_numbers(table: TaskTable, found: Mapping[str, np.ndarray]) -> list[str]:
    """Notes on conditions and traits read as numbers whose meanings a side-car lists."""
    return [
        f"{name}, taken for: numbers, though the side-car lists them ("
        + ", ".join(
            f"{x}: {text}" if text else x for x, text in list(levels.items())[:8]
        )
        + f"); C({in_formula(name)}) in the formula takes them for labels"
        for name, values in found.items()
        if values.dtype.kind == "f"
        and (levels := table.raw.levels.get(table.places[name]))
    ]
