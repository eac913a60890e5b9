"""What only the user can say of a table: rows in use, missing values, units, codes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pcmodel.behaviour.dataset.schema import Task
from pcmodel.behaviour.dataset.tables.cells import to_number
from pcmodel.behaviour.dataset.tables.pasted import unmarked
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments

PAIR = re.compile(r"(\s*`[^`]*`\s*|[^=]*)(=?)(.*)", re.DOTALL)
PAIRS = {
    "columns": "name=column",
    "units": "reaction_time=s or reaction_time=ms",
    "codes": "name=A,B, the one that counts as 0 first",
}


@checked_arguments
@dataclass(frozen=True)
class Reading:
    """How a table is to be read.

    Attributes:
        where: rows in use, as an expression: `phase == test and session in (1, 2)`.
        missing: cells that stand for a missing value, besides the empty one, n/a and
            NaN: "999" in all columns that are read, "rt=0" in one, of which no other
            number is then suspected ("rt=n/a": none stands for a missing value).
        units: of reaction times, by the name of the task's column: "s", "ms" or "us".
        codes: by the task's column, the two words or numbers that count as 0 and as 1, or
            all options that could be chosen, in the order of their numbers from 1;
            by a covariate, all its labels, which are then labels even if they are numbers.
        bids_suffix: "beh" or "events", where a BIDS folder has both of one run.
    """

    where: str = ""
    missing: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bids_suffix: str | None = None


def pairs_of(texts: Sequence[str], *, where: str) -> dict[str, str]:
    """Values by name, from texts like `name=value`.

    UserError for other texts and for a name that occurs twice; but `participant=id+site`
    may follow `participant=id`, which it extends.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = PAIR.fullmatch(text).groups()  # type: ignore[union-attr]
        name, value = unmarked(name), unmarked(value)
        if not (equals and name and value):
            raise UserError(
                f"cannot be read: {text!r}", where=where, expected=PAIRS[where]
            )
        if name in found and not value.startswith(f"{found[name]}+"):
            raise UserError(
                f"name {name!r} twice, as {found[name]!r} and {value!r}",
                where=where,
                expected="it once",
            )
        found[name] = value
    return found


def same(one: str, other: str) -> bool:
    """Whether two cells have the same text or are the same number.

    >>> same("1.0", "1"), same("left", "Left")
    (True, False)
    """
    if one.strip() == other.strip():
        return True
    numbers = to_number(one), to_number(other)
    return None not in numbers and numbers[0] == numbers[1]


def check_reading(reading: Reading, task: Task, covariates: Sequence[str] = ()) -> None:
    """UserError for units and codes of columns that have none, and for codes of one label."""
    binary = [column.name for column in task.columns if column.kind == "binary"]
    options = [column.name for column in task.columns if column.kind == "integer"]
    for name, pair in reading.codes.items():
        known = (*binary, *options, *covariates)
        if name not in known:
            kind = "column of two values or options, or condition in a formula"
            raise unknown_name(kind, name, known, where="codes")
        if name not in binary:
            # Of all options of a bandit, the table may hold one.
            _check_labels(name, pair, least=1 if name in options else 2)
        elif len(pair) != 2 or same(*pair):
            raise UserError(
                f"of {name} are {', '.join(pair) or 'none'}",
                where="codes",
                expected="two, the one that counts as 0 first (response=left,right)",
            )
    for name in reading.units:
        if name != "reaction_time":
            raise unknown_name(
                "column with a unit", name, ["reaction_time"], where="units"
            )
        if all(column.name != name for column in task.columns):
            raise UserError(
                "of reaction times are given, which are not read",
                where="units",
                expected="reaction_time among the judgements (--judgements)",
            )


def _check_labels(name: str, labels: Sequence[str], *, least: int) -> None:
    twice = [x for i, x in enumerate(labels) if any(same(x, y) for y in labels[:i])]
    if len(labels) < least or twice or not all(labels):
        raise UserError(
            f"of {name} are {', '.join(labels) or 'none'}",
            where="codes",
            expected="all labels of the column, each once (group=patient,control)",
        )
