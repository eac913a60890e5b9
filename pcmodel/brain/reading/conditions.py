"""Whose recording a file holds, and in which condition it was made."""

import os
from pathlib import Path
from typing import NamedTuple

from pcmodel.brain.reading.bids_names import entities
from pcmodel.brain.reading.tables import split_rows
from pcmodel.errors import UserError
from pcmodel.inputs.files import shown

TABLE_KINDS = (".csv", ".tsv")


class Origin(NamedTuple):
    """A recording's origin.

    person: name of the person.
    condition: name of the condition; "" if none is asked for.
    """

    person: str
    condition: str


def origins(files: list[Path], condition_from: str | None) -> dict[Path, Origin]:
    """The person and the condition of each file.

    The person is the entity `sub`, or else the file's name without its ending.
    condition_from: an entity of the names (`ses`, `task`, ...), `folder` for the name of the folder that the file is
        in, or a .csv or .tsv file with the columns file, condition and maybe person; None for no conditions.
    Raises UserError for a file without that entity, or that the table does not list.
    """
    source = (condition_from or "").strip()
    if Path(source).suffix in TABLE_KINDS:
        return _listed(files, Path(source))
    return {
        file: Origin(entities(file).get("sub", file.stem), _condition(file, source))
        for file in files
    }


def _condition(file: Path, source: str) -> str:
    if not source:
        return ""
    if source == "folder":
        return Path(os.path.abspath(file)).parent.name  # of a link its own folder
    found = entities(file).get(source)
    if found is None:
        have = ", ".join(entities(file)) or "none"
        raise UserError(
            f"its name has no {source}-",
            where=shown(file),
            expected=f"an entity that it has ({have}), `folder`, or a table of file and condition",
        )
    return found


def _listed(files: list[Path], table: Path) -> dict[Path, Origin]:
    """The origins that a table lists by the files' names, or by their paths from its folder."""
    where = shown(table)
    rows = split_rows(table)
    header = [cell.strip().lower() for cell in rows[0][1]]
    if not {"file", "condition"} <= set(header):
        raise UserError(
            f"has the columns {', '.join(header)}",
            where=where,
            expected="file and condition, and person where names do not tell",
        )
    found: dict[str, Origin] = {}
    for number, row in rows[1:]:
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        name, condition = cells.get("file", ""), cells.get("condition", "")
        if not name or not condition:
            raise UserError(f"line {number} has no file or no condition", where=where)
        if name in found:
            raise UserError(f"line {number} names {name!r} again", where=where)
        own = entities(Path(name)).get("sub", Path(name).stem)
        found[name] = Origin(cells.get("person") or own, condition)
    listed = {}
    for file in files:
        names = (file.name, file.as_posix(), _below(file, table.parent))
        name = next((name for name in names if name in found), None)
        if name is None:
            raise UserError(
                f"does not list {file.name}",
                where=where,
                expected="a row for each file",
            )
        listed[file] = found[name]
    return listed


def _below(file: Path, folder: Path) -> str:
    return Path(os.path.relpath(file, folder)).as_posix()
