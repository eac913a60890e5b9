"""Numbers as text, in the usual notation only.

Python also reads 1_0 as ten and the digits of other scripts, YAML 1:30 as ninety and 010 as eight,
which is hardly what a user means.
"""

import math
import re

WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
MOST_DIGITS = 300


def to_whole(text: str) -> int | None:
    """The whole number in a text; None for other text.

    >>> to_whole("-12"), to_whole("1_0"), to_whole("1e3"), to_whole("3.0")
    (-12, None, None, None)
    """
    word = text.strip()
    fits = len(word) <= MOST_DIGITS and WHOLE.fullmatch(word)
    return int(word) if fits else None


def to_finite(text: str) -> float | None:
    """The finite number in a text; None for other text.

    >>> to_finite("1e3"), to_finite(".5"), to_finite("1_0"), to_finite("inf"), to_finite("1e999")
    (1000.0, 0.5, None, None, None)
    """
    word = text.strip()
    if len(word) > MOST_DIGITS or not NUMBER.fullmatch(word):
        return None
    number = float(word)
    return number if math.isfinite(number) else None


def is_odd(text: str) -> bool:
    """Whether some parsers read a text as a number and others as none, or as another one.

    >>> [is_odd(word) for word in ("1_0", "010", "1:30", "0x1f", "10", "0.5", "a:b", "0", "1e-3")]
    [True, True, True, True, False, False, False, False, False]
    """
    word = text.strip()
    if NUMBER.fullmatch(word):
        return bool(re.fullmatch(r"[+-]?0\d+", word))
    has_digit = any(c.isdecimal() for c in word)
    plain = re.fullmatch(r"[+-]?(?:0[xX][\da-fA-F_]+|0[bBoO][\d_]+|[\d_:.]+)", word)
    return bool(has_digit and plain) or (
        has_digit and not word.isascii() and _is_int(word)
    )


def _is_int(word: str) -> bool:
    try:
        int(word)
    except ValueError:
        return False
    return True
