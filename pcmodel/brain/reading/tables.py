"""Series in tables: a row a time, a column a region, with or without a header of names."""

import csv
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.files import read_text, shown
from pcmodel.inputs.numerals import to_finite

MISSING = {"", "n/a", "na", "nan", "inf", "-inf", "+inf", "null", "none"}
SEPARATORS = ("\t", ";", ",")


class Table(NamedTuple):
    """A table of series.

    values: (times, regions); NaN where a cell is missing.
    regions: names of the columns; None without a header.
    """

    values: Float[np.ndarray, "times regions"]
    regions: tuple[str, ...] | None


def read_table(path: Path, *, regions_first: bool = False) -> Table:
    """The series of a .csv or .tsv file.

    A first row that is not of numbers is the header, and so is one that counts from 0 or 1. An index of rows
    without a name, as pandas writes it, is left out.
    regions_first: rows are regions, columns are times.
    Raises UserError for rows of different lengths (by line), and for a cell that is no number (by region and time).
    """
    where = shown(path)
    rows = split_rows(path)
    if regions_first:
        _check_widths(rows, where)
        cells = [list(column) for column in zip(*(row for _, row in rows), strict=True)]
        rows = list(enumerate(cells, 1))
    header = [cell.strip() for cell in rows[0][1]]
    has_header = _is_header(header)
    body = rows[1:] if has_header else rows
    if not body:
        raise UserError("has no rows of numbers", where=where)
    names = header if has_header else None
    values = _numbers(body, names, len(header), where)
    if names and not names[0] and _counts(values[:, 0]):
        names, values = names[1:], values[:, 1:]
    if names and "" in names:
        raise UserError(
            f"column {names.index('') + 1} has no name",
            where=where,
            expected="the name of a region over each column",
        )
    return Table(values, tuple(names) if names else None)


def split_rows(path: Path) -> list[tuple[int, list[str]]]:
    """The cells of each line that is not empty, with its number from 1; UserError for a file without any."""
    lines = [
        (number, line)
        for number, line in enumerate(read_text(path).splitlines(), 1)
        if line.strip(" \t,;")
    ]
    if not lines:
        raise UserError("is empty", where=shown(path), expected="rows of numbers")
    separator = _separator(path, lines[0][1])
    texts = csv.reader([line for _, line in lines], delimiter=separator)
    try:
        return [(n, row) for (n, _), row in zip(lines, texts, strict=True)]
    except (csv.Error, ValueError):
        raise UserError(
            "cannot be read as a table (a quotation mark is not closed on its line)",
            where=shown(path),
        ) from None


def _separator(path: Path, line: str) -> str:
    if path.suffix == ".tsv":
        return "\t"
    return next((mark for mark in SEPARATORS if mark in line), ",")


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a first row is one of names: some cell is no number, or they count from 0 or 1."""
    if any(to_finite(cell) is None and cell.lower() not in MISSING for cell in cells):
        return True
    named = cells[1:] if not cells[0] else cells
    return len(named) > 1 and any(
        list(named) == [str(place + first) for place in range(len(named))]
        for first in (0, 1)
    )


def _counts(column: np.ndarray) -> bool:
    return any(
        np.array_equal(column, np.arange(len(column)) + first) for first in (0, 1)
    )


def _check_widths(rows: list[tuple[int, list[str]]], where: str) -> None:
    width = len(rows[0][1])
    for number, row in rows:
        if len(row) != width:
            raise UserError(
                f"line {number} has {len(row)} cells",
                where=where,
                expected=f"{width}, as line {rows[0][0]} has",
            )


def _numbers(
    body: list[tuple[int, list[str]]],
    names: Sequence[str] | None,
    width: int,
    where: str,
) -> np.ndarray:
    for number, row in body:
        if len(row) != width:
            raise UserError(
                f"line {number} has {len(row)} cells",
                where=where,
                expected=f"{width}, one a region",
            )
    cells = np.asarray([row for _, row in body], "U")
    text = "".join(map("".join, (row for _, row in body)))
    if text.isascii() and "_" not in text:  # Python reads 1_0 as ten
        with suppress(ValueError):
            return cells.astype(np.float64)
    return _one_by_one(body, names, where)


def _one_by_one(
    body: list[tuple[int, list[str]]], names: Sequence[str] | None, where: str
) -> np.ndarray:
    """Cell by cell, where some are missing; UserError for the first that is no number."""
    values = np.full((len(body), len(body[0][1])), np.nan)
    for time, (number, row) in enumerate(body):
        for place, cell in enumerate(row):
            found = to_finite(cell)
            if found is not None:
                values[time, place] = found
            elif cell.strip().lower() not in MISSING:
                region = names[place] if names else f"column {place + 1}"
                raise UserError(
                    f"line {number}, {region}: {cell.strip()[:40]!r} is no number",
                    where=where,
                    expected="numbers with a decimal point",
                )
            elif "inf" in cell.lower():
                values[time, place] = float(cell.strip().lower())
    return values
