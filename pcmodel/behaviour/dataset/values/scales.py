"""Values off their scale or between its steps, and advice on what may be meant."""

from collections.abc import Sequence

import numpy as np

from pcmodel.behaviour.dataset.schema import Column
from pcmodel.behaviour.dataset.tables.pasted import as_missing, comparison, option

MOST_CODES = 3  # values outside a scale that may be codes
MOST_DECIMALS = 3  # of a step; with more of them any value may be given
OUTSIDE = 1e-6  # of a step


class Limits:
    """The scale of a column, and the complaints about values that are not on it.

    low: the lower end; None for none.
    high: the upper end; None for none.
    step: 0 where any value may be given.
    is_given: whether the user gave the scale, and may give another.
    """

    def __init__(
        self,
        column: Column,
        place: str,
        cells: Sequence[str],
        values: Sequence[float],
        scale: Sequence[float] | None,
    ) -> None:
        self.column, self.is_given = column, scale is not None
        self.low, self.high = (column.low, column.high) if scale is None else scale[:2]
        self.step = scale[2] if scale is not None and len(scale) > 2 else 0.0
        pairs = zip(cells, values, strict=True)
        off = sorted(cell for cell, value in pairs if self._is_off(value))
        self._missing = ""
        if 0 < len(off) <= MOST_CODES:
            codes = as_missing(place, *off)
            self._missing = f"name it if it stands for a missing value ({codes})"
            if column.name == "reaction_time":
                others = " and ".join(comparison(place, "!=", cell) for cell in off)
                self._missing += f", or leave its rows out ({option(others)})"
        seen = [v for v in values if np.isfinite(v)]
        self._decimals = max((_decimals(cell) for cell in cells), default=0)
        self._ends = (min([*seen, self.low or 0.0]), max([*seen, self.high or 0.0]))

    def problem(self, value: float) -> str | None:
        """What is wrong with a value; None where it is on the scale."""
        if self._is_off(value) and self.column.name == "reaction_time":
            return f"is no time that a response takes; {self._advice()}"
        if self._is_off(value):
            return (
                f"lies outside the scale, {self._range()}; {self._advice(value == 0.0)}"
            )
        if self.low is not None and self.step and self._is_between(value - self.low):
            return f"lies between steps of {self.step:g}; {self._other_step(self.low, self.high)}"
        return None

    def _is_off(self, value: float) -> bool:
        below = self.low is not None and value < self.low
        return below or (self.high is not None and value > self.high)

    def _is_between(self, height: float) -> bool:
        return abs(height / self.step - round(height / self.step)) > OUTSIDE

    def _range(self) -> str:
        if self.high is None:
            return f"{self.low:g} or more"
        return f"{self.low:g} to {self.high:g}"

    def _advice(self, is_first: bool = False) -> str:
        ways = [self._missing] if self._missing else []
        if self.column.kind == "integer":
            first = " (add 1 to every choice, if 0 is the first option)"
            ways.insert(0, f"options are counted from 1{first if is_first else ''}")
        elif self.is_given:
            wider = _option(*self._ends, self._fitting(*self._ends))
            ways.append(f"if the scale goes so far, say so ({wider})")
        elif self.high is not None:
            ways.append(
                "bring all positions of the table to that scale, by one and the same factor"
            )
        return ", or ".join(ways) or "correct it"

    def _other_step(self, low: float | None, high: float | None) -> str:
        low, high = low or 0.0, high or 0.0
        step, free = self._fitting(low, high), _option(low, high, 0.0)
        if not step:
            return f"say that any value may be given ({free})"
        return (
            f"give the step of the scale ({_option(low, high, step)}), or say that any "
            f"value may be given ({free})"
        )

    def _fitting(self, low: float, high: float) -> float:
        """A step of which the values and both ends are multiples; 0 for none."""
        if self._decimals > MOST_DECIMALS:
            return 0.0
        step = 10.0**-self._decimals
        steps = (high - low) / step
        return step if abs(steps - round(steps)) <= OUTSIDE else 0.0


def _option(low: float, high: float, step: float) -> str:
    return f"--scale={low:.12g},{high:.12g},{step:g}"


def _decimals(cell: str) -> int:
    """The number of decimals of a cell, without zeros at the end."""
    return len(cell.strip().partition(".")[2].rstrip("0"))
