"""Checks of the options of solvers, made when a solver is constructed."""

from numbers import Real
from typing import Any

import numpy as np

from pcmodel.errors import UserError


def check_tolerance(value: Any, where: str) -> None:
    """Raise a UserError unless the tolerance is None or a finite number of posterior standard deviations, at least 0."""
    if value is None:
        return
    real = isinstance(value, Real | np.number) and not isinstance(value, bool)
    if not real or not 0 <= float(value) < np.inf:
        raise UserError(
            f"tolerance is {value!r}",
            where=where,
            expected="None, or posterior standard deviations, 0 or more",
        )


def check_made(value: Any, method: str, where: str, expected: str) -> None:
    """Raise a UserError unless the value is an object (not a class) with the method."""
    if isinstance(value, type) or not hasattr(value, method):
        raise UserError(f"is {value!r}", where=where, expected=expected)
