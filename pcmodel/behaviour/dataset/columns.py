"""Which column of a file is which of the task's, and the numbers in it."""

from collections.abc import Mapping, Sequence
from shlex import quote

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.dataset.naming import called, plain
from pcmodel.behaviour.dataset.reading import Reading
from pcmodel.behaviour.dataset.schema import (
    BLOCK_NAMES,
    PARTICIPANT,
    PARTICIPANT_NAMES,
    SESSION_NAMES,
    TRIAL_NAMES,
    Column,
    Task,
)
from pcmodel.behaviour.dataset.tables.cells import to_flag, to_number
from pcmodel.behaviour.dataset.tables.devices import of_objects, of_player
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.wide import check_wide, to_long, trials_in_columns
from pcmodel.behaviour.dataset.trials.blocks import stands
from pcmodel.behaviour.dataset.values.codes import read_binary
from pcmodel.behaviour.dataset.values.missing import is_settled
from pcmodel.behaviour.dataset.values.near_numbers import why_no_number
from pcmodel.behaviour.dataset.values.options import read_options
from pcmodel.behaviour.dataset.values.suspects import ADVICE, suspects
from pcmodel.behaviour.dataset.violations import Violations
from pcmodel.errors import UserError, unknown_name

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
                f"say which is meant (--columns {quote(f'{name}={found[0]}')})",
                file=raw.file[0],
                row=1,
            )


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
                "leave the person out (--where)",
                file=file,
                row=1 if _was_read(raw, file) else None,
                column=place,
            )


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
        one = quote(f"{name}={several[0]}")
        return f"{said}say which of {', '.join(several)} it is (--columns {one})"
    return f"{said}say which it is (--columns {name}=COLUMN)"


def parse_columns(
    raw: RawTable,
    task: Task,
    places: Mapping[str, str],
    scale: Sequence[float] | None,
    reading: Reading,
    problems: Violations,
) -> dict[str, Float[np.ndarray, " rows"]]:
    """The task's columns as numbers, NaN where missing."""
    _check_scale(task, scale)
    _check_told(raw, task, places, reading, problems)
    values = {}
    for column in task.columns:
        if column.name not in places:
            fill = np.nan if column.default is None else column.default
            values[column.name] = np.full(raw.num_rows, fill)
            continue
        place, before = places[column.name], len(problems)
        if column.kind == "binary":
            found = read_binary(raw, column.name, place, reading, problems)
        elif (
            column.kind != "integer"
            or (found := read_options(raw, column.name, place, reading, problems))
            is None
        ):
            own = (column.low, column.high)
            if scale is not None and column.name == task.response:
                own = tuple(scale)
            found = _parse(raw, column, place, own, problems)
            if own[1] is None and not is_settled(reading, column.name, place):
                check_suspects(raw, place, found, problems)
        values[column.name] = found
        is_read = len(problems) == before
        _check_column(raw, task, column, place, found, problems, is_read=is_read)
    return values


def _check_scale(task: Task, scale: Sequence[float] | None) -> None:
    """A scale is that of responses which have none of their own."""
    if scale is None:
        return
    response = task.column(task.response)
    if response.kind != "number" or response.low is not None:
        raise UserError(
            f"is given, but responses of the {task.name} task have none to give",
            where="scale",
            expected="it to be left out",
        )
    low, high, step = (*scale, 0.0, 0.0, 0.0)[:3] if len(scale) > 1 else (0, 0, 0)
    if len(scale) not in (2, 3) or not (low < high and step >= 0.0):
        raise UserError(
            f"is {', '.join(f'{number:g}' for number in scale)}",
            where="scale",
            expected="its low end, its high end and, if it has one, its step",
        )


def _check_told(
    raw: RawTable,
    task: Task,
    places: Mapping[str, str],
    reading: Reading,
    problems: Violations,
) -> None:
    """What side-cars say of a column that is used is the same for all files, or was settled."""
    for name, place in places.items():
        if place not in raw.unlike:
            continue
        what, key = raw.unlike[place]
        if name == "reaction_time" and place in raw.units_by_file:
            continue  # each file's times are converted by its own unit
        if name not in (reading.codes if key == "Levels" else reading.units):
            kinds = {column.name: column.kind for column in task.columns}
            option = ""
            if key == "Levels" and kinds.get(name, "binary") == "binary":
                option = f", or say what holds for all (--codes {name}=A,B)"
            problems.add(
                f"{what}; bring all files to one{option}",
                file=raw.at(0, place)["file"],
                column=place,
            )


def check_suspects(
    raw: RawTable,
    place: str,
    found: np.ndarray,
    problems: Violations,
    once: np.ndarray | None = None,
) -> None:
    """No number is a usual code for a missing value that nobody has named.

    once: the same values, each as often as it was measured (by series, not by trial).
    """
    for code in sorted(suspects(found if once is None else once)):
        for i in np.flatnonzero(found == code):
            cell = raw.columns[place][i].strip()
            advice = ADVICE.format(code=code, column=place)
            problems.add(advice, **raw.at(int(i), place), value=cell)


def _check_column(
    raw: RawTable,
    task: Task,
    column: Column,
    place: str,
    found: np.ndarray,
    problems: Violations,
    *,
    is_read: bool,
) -> None:
    """What no single cell shows; is_read: no cell was refused."""
    seen = found[np.isfinite(found)]
    if not len(seen):
        if is_read and not column.optional and column.name != task.response:
            problems.add("has no value at all", file=raw.file[0], column=place)
    elif column.kind == "integer" and seen.max() > 2 * len(np.unique(seen)):
        problems.add(
            f"goes up to {seen.max():g}, with {len(np.unique(seen))} different values: "
            "options are counted from 1, and a missing choice is written n/a; say which "
            "value is none (--missing=CODE), or list the options (--codes "
            f"{column.name}={','.join(f'{x:g}' for x in np.unique(seen))})",
            file=raw.file[0],
            column=place,
        )


def _parse(
    raw: RawTable,
    column: Column,
    place: str,
    scale: Sequence[float | None],
    problems: Violations,
) -> Float[np.ndarray, " rows"]:
    read = to_flag if column.kind == "flag" else to_number
    cells = raw.columns[place]
    # Each distinct cell is read once: a hundred thousand rows hold a few hundred.
    numbers = {cell: read(cell) for cell in set(cells)}
    wrong = {cell: _problem(n, column, scale) for cell, n in numbers.items()}
    found = np.full(raw.num_rows, np.nan)
    for i, cell in enumerate(cells):
        problem, number = wrong[cell], numbers[cell]
        if problem and number is None and (why := why_no_number(cell)):
            problem += f"; it {why}"
        if problem:
            problems.add(problem, **raw.at(i, place), value=cell)
        elif number is not None:
            found[i] = number
    return found


def _problem(
    value: float | None, column: Column, scale: Sequence[float | None]
) -> str | None:
    if value is None:
        kind = "true or false" if column.kind == "flag" else "a number"
        if column.kind == "integer":
            return (
                "is not a number; write the options as 1, 2 and so on, and n/a for none, "
                f"or list them all (--codes {column.name}=A,B,...)"
            )
        return f"is not {kind}, nor n/a (--missing names other words for it)"
    if np.isnan(value):
        return "is missing, and must be known" if column.complete else None
    if column.kind == "integer" and value != round(value):
        return "is not a whole number"
    low, high, *rest = scale
    if (low is not None and value < low) or (high is not None and value > high):
        ends = f"{low:g} or more" if high is None else f"{low:g} to {high:g}"
        if column.name == "reaction_time":
            return (
                "is no time that a response takes; if there was none, say so "
                f"(--missing={column.name}={value:g}), or leave its rows out (--where)"
            )
        first = "; options are counted from 1" if column.kind == "integer" else ""
        if first and value == 0:
            first += f" (if 0 is the first option, list all: --codes {column.name}=0,1)"
        return f"lies outside the scale, {ends}{first} (--missing names missing codes)"
    if low is not None and rest and rest[0] and _is_between(value - low, rest[0]):
        return f"lies between steps of {rest[0]:g}; give the scale as LOW,HIGH,STEP"
    return None


def _is_between(height: float, step: float) -> bool:
    return abs(height / step - round(height / step)) > 1e-6
