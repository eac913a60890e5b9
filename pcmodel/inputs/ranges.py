"""Ranges of numbers, as part of an annotation: the signature says what an option may be.

`rate: Share` reads "a number from 0 to 1"; type checkers see a float.  `pcmodel.inputs.arguments` holds calls to it.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np


class Range(NamedTuple):
    """Numbers from `least` to `most`, both included unless `open` says otherwise.

    open: "least", "most", "both" or "": which ends are not allowed themselves. Infinity never is.
    """

    least: float = -np.inf
    most: float = np.inf
    open: str = ""

    def holds(self, number: float) -> bool:
        """Whether the number lies in it (NaN and the infinities never do)."""
        above = number > self.least if self._excludes("least") else number >= self.least
        below = number < self.most if self._excludes("most") else number <= self.most
        return bool(above and below and abs(number) < np.inf)

    def _excludes(self, end: str) -> bool:
        return self.open in (end, "both")

    def __str__(self) -> str:
        """In words: "above 0 and at most 1"; "finite" without ends."""
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
    """What an annotation asks for in words, and, where a type cannot tell, by a test of its own."""

    told: str
    test: Callable[[Any], bool] | None = None


Finite = Annotated[float, Range()]
Positive = Annotated[float, Range(0.0, open="least")]
NotNegative = Annotated[float, Range(0.0)]
Share = Annotated[float, Range(0.0, 1.0)]
PositiveShare = Annotated[float, Range(0.0, 1.0, open="least")]
InnerShare = Annotated[float, Range(0.0, 1.0, open="both")]
ShareBelowOne = Annotated[float, Range(0.0, 1.0, open="most")]
Count = Annotated[int, Range(1)]
"""A whole number of at least 1."""
CountOrZero = Annotated[int, Range(0)]
"""A whole number of at least 0."""
