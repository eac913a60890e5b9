"""Behavioural files of a BIDS folder.

`sub-*/[ses-*/][beh/]*_beh.tsv` or `*_events.tsv`, their JSON side-cars, `participants.tsv`
and `sub-*_sessions.tsv`. Participant and session come from the file names; the columns of
the tables of people and sessions are added to every row. No other folder is read, such as
`derivatives/`, `sourcedata/`, `code/` or hidden ones.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from pcmodel.behaviour.dataset.naming import called, likeness
from pcmodel.behaviour.dataset.people import with_people, with_sessions
from pcmodel.behaviour.dataset.schema import (
    BLOCK_NAMES,
    PARTICIPANT_NAMES,
    SESSION_NAMES,
)
from pcmodel.behaviour.dataset.tables.endings import EXPORTS, SAME
from pcmodel.behaviour.dataset.tables.entities import entities, in_order, suffix_of
from pcmodel.behaviour.dataset.tables.readers import RawTable, TablePath, read_file
from pcmodel.behaviour.dataset.tables.sidecars import sidecar_contents, sidecars_of
from pcmodel.behaviour.dataset.tables.where import UNKNOWN, may_hold
from pcmodel.behaviour.dataset.violations import Place, Violations
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import shown

SUFFIXES = ("beh", "events")
DATATYPES = ("beh", "func", "eeg", "meg", "ieeg", "nirs", "pet", "motion", "emg", "mrs")
FOLDER = re.compile(rf"sub-[A-Za-z0-9]+|ses-[A-Za-z0-9]+|{'|'.join(DATATYPES)}")
ENDINGS = {".tsv", ".csv", ".txt", ".dat", ".parquet", *EXPORTS, *SAME} - {".json"}
OWN = (
    ("participant_id", "sub", PARTICIPANT_NAMES),
    ("session", "ses", SESSION_NAMES),
    ("run", "run", BLOCK_NAMES[:6]),
)


def read_bids(
    folder: Path,
    *,
    task_label: str | None = None,
    suffix: str | None = None,
    where: str = "",
) -> RawTable:
    """All behavioural files of the folder, one below the other.

    A file of which `where` keeps no row, by its name, is not read: so a damaged one can be
    left out.
    """
    found, gone = behavioural_files(
        folder, task_label=task_label, suffix=suffix, where=where
    )
    tables = [_with_entities(path, read_file(path)) for path in found]
    sidecars = sidecar_contents(found, folder)
    table = _stack(tables)._replace(**sidecars._asdict(), gone=gone)
    return with_people(with_sessions(table, folder), folder)


@checked_arguments
def files_read(
    path: TablePath,
    *,
    task_label: str | None = None,
    suffix: str | None = None,
    where: str = "",
) -> list[Path]:
    """The files that a data set is read from, side-cars and tables of people included."""
    path = Path(path)
    if not path.is_dir():
        return [path]
    found, _ = behavioural_files(
        path, task_label=task_label, suffix=suffix, where=where
    )
    beside = [s for file in found for s in sidecars_of(file, path)]
    people = [path / f"participants.{kind}" for kind in ("tsv", "json")]
    who = sorted({f"sub-{entities(file).get('sub', '')}" for file in found})
    sessions = [path / own / f"{own}_sessions.tsv" for own in who]
    every = dict.fromkeys((*found, *beside, *people, *sessions))
    return [file for file in every if file.is_file()]


def behavioural_files(
    folder: Path, *, task_label: str | None, suffix: str | None, where: str = ""
) -> tuple[list[Path], dict[str, list[str]]]:
    """The files of one task, and by column what the names say of those left out.

    UserError where it is not clear which files they are, or a run is in two of them.
    """
    if suffix is not None and suffix not in SUFFIXES:
        raise UserError(
            f"is {suffix!r}", where="bids_suffix", expected=" or ".join(SUFFIXES)
        )
    kinds = SUFFIXES if suffix is None else (suffix,)
    every = [p for p in folder.rglob("sub-*.*") if _belongs(p, folder)]
    tables = [p for p in every if suffix_of(p) in kinds]
    found = sorted(_each_once(tables), key=in_order)
    labels = sorted({entities(p).get("task", "") for p in found} - {""})
    if task_label is not None:
        found = [p for p in found if entities(p).get("task") == task_label]
    if not found:
        what = f" of task {task_label!r}" if task_label else ""
        hint = f"; its tasks are {', '.join(labels)}" if labels else ""
        raise UserError(
            f"holds no behavioural file{what}{hint}",
            where=shown(folder.resolve()),
            expected="sub-*_beh.tsv or sub-*_events.tsv, in the folder, sub-*/ or "
            "sub-*/ses-*/ (tables of another kind: all people in one file, with a "
            "column that names them)",
        )
    if task_label is None and len(labels) > 1:
        raise UserError(
            f"holds several tasks: {', '.join(labels)}",
            where=shown(folder.resolve()),
            expected="one of them, named by task_label (--bids-task)",
        )
    found, gone = _kept(found, where) if where else (found, {})
    _check_endings(found)
    _check_places(found, folder)
    _check_once(found)
    return found, gone


def _each_once(tables: Sequence[Path]) -> list[Path]:
    """The .tsv files, and those of other endings for runs that have no .tsv file.

    The latter are refused later: a run that is passed over in silence changes the results.
    """
    own = [path for path in tables if path.suffix == ".tsv"]
    runs = {frozenset(entities(path).items()) for path in own}
    others = [
        path
        for path in tables
        if path not in own
        and path.suffix.lower() in ENDINGS
        and path.is_file()
        and frozenset(entities(path).items()) not in runs
    ]
    return own + others


def _check_endings(found: Sequence[Path]) -> None:
    """UserError for a file that is no .tsv."""
    for path in found:
        if path.suffix == ".tsv":
            continue
        name = path.name.partition(".")[0] + ".tsv"
        way = f"{name} in its place"
        if path.name.removesuffix(".gz") == name:
            way = f"it unpacked (gunzip {path.name})"
        raise UserError(
            f"has the ending {path.suffix!r}, and of a BIDS folder only .tsv is read",
            where=path.name,
            expected=f"{way}, or the file moved out of the folder",
        )


def _kept(found: Sequence[Path], where: str) -> tuple[list[Path], dict[str, list[str]]]:
    """The files of which the condition may keep a row, and what the names of others say."""
    own = [entities(path) for path in found]
    columns = {name: [e.get(key, UNKNOWN) for e in own] for name, key, _ in OWN}
    names = [path.name for path in found]
    table = RawTable(columns, names, [1] * len(names), {})
    kept = may_hold(table, where)
    columns["file"] = names
    gone = {
        name: [c for c, keep in zip(cells, kept, strict=True) if not keep]
        for name, cells in columns.items()
    }
    return [path for path, keep in zip(found, kept, strict=True) if keep], gone


def _belongs(path: Path, folder: Path) -> bool:
    """Whether a file is in folders of people, sessions and kinds of data only."""
    places = path.relative_to(folder).parts[:-1]
    return all(FOLDER.fullmatch(place) for place in places)


def _check_places(found: Sequence[Path], folder: Path) -> None:
    """UserError for a file in the folder of another person or session."""
    for path in found:
        own = entities(path)
        for place in path.relative_to(folder).parts[:-1]:
            key, dash, label = place.partition("-")
            if dash and own.get(key) != label:
                raise UserError(
                    f"lies in the folder {place}, which its name does not say",
                    where=path.name,
                    expected=f"{place} in its name, or another folder",
                )


def _check_once(found: Sequence[Path]) -> None:
    """UserError for a run in two files, whose trials would count twice."""
    first: dict[tuple, Path] = {}
    for path in found:
        own = entities(path)
        # run-1 and run-01 are one run; people and sessions are compared elsewhere.
        names = tuple(own.get(key, "") for key in ("sub", "ses", "task"))
        run = (*names, likeness(own.get("run", "")))
        other = first.setdefault(run, path)
        if other is path:
            continue
        if suffix_of(other) != suffix_of(path):
            advice = "one of them, by --bids-suffix beh or --bids-suffix events"
        else:
            advice = "one of them; move the other out of the folder"
        raise UserError(
            f"is of the same run as {other.name}, so that its trials would count twice",
            where=path.name,
            expected=advice,
        )


def _with_entities(path: Path, table: RawTable) -> RawTable:
    """The table with person, session and run of the file's name; other ones are refused."""
    found, problems = entities(path), Violations()
    columns = dict(table.columns)
    for name, key, names in OWN:
        if key not in found:
            continue
        for other in called(table.columns, names):
            cells = table.columns[other]
            for i, cell in enumerate(cells):
                if likeness(cell.removeprefix(f"{key}-")) != likeness(found[key]):
                    Place(problems, path.name, other, table.row[i], cell).refuse(
                        f"is not the {key}-{found[key]} of the file's name"
                    )
            del columns[other]
        columns[name] = [found[key]] * table.num_rows
    problems.raise_if_any()
    return table._replace(columns=columns, file=[path.name] * table.num_rows)


def _stack(tables: list[RawTable]) -> RawTable:
    """The tables one below the other, with a note of the files that lack a column."""
    names = list(dict.fromkeys(name for t in tables for name in t.columns))
    columns = {
        name: [cell for t in tables for cell in t.columns.get(name, [""] * t.num_rows)]
        for name in names
    }
    lacking = {
        name: tuple(t.file[0] for t in tables if name not in t.columns)
        for name in names
    }
    files = [file for t in tables for file in t.file]
    rows = [row for t in tables for row in t.row]
    has_commas = any(table.has_commas for table in tables)
    return RawTable(columns, files, rows, {}, lacking=lacking, has_commas=has_commas)
