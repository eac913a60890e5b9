"""Codes of missing values: `999` in every column that is read, `rt=0` in one.

A code that no cell holds is refused, since it is most often misspelt. Naming a column
(`rt=n/a`) says that its missing values are known, so that none of its numbers is suspected
of being one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pcmodel.behaviour.dataset.reading import Reading, same
from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.behaviour.dataset.tables.pasted import unmarked
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.task_table import TaskTable
from pcmodel.errors import UserError, unknown_name


def is_settled(reading: Reading, *names: str) -> bool:
    """Whether the user named the missing values of the column of these names."""
    return any(column in names for column, _ in _pairs(reading))


def coded_cells(table: TaskTable, names: Iterable[str]) -> dict[str, set[str]]:
    """By column of the file the cells that stand for a missing value, as the user said.

    `names` are those of the columns of numbers and conditions.
    """
    known = _known(table, names)
    found: dict[str, set[str]] = {}
    for column, code in _pairs(table.reading):
        places = set(known.values()) if not column else {known.get(column, "")}
        for place in places - {""}:
            cells = {cell for cell in set(table.columns[place]) if same(cell, code)}
            found.setdefault(place, set()).update(cells)
    return found


def without_codes(table: TaskTable, whole: RawTable, names: Iterable[str]) -> TaskTable:
    """The table with n/a for each code of a missing value.

    `names` are those of the columns of numbers and conditions; `whole` is the table with
    the rows that are left out, in which a code may occur too. UserError for a code that
    does not occur, and for columns that are not read.
    """
    known = _known(table, names)
    for column, code in _pairs(table.reading):
        places = [_place(table, column, known)] if column else list(known.values())
        if not column and is_missing(code):
            raise UserError(
                f"names {code!r}, which is a missing value anyhow",
                where="missing",
                expected="a code (999), or, for a column in which no number stands for "
                f"a missing value, its name too (COLUMN={code})",
            )
        if not is_missing(code) and not _occurs(whole, places, code):
            where = f"column {places[0]!r}" if column else "any column that is read"
            raise UserError(
                f"names {code!r}, which does not occur in {where}",
                where="missing",
                expected="codes that the table holds",
            )
    columns = dict(table.columns)
    for place, coded in coded_cells(table, names).items():
        columns[place] = ["n/a" if x in coded else x for x in columns[place]]
    return replace(table, raw=table.raw._replace(columns=columns))


def _known(table: TaskTable, names: Iterable[str]) -> dict[str, str]:
    """The file's columns of these names, by the task's name and by their own."""
    places = {name: table.places[name] for name in names if name in table.places}
    return places | {place: place for place in places.values()}


def _pairs(reading: Reading) -> list[tuple[str, str]]:
    """The columns ("" for all) and codes that the user named."""
    found = []
    for text in reading.missing:
        column, equals, code = text.rpartition("=")
        column = unmarked(column)
        if equals and not (column.strip() and code.strip()):
            raise UserError(
                f"cannot be read: {text!r}",
                where="missing",
                expected="a code (999), or a column and its code (rt=0)",
            )
        found.append((column.strip(), code.strip()))
    return found


def _place(table: TaskTable, column: str, known: Mapping[str, str]) -> str:
    """The file's column of that name; UserError where it is not read."""
    if column in known:
        return known[column]
    if column in (*table.columns, *table.places):
        raise UserError(
            f"names the column {column!r}, whose values are not read or must be known",
            where="missing",
            expected="a column of values or conditions that is used (--where leaves "
            "out rows)",
        )
    raise unknown_name("column", column, known, where="missing")


def _occurs(raw: RawTable, places: Sequence[str], code: str) -> bool:
    return any(same(cell, code) for place in places for cell in set(raw.columns[place]))
