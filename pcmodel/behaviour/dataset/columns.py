"""Which column of a file is which of the task's, and the numbers in it."""

import re
from collections.abc import Mapping, Sequence

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
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import comparison, must_be_known, option
from pcmodel.behaviour.dataset.values.codes import read_binary
from pcmodel.behaviour.dataset.values.missing import is_settled
from pcmodel.behaviour.dataset.values.near_numbers import why_no_number, words_advice
from pcmodel.behaviour.dataset.values.scales import Limits
from pcmodel.behaviour.dataset.values.suspects import ADVICE, suspects
from pcmodel.behaviour.dataset.violations import Violations
from pcmodel.errors import UserError, unknown_name


def find_columns(
    raw: RawTable,
    task: Task,
    given: Mapping[str, str],
    extra: Sequence[str],
    problems: Violations,
) -> dict[str, str]:
    """The task's names, participant, session, block, trial and `extra` to the file's."""
    file = raw.file[0]
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
    for name, names in known.items():
        if name in given:
            found = [given[name]] if given[name] in raw.columns else []
            names = (given[name],)
        else:
            taken = set(given.values())
            free = [n for n in raw.columns if n not in taken or plain(n) == plain(name)]
            found = called(free, names)
            _check_one(raw, name, found, problems)
        if found:
            places[name] = found[0]
        elif name in given or not _may_be_absent(task, name):
            problems.add(_absent(name, names[:5], raw), file=file)
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


def _absent(name: str, names: Sequence[str], raw: RawTable) -> str:
    called = " or ".join(repr(n) for n in names)
    there = ", ".join(raw.columns)
    known = {plain(n) for n in names}
    wide = [n for n in raw.columns if re.sub(r"\d+$", "", plain(n)) in known]
    said = f"there is no column {called} for the {name}; its columns are {there}; "
    if len(wide) > 1:
        return f"{said}one row is one trial: put {wide[0]!r}, {wide[1]!r} and so on below each other"
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
        else:
            own = scale if column.name == task.response else None
            found = _parse(raw, column, place, own, problems)
            is_open = own is None and column.high is None
            if is_open and not is_settled(reading, column.name, place):
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
        if name not in (reading.codes if key == "Levels" else reading.units):
            kinds = {column.name: column.kind for column in task.columns}
            option = ""
            if key == "Levels" and kinds.get(name, "binary") == "binary":
                option = f", or say what holds for all (--codes {name}=A,B)"
            elif key == "Units" and name == "reaction_time":
                option = f", or say what holds for all (--units {name}=ms)"
            problems.add(
                f"{what}; bring all files to one{option}",
                file=raw.at(0, place)["file"],
                column=place,
            )


def check_suspects(
    raw: RawTable, place: str, found: np.ndarray, problems: Violations
) -> None:
    """No number is a usual code for a missing value that nobody has named."""
    for code in sorted(suspects(found)):
        for i in np.flatnonzero(found == code):
            cell = raw.columns[place][i].strip()
            named = pasted("missing", f"{listed(place)}={code:g}")
            none = pasted("missing", f"{listed(place)}=n/a")
            advice = ADVICE.format(code=named, none=none)
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
            "options are counted from 1, and a missing choice is written n/a",
            file=raw.file[0],
            column=place,
        )


def _parse(
    raw: RawTable,
    column: Column,
    place: str,
    scale: Sequence[float] | None,
    problems: Violations,
) -> Float[np.ndarray, " rows"]:
    read = to_flag if column.kind == "flag" else to_number
    cells = raw.columns[place]
    # Each distinct cell is read once: a hundred thousand rows hold a few hundred.
    numbers = {cell: read(cell) for cell in set(cells)}
    finite = {c: n for c, n in numbers.items() if n is not None and np.isfinite(n)}
    limits = Limits(column, place, list(finite), list(finite.values()), scale)
    known = must_be_known(place)
    words = _kind_advice(column, place, [c for c, n in numbers.items() if n is None])
    wrong = {
        cell: (why_no_number(cell) or words)
        if number is None
        else _problem(number, column, known, limits)
        for cell, number in numbers.items()
    }
    found = np.full(raw.num_rows, np.nan)
    for i, cell in enumerate(cells):
        problem, number = wrong[cell], numbers[cell]
        if problem:
            problems.add(problem, **raw.at(i, place), value=cell)
        elif number is not None:
            found[i] = number
    return found


def _kind_advice(column: Column, place: str, cells: Sequence[str]) -> str:
    """What to do about words where numbers belong."""
    if column.kind == "integer":
        return "is not a number; write the options as 1, 2 and so on, and n/a for none"
    kind = "true or false" if column.kind == "flag" else "a number"
    return words_advice(place, cells, kind)


def _problem(value: float, column: Column, known: str, limits: Limits) -> str | None:
    if np.isnan(value):
        return known if column.complete else None
    if column.kind == "integer" and value != round(value):
        return "is not a whole number"
    return limits.problem(value)
