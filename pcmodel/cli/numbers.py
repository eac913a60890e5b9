"""Numbers and paths on the command line, read strictly: `type=whole` instead of `type=int`."""

import os
from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pcmodel.inputs.arguments import short
from pcmodel.inputs.numerals import to_finite, to_whole
from pcmodel.inputs.ranges import Range


def whole(text: str) -> int:
    """A whole number; ArgumentTypeError for any other text (1_0, 1e3, 3.0)."""
    number = to_whole(text)
    if number is None:
        raise ArgumentTypeError(f"{text[:40]!r} is not a whole number")
    return number


MOST = 1_000_000
"""Largest number of people, trials, draws or studies; more is taken for a typing error."""


def count(text: str, most: int = MOST) -> int:
    """A whole number from 1 to `most`."""
    number, limits = whole(text), Range(1, most)
    if not limits.holds(number):
        raise ArgumentTypeError(
            f"cannot be {short(number)}; expected {limits.missed(number)}"
        )
    return number


def chosen(
    arguments: Namespace, smoke: Mapping[str, Any], *names: str, **renamed: str
) -> dict[str, Any]:
    """Sizes of a plan: those of --smoke, replaced by the options that were given.

    names: fields of the plan with the names of their options.
    renamed: names of other fields, each with the name of its option.
    An option that was not given is None.
    """
    options = dict(zip(names, names, strict=True)) | renamed
    given = {field: getattr(arguments, option) for field, option in options.items()}
    sizes = dict(smoke) if arguments.smoke else {}
    return sizes | {field: size for field, size in given.items() if size is not None}


def words(text: str) -> tuple[str, ...]:
    """The words between commas.

    >>> words("10, 20,")
    ('10', '20')
    """
    return tuple(word.strip() for word in text.split(",") if word.strip())


def place(text: str) -> Path:
    """A path that is valid on the file system."""
    too_long = any(len(os.fsencode(part)) > 255 for part in text.split(os.sep))
    if not text or "\0" in text or too_long or len(os.fsencode(text)) > 4000:
        raise ArgumentTypeError(f"{text[:40]!r} cannot be a path")
    return Path(text)


def finite(text: str) -> float:
    """A finite number; ArgumentTypeError for any other text (1_0, nan, inf)."""
    number = to_finite(text)
    if number is None:
        raise ArgumentTypeError(f"{text[:40]!r} is not a finite number")
    return number
