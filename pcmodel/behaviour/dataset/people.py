"""What `participants.tsv` and `sub-*_sessions.tsv` say, added to every row of trials."""

from collections.abc import Sequence
from pathlib import Path

from pcmodel.behaviour.dataset.naming import called, likeness
from pcmodel.behaviour.dataset.tables.readers import RawTable, check_file, read_file
from pcmodel.behaviour.dataset.tables.sidecars import levels_and_units
from pcmodel.behaviour.dataset.tables.where import comparison, option
from pcmodel.behaviour.dataset.violations import Violations


def with_people(table: RawTable, folder: Path) -> RawTable:
    """The columns of `participants.tsv`, by participant."""
    path = folder / "participants.tsv"
    if not _is_there(path):
        return table
    people = read_file(path)
    key = _key(people, "participant_id", "sub-", path)
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
    """The columns of each person's `sub-*_sessions.tsv`, by session."""
    if "session" not in table.columns:
        return table
    rows = _session_rows(table, folder)
    names = dict.fromkeys(n for row in rows if row for n in row[0].columns)
    columns, origin = dict(table.columns), dict(table.origin)
    lacking, elsewhere = dict(table.lacking), dict(table.elsewhere)
    for name in names:
        if name in table.columns:
            told = "sub-*_sessions.tsv", [_cell(row, name) or "" for row in rows]
            elsewhere[name] = told
            continue
        cells, files, numbers, without = [], [], [], {}
        for who, row in zip(table.columns["participant_id"], rows, strict=True):
            cell = _cell(row, name)
            if row is None or cell is None:
                cells.append("")
                files.append(f"sub-{who}_sessions.tsv")
                numbers.append(1)
                without[files[-1]] = None
                continue
            cells.append(cell)
            files.append(row[0].file[row[1]])
            numbers.append(row[0].row[row[1]])
        columns[name], origin[name] = cells, (files, numbers)
        lacking[name] = tuple(without)
    return table._replace(
        columns=columns, origin=origin, lacking=lacking, elsewhere=elsewhere
    )


Row = tuple[RawTable, int]


def _cell(row: Row | None, name: str) -> str | None:
    if row is None or name not in row[0].columns:
        return None
    return row[0].columns[name][row[1]]


def _session_rows(table: RawTable, folder: Path) -> list[Row | None]:
    """For every trial the row of its session; None where the person has no such file."""
    rows: list[Row | None] = [None] * table.num_rows
    who, session = table.columns["participant_id"], table.columns["session"]
    for name in dict.fromkeys(who):
        path = folder / f"sub-{name}" / f"sub-{name}_sessions.tsv"
        if not _is_there(path):
            continue
        sessions = read_file(path)
        key = _key(sessions, "session_id", "ses-", path)
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
    if not path.exists() and not path.is_symlink():
        return False
    check_file(path)
    return True


def _key(table: RawTable, name: str, prefix: str, path: Path) -> str:
    problems, found = Violations(), called(table.columns, (name,))
    if not found:
        problems.add(f"there is no column {name!r}", file=path.name, row=1)
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
    """The row of each label; UserError for labels that stand twice or are not there.

    person: whose sessions they are, if they are sessions.
    """
    problems, place = Violations(), {}
    what = "participant" if prefix == "sub-" else "session"
    for i, cell in enumerate(table.columns[key]):
        if place.setdefault(_bare(cell, prefix), i) != i:
            problems.add(
                f"the {what} stands twice", file=path.name, row=table.row[i], column=key
            )
    for label in dict.fromkeys(wanted):
        if label in place:
            continue
        close = [name for name in place if likeness(name) == likeness(label)]
        hint = [
            f" (there is {prefix}{name}; write one of them everywhere)"
            for name in close
        ]
        without = comparison("participant_id", "!=", person or label)
        without += f" or {comparison('session', '!=', label)}" if person else ""
        problems.add(
            f"{prefix}{label} has data but no row here{''.join(hint[:1])}; add one, or "
            f"leave the {'session' if person else 'person'} out ({option(without)})",
            file=path.name,
            column=key,
        )
    problems.raise_if_any()
    return place


def _joined(
    table: RawTable, people: RawTable, places: Sequence[int], key: str
) -> RawTable:
    columns, origin = dict(table.columns), dict(table.origin)
    elsewhere = dict(table.elsewhere)
    for name, cells in people.columns.items():
        if name == key:
            continue
        if name in columns:
            elsewhere[name] = people.file[0], [cells[i] for i in places]
            continue
        columns[name] = [cells[i] for i in places]
        origin[name] = (
            [people.file[i] for i in places],
            [people.row[i] for i in places],
        )
    return table._replace(
        columns=columns,
        origin=origin,
        elsewhere=elsewhere,
        has_commas=table.has_commas or people.has_commas,
    )


def _bare(name: str, prefix: str) -> str:
    return name.strip().removeprefix(prefix)
