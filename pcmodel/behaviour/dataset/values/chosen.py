"""Which option was chosen, where one column holds its side or key and another the option."""

from collections.abc import Collection, Sequence

from pcmodel.behaviour.dataset.exclusions.practice_words import folded
from pcmodel.behaviour.dataset.naming import words
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import as_column
from pcmodel.behaviour.dataset.task_table import TaskTable
from pcmodel.behaviour.dataset.values.options import MOST, SHOWN, SIDES

CHOSEN = {
    *("chosen", "selected", "picked", "gewahlt", "gewaehlt", "choisi", "elegido"),
    *("elegida", "scelto", "scelta", "gekozen", "selection", "pick"),
}
BESIDE = SHOWN | {"id", "name", "index", "nr", "no", "number", "by", "participant"}


def check_chosen(table: TaskTable, used: set[str], settled: Collection[str]) -> None:
    """Refuse a second column of as many options that disagrees with the response's.

    settled: names of the task whose column, or whose codes, the user gave.
    """
    response = table.task.response
    place = table.places.get(response)
    if table.task.column(response).kind != "integer" or response in settled:
        return
    if place is None:
        return
    own = table.columns[place]
    for name, cells in table.columns.items():
        parts = set(map(folded, words(name)))
        if name in used or not parts & CHOSEN or not parts <= CHOSEN | BESIDE:
            continue
        if _are_sides(cells) and not _are_sides(own):
            continue
        if answer_otherwise(own, cells):
            table.column(name).refuse(
                f"tells which of as many options was chosen as {place!r} does, and they "
                "do not go together; say which names the option "
                f"({as_column(response, name)} or {as_column(response, place)})"
            )
            return


def answer_otherwise(own: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two columns hold as many answers, paired differently from row to row.

    >>> answer_otherwise(["l", "r", "l", "r"], ["A", "B", "B", "A"])
    True
    >>> answer_otherwise(["f", "j", "f"], ["0", "1", "0"])
    False
    """
    rows = zip(map(_read, own), map(_read, other), strict=True)
    pairs = {row for row in rows if None not in row}
    one, two = {a for a, _ in pairs}, {b for _, b in pairs}
    return 2 <= len(one) == len(two) <= MOST and len(pairs) > len(one)


def count_otherwise(own: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two columns of numbers rank the rows differently.

    >>> count_otherwise(["0", "1"], ["1", "0"]), count_otherwise(["0", "1"], ["1", "2"])
    (True, False)
    """
    rows = zip(map(to_number, own), map(to_number, other), strict=True)
    pairs = {(a, b) for a, b in rows if a is not None and b is not None}
    known = sorted((a, b) for a, b in pairs if a == a and b == b)
    return [b for _, b in known] != sorted(b for _, b in known)


def _read(cell: str) -> str | float | None:
    number = to_number(cell)
    if is_missing(cell) or number != number:
        return None
    return cell.strip() if number is None else number


def _are_sides(cells: Sequence[str]) -> bool:
    return {folded(cell) for cell in set(cells) if not is_missing(cell)} <= SIDES
