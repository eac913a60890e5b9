"""From a file or a BIDS folder to named columns of text, each cell with its place."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pcmodel.behaviour.dataset.violations import Violations
from pcmodel.errors import UserError

DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


class RawTable(NamedTuple):
    """Columns of text of one length; `file` and `row` say where each row stood."""

    columns: dict[str, list[str]]
    file: list[str]
    row: list[int]  # as a spreadsheet counts: the header is row 1
    levels: dict[str, tuple[str, ...]]  # allowed values, where a BIDS side-car says so

    @property
    def num_rows(self) -> int:
        """Rows without the header."""
        return len(self.row)


def read_raw(path: str | Path, *, task_label: str | None = None) -> RawTable:
    """Read a CSV, TSV or Parquet file, or a BIDS folder.

    `task_label` picks one task of a BIDS folder (`task-LABEL`). Raises UserError for a
    file that cannot be read as a table, every bad row named.
    """
    from pcmodel.behaviour.dataset.bids import read_bids

    if not isinstance(path, str | Path):
        raise UserError(
            f"cannot read a {type(path).__name__}",
            where="table",
            expected="the path of a file or folder (a data frame is saved with .to_csv)",
        )
    path = Path(path)
    if path.is_dir():
        return read_bids(path, task_label=task_label)
    if not path.exists():
        raise UserError("there is no such file or folder", where=str(path))
    return read_file(path)


def read_file(path: Path) -> RawTable:
    """One table."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        return _read_parquet(path)
    if kind not in DELIMITERS:
        raise UserError(
            f"does not know the ending {path.suffix!r}",
            where=path.name,
            expected=".csv, .tsv, .parquet, or a BIDS folder",
        )
    return _read_text(path, DELIMITERS[kind])


def _read_text(path: Path, delimiter: str) -> RawTable:
    try:
        # `utf-8-sig`: spreadsheets write a byte-order mark before the first name.
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"is not UTF-8 text (byte {error.start})",
            where=path.name,
            expected="a table saved as CSV or TSV in UTF-8",
        ) from None
    first = text.partition("\n")[0]
    if delimiter not in first:  # spreadsheets of many countries write semicolons
        delimiter = next((other for other in ";\t," if other in first), delimiter)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UserError(
            f"cannot be read as a table ({error})",
            where=path.name,
            expected="every quotation mark closed",
        ) from None
    numbered = [(i, row) for i, row in enumerate(rows, 1) if any(map(str.strip, row))]
    if len(numbered) < 2:
        raise UserError("has no rows", where=path.name, expected="a header and data")
    header = [name.strip() for name in numbered[0][1]]
    problems = Violations()
    _check_header(header, path.name, problems)
    for number, row in numbered[1:]:
        if len(row) != len(header):
            problems.add(
                f"has another number of cells than the header's {len(header)}",
                file=path.name,
                row=number,
                value=f"{len(row)} cells",
            )
    problems.raise_if_any()
    body = [row for _, row in numbered[1:]]
    return from_rows(header, body, path.name, [i for i, _ in numbered[1:]])


def _check_header(header: Sequence[str], file: str, problems: Violations) -> None:
    for place, name in enumerate(header):
        if not name:
            problems.add(f"column {place + 1} has no name", file=file, row=1)
        elif name in header[:place]:
            problems.add("the name stands twice", file=file, row=1, column=name)


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
