"""Reading cells of a table: numbers, flags, labels and missing values."""

import math
import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

MISSING = {"", "n/a", "na", "n.a.", "nan", "-nan", "null", "<na>", "#n/a"}
COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
TRUE = {"1", "1.0", "true", "t", "yes", "y"}
FALSE = {"0", "0.0", "false", "f", "no", "n"}


def is_missing(cell: str) -> bool:
    """Whether a cell is empty, n/a (as BIDS writes it), NaN, NA or null.

    `none` is a label ("no drug"), and missing only where a number is read.

    >>> is_missing(" N/A "), is_missing("0")
    (True, False)
    """
    return cell.strip().lower() in MISSING


def is_blank(cell: str) -> bool:
    """Whether a cell is missing where a number or an option is read: `none` is, too."""
    return is_missing(cell) or cell.strip().lower() == "none"


def to_number(cell: str) -> float | None:
    """The number, NaN where missing, None for anything else (infinities included)."""
    if is_blank(cell):
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return None
    if "_" in cell:  # Python reads 1_0 as ten
        return None
    return value if math.isfinite(value) else None


def to_numbers(cells: Sequence[str]) -> Float[np.ndarray, " rows"] | None:
    """All cells as numbers, NaN where missing; None where a cell is neither.

    Each distinct cell is read once: a hundred thousand rows hold a few hundred.
    """
    numbers = {cell: to_number(cell) for cell in set(cells)}
    if None in numbers.values():
        return None
    return np.asarray([numbers[cell] for cell in cells], dtype=float)


def to_flag(cell: str) -> float | None:
    """1 for true, yes and the like, 0 for their opposites, NaN where missing, else None."""
    if is_blank(cell):
        return math.nan
    flag = cell.strip().lower()
    if flag in TRUE:
        return 1.0
    return 0.0 if flag in FALSE else None
