"""A task and the columns of its tables."""

from dataclasses import dataclass
from typing import Literal

from pcmodel.inputs.arguments import checked_arguments

Kind = Literal["number", "integer", "binary", "flag"]


@checked_arguments
@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: the task's name for it.
        kind: "number"; "integer", options from 1 or words for them; "binary", two values of
            which the larger (true, yes, what a side-car calls a win) counts as 1; "flag",
            0/1, true/false, yes/no.
        low: the lower end of the scale, included; None for none.
        high: the upper end of the scale, included; None for none.
        optional: whether the column may be absent.
        complete: whether no cell may be missing.
        default: the value on every trial where the column is absent; None: missing.
        names: its other usual names.
        about: what stands in it, and its unit.
        examples: its cells in the example of a table, one a trial.
    """

    name: str
    kind: Kind
    low: float | None = None
    high: float | None = None
    optional: bool = False
    complete: bool = False
    default: float | None = None
    names: tuple[str, ...] = ()
    about: str = ""
    examples: tuple[str, ...] = ()


@checked_arguments
@dataclass(frozen=True)
class Task:
    """A task.

    Attributes:
        name: as in the command line's `--task`.
        about: what happens on a trial, in one line.
        columns: of its tables.
        response: the name of the column of the participant's responses.
        timed: whether trials are ordered by a column `time`, and what is learned is carried
            on over sessions.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    response: str
    timed: bool = False

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)
