"""Behavioural files of a BIDS folder.

`sub-*/[ses-*/][beh/]*_beh.tsv` or `*_events.tsv`, their JSON side-cars (own or inherited from
a folder above, the nearest winning) and `participants.tsv`. Participant and session come
from the file names; what `participants.tsv` says of a person is added to every row.
"""

import json
import re
from pathlib import Path

from pcmodel.behaviour.dataset.readers import RawTable, read_file
from pcmodel.behaviour.dataset.violations import Violations
from pcmodel.errors import UserError

ENDINGS = ("_beh.tsv", "_events.tsv")
ENTITY = re.compile(r"(?:^|_)(sub|ses|task|run|acq)-([A-Za-z0-9]+)")


def read_bids(folder: Path, *, task_label: str | None = None) -> RawTable:
    """All behavioural files of the folder, one below the other."""
    every = (p for p in folder.rglob("sub-*.tsv") if p.name.endswith(ENDINGS))
    found = sorted(every, key=_in_order)
    labels = sorted({entities(p).get("task", "") for p in found} - {""})
    if task_label is not None:
        found = [p for p in found if entities(p).get("task") == task_label]
    if not found:
        what = f" of task {task_label!r}" if task_label else ""
        hint = f"; its tasks are {', '.join(labels)}" if labels else ""
        raise UserError(
            f"holds no behavioural file{what}{hint}",
            where=folder.name,
            expected="sub-*_beh.tsv or sub-*_events.tsv",
        )
    if task_label is None and len(labels) > 1:
        raise UserError(
            f"holds several tasks: {', '.join(labels)}",
            where=folder.name,
            expected="one of them, named by task_label (--bids-task)",
        )
    tables = [_with_entities(path, read_file(path)) for path in found]
    levels: dict[str, tuple[str, ...]] = {}
    for path in found:
        levels.update(_levels(path, folder))
    return _with_participants(_stack(tables)._replace(levels=levels), folder)


def _in_order(path: Path) -> tuple[tuple[str, ...], int, str]:
    """By person, session and task, then by the number of the run: 2 before 10."""
    own = entities(path)
    run = own.get("run", "")
    names = tuple(own.get(key, "") for key in ("sub", "ses", "task"))
    return names, int(run) if run.isdecimal() else 0, path.as_posix()


def entities(path: Path) -> dict[str, str]:
    """The key-value pairs of a BIDS file name."""
    return dict(ENTITY.findall(path.name))


def _with_entities(path: Path, table: RawTable) -> RawTable:
    found = entities(path)
    columns = dict(table.columns)
    for name, key in (("participant_id", "sub"), ("session", "ses"), ("run", "run")):
        if key in found and name not in columns:
            columns[name] = [found[key]] * table.num_rows
    return table._replace(columns=columns, file=[path.name] * table.num_rows)


def _stack(tables: list[RawTable]) -> RawTable:
    """One below the other; a column that a file lacks is missing there."""
    names = list(dict.fromkeys(name for t in tables for name in t.columns))
    columns = {
        name: [cell for t in tables for cell in t.columns.get(name, [""] * t.num_rows)]
        for name in names
    }
    files = [file for t in tables for file in t.file]
    return RawTable(columns, files, [row for t in tables for row in t.row], {})


def _levels(path: Path, folder: Path) -> dict[str, tuple[str, ...]]:
    """Allowed values by column, from the side-cars that apply to a file."""
    found: dict[str, tuple[str, ...]] = {}
    places = [p for p in path.parents if p == folder or folder in p.parents]
    for place in reversed(places):
        for sidecar in sorted(place.glob("*.json")):
            if _applies(sidecar, path):
                found.update(_sidecar_levels(sidecar))
    return found


def _applies(sidecar: Path, path: Path) -> bool:
    """BIDS inheritance: the suffix is the same and every entity it names agrees."""
    same = sidecar.stem.rsplit("_", 1)[-1] == path.stem.rsplit("_", 1)[-1]
    return same and entities(sidecar).items() <= entities(path).items()


def _sidecar_levels(sidecar: Path) -> dict[str, tuple[str, ...]]:
    try:
        content = json.loads(sidecar.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"is not JSON ({error})", where=sidecar.name) from None
    if not isinstance(content, dict):
        raise UserError("is not an object", where=sidecar.name, expected="{...}")
    return {
        name: tuple(str(level) for level in about["Levels"])
        for name, about in content.items()
        if isinstance(about, dict) and isinstance(about.get("Levels"), dict | list)
    }


def _with_participants(table: RawTable, folder: Path) -> RawTable:
    path = folder / "participants.tsv"
    if not path.exists():
        return table
    people, problems = read_file(path), Violations()
    if "participant_id" not in people.columns:
        problems.add("there is no column 'participant_id'", file=path.name, row=1)
        problems.raise_if_any()
    names = [_bare(name) for name in people.columns["participant_id"]]
    for place, name in enumerate(names):
        if name in names[:place]:
            problems.add(
                "the participant stands twice",
                file=path.name,
                row=people.row[place],
                column="participant_id",
            )
    place = {name: i for i, name in enumerate(names)}
    wanted = [_bare(name) for name in table.columns["participant_id"]]
    for name in dict.fromkeys(wanted):
        if name not in place:
            problems.add(
                f"sub-{name} has data but no row here",
                file=path.name,
                column="participant_id",
            )
    problems.raise_if_any()
    columns = dict(table.columns)
    for name, cells in people.columns.items():
        if name not in columns:
            columns[name] = [cells[place[who]] for who in wanted]
    return table._replace(columns=columns)


def _bare(name: str) -> str:
    return name.strip().removeprefix("sub-")
