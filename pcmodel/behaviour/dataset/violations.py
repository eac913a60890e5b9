"""All violations of a data set in one message.

A user who corrects one cell only to hear of the next gives up. Violations are collected,
those of one kind in one column are put on one line, and every row is named.
"""

from collections.abc import Iterable
from typing import NamedTuple

from pcmodel.errors import UserError

MOST_SINGLE = 5  # violations of one kind that are written out one by one


class Violations:
    """The violations found so far."""

    def __init__(self) -> None:
        # By file, column and problem: each row and value once, in order.
        self._cells: dict[
            tuple[str, str | None, str], dict[tuple[int | None, str], None]
        ] = {}

    def add(
        self,
        problem: str,
        *,
        file: str,
        row: int | None = None,
        column: str | None = None,
        value: str | None = None,
    ) -> None:
        """Note a violation.

        problem: what is wrong and what was expected.
        row: as a spreadsheet counts; the header is row 1.
        """
        found = self._cells.setdefault((file, column, problem), {})
        found[row, "" if value is None else repr(value)] = None

    def __len__(self) -> int:
        return sum(len(cells) for cells in self._cells.values())

    def raise_if_any(self) -> None:
        """Raise one UserError with a line for each kind of violation."""
        if not self._cells:
            return
        lines = [_line(key, list(cells)) for key, cells in self._cells.items()]
        total = len(self)
        what = "1 thing" if total == 1 else f"{total} things"
        raise UserError(f"{what} to correct:\n" + "\n".join(f"  {x}" for x in lines))


class Place(NamedTuple):
    """A column, a row or a cell of a file, where something may be wrong.

    problems: to which a violation here is added.
    file: its name.
    column: its name; None for all columns.
    row: as a spreadsheet counts; None for all rows.
    value: of the cell, to be shown; None to show none.
    """

    problems: Violations
    file: str
    column: str | None = None
    row: int | None = None
    value: str | None = None

    def refuse(self, problem: str) -> None:
        """Note a violation here; `problem` says what is wrong and what was expected."""
        self.problems.add(
            problem, file=self.file, row=self.row, column=self.column, value=self.value
        )


def _line(key: tuple[str, str | None, str], cells: list) -> str:
    file, column, problem = key
    place = file if column is None else f"{file}, column {column!r}"
    rows = [row for row, _ in cells if row is not None]
    if not rows:
        values = " ".join(value for _, value in cells if value)
        return f"{place}: {f'{values} ' if values else ''}{problem}"
    if len(cells) <= MOST_SINGLE:
        each = (f"row {row}{f' {value}' if value else ''}" for row, value in cells)
        return f"{place}, {', '.join(each)}: {problem}"
    values = sorted({value for _, value in cells if value})
    shown = ", ".join(values[:MOST_SINGLE])
    shown += " and others" if len(values) > MOST_SINGLE else ""
    return f"{place}, rows {spans(rows)}{f' ({shown})' if shown else ''}: {problem}"


def spans(numbers: Iterable[int]) -> str:
    """Numbers in order, with runs as ranges.

    >>> spans([2, 3, 4, 9])
    '2-4, 9'
    """
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
