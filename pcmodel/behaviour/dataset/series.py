"""From a raw table to trials in order: one series for every run of the belief.

A series is the trials over which a belief is carried on: one participant in one session,
or in one condition of the columns in `series_by`. Its covariates are constant. Series
are padded to one length; `present` is false under the padding.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from pcmodel.behaviour.dataset.columns import parse_columns
from pcmodel.behaviour.dataset.covariates import read_covariates, read_labels
from pcmodel.behaviour.dataset.exclusions.attempts import check_attempts
from pcmodel.behaviour.dataset.exclusions.practice import check_rows
from pcmodel.behaviour.dataset.naming import check_alike
from pcmodel.behaviour.dataset.placing import find_columns
from pcmodel.behaviour.dataset.reading import Reading, check_reading
from pcmodel.behaviour.dataset.schema import Task
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.readers import RawTable, TablePath, read_raw
from pcmodel.behaviour.dataset.tables.thousands import check_thousands
from pcmodel.behaviour.dataset.tables.where import (
    choice,
    choose_rows,
    columns_in,
    named,
    option,
)
from pcmodel.behaviour.dataset.trials.ids import (
    check_people_apart,
    ids_put_together,
    with_ids,
)
from pcmodel.behaviour.dataset.trials.ordering import in_order
from pcmodel.behaviour.dataset.trials.phases import check_phases
from pcmodel.behaviour.dataset.trials.repeats import check_repeats
from pcmodel.behaviour.dataset.trials.restarts import check_restarts
from pcmodel.behaviour.dataset.trials.returned import check_returned
from pcmodel.behaviour.dataset.trials.sessions import check_sessions
from pcmodel.behaviour.dataset.values.chosen import check_chosen
from pcmodel.behaviour.dataset.values.codes import check_words, is_coded, told
from pcmodel.behaviour.dataset.values.missing import coded_cells, without_codes
from pcmodel.behaviour.dataset.values.near_numbers import listed_numbers
from pcmodel.behaviour.dataset.values.options import check_options
from pcmodel.behaviour.dataset.values.seconds import in_seconds
from pcmodel.behaviour.dataset.violations import Violations
from pcmodel.inputs.arguments import checked_arguments

MOST_PEOPLE = 8  # who are named in an option
SUMMARY = re.compile(
    r"(?:.+[ _])?(?:totals?|means?|averages?|sum|median)|avg|overall|all|n|count|min|max"
    r"|sd|sem?|st(?:an)?d\.?[ _]?(?:dev(?:iation)?\.?|err(?:or)?\.?)?|summe|mittelwert",
    re.IGNORECASE,
)


class Series(NamedTuple):
    """Trials by series; no identifier of a person is kept."""

    values: dict[str, Float[np.ndarray, "series trials"]]  # NaN where missing
    present: Bool[np.ndarray, "series trials"]
    participant: Int[np.ndarray, " series"]  # counted from 0 in order of appearance
    covariates: dict[str, np.ndarray]  # (series,) numbers or labels
    num_missing: dict[str, int]  # missing cells by column
    notes: tuple[str, ...] = ()  # what was taken for what, for a reader to look at

    @property
    def num_participants(self) -> int:
        """People, each with one series or more."""
        return int(self.participant.max()) + 1


@checked_arguments
def load_series(
    path: TablePath,
    task: Task,
    *,
    columns: Mapping[str, str] | None = None,
    covariates: Sequence[str] = (),
    series_by: Sequence[str] = (),
    scale: Sequence[float] | None = None,
    bids_task: str | None = None,
    reading: Reading | None = None,
) -> Series:
    """Read, check and arrange a data set.

    `columns` maps the task's names to the file's (`{"report": "b_t"}`; `{"trial": "row"}`:
    trials were done as the rows stand); `covariates` are
    the columns of conditions and traits; the belief starts afresh for each participant,
    session, and value of the columns in `series_by`; `scale` is that of the response, its
    low and high end and, if it has one, its step; `reading` says what a table cannot.
    Raises UserError naming every violation.
    """
    reading = reading or Reading()
    raw = read_raw(
        path,
        task_label=bids_task,
        suffix=reading.bids_suffix,
        where=reading.where,
    )
    return arrange(
        raw,
        task,
        columns=columns,
        covariates=covariates,
        series_by=series_by,
        scale=scale,
        reading=reading,
    )


@checked_arguments
def arrange(
    raw: RawTable,
    task: Task,
    *,
    columns: Mapping[str, str] | None = None,
    covariates: Sequence[str] = (),
    series_by: Sequence[str] = (),
    scale: Sequence[float] | None = None,
    reading: Reading | None = None,
) -> Series:
    """`load_series` for a table already read."""
    problems, reading = Violations(), reading or Reading()
    check_reading(reading, task, covariates)
    whole, given = raw, columns or {}
    extra = tuple(dict.fromkeys((*covariates, *series_by)))
    valued = (*(column.name for column in task.columns), *covariates)
    raw, asked = _rows_asked_for(raw, task, given, extra, valued, reading)
    if parts := ids_put_together(raw, given):
        raw = with_ids(raw, given["participant"], parts, problems)
    places = find_columns(raw, task, given, extra, problems)
    problems.raise_if_any()
    raw = without_codes(raw, whole, places, valued, reading)
    _check_thousands(raw, whole, task, places, covariates, reading, problems)
    values = parse_columns(raw, task, places, scale, reading, problems)
    binary = [c.name for c in task.columns if c.kind == "binary" and c.name in places]
    check_words(raw, places, {name: values[name] for name in binary}, reading, problems)
    who = read_labels(raw, places["participant"], problems)
    _check_people(raw, places["participant"], who, asked, problems)
    _check_elsewhere(raw, set(places.values()) | asked, problems)
    own = None if parts else places["participant"]  # a column that --where knows
    notes = _notes(raw, task, places, parts, values)
    if "reaction_time" in places and "reaction_time" in values:
        sessions = raw.columns[places["session"]] if "session" in places else raw.file
        values["reaction_time"], note = in_seconds(
            raw,
            places["reaction_time"],
            values["reaction_time"],
            list(zip(who, sessions, raw.file, strict=True)),
            own,
            reading,
            problems,
        )
        notes.append(note)
    grouped = dict.fromkeys(("session", *series_by))
    grouped = [name for name in grouped if name in places]
    listed = [reading.codes.get(name, ()) for name in grouped]
    keys = [who] + [
        read_labels(raw, places[name], problems, own)
        for name, own in zip(grouped, listed, strict=True)
    ]
    for name in ("participant", *grouped):
        check_alike(raw, places[name], problems)
    series, people = _first_seen(list(zip(*keys, strict=True))), _first_seen(who)
    _check_options(raw, task, places, values, keys, reading, problems)
    used = {places[name] for name in (*grouped, *covariates)} | asked | set(parts)
    before = len(problems)
    people_out = None if own in asked else own
    said = {places[name] for name in extra} | asked
    check_rows(raw, task, places, values, who, said, problems)
    others = used | set(places.values())
    told_by = {*given, *reading.codes}
    check_chosen(raw, task, places, said | others, told_by, problems)
    check_attempts(raw, places, series, others, problems)
    check_phases(raw, task, places, values, series, used, given, problems)
    check_sessions(raw, places, series, used, given, problems)
    check_people_apart(raw, places, people, series, others, problems)
    check_returned(raw, places, who, others, given, problems)
    check_repeats(raw, task, places, series, people_out, problems)
    if len(problems) == before:
        note = check_restarts(raw, places, series, used, given, own, problems)
        notes.append(note)
    # Trials that stand twice because of these rows or columns are no second thing to correct.
    settled = len(problems) == before
    found, changing = read_covariates(
        raw, covariates, places, series, reading, problems
    )
    settled = settled and not changing
    order, note = in_order(raw, places, series, used, given, problems, settled=settled)
    notes += [note, *listed_numbers(raw, places, found)]
    _check_usable(raw, places[task.response], own, who, problems)
    problems.raise_if_any()
    padded = _pad(values, series, people, order, found)
    return padded._replace(notes=tuple(note for note in notes if note))


def _check_thousands(
    raw: RawTable,
    whole: RawTable,
    task: Task,
    places: Mapping[str, str],
    covariates: Sequence[str],
    reading: Reading,
    problems: Violations,
) -> None:
    """No number that is used may be of thousands, with points between them."""
    names = [c.name for c in task.columns if c.kind == "number"]
    names += ["trial", *(name for name in covariates if name not in reading.codes)]
    columns = dict.fromkeys(places[name] for name in names if name in places)
    check_thousands(raw, whole, columns, problems)


def _rows_asked_for(
    raw: RawTable,
    task: Task,
    given: Mapping[str, str],
    extra: Sequence[str],
    valued: Sequence[str],
    reading: Reading,
) -> tuple[RawTable, set[str]]:
    """The rows that `reading` keeps, and the columns it speaks of."""
    if not reading.where:
        return raw, set()
    places = find_columns(raw, task, given, extra, Violations())
    coded = coded_cells(raw, places, valued, reading)
    labels = {places[n]: own for n, own in reading.codes.items() if n in places}
    asked = columns_in(raw, reading.where, coded, labels)
    return choose_rows(raw, reading.where, coded, labels), asked


def _notes(
    raw: RawTable,
    task: Task,
    places: Mapping[str, str],
    parts: Sequence[str],
    values: Mapping[str, np.ndarray],
) -> list[str]:
    """Which columns were taken for what, which are not used, and what counts as 0 and 1."""
    notes = [f"{name}: column {place!r}" for name, place in places.items()]
    if "session" not in places:
        notes.append("session: no column, so that a person's rows are one session")
    known = {*places.values(), *parts}
    unused = [name for name in raw.columns if name not in known]
    notes += [f"not used: {', '.join(unused)}"] if unused else []
    kinds = {c.name: c.kind for c in task.columns if c.name in places}
    for name in sorted(kinds, key=lambda name: kinds[name] != "binary"):
        cells = raw.columns[places[name]]
        is_choice = kinds[name] == "integer" and is_coded(cells, values[name])
        if kinds[name] == "binary" or is_choice:
            notes.append(f"{name}, code: {told(cells, values[name])}")
    return notes


def _check_options(
    raw: RawTable,
    task: Task,
    places: Mapping[str, str],
    values: Mapping[str, np.ndarray],
    keys: Sequence[Sequence[str]],
    reading: Reading,
    problems: Violations,
) -> None:
    """Options that were not listed are the same in all series and blocks."""
    within = [*keys, raw.columns[places["block"]]] if "block" in places else keys
    part = _first_seen(list(zip(*within, strict=True)))
    for column in task.columns:
        name = column.name
        if column.kind == "integer" and name in places and name not in reading.codes:
            check_options(raw, name, places[name], values[name], part, problems)


def _check_elsewhere(raw: RawTable, used: set[str], problems: Violations) -> None:
    """A column that stands among the trials and in another file must say the same in both."""
    for name in sorted(used & set(raw.elsewhere)):
        file, others = raw.elsewhere[name]
        for i, (cell, other) in enumerate(zip(raw.columns[name], others, strict=True)):
            if is_missing(other) or cell.strip() == other.strip():
                continue
            number = to_number(cell)
            if number is None or number != to_number(other):
                problems.add(
                    f"is {other.strip()!r} in {file}; correct one, or rename the column "
                    "in one of the files",
                    value=cell.strip(),
                    **raw.at(i, name),
                )


def _check_people(
    raw: RawTable,
    column: str,
    who: Sequence[str],
    asked: set[str],
    problems: Violations,
) -> None:
    """A column that differs in every row numbers the rows, and a total is nobody."""
    if len(who) > 3 and len(set(who)) == len(who):
        problems.add(
            "differs in every row, so that nobody has a second trial; say which column "
            "names the people (--columns participant=COLUMN)",
            file=raw.file[0],
            column=column,
        )
        return
    rows = Counter(who)
    for i, label in enumerate(who):
        if SUMMARY.fullmatch(label) and rows[label] == 1 and column not in asked:
            problems.add(
                "is a row of totals, it seems, and nobody's trial; remove it, or "
                f"{choice(column, label)}",
                **raw.at(i, column),
                value=label,
            )


def _first_seen(labels: Sequence) -> Int[np.ndarray, " rows"]:
    """Labels as numbers from 0 in order of appearance."""
    place = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.asarray([place[label] for label in labels])


def _check_usable(
    raw: RawTable,
    response: str,
    column: str | None,
    who: Sequence[str],
    problems: Violations,
) -> None:
    """Every participant must have responded at least once."""
    usable: dict[str, bool] = {}
    last: dict[str, int] = {}
    for i, (name, cell) in enumerate(zip(who, raw.columns[response], strict=True)):
        answered = not is_missing(cell) and cell.strip().lower() != "none"
        usable[name] = usable.get(name, False) or answered
        last[name] = i
    silent = [name for name, some in usable.items() if not some]
    if len(silent) == len(usable):
        problems.add(
            "holds no usable response of anybody", file=raw.file[0], column=response
        )
        return
    for name in silent:
        if not is_missing(name):
            problems.add(
                "the last row of a participant who has not one usable response: leave "
                f"the participant out{_people_out(column, silent)}",
                file=raw.file[last[name]],
                row=raw.row[last[name]],
            )


def _people_out(column: str | None, people: Sequence[str]) -> str:
    """The option that leaves out people, where it can be written."""
    if not column or len(people) > MOST_PEOPLE or any('"' in name for name in people):
        return ""
    listing = ", ".join(f'"{name}"' for name in people)
    return f" ({option(f'{named(column)} not in ({listing})')})"


def _pad(
    values: dict[str, np.ndarray],
    series: np.ndarray,
    who: np.ndarray,
    order: np.ndarray,
    covariates: dict[str, np.ndarray],
) -> Series:
    series, count = series[order], int(series.max()) + 1
    starts = np.searchsorted(series, np.arange(count))
    place = np.arange(len(series)) - starts[series]
    shape = (count, int(place.max()) + 1)
    present = np.zeros(shape, dtype=bool)
    present[series, place] = True
    padded = {}
    for name, column in values.items():
        padded[name] = np.full(shape, np.nan)
        padded[name][series, place] = column[order]
    missing = {name: int(np.isnan(column).sum()) for name, column in values.items()}
    return Series(padded, present, who[order][starts], covariates, missing)
