"""Measurements during training: one line of strict JSON for each, appended.

Appending cannot damage earlier lines.  A kill can truncate the last line, and a run that is resumed
from a checkpoint repeats some steps: `MetricsLog.resume` drops the rows of both, so that the file equals
that of an uninterrupted run.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pcmodel.errors import UserError
from pcmodel.inputs.files import read_text
from pcmodel.record.files import unwritable, write_bytes
from pcmodel.record.strict_json import dump_json

RENAMED = {"validation_surprise": "validation_negative_log_likelihood"}
"""Measures' names in earlier versions, so that their runs can be resumed."""


class MetricsLog:
    """An append-only file of rows; each has a whole number called `step`."""

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)

    def append(self, row: Mapping[str, Any]) -> None:
        """Write one row and flush it. Raises UserError where the system refuses."""
        line = dump_json(row, indent=None) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def resume(self, step: int) -> list[dict[str, Any]]:
        """Delete a truncated last line and every row after `step`; return the remaining rows.

        `resume(-1)` starts an empty file.
        """
        rows = [row for row in read_metrics(self.path) if row["step"] <= step]
        lines = [dump_json(row, indent=None) + "\n" for row in rows]
        write_bytes(self.path, "".join(lines).encode())
        return rows


def read_metrics(path: str | os.PathLike) -> list[dict[str, Any]]:
    """Every row; empty where there is no file. A truncated last line is left out.

    Raises UserError, with the line number, for a file of another format.
    """
    if not Path(path).exists():
        return []
    text = read_text(path)
    lines = text.split("\n")
    return [_row(line, path, number) for number, line in enumerate(lines[:-1], start=1)]


def _row(line: str, path: str | os.PathLike, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict) or not isinstance(row.get("step"), int):
        raise UserError(
            "is not a row of metrics",
            where=f"{path} line {number}",
            expected='a JSON object with a whole number called "step"',
        )
    return {RENAMED.get(str(name), str(name)): value for name, value in row.items()}


class TensorBoardLog:
    """The same measurements for TensorBoard, written with the package tensorboardX."""

    def __init__(self, folder: str | os.PathLike):
        try:
            from tensorboardX import SummaryWriter  # pyright: ignore[reportMissingImports]
        except ImportError:
            raise UserError(
                "writing for TensorBoard needs the package tensorboardX",
                expected="pcmodel[tensorboard] to be installed, or no --tensorboard",
            ) from None
        self._writer = SummaryWriter(str(folder))

    def append(self, row: Mapping[str, Any]) -> None:
        """Write the numbers of one row."""
        for name, value in row.items():
            if name != "step" and isinstance(value, int | float):
                self._writer.add_scalar(name, value, row["step"])
        self._writer.flush()

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
