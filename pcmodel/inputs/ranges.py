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
        """In words: "0 to 1", "above 0 and at most 1"; "finite" without ends."""
        if self.open == "" and -np.inf < self.least and self.most < np.inf:
            return f"{self.least:.10g} to {self.most:.10g}"
        return " and ".join(filter(None, self._ends())) or "finite"

    def missed(self, number: float) -> str:
        """In words, the end that a number outside misses: "1 or more" for 0."""
        low, high = self._ends()
        return (low if number <= self.least else high) or str(self)

    def _ends(self) -> tuple[str, str]:
        least, most = f"{self.least:.10g}", f"{self.most:.10g}"
        low = f"above {least}" if self._excludes("least") else f"{least} or more"
        high = f"below {most}" if self._excludes("most") else f"at most {most}"
        return (
            low if self.least > -np.inf else "",
            high if self.most < np.inf else "",
        )


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
ShareBelowOne = Annotated[float, Range(0.0, 1.0, open="most")]
Count = Annotated[int, Range(1)]
"""A whole number of at least 1."""
CountOrZero = Annotated[int, Range(0)]
"""A whole number of at least 0."""
MANY = 10**9
"""More epochs, units or steps than anybody waits for; a slip of the keys."""
CountToMany = Annotated[int, Range(1, MANY)]
