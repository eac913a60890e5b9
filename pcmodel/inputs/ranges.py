"""Ranges of numbers as part of annotations.

`rate: Share` is a number from 0 to 1; type checkers see a float. `pcmodel.inputs.arguments` checks
calls by them.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np


class Range(NamedTuple):
    """Numbers between two limits; infinity is never included.

    least: the lower limit.
    most: the upper limit.
    open: the limits that are excluded: "least", "most", "both" or "".
    """

    least: float = -np.inf
    most: float = np.inf
    open: str = ""

    def holds(self, number: float) -> bool:
        """Whether the range includes a number; false for NaN and infinity."""
        above = number > self.least if self._excludes("least") else number >= self.least
        below = number < self.most if self._excludes("most") else number <= self.most
        return bool(above and below and abs(number) < np.inf)

    def _excludes(self, end: str) -> bool:
        return self.open in (end, "both")

    def __str__(self) -> str:
        """In words: "above 0 and at most 1"; "finite" without limits."""
        words = []
        if self.least > -np.inf:
            words.append(
                f"above {self.least:g}"
                if self._excludes("least")
                else f"{self.least:g} or more"
            )
        if self.most < np.inf:
            words.append(
                f"below {self.most:g}"
                if self._excludes("most")
                else f"at most {self.most:g}"
            )
        return " and ".join(words) or "finite"


class Means(NamedTuple):
    """The values that an annotation admits, where its type does not say so.

    expected: in words.
    test: whether a value is admitted; None to check the type.
    """

    expected: str
    test: Callable[[Any], bool] | None = None


Finite = Annotated[float, Range()]
Positive = Annotated[float, Range(0.0, open="least")]
NotNegative = Annotated[float, Range(0.0)]
Share = Annotated[float, Range(0.0, 1.0)]
PositiveShare = Annotated[float, Range(0.0, 1.0, open="least")]
InnerShare = Annotated[float, Range(0.0, 1.0, open="both")]
Count = Annotated[int, Range(1)]
