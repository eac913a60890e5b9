"""Which column of a file is which of the task's."""

from collections.abc import Mapping, Sequence

from pcmodel.behaviour.dataset.naming import called, plain
from pcmodel.behaviour.dataset.schema import (
    IDENTIFIERS,
    JUDGEMENTS,
    PARTICIPANT,
    Task,
)
from pcmodel.behaviour.dataset.tables.devices import of_objects, of_player
from pcmodel.behaviour.dataset.tables.pasted import as_column, rows_without
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.wide import check_wide, to_long, trials_in_columns
from pcmodel.behaviour.dataset.task_table import TaskTable
from pcmodel.behaviour.dataset.trials.blocks import is_row_order
from pcmodel.behaviour.dataset.values.chosen import answer_otherwise, count_otherwise
from pcmodel.behaviour.dataset.violations import Place
from pcmodel.errors import unknown_name

MOST_SHOWN = 30  # columns of a file, where one is not there


def find_columns(table: TaskTable, extra: Sequence[str]) -> dict[str, str]:
    """By name the file's columns of the task, participant, session, block, trial and `extra`."""
    raw, given = table.raw, table.given
    if check_wide(raw, table.problems):
        return {}
    known = {
        **{own.name: own.names for own in IDENTIFIERS},
        **{column.name: (column.name, *column.names) for column in table.task.columns},
    }
    file = Place(table.problems, raw.file[0])
    for name in given:
        if name not in known:
            file.refuse(str(unknown_name("column of the task", name, known)))
    if is_row_order(table):
        del known["trial"]  # the rows are not sorted by a column
    places = {}
    for name, names in known.items():
        several: list[str] = []
        if name in given:
            names = (given[name],)
            found = [given[name]] if given[name] in raw.columns else []
        else:
            taken = set(given.values())
            free = [n for n in raw.columns if n not in taken or plain(n) == plain(name)]
            found = called(free, names)
            _check_one(table, name, found)
            if name == table.task.response:
                _check_response(table, found)
            several = [] if found else _of_software(table, name, free, names)
            found = several if len(several) == 1 else found
        if found:
            places[name] = found[0]
        elif name in given or not _may_be_absent(table.task, name):
            file.refuse(_absent(name, names, raw, several))
    _check_apart(table, places)
    for name in extra:
        if name == places.get(PARTICIPANT):
            file._replace(column=name).refuse(
                "names people, whose differences are (1 | participant) in a formula"
            )
        if name in raw.columns:
            places[name] = name
        elif name not in places:
            file.refuse(str(unknown_name("column", name, raw.columns)))
    _check_everywhere(table, places)
    return places


def offered(task: Task, unused: Sequence[str]) -> list[str]:
    """Remarks on judgements that the table holds under a usual name and that are not read."""
    if task.timed:
        return []
    known = {column.name for column in task.columns}
    return [
        f"{name}: in column {found[0]!r}, not read (--judgements {name} reads it)"
        for name, column in JUDGEMENTS.items()
        if name not in known and (found := called(unused, (name, *column.names)))
    ]


def _of_software(
    table: TaskTable, name: str, free: Sequence[str], names: Sequence[str]
) -> list[str]:
    """The columns that software for experiments writes for a column of the task."""
    own = of_player(free)
    if found := called(own, names):
        return [own[found[0]]]
    if name not in (table.task.response, "reaction_time"):
        return []
    return of_objects(table.raw, free, is_time=name == "reaction_time")


def _check_one(table: TaskTable, name: str, found: Sequence[str]) -> None:
    """Refuse several columns that could be the one meant, unless they agree."""
    if len(found) < 2 or name in ("block", "trial"):
        return
    very = [n for n in found if plain(n) == plain(name)]
    if name != PARTICIPANT and len(very) == 1:
        return  # the one that has the very name
    own = table.columns[found[0]]
    for other in _in_all_files(table, found):
        alike = own == table.columns[other]
        if name in (PARTICIPANT, "session"):
            loose = name == PARTICIPANT and plain(other) in ("id", "pid")
            alike = loose or _same_groups(own, table.columns[other])
        if not alike:
            Place(table.problems, table.raw.file[0], row=1).refuse(
                f"both {found[0]!r} and {other!r} could be the {name}, and they differ; "
                f"say which is meant ({as_column(name, found[0])})"
            )


def _check_response(table: TaskTable, found: Sequence[str]) -> None:
    """Refuse a choice that disagrees with the response beside it; other words are no matter."""
    name = table.task.response
    if not found or plain(found[0]) != plain(name):
        return  # refused already
    if table.task.column(name).kind not in ("binary", "integer"):
        return  # a choice may be made beside a rating
    own = table.columns[found[0]]
    for other in _in_all_files(table, found):
        cells = table.columns[other]
        if answer_otherwise(own, cells) or count_otherwise(own, cells):
            meant = " or ".join(as_column(name, n) for n in (found[0], other))
            Place(table.problems, table.raw.file[0], row=1).refuse(
                f"both {found[0]!r} and {other!r} could be the {name}, and they do not go "
                f"together; say which is meant ({meant})"
            )
            return


def _in_all_files(table: TaskTable, found: Sequence[str]) -> list[str]:
    """The columns found beside the first, if all files have both.

    Columns that some files lack are refused as such.
    """
    lacking = table.raw.lacking
    return [n for n in found[1:] if not (lacking.get(n) or lacking.get(found[0]))]


def _same_groups(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two columns divide the rows into the same groups."""
    pairs = set(zip(one, other, strict=True))
    return len(pairs) == len(set(one)) == len(set(other))


def _check_everywhere(table: TaskTable, places: Mapping[str, str]) -> None:
    """Refuse columns in use that some file lacks; they are not the same as missing values."""
    for place in dict.fromkeys(places.values()):
        if place == places.get("block"):
            continue
        for file in table.raw.lacking.get(place, ()):
            if _was_read(table.raw, file):
                Place(table.problems, file, place, row=1).refuse(
                    "has no such column, though other files have it; name it as they do, "
                    "or add it, n/a where nothing is known"
                )
            else:
                person = file.removeprefix("sub-").split("_")[0]
                Place(table.problems, file, place).refuse(
                    "there is no such file, though other people have one; add it, or "
                    f"leave the person out ({rows_without('participant_id', person)})"
                )


def _was_read(raw: RawTable, file: str) -> bool:
    """Whether a file exists: one that does not yields no row of any column."""
    joined = (pair for own in raw.origin.values() for pair in zip(*own, strict=True))
    return file in raw.file or any(f == file and row > 1 for f, row in joined)


def _check_apart(table: TaskTable, places: Mapping[str, str]) -> None:
    """Refuse a column of the file that is two of the task's."""
    first: dict[str, str] = {}
    for column in table.task.columns:
        place = places.get(column.name)
        if place is not None and first.setdefault(place, column.name) != column.name:
            Place(table.problems, table.raw.file[0], place).refuse(
                f"cannot be both the {first[place]} and the {column.name}"
            )


def _may_be_absent(task: Task, name: str) -> bool:
    if name in ("session", "block", "trial"):
        return True
    return name != PARTICIPANT and task.column(name).optional


def _absent(
    name: str, names: Sequence[str], raw: RawTable, several: Sequence[str]
) -> str:
    """The complaint that a column is not there; `several` may be it."""
    usual = " or ".join(repr(n) for n in names[:5])
    shown = ", ".join(list(raw.columns)[:MOST_SHOWN])
    shown += ", ..." if len(raw.columns) > MOST_SHOWN else ""
    problem = f"there is no column {usual} for the {name}; its columns are {shown}; "
    if wide := trials_in_columns(raw, names):
        return f"{problem}{to_long(wide)}"
    if several:
        one = as_column(name, several[0])
        return f"{problem}say which of {', '.join(several)} it is ({one})"
    advice = f"say which it is (--columns {name}=COLUMN)"
    if name == PARTICIPANT:
        advice += "; if all rows are of one person, add a column with a name for them"
    return f"{problem}{advice}"
