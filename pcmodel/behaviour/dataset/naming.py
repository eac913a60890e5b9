"""Names that mean the same: of columns, and of people and conditions.

Columns are recognised whatever their case and punctuation (`Trial_Number`,
`trialnumber`). Labels are compared as they are written; two that differ only in case,
spaces, or leading zeros are refused, since one of them is most often misspelt.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from pcmodel.behaviour.dataset.task_table import TaskTable

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")


def plain(name: str) -> str:
    """A column's name without case and punctuation.

    >>> plain("Trial_Number"), plain("trial.number")
    ('trialnumber', 'trialnumber')
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


def words(name: str) -> tuple[str, ...]:
    """The words of a column's name, by case and punctuation.

    >>> words("Stim.OnsetTime"), words("round_number")
    (('stim', 'onset', 'time'), ('round', 'number'))
    """
    found = WORD.findall(unicodedata.normalize("NFKC", name))
    return tuple(word.casefold() for word in found)


def called(names: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """The `names` that are among those `wanted`, in the order of the latter."""
    order = {plain(name): i for i, name in reversed(list(enumerate(wanted)))}
    found = [name for name in names if plain(name) in order]
    return sorted(found, key=lambda name: order[plain(name)])


def likeness(label: str) -> str:
    """A form that is the same for labels which differ only in case, spaces or zeros.

    >>> likeness("P01") == likeness("p 1"), likeness("1.0") == likeness("1")
    (True, True)
    >>> likeness("-1") == likeness("1")
    False
    """
    text = unicodedata.normalize("NFKC", label).casefold().strip()
    text = re.sub(r"^sub-", "", text)
    text = re.sub(r"^(\d+)\.0+$", r"\1", text)
    sign = "-" if re.match(r"-\d", text) else ""
    text = sign + re.sub(r"(?<!\d)[\s_-]+|[\s_-]+(?!\d)", "", text)
    return re.sub(r"(?<![\d.])0+(?=\d)", "", text)


def check_alike(table: TaskTable, column: str) -> None:
    """Refuse labels of a column that differ only in case, spaces or leading zeros."""
    first: dict[str, int] = {}
    for i, cell in enumerate(table.cells(column)):
        first.setdefault(cell, i)
    seen: dict[str, str] = {}
    for label, i in first.items():
        other = seen.setdefault(likeness(label), label)
        if other != label:
            before = table.raw.at(first[other], column)
            there = before["file"]
            there = "" if there == table.raw.at(i, column)["file"] else f"{there}, "
            table.cell(column, i).refuse(
                "differs only in case, spaces or leading zeros from "
                f"{other!r} ({there}row {before['row']}); write one of them everywhere, "
                "or rename one if they are two"
            )
