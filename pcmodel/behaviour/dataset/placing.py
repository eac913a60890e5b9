"""Which column of a file is which of the task's."""

from collections.abc import Mapping, Sequence

from pcmodel.behaviour.dataset.naming import called, plain
from pcmodel.behaviour.dataset.schema import (
    BLOCK_NAMES,
    PARTICIPANT,
    PARTICIPANT_NAMES,
    SESSION_NAMES,
    TRIAL_NAMES,
    Task,
)
from pcmodel.behaviour.dataset.tables.devices import of_objects, of_player
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import comparison, option
from pcmodel.behaviour.dataset.tables.wide import check_wide, to_long, trials_in_columns
from pcmodel.behaviour.dataset.trials.blocks import stands
from pcmodel.behaviour.dataset.values.chosen import answer_otherwise, count_otherwise
from pcmodel.behaviour.dataset.violations import Violations
from pcmodel.errors import unknown_name

MOST_SHOWN = 30  # columns of a file, where one is not there


def find_columns(
    raw: RawTable,
    task: Task,
    given: Mapping[str, str],
    extra: Sequence[str],
    problems: Violations,
) -> dict[str, str]:
    """The task's names, participant, session, block, trial and `extra` to the file's."""
    file = raw.file[0]
    if check_wide(raw, problems):
        return {}
    known = {
        PARTICIPANT: PARTICIPANT_NAMES,
        "session": SESSION_NAMES,
        "block": BLOCK_NAMES,
        "trial": TRIAL_NAMES,
        **{column.name: (column.name, *column.names) for column in task.columns},
    }
    for name in given:
        if name not in known:
            problems.add(
                str(unknown_name("column of the task", name, known)), file=file
            )
    places = {}
    if stands(raw, given):
        del known["trial"]  # the rows are not sorted by a column
    for name, names in known.items():
        several: list[str] = []
        if name in given:
            found = [given[name]] if given[name] in raw.columns else []
            names = (given[name],)
        else:
            taken = set(given.values())
            free = [n for n in raw.columns if n not in taken or plain(n) == plain(name)]
            found = called(free, names)
            _check_one(raw, name, found, problems)
            if name == task.response:
                _check_response(raw, task, found, problems)
            several = [] if found else _of_software(raw, task, name, free, names)
            found = several if len(several) == 1 else found
        if found:
            places[name] = found[0]
        elif name in given or not _may_be_absent(task, name):
            problems.add(_absent(name, names, raw, several), file=file)
    _check_apart(task, places, file, problems)
    for name in extra:
        if name == places.get(PARTICIPANT):
            problems.add(
                "names people, whose differences are (1 | participant) in a formula",
                file=file,
                column=name,
            )
        if name in raw.columns:
            places[name] = name
        elif name not in places:
            problems.add(str(unknown_name("column", name, raw.columns)), file=file)
    _check_everywhere(raw, places, problems)
    return places


def _of_software(
    raw: RawTable,
    task: Task,
    name: str,
    free: Sequence[str],
    names: Sequence[str],
) -> list[str]:
    """Columns that software for experiments writes for this one of the task's."""
    own = of_player(free)
    if found := called(own, names):
        return [own[found[0]]]
    if name not in (task.response, "reaction_time"):
        return []
    return of_objects(raw, free, is_time=name == "reaction_time")


def _check_one(
    raw: RawTable, name: str, found: Sequence[str], problems: Violations
) -> None:
    """Of several columns that could be the one meant, the rest say the same."""
    if len(found) < 2 or name in ("block", "trial"):
        return
    very = [n for n in found if plain(n) == plain(name)]
    if name != PARTICIPANT and len(very) == 1:
        return  # the one that has the very name
    for other in found[1:]:
        if raw.lacking.get(other) or raw.lacking.get(found[0]):
            continue  # each of them in some files only, which is told below
        if name in (PARTICIPANT, "session"):
            loose = name == PARTICIPANT and plain(other) in ("id", "pid")
            alike = loose or _same_groups(raw.columns[found[0]], raw.columns[other])
        else:
            alike = raw.columns[found[0]] == raw.columns[other]
        if not alike:
            problems.add(
                f"both {found[0]!r} and {other!r} could be the {name}, and they differ; "
                f"say which is meant ({pasted('columns', f'{name}={listed(found[0])}')})",
                file=raw.file[0],
                row=1,
            )


def _check_response(
    raw: RawTable, task: Task, found: Sequence[str], problems: Violations
) -> None:
    """A choice beside the response tells the same, if in other words: a key for a side."""
    name = task.response
    if not found or plain(found[0]) != plain(name):
        return  # asked about already
    if task.column(name).kind not in ("binary", "integer"):
        return  # a choice may be made beside a rating
    own = raw.columns[found[0]]
    for other in found[1:]:
        cells = raw.columns[other]
        if raw.lacking.get(other) or raw.lacking.get(found[0]):
            continue
        if answer_otherwise(own, cells) or count_otherwise(own, cells):
            meant = [
                pasted("columns", f"{name}={listed(n)}") for n in (found[0], other)
            ]
            problems.add(
                f"both {found[0]!r} and {other!r} could be the {name}, and they do not go "
                f"together; say which is meant ({meant[0]} or {meant[1]})",
                file=raw.file[0],
                row=1,
            )
            return


def _same_groups(one: Sequence[str], other: Sequence[str]) -> bool:
    pairs = set(zip(one, other, strict=True))
    return len(pairs) == len(set(one)) == len(set(other))


def _check_everywhere(
    raw: RawTable, places: Mapping[str, str], problems: Violations
) -> None:
    """Each file has every column that is used: one without it is no missing value."""
    for place in dict.fromkeys(places.values()):
        if place == places.get("block"):
            continue
        for file in raw.lacking.get(place, ()):
            problems.add(
                "has no such column, though other files have it; name it as they do, or "
                "add it, n/a where nothing is known"
                if _was_read(raw, file)
                else "there is no such file, though other people have one; add it, or "
                f"leave the person out ({_without(file)})",
                file=file,
                row=1 if _was_read(raw, file) else None,
                column=place,
            )


def _without(file: str) -> str:
    """The option that leaves out the person of a file that is not there."""
    person = file.removeprefix("sub-").split("_")[0]
    return option(comparison("participant_id", "!=", person))


def _was_read(raw: RawTable, file: str) -> bool:
    """Whether a file is there: one of which a row stands in no column was not read."""
    joined = (pair for own in raw.origin.values() for pair in zip(*own, strict=True))
    return file in raw.file or any(f == file and row > 1 for f, row in joined)


def _check_apart(
    task: Task, places: Mapping[str, str], file: str, problems: Violations
) -> None:
    """No column of the file is two of the task's."""
    taken: dict[str, str] = {}
    for column in task.columns:
        place = places.get(column.name)
        if place is not None and taken.setdefault(place, column.name) != column.name:
            problems.add(
                f"cannot be both the {taken[place]} and the {column.name}",
                file=file,
                column=place,
            )


def _may_be_absent(task: Task, name: str) -> bool:
    if name in ("session", "block", "trial"):
        return True
    return name != PARTICIPANT and task.column(name).optional


def _absent(
    name: str, every: Sequence[str], raw: RawTable, several: Sequence[str]
) -> str:
    usual = " or ".join(repr(n) for n in every[:5])
    there = ", ".join(list(raw.columns)[:MOST_SHOWN])
    there += ", ..." if len(raw.columns) > MOST_SHOWN else ""
    said = f"there is no column {usual} for the {name}; its columns are {there}; "
    if wide := trials_in_columns(raw, every):
        return f"{said}{to_long(wide)}"
    if several:
        one = pasted("columns", f"{name}={listed(several[0])}")
        return f"{said}say which of {', '.join(several)} it is ({one})"
    if name == PARTICIPANT:
        one = "; if all rows are of one person, add a column with a name for them"
        return f"{said}say which it is (--columns {name}=COLUMN){one}"
    return f"{said}say which it is (--columns {name}=COLUMN)"
