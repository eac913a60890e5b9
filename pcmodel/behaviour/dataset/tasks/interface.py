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
        signed: whether a -1 is a value, such as a loss, and no code for a missing one.
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
    signed: bool = False
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
        event: the name of the column of what happens in a trial beside the response.
        like: of a user's own task the shipped one whose models it has; "" for a shipped one.
        scale: of the responses, low end, high end and perhaps step; empty where the table's user gives it.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    response: str
    timed: bool = False
    event: str = "outcome"
    like: str = ""
    scale: tuple[float, ...] = ()

    @property
    def kind(self) -> str:
        """The shipped task whose models it has."""
        return self.like or self.name

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)
