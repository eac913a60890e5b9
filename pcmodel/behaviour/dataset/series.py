"""From a raw table to trials in order: one series for every run of the belief.

A series is the trials over which a belief is carried on: one participant in one session,
or in one condition of the columns in `series_by`. Its covariates are constant. Series
are padded to one length; `present` is false under the padding.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from pcmodel.behaviour.dataset.columns import parse_columns
from pcmodel.behaviour.dataset.covariates import read_covariates, read_labels
from pcmodel.behaviour.dataset.exclusions.attempts import check_attempts
from pcmodel.behaviour.dataset.exclusions.practice import check_rows
from pcmodel.behaviour.dataset.naming import check_alike
from pcmodel.behaviour.dataset.origin import Origin, numbered, origin_of
from pcmodel.behaviour.dataset.placing import find_columns, offered
from pcmodel.behaviour.dataset.reading import Reading, check_reading
from pcmodel.behaviour.dataset.schema import PARTICIPANT, Task
from pcmodel.behaviour.dataset.tables.cells import is_blank, is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import choice, rows_not_in
from pcmodel.behaviour.dataset.tables.readers import RawTable, TablePath, read_raw
from pcmodel.behaviour.dataset.tables.thousands import check_thousands
from pcmodel.behaviour.dataset.tables.where import choose_rows
from pcmodel.behaviour.dataset.task_table import TaskTable, Trials
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
from pcmodel.behaviour.dataset.values.codes import check_words, code_used, is_coded
from pcmodel.behaviour.dataset.values.missing import coded_cells, without_codes
from pcmodel.behaviour.dataset.values.near_numbers import listed_numbers
from pcmodel.behaviour.dataset.values.options import check_options
from pcmodel.behaviour.dataset.values.seconds import in_seconds
from pcmodel.behaviour.dataset.values.timed import check_probes, in_time
from pcmodel.behaviour.dataset.violations import Place, Violations
from pcmodel.inputs.arguments import checked_arguments

MOST_PEOPLE = 8  # who are named in an option
SUMMARY = re.compile(
    r"(?:.+[ _])?(?:totals?|means?|averages?|sum|median)|avg|overall|all|n|count|min|max"
    r"|sd|sem?|st(?:an)?d\.?[ _]?(?:dev(?:iation)?\.?|err(?:or)?\.?)?|summe|mittelwert",
    re.IGNORECASE,
)


class Series(NamedTuple):
    """Trials by series; identifiers of people are in `origin` alone, and are not shown when printed.

    values: by name the numbers of a column; NaN where missing and under the padding.
    present: true for trials, false under the padding.
    participant: whose series it is, counted from 0 in order of appearance.
    covariates: by name one number or label for each series.
    num_missing: by name the number of missing cells.
    notes: what was taken for what, as `name: text`, for a reader to look at.
    origin: where the trials stand in the user's table; None where they came from none.
    """

    values: dict[str, Float[np.ndarray, "series trials"]]
    present: Bool[np.ndarray, "series trials"]
    participant: Int[np.ndarray, " series"]
    covariates: dict[str, np.ndarray]
    num_missing: dict[str, int]
    notes: tuple[str, ...] = ()
    origin: Origin | None = None

    def origins(self) -> Origin:
        """Where the trials stand in the user's table; people of none are numbered."""
        return self.origin or numbered(self.participant, self.present)

    @property
    def num_participants(self) -> int:
        """The number of people, each with one series or more."""
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
    """Read, check and arrange a data set; UserError that names every violation.

    path: a table, or a BIDS folder, of which `bids_task` is read.
    columns: by the task's names the file's (`{"report": "b_t"}`; `{"trial": "row"}`: the
        order of the rows is that of the trials).
    covariates: the columns of conditions and traits.
    series_by: columns with each of whose values the belief starts afresh, as it does for
        each participant and session.
    scale: of the response, its low and high end and, if it has one, its step.
    reading: what the table cannot say of itself.
    """
    reading = reading or Reading()
    raw = read_raw(
        path, task_label=bids_task, suffix=reading.bids_suffix, where=reading.where
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
    table = TaskTable(raw, task, columns or {}, reading or Reading(), Violations(), {})
    problems = table.problems
    check_reading(table.reading, task, covariates)
    extra = tuple(dict.fromkeys((*covariates, *series_by)))
    valued = (*(column.name for column in task.columns), *covariates)
    table, in_where = _rows_asked_for(table, extra, valued)
    if parts := ids_put_together(table):
        table = with_ids(table, parts)
    places = find_columns(table, extra)
    problems.raise_if_any()
    table = without_codes(replace(table, places=places), raw, valued)
    _check_thousands(table, raw, covariates)
    values = parse_columns(table, scale)
    binary = [c.name for c in task.columns if c.kind == "binary" and c.name in places]
    check_words(table, {name: values[name] for name in binary})
    who = read_labels(table, places[PARTICIPANT])
    _check_people(table, who, in_where)
    _check_elsewhere(table, set(places.values()) | in_where)
    people = None if parts else places[PARTICIPANT]  # a column that --where knows
    notes = _notes(table, parts, values)
    if "reaction_time" in places and "reaction_time" in values:
        times, note = _seconds(table, values["reaction_time"], who, people)
        values["reaction_time"], notes = times, [*notes, note]
    apart = series_by if task.timed else ("session", *series_by)
    grouped = [n for n in dict.fromkeys(apart) if n in places]
    keys = [who] + [
        read_labels(table, places[name], table.reading.codes.get(name, ()))
        for name in grouped
    ]
    for name in (PARTICIPANT, *grouped):
        check_alike(table, places[name])
    series = _first_seen(list(zip(*keys, strict=True)))
    trials = Trials(**vars(table), series=series)
    _check_options(table, values, keys)
    before = len(problems)
    used = {places[name] for name in (*grouped, *covariates)} | in_where | set(parts)
    considered = {places[name] for name in extra} | in_where
    _check_trials(trials, values, who, used, considered)
    check_repeats(trials, None if people in in_where else people)
    if len(problems) == before:
        notes.append(check_restarts(trials, used, people))
    # Trials that occur twice because of these rows or columns are no second violation.
    settled = len(problems) == before
    found, changing = read_covariates(trials, covariates)
    if task.timed:
        check_probes(trials, values)
        order, note = in_time(trials, values["time"])
    else:
        order, note = in_order(trials, used, settled=settled and not changing)
    notes += [note, *listed_numbers(table, found)]
    _check_usable(table, people, who)
    problems.raise_if_any()
    telling = [table.places[PARTICIPANT], *parts]
    telling += [places[n] for n in ("session", *extra) if n in places]
    padded = _pad(table, telling, values, series, who, order, found)
    return padded._replace(notes=tuple(note for note in notes if note))


def _check_trials(
    trials: Trials,
    values: Mapping[str, np.ndarray],
    who: Sequence[str],
    used: set[str],
    considered: set[str],
) -> None:
    """Refuse rows that are no trials, and columns that would divide them otherwise.

    used: columns of conditions, series and `where`.
    considered: those of them that the user named.
    """
    taken = used | set(trials.places.values())
    settled = {*trials.given, *trials.reading.codes}
    check_rows(trials, values, who, considered)
    check_chosen(trials, considered | taken, settled)
    check_attempts(trials, taken)
    check_phases(trials, values, used)
    check_sessions(trials, used)
    check_people_apart(trials, _first_seen(who), taken)
    check_returned(trials, who, taken)


def _seconds(
    table: TaskTable, times: np.ndarray, who: Sequence[str], people: str | None
) -> tuple[np.ndarray, str]:
    """Reaction times in seconds, and a note on their unit."""
    sessions = table.raw.file
    if "session" in table.places:
        sessions = table.columns[table.places["session"]]
    labels = list(zip(who, sessions, table.raw.file, strict=True))
    return in_seconds(table, times, labels, people)


def _check_thousands(
    table: TaskTable, whole: RawTable, covariates: Sequence[str]
) -> None:
    """Refuse numbers in use that may have points between thousands."""
    names = [c.name for c in table.task.columns if c.kind == "number"]
    names += ["trial", *(n for n in covariates if n not in table.reading.codes)]
    places = dict.fromkeys(table.places[n] for n in names if n in table.places)
    check_thousands(table, whole, places)


def _rows_asked_for(
    table: TaskTable, extra: Sequence[str], valued: Sequence[str]
) -> tuple[TaskTable, set[str]]:
    """The rows that the user's condition keeps, and the columns that it names."""
    where, codes = table.reading.where, table.reading.codes
    if not where:
        return table, set()
    # What is wrong with the columns is noted when they are found among the rows kept.
    places = find_columns(replace(table, problems=Violations()), extra)
    coded = coded_cells(replace(table, places=places), valued)
    labels = {places[name]: own for name, own in codes.items() if name in places}
    raw, in_where = choose_rows(table.raw, where, coded, labels)
    return replace(table, raw=raw), in_where


def _notes(
    table: TaskTable, parts: Sequence[str], values: Mapping[str, np.ndarray]
) -> list[str]:
    """Which columns were taken for what, which are not used, and what counts as 0 and 1."""
    notes = [f"{name}: column {place!r}" for name, place in table.places.items()]
    if "session" not in table.places and not table.task.timed:
        notes.append("session: no column, so that a person's rows are one session")
    known = {*table.places.values(), *parts}
    unused = [name for name in table.columns if name not in known]
    notes += [f"not used: {', '.join(unused)}"] if unused else []
    notes += offered(table.task, unused)
    kinds = {c.name: c.kind for c in table.task.columns if c.name in table.places}
    for name in sorted(kinds, key=lambda name: kinds[name] != "binary"):
        cells = table.columns[table.places[name]]
        is_choice = kinds[name] == "integer" and is_coded(cells, values[name])
        if kinds[name] == "binary" or is_choice:
            notes.append(f"{name}, code: {code_used(cells, values[name])}")
    return notes


def _check_options(
    table: TaskTable, values: Mapping[str, np.ndarray], keys: Sequence[Sequence[str]]
) -> None:
    """Refuse options that were not listed and differ among series or blocks."""
    if "block" in table.places:
        keys = [*keys, table.columns[table.places["block"]]]
    part = _first_seen(list(zip(*keys, strict=True)))
    for name in (c.name for c in table.task.columns if c.kind == "integer"):
        if name in table.places and name not in table.reading.codes:
            check_options(table, name, values[name], part)


def _check_elsewhere(table: TaskTable, used: set[str]) -> None:
    """Refuse a column of the trials that differs from the same column of another file."""
    for name in sorted(used & set(table.raw.elsewhere)):
        file, others = table.raw.elsewhere[name]
        pairs = zip(table.cells(name), map(str.strip, others), strict=True)
        for i, (cell, other) in enumerate(pairs):
            if is_missing(other) or cell == other:
                continue
            number = to_number(cell)
            if number is None or number != to_number(other):
                table.cell(name, i).refuse(
                    f"is {other!r} in {file}; correct one, or rename the column "
                    "in one of the files"
                )


def _check_people(table: TaskTable, who: Sequence[str], in_where: set[str]) -> None:
    """Refuse a column of people that numbers the rows, and rows of totals."""
    column = table.places[PARTICIPANT]
    if len(who) > 3 and len(set(who)) == len(who):
        table.column(column).refuse(
            "differs in every row, so that nobody has a second trial; say which column "
            "names the people (--columns participant=COLUMN)"
        )
        return
    rows = Counter(who)
    for i, label in enumerate(who):
        if SUMMARY.fullmatch(label) and rows[label] == 1 and column not in in_where:
            table.cell(column, i).refuse(
                "is a row of totals, it seems, and nobody's trial; remove it, or "
                f"{choice(column, label)}"
            )


def _first_seen(labels: Sequence) -> Int[np.ndarray, " rows"]:
    """Labels as numbers from 0 in order of appearance."""
    place = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.asarray([place[label] for label in labels])


def _check_usable(table: TaskTable, people: str | None, who: Sequence[str]) -> None:
    """Refuse participants without one usable response.

    `people` is the column by which they can be left out; None where there is none.
    """
    response, raw = table.places[table.task.response], table.raw
    answered = {
        name
        for name, cell in zip(who, table.columns[response], strict=True)
        if not is_blank(cell)
    }
    if not answered:
        table.column(response).refuse("holds no usable response of anybody")
        return
    last = {name: i for i, name in enumerate(who)}
    silent = [name for name in last if name not in answered]
    for name in silent:
        if not is_missing(name):
            i = last[name]
            Place(table.problems, raw.file[i], row=raw.row[i]).refuse(
                "the last row of a participant who has not one usable response: leave "
                f"the participant out{_people_out(people, silent)}"
            )


def _people_out(column: str | None, people: Sequence[str]) -> str:
    """The option that leaves out people, in brackets, where it can be written."""
    if not column or len(people) > MOST_PEOPLE or any('"' in name for name in people):
        return ""
    return f" ({rows_not_in(column, people)})"


def _pad(
    table: TaskTable,
    telling: Sequence[str],
    values: dict[str, np.ndarray],
    series: np.ndarray,
    labels: Sequence[str],
    order: np.ndarray,
    covariates: dict[str, np.ndarray],
) -> Series:
    """The trials in `order`, each series padded to the length of the longest."""
    who = _first_seen(labels)
    series, count = series[order], int(series.max()) + 1
    starts = np.searchsorted(series, np.arange(count))
    place = series, np.arange(len(series)) - starts[series]
    shape = (count, int(place[1].max()) + 1)
    present = np.zeros(shape, dtype=bool)
    present[place] = True
    padded = {}
    for name, column in values.items():
        padded[name] = np.full(shape, np.nan)
        padded[name][place] = column[order]
    missing = {name: int(np.isnan(column).sum()) for name, column in values.items()}
    later = [table.places[n] for n in ("block", "trial", *values) if n in table.places]
    origin = origin_of(table, telling, later, who, labels, place, order, shape)
    own = who[order][starts]
    return Series(padded, present, own, covariates, missing, (), origin)
