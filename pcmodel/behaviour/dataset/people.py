"""The tables `participants.tsv` and `sub-*_sessions.tsv`, joined to every row of trials."""

from collections.abc import Sequence
from pathlib import Path

from pcmodel.behaviour.dataset.naming import called, likeness
from pcmodel.behaviour.dataset.tables.pasted import comparison, option
from pcmodel.behaviour.dataset.tables.readers import RawTable, check_file, read_file
from pcmodel.behaviour.dataset.tables.sidecars import levels_and_units
from pcmodel.behaviour.dataset.violations import Place, Violations

Row = tuple[RawTable, int]  # a table and the number of one of its rows


def with_people(table: RawTable, folder: Path) -> RawTable:
    """The table with the columns of `participants.tsv`, by participant."""
    path = folder / "participants.tsv"
    if not _is_there(path):
        return table
    people = read_file(path)
    key = _key(people, "participant_id", path)
    wanted = [_bare(name, "sub-") for name in table.columns["participant_id"]]
    place = _places(people, key, "sub-", wanted, path)
    table = _joined(table, people, [place[name] for name in wanted], key)
    sidecar = folder / "participants.json"
    if not _is_there(sidecar):
        return table
    levels, units = levels_and_units(sidecar)
    own = set(people.columns) & set(table.origin)
    levels = {name: found for name, found in levels.items() if name in own}
    return table._replace(
        levels={**table.levels, **levels}, units={**units, **table.units}
    )


def with_sessions(table: RawTable, folder: Path) -> RawTable:
    """The table with the columns of each person's `sub-*_sessions.tsv`, by session."""
    if "session" not in table.columns:
        return table
    rows = _session_rows(table, folder)
    names = dict.fromkeys(name for row in rows if row for name in row[0].columns)
    columns, origin = dict(table.columns), dict(table.origin)
    lacking, elsewhere = dict(table.lacking), dict(table.elsewhere)
    absent = [
        (f"sub-{who}_sessions.tsv", 1, "") for who in table.columns["participant_id"]
    ]
    for name in names:
        found = [_cell(row, name) for row in rows]
        cells = [own or none for own, none in zip(found, absent, strict=True)]
        if name in table.columns:
            elsewhere[name] = "sub-*_sessions.tsv", [cell for _, _, cell in cells]
            continue
        columns[name] = [cell for _, _, cell in cells]
        origin[name] = [file for file, _, _ in cells], [row for _, row, _ in cells]
        gone = (none[0] for own, none in zip(found, absent, strict=True) if own is None)
        lacking[name] = tuple(dict.fromkeys(gone))
    return table._replace(
        columns=columns, origin=origin, lacking=lacking, elsewhere=elsewhere
    )


def _cell(row: Row | None, name: str) -> tuple[str, int, str] | None:
    """File, row and text of a cell; None where the column or the row is not there."""
    if row is None or name not in row[0].columns:
        return None
    table, i = row
    return table.file[i], table.row[i], table.columns[name][i]


def _session_rows(table: RawTable, folder: Path) -> list[Row | None]:
    """For each trial the row of its session; None where the person has no such file."""
    rows: list[Row | None] = [None] * table.num_rows
    who, session = table.columns["participant_id"], table.columns["session"]
    for name in dict.fromkeys(who):
        path = folder / f"sub-{name}" / f"sub-{name}_sessions.tsv"
        if not _is_there(path):
            continue
        sessions = read_file(path)
        key = _key(sessions, "session_id", path)
        own = [i for i, person in enumerate(who) if person == name]
        wanted = [_bare(session[i], "ses-") for i in own]
        place = _places(sessions, key, "ses-", wanted, path, name)
        sessions = sessions._replace(
            columns={n: c for n, c in sessions.columns.items() if n != key}
        )
        for i, label in zip(own, wanted, strict=True):
            rows[i] = (sessions, place[label])
    return rows


def _is_there(path: Path) -> bool:
    """Whether a file exists; UserError where it cannot be read."""
    if not path.exists() and not path.is_symlink():
        return False
    check_file(path)
    return True


def _key(table: RawTable, name: str, path: Path) -> str:
    """The column of the ids; UserError where there is none."""
    problems, found = Violations(), called(table.columns, (name,))
    if not found:
        Place(problems, path.name, row=1).refuse(f"there is no column {name!r}")
    problems.raise_if_any()
    return found[0]


def _places(
    table: RawTable,
    key: str,
    prefix: str,
    wanted: Sequence[str],
    path: Path,
    person: str = "",
) -> dict[str, int]:
    """The row of each label; UserError for labels that occur twice or are not there.

    person: whose sessions the labels are; "" where they are people.
    """
    problems, place = Violations(), {}
    column = Place(problems, path.name, key)
    what = "participant" if prefix == "sub-" else "session"
    for i, cell in enumerate(table.columns[key]):
        if place.setdefault(_bare(cell, prefix), i) != i:
            column._replace(row=table.row[i]).refuse(f"the {what} stands twice")
    for label in dict.fromkeys(wanted):
        if label in place:
            continue
        hints = [
            f" (there is {prefix}{name}; write one of them everywhere)"
            for name in place
            if likeness(name) == likeness(label)
        ]
        without = comparison("participant_id", "!=", person or label)
        without += f" or {comparison('session', '!=', label)}" if person else ""
        column.refuse(
            f"{prefix}{label} has data but no row here{''.join(hints[:1])}; add one, or "
            f"leave the {'session' if person else 'person'} out ({option(without)})"
        )
    problems.raise_if_any()
    return place


def _joined(
    table: RawTable, people: RawTable, places: Sequence[int], key: str
) -> RawTable:
    """The table with the columns of people but their `key`; `places` is each trial's row."""
    columns, origin = dict(table.columns), dict(table.origin)
    elsewhere = dict(table.elsewhere)
    for name, cells in people.columns.items():
        if name == key:
            continue
        own = [cells[i] for i in places]
        if name in columns:
            elsewhere[name] = people.file[0], own
            continue
        columns[name] = own
        files = [people.file[i] for i in places]
        origin[name] = files, [people.row[i] for i in places]
    return table._replace(
        columns=columns,
        origin=origin,
        elsewhere=elsewhere,
        has_commas=table.has_commas or people.has_commas,
    )


def _bare(name: str, prefix: str) -> str:
    return name.strip().removeprefix(prefix)
