"""A file of JSON lines that only grows, and may have been cut in the middle of one."""

import json
from pathlib import Path
from typing import Any


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Every whole line."""
    rows = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue  # a run was cut while it wrote this
    return rows


def add_row(path: Path, row: dict[str, Any]) -> None:
    """One more, on a line of its own whatever the last write left."""
    whole = not path.exists() or path.read_bytes()[-1:] in (b"", b"\n")
    with path.open("a", encoding="utf-8") as out:
        out.write(("" if whole else "\n") + json.dumps(row) + "\n")
