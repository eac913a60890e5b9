"""From a file or a BIDS folder to named columns of text, each cell with its place."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pcmodel.behaviour.dataset.tables.endings import how_to_export
from pcmodel.behaviour.dataset.tables.sidecars import Levels
from pcmodel.behaviour.dataset.tables.text import read_rows
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import check_file as check_file
from pcmodel.inputs.files import shown
from pcmodel.inputs.ranges import Means

TEXT = (".csv", ".tsv", ".txt", ".dat")


class RawTable(NamedTuple):
    """Columns of text of one length.

    columns: by name the cells.
    file: the name of each row's file.
    row: its number in the file, as a spreadsheet counts: the header is row 1.
    levels: by column the allowed values, where a BIDS side-car lists them.
    units: by column the unit, where a side-car names it.
    units_by_file: by column, then file, where side-cars name different units.
    lacking: by column the files without it, where others have it.
    unlike: by column how side-cars differ, and in which of their keys.
    gone: by column what the names of files that are left out say.
    origin: by column the files and rows of its cells, where they are not `file` and `row`.
    elsewhere: by column another file that has it too, and its cells there.
    has_commas: whether some numbers had decimal commas.
    """

    columns: dict[str, list[str]]
    file: list[str]
    row: list[int]
    levels: dict[str, Levels]
    units: Mapping[str, str] = {}
    units_by_file: Mapping[str, Mapping[str, str]] = {}
    lacking: Mapping[str, tuple[str, ...]] = {}
    unlike: Mapping[str, tuple[str, ...]] = {}
    gone: Mapping[str, Sequence[str]] = {}
    origin: Mapping[str, tuple[list[str], list[int]]] = {}
    elsewhere: Mapping[str, tuple[str, list[str]]] = {}
    has_commas: bool = False

    @property
    def num_rows(self) -> int:
        """The number of rows without the header."""
        return len(self.row)

    def at(self, i: int, column: str) -> dict[str, Any]:
        """File, row and column of one cell, as violations name them."""
        files, rows = self.origin.get(column, (self.file, self.row))
        return {"file": files[i], "row": rows[i], "column": column}

    def take(self, kept: Sequence[int]) -> "RawTable":
        """The table of these rows."""

        def own(cells: list) -> list:
            return [cells[i] for i in kept]

        return self._replace(
            columns={name: own(cells) for name, cells in self.columns.items()},
            file=own(self.file),
            row=own(self.row),
            origin={n: (own(f), own(r)) for n, (f, r) in self.origin.items()},
            elsewhere={n: (f, own(c)) for n, (f, c) in self.elsewhere.items()},
        )


TablePath = Annotated[
    Path | str,
    Means(
        "the path of a file or folder (a data frame is saved with .to_csv)",
        lambda value: isinstance(value, str | Path),
    ),
]


@checked_arguments
def read_raw(
    path: TablePath,
    *,
    task_label: str | None = None,
    suffix: str | None = None,
    where: str = "",
) -> RawTable:
    """Read a CSV, TSV or Parquet file, or a BIDS folder.

    task_label: one task of a BIDS folder (`task-LABEL`).
    suffix: "beh" or "events", where a BIDS folder has both of one run.
    where: files of which this condition keeps no row, by their names, are not read.
    Raises UserError for a file that cannot be read as a table, with every bad row named.
    """
    from pcmodel.behaviour.dataset.tables.bids import read_bids

    path = Path(path)
    if os.path.isdir(path):
        return read_bids(path, task_label=task_label, suffix=suffix, where=where)
    for name, value in (("bids_task", task_label), ("bids_suffix", suffix)):
        if value is not None and path.exists():
            raise UserError(
                f"is said of BIDS folders, and {shown(path)} is none",
                where=name,
                expected="it to be left out",
            )
    return read_file(path)


def read_file(path: Path) -> RawTable:
    """Read one table."""
    check_file(path)
    kind = path.suffix.lower()
    if kind == ".parquet":
        return _read_parquet(path)
    if kind not in TEXT:
        raise UserError(
            f"has the ending {path.suffix!r}, which is not read",
            where=path.name,
            expected=how_to_export(path),
        )
    rows = read_rows(path)
    table = from_rows(rows.header, rows.body, path.name, rows.numbers)
    return table._replace(has_commas=rows.has_commas)


def from_rows(
    header: Sequence[str],
    body: Sequence[Sequence[str]],
    file: str,
    numbers: Sequence[int],
) -> RawTable:
    """A raw table from rows of text."""
    columns = {name: [row[i] for row in body] for i, name in enumerate(header)}
    return RawTable(columns, [file] * len(body), list(numbers), {})


def _read_parquet(path: Path) -> RawTable:
    try:
        from pyarrow import parquet  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UserError(
            "reading Parquet needs another package",
            where=path.name,
            expected="`pip install pyarrow`, or the table saved as CSV",
        ) from None
    try:
        table = parquet.read_table(path)
    except (ValueError, OSError) as error:  # pyarrow's own errors are both
        raise UserError(f"is not a Parquet file ({error})", where=path.name) from None
    lists = [table.column(name).to_pylist() for name in table.column_names]
    rows = zip(*lists, strict=True)
    body = [["" if cell is None else str(cell) for cell in row] for row in rows]
    return from_rows(table.column_names, body, path.name, range(2, len(body) + 2))
