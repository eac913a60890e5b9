"""Everything that is wrong with a data set, said at once.

A psychiatrist who corrects one cell and is then told of the next gives up. Violations
are collected, those of one kind in one column are put on one line, and every row is
named.
"""

from collections.abc import Iterable

from pcmodel.errors import UserError

MOST_SAID_SINGLY = 5


class Violations:
    """A list that raises when it is not empty."""

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
        """`problem` says what is wrong and what was expected; `row` 1 is the header."""
        found = self._cells.setdefault((file, column, problem), {})
        found[row, "" if value is None else repr(value)] = None

    def __len__(self) -> int:
        return sum(len(cells) for cells in self._cells.values())

    def raise_if_any(self) -> None:
        """One `UserError` with a line for each kind of violation."""
        if not self._cells:
            return
        lines = [_line(key, list(cells)) for key, cells in self._cells.items()]
        total = len(self)
        what = "1 thing" if total == 1 else f"{total} things"
        raise UserError(f"{what} to correct:\n" + "\n".join(f"  {x}" for x in lines))


def _line(key: tuple[str, str | None, str], cells: list) -> str:
    file, column, problem = key
    place = file if column is None else f"{file}, column {column!r}"
    rows = [row for row, _ in cells if row is not None]
    if not rows:
        values = " ".join(value for _, value in cells if value)
        return f"{place}: {f'{values} ' if values else ''}{problem}"
    if len(cells) <= MOST_SAID_SINGLY:
        said = ", ".join(
            f"row {row}{f' {value}' if value else ''}" for row, value in cells
        )
        return f"{place}, {said}: {problem}"
    values = sorted({value for _, value in cells if value})
    shown = ", ".join(values[:MOST_SAID_SINGLY])
    shown += " and others" if len(values) > MOST_SAID_SINGLY else ""
    return f"{place}, rows {spans(rows)}{f' ({shown})' if shown else ''}: {problem}"


def spans(numbers: Iterable[int]) -> str:
    """Numbers with runs put together.

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
