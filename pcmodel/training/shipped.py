"""The configurations that come with the package: their names, questions and times."""

import re
from pathlib import Path
from typing import NamedTuple

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.files import check_file

FOLDER = Path(__file__).resolve().parent / "configurations"


class Shipped(NamedTuple):
    """A configuration that comes with the package.

    name: its file without the ending.
    path: its file.
    question: what it asks.
    time: how long it takes, in words.
    """

    name: str
    path: Path
    question: str
    time: str


def shipped() -> list[Shipped]:
    """Every configuration of the package, by name."""
    return [_entry(path) for path in sorted(FOLDER.glob("*.yaml"))]


def locate_plan(name_or_path: str) -> Path:
    """The file of a shipped configuration, given its name, or of the user's own, given its path."""
    path = Path(name_or_path).expanduser()
    if path.suffix in (".yaml", ".yml", ".json") or "/" in name_or_path:
        try:
            return check_file(path)
        except UserError as error:
            raise UserError(f"configuration {error}") from None
    known = {entry.name: entry.path for entry in shipped()}
    if name_or_path not in known:
        raise unknown_name("configuration", name_or_path, known)
    return known[name_or_path]


def _entry(path: Path) -> Shipped:
    text = path.read_text("utf-8")
    question = re.search(r"^question:\s*(.+)$", text, re.MULTILINE)
    time = re.search(r"^# Time:\s*(.+)$", text, re.MULTILINE)
    return Shipped(
        path.stem,
        path,
        question[1].strip("'\"") if question else "",
        time[1].rstrip(".") if time else "",
    )
