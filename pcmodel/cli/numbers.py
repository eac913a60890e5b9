"""Numbers on the command line, read strictly: `type=whole` instead of `type=int`."""

from argparse import ArgumentTypeError

from pcmodel.numerals import to_finite, to_whole


def whole(text: str) -> int:
    """A whole number; ArgumentTypeError for what is none (1_0, 1e3, 3.0)."""
    number = to_whole(text)
    if number is None:
        raise ArgumentTypeError(f"{text[:40]!r} is not a whole number")
    return number


def finite(text: str) -> float:
    """A finite number; ArgumentTypeError for what is none (1_0, nan, inf)."""
    number = to_finite(text)
    if number is None:
        raise ArgumentTypeError(f"{text[:40]!r} is not a finite number")
    return number
