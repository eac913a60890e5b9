"""Cells that say a number to a reader and none to a computer: `0,5`, `10%`, `>89`, `12 mg`.

Read as words they would silently turn a column of numbers into one of labels.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

from pcmodel.behaviour.dataset.tables.cells import to_number
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.violations import Violations

UNITS = (
    *("ng", "ug", "μg", "mcg", "mg", "g", "kg", "mg/kg", "ug/kg", "μg/kg", "ml"),
    *("iu", "mmol", "nmol", "mm", "cm", "hz", "khz", "ms", "msec", "s", "sec"),
    *("secs", "second", "seconds", "min", "mins", "minute", "minutes", "h", "hr"),
    *("hrs", "hour", "hours", "day", "days", "week", "weeks", "month", "months"),
    *("y", "yr", "yrs", "year", "years", "y.o.", "yo", "points"),
)
MINUS = dict.fromkeys(map(ord, "\u2212\u2013\u2012\ufe63"), "-")
AROUND = r"[<>≤≥~≈=±+\-()\[\]?*'€$£\s]*"
DIGITS = r"(?P<digits>\d[\d.,'\s]*|[.,]\d+)"
NEARLY = re.compile(
    rf"{AROUND}{DIGITS}(?P<power>e[+-]?\d*)?(?P<percent>\s*[%‰])?"
    rf"(?P<unit>\s*[a-zμ./]+)?{AROUND}"
)


def why_no_number(cell: str) -> str | None:
    """What keeps a cell from being a number, and what to write; None for a word or a number.

    >>> why_no_number("0,5"), why_no_number("left"), why_no_number("18-25")
    ('has a comma; write a point, or nothing between thousands', None, None)
    """
    if to_number(cell) is not None:
        return None
    text = unicodedata.normalize("NFKC", cell).strip().lower()
    plain = text.translate(MINUS)
    if to_number(plain) is not None and re.search(r"\d", plain):
        return "has a minus sign of print; write -"
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
    return "is nearly a number; write one"


def check_numbers(
    raw: RawTable,
    column: str,
    cells: Sequence[str],
    numbers: Mapping[str, float | None],
    problems: Violations,
) -> None:
    """No column of numbers turns into labels because of some cells.

    Refused are words among two numbers or more, and cells that are nearly numbers where
    no cell is a word: `placebo` beside `10 mg` and `20 mg` are labels.
    """
    finite = {c for c, n in numbers.items() if n is not None and np.isfinite(n)}
    words = {c for c, n in numbers.items() if n is None or c.lower() == "none"}
    reasons = {cell: why_no_number(cell) for cell in words}
    mixed = len(finite) > 1 and bool(words)
    if not mixed:
        _check_marks(raw, column, cells, problems)
    if not mixed and not (words and all(reasons.values())):
        return
    advice = (
        "leave its rows out (--where), or, if the column holds labels, list them all "
        f"(--codes {column}=A,B,...)"
    )
    for i, cell in enumerate(cells):
        if cell in words:
            why = reasons[cell] or "is a word among numbers; write numbers only"
            problems.add(f"{why}, {advice}", **raw.at(i, column), value=cell)


def _check_marks(
    raw: RawTable, column: str, cells: Sequence[str], problems: Violations
) -> None:
    """A mark among labels (`-`, `?`) most often stands for nothing known; + and - are labels."""
    marks = {cell for cell in set(cells) if cell and not re.search(r"\w", cell)}
    if len(marks) == len(set(cells)):
        return
    for i, cell in enumerate(cells):
        if cell in marks:
            problems.add(
                "is a mark among labels; write n/a and leave its rows out (--where), or, "
                f"if it is a label, list them all (--codes {column}=A,B,...)",
                **raw.at(i, column),
                value=cell,
            )


def listed_numbers(
    raw: RawTable, places: Mapping[str, str], found: Mapping[str, np.ndarray]
) -> list[str]:
    """Notes on numbers of which a side-car lists what each means: they may be labels."""
    return [
        f"{name}, taken for: numbers, though the side-car lists them ("
        + ", ".join(
            f"{x}: {text}" if text else x for x, text in list(levels.items())[:8]
        )
        + f"); C({name}) in the formula takes them for labels"
        for name, values in found.items()
        if values.dtype.kind == "f" and (levels := raw.levels.get(places[name]))
    ]
