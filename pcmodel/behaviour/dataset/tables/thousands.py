"""Points that may separate thousands: `1.250` in a German table is 1250, and reads as 1.25."""

import re
from collections.abc import Iterable

from pcmodel.behaviour.dataset.tables.cells import to_number
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.task_table import TaskTable

POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
COUNT = re.compile(r"[+-]?\d+")
LARGE = 100  # beside it, 1.034 is more than a thousand


def may_be_thousands(raw: RawTable, column: str) -> set[str]:
    """The cells of a column whose points may separate thousands; none if others are decimals.

    Each point has three digits behind it, and the table writes decimals with a comma, or
    other numbers of the column have no point and are large, or show that zeros at the end
    are not always written.
    """
    cells = {cell.strip() for cell in raw.columns[column]}
    if not raw.has_commas and not any(map(COUNT.fullmatch, cells)):
        return set()
    pointed = {cell for cell in cells if POINTS.fullmatch(cell)}
    if any(
        "." in cell and to_number(cell) is not None
        for cell in cells - pointed
        if re.search(r"\d", cell)
    ):
        return set()
    whole = [abs(int(cell)) for cell in cells if COUNT.fullmatch(cell)]
    is_large = any(number >= LARGE for number in whole)
    is_full = any(cell.endswith("0") for cell in pointed)
    return pointed if raw.has_commas or is_large or is_full else set()


def both_ways(cell: str) -> str:
    """The complaint about a number that can be read in two ways, with both ways to write it."""
    cell = cell.strip()
    whole, number = cell.replace(".", ""), to_number(cell)
    if number is None:
        return f"has points between thousands; write {whole}"
    return (
        f"may be {whole}, with a point between thousands, or {number:g}; write {whole}, or "
        f"{cell}0, and so in all its rows"
    )


def check_thousands(table: TaskTable, whole: RawTable, columns: Iterable[str]) -> None:
    """Refuse numbers of the columns that may have points between thousands.

    `whole` is the table with the rows that are left out, which show how numbers are written.
    """
    for column in columns:
        found = may_be_thousands(whole, column)
        for i, cell in enumerate(table.columns[column] if found else ()):
            if cell.strip() in found:
                table.cell(column, i).refuse(both_ways(cell))
