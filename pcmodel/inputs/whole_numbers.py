"""Reading of whole numbers: Python's, numpy's, or an array of one."""

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import short


def whole_number(value: Any, name: str, *, least: int = 1) -> int:
    """A whole number as an int; UserError for anything else (3.0 and True), and below `least`."""
    kind = getattr(value, "dtype", None)
    try:
        if isinstance(value, bool) or kind == np.bool_:
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise UserError(
            f"{name} must be a whole number, got {short(value)} of type {type(value).__name__}."
        ) from None
    if number < least:
        kind = "a positive whole number" if least == 1 else "a whole number"
        raise UserError(
            f"{name} must be {kind}, at least {least}, got {short(number)}."
        )
    return number


def whole_numbers(
    values: Any, name: str, *, least: int = 1, empty: bool = False
) -> tuple[int, ...]:
    """Several whole numbers; UserError for other sequences, and for none unless `empty`."""
    is_one = isinstance(values, str) or not isinstance(values, Iterable)
    if is_one or getattr(values, "ndim", 1) != 1:
        raise UserError(
            f"{name} must be a sequence of whole numbers, got {short(values)}."
        )
    numbers = tuple(whole_number(value, name, least=least) for value in values)
    if not numbers and not empty:
        raise UserError(f"{name} must be positive whole numbers, got none.")
    return numbers
