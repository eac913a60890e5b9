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
    """Columns of text of one length; `file` and `row` say where each row stood."""

    columns: dict[str, list[str]]
    file: list[str]
    row: list[int]  # as a spreadsheet counts: the header is row 1
    levels: dict[str, Levels]  # allowed values, where a BIDS side-car says so
    units: Mapping[str, str] = {}  # where a side-car says so
    units_by_file: Mapping[str, Mapping[str, str]] = {}  # where side-cars differ
    lacking: Mapping[str, tuple[str, ...]] = {}  # files without a column others have
    unlike: Mapping[str, tuple[str, ...]] = {}  # side-cars that differ, and in what
    gone: Mapping[str, Sequence[str]] = {}  # what names say of files left out
    origin: Mapping[str, tuple[list[str], list[int]]] = {}  # files and rows, if others
    elsewhere: Mapping[str, tuple[str, list[str]]] = {}  # the same column of a 2nd file
    has_commas: bool = False  # some numbers had decimal commas

    @property
    def num_rows(self) -> int:
        """Rows without the header."""
        return len(self.row)

    def at(self, i: int, column: str) -> dict[str, Any]:
        """File, row and column of one cell, as violations name them."""
        files, rows = self.origin.get(column, (self.file, self.row))
        return {"file": files[i], "row": rows[i], "column": column}

    def take(self, kept: Sequence[int]) -> "RawTable":
        """The table of these rows."""
        return self._replace(
            columns={n: [c[i] for i in kept] for n, c in self.columns.items()},
            file=[self.file[i] for i in kept],
            row=[self.row[i] for i in kept],
            origin={
                n: ([f[i] for i in kept], [r[i] for i in kept])
                for n, (f, r) in self.origin.items()
            },
            elsewhere={
                n: (f, [c[i] for i in kept]) for n, (f, c) in self.elsewhere.items()
            },
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

    `task_label` picks one task of a BIDS folder (`task-LABEL`), `suffix` one of `beh` and
    `events` where it has both; files of which `where` keeps no row, by their names, are
    not read. Raises UserError for a file that cannot be read as a table, every bad row
    named.
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
    """One table."""
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
