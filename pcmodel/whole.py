"""Whole numbers as users give them: Python's, numpy's, or an array of one."""

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from pcmodel.errors import UserError


def whole_number(value: Any, name: str, *, least: int = 1) -> int:
    """A whole number as Python's own.

    Raises UserError for anything that is none (3.0 and True are none), and below `least`.
    """
    kind = getattr(value, "dtype", None)
    try:
        if isinstance(value, bool) or kind == np.bool_:
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise UserError(
            f"{name} must be a whole number, got {value!r} of type {type(value).__name__}."
        ) from None
    if number < least:
        raise UserError(f"{name} must be at least {least}, got {number}.")
    return number


def whole_numbers(values: Any, name: str, *, least: int = 1) -> tuple[int, ...]:
    """Several whole numbers; a UserError where they are not a sequence of such."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise UserError(f"{name} must be a sequence of whole numbers, got {values!r}.")
    return tuple(whole_number(value, name, least=least) for value in values)
