"""What one cell of a table says: a number, a flag, a label, or that it is missing."""

import math
import re

MISSING = {"", "n/a", "na", "n.a.", "nan", "-nan", "null", "<na>", "#n/a"}
COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
TRUE = {"1", "1.0", "true", "t", "yes", "y"}
FALSE = {"0", "0.0", "false", "f", "no", "n"}


def is_missing(cell: str) -> bool:
    """BIDS writes `n/a`; empty cells, NaN, NA and null are met as often.

    `none` is a label ("no drug"), and missing only where a number is read.

    >>> is_missing(" N/A "), is_missing("0")
    (True, False)
    """
    return cell.strip().lower() in MISSING


def to_number(cell: str) -> float | None:
    """The number, NaN where missing, None where it is neither (infinities included)."""
    if is_missing(cell) or cell.strip().lower() == "none":
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return None
    if "_" in cell:  # Python reads 1_0 as ten
        return None
    return value if math.isfinite(value) else None


def to_flag(cell: str) -> float | None:
    """1 or 0, NaN where missing, None where it is neither."""
    if is_missing(cell):
        return math.nan
    word = cell.strip().lower()
    if word == "none":
        return math.nan
    if word in TRUE:
        return 1.0
    return 0.0 if word in FALSE else None
