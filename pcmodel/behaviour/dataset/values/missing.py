"""Codes of missing values: `999` in every column that is read, `rt=0` in one.

A code that no cell holds is refused: it is a slip, and would seem to have settled
something. Naming a column (`rt=n/a`) says that its missing values are known, so that
none of its numbers is suspected of being one.
"""

from collections.abc import Iterable, Mapping, Sequence

from pcmodel.behaviour.dataset.reading import Reading, same
from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.behaviour.dataset.tables.pasted import unmarked
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.errors import UserError, unknown_name


def is_settled(reading: Reading, *names: str) -> bool:
    """Whether the missing values of the column of these names have been named."""
    return any(column in names for column, _ in _pairs(reading))


def coded_cells(
    raw: RawTable,
    places: Mapping[str, str],
    names: Iterable[str],
    reading: Reading,
) -> dict[str, set[str]]:
    """By column of the file, its cells that were said to stand for a missing value."""
    known = {name: places[name] for name in names if name in places}
    known |= {place: place for place in known.values()}
    found: dict[str, set[str]] = {}
    for column, code in _pairs(reading):
        wanted = set(known.values()) if not column else {known.get(column, "")}
        for place in wanted - {""}:
            cells = {cell for cell in set(raw.columns[place]) if same(cell, code)}
            found.setdefault(place, set()).update(cells)
    return found


def without_codes(
    raw: RawTable,
    whole: RawTable,
    places: Mapping[str, str],
    names: Iterable[str],
    reading: Reading,
) -> RawTable:
    """The table with n/a for each code that was said to be a missing value.

    `names` are those of the columns of numbers and conditions; `whole` is the table with
    the rows that are left out, in which a code may occur too.
    """
    names = [name for name in names if name in places]
    codes: dict[str, list[str]] = {places[name]: [] for name in names}
    for column, code in _pairs(reading):
        wanted = list(codes) if not column else [_place(raw, column, places, names)]
        if not column and is_missing(code):
            raise UserError(
                f"names {code!r}, which is a missing value anyhow",
                where="missing",
                expected="a code (999), or, for a column in which no number stands for "
                f"a missing value, its name too (COLUMN={code})",
            )
        if not is_missing(code) and not _occurs(whole, wanted, code):
            where = f"column {wanted[0]!r}" if column else "any column that is read"
            raise UserError(
                f"names {code!r}, which does not occur in {where}",
                where="missing",
                expected="codes that the table holds",
            )
        for place in wanted:
            codes[place].append(code)
    columns = dict(raw.columns)
    for place, own in codes.items():
        cells = raw.columns[place]
        coded = {cell for cell in set(cells) if any(same(cell, code) for code in own)}
        if coded:
            columns[place] = ["n/a" if cell in coded else cell for cell in cells]
    return raw._replace(columns=columns)


def _pairs(reading: Reading) -> list[tuple[str, str]]:
    """Columns ("" for all) and codes."""
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


def _place(
    raw: RawTable, column: str, places: Mapping[str, str], names: Sequence[str]
) -> str:
    known = {name: places[name] for name in names}
    known |= {place: place for place in known.values()}
    if column in known:
        return known[column]
    if column in (*raw.columns, *places):
        raise UserError(
            f"names the column {column!r}, whose values are not read or must be known",
            where="missing",
            expected="a column of values or conditions that is used (--where leaves "
            "out rows)",
        )
    raise unknown_name("column", column, known, where="missing")


def _occurs(raw: RawTable, places: Sequence[str], code: str) -> bool:
    return any(same(cell, code) for place in places for cell in set(raw.columns[place]))
