"""A table with the meaning of each column, and its text as a .csv file."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

DIGITS = 10  # significant, of numbers in text


class Column(NamedTuple):
    """What a column of a table is.

    name: its header.
    unit: of its values; "" for text and pure numbers.
    about: what it says, in one sentence.
    """

    name: str
    unit: str
    about: str


class OutputTable(NamedTuple):
    """Columns of one length.

    values: by header the cells, in the order of the columns.
    about: what each column is, in the same order.
    """

    values: dict[str, np.ndarray]
    about: tuple[Column, ...]

    def frame(self) -> Any:
        """The table as a `pandas.DataFrame`."""
        import pandas

        return pandas.DataFrame(self.values)

    def csv(self) -> str:
        """The table as text: commas, a header, numbers to ten digits, an empty cell where there is none."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(self.values)
        writer.writerows(zip(*map(_texts, self.values.values()), strict=True))
        return file.getvalue()


def _texts(values: np.ndarray) -> list[str]:
    if values.dtype.kind == "b":
        return ["true" if value else "false" for value in values.tolist()]
    if values.dtype.kind == "f":
        return ["" if np.isnan(v) else f"{v:.{DIGITS}g}" for v in values.tolist()]
    return [str(value) for value in values.tolist()]


def make_table(columns: Sequence[tuple[Column, Any]]) -> OutputTable:
    """The table of these columns."""
    return OutputTable(
        {column.name: np.asarray(values) for column, values in columns},
        tuple(column for column, _ in columns),
    )


def users_columns(
    cells: Mapping[str, np.ndarray], ours: Sequence[str]
) -> list[tuple[Column, np.ndarray]]:
    """Columns of the user's table under their own names; one that is named as one of `ours` is `NAME (table)`."""
    taken, found = set(ours) | set(cells), []
    for name, values in cells.items():
        own = name
        while own in ours or (own != name and own in taken):
            own = f"{own} (table)"
        taken.add(own)
        found.append((Column(own, "", "as it is in the table"), values))
    return found


TRUSTED = Column(
    "trusted",
    "",
    "whether the fit met every limit of its diagnostics; if false, use no number of this row",
)
