"""A table as it is read for a task: its columns, and every violation found in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from pcmodel.behaviour.dataset.reading import Reading
from pcmodel.behaviour.dataset.schema import Task
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.violations import Place, Violations


@dataclass(frozen=True)
class TaskTable:
    """A table and how it is read for a task.

    Attributes:
        raw: the cells, as text.
        task: the columns that are wanted.
        given: by name of the task's column the file's column, where the user named it.
        reading: what the user says of the cells.
        problems: the violations found so far.
        places: by name (of the task's column, a condition or trait) the file's column.
    """

    raw: RawTable
    task: Task
    given: Mapping[str, str]
    reading: Reading
    problems: Violations
    places: Mapping[str, str]

    @property
    def columns(self) -> dict[str, list[str]]:
        """By name the cells of each column of the file."""
        return self.raw.columns

    def cells(self, column: str) -> list[str]:
        """The cells of a column without spaces around them."""
        return [cell.strip() for cell in self.raw.columns[column]]

    def column(self, column: str) -> Place:
        """A column as a whole, in the file that holds its first cell."""
        return Place(self.problems, self.raw.at(0, column)["file"], column)

    def row(self, column: str, i: int | np.integer) -> Place:
        """The row of a cell; the violation does not show its value."""
        return Place(self.problems, **self.raw.at(int(i), column))

    def cell(self, column: str, i: int | np.integer) -> Place:
        """A cell; the violation shows its value."""
        value = self.raw.columns[column][i].strip()
        return self.row(column, i)._replace(value=value)

    def read(
        self, column: str, numbers: Mapping[str, float], problems: Mapping[str, str]
    ) -> Float[np.ndarray, " rows"]:
        """The number of each row's cell, by the cell's text.

        A cell that is in `problems` is refused with what stands there, and yields NaN.
        """
        found = np.full(self.raw.num_rows, np.nan)
        for i, cell in enumerate(self.cells(column)):
            if cell in problems:
                self.cell(column, i).refuse(problems[cell])
            else:
                found[i] = numbers[cell]
        return found


@dataclass(frozen=True)
class Trials(TaskTable):
    """A table of which it is known which rows are trials of which series.

    Attributes:
        series: the number of each row's series, from 0.
    """

    series: Int[np.ndarray, " rows"]

    @cached_property
    def by_series(self) -> list[Int[np.ndarray, " own"]]:
        """The rows of each series, in the order of the file."""
        order = np.argsort(self.series, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.series[order])) + 1)
