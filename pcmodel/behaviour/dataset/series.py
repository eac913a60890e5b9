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

from pcmodel.behaviour.dataset.columns import check_suspects, parse_columns
from pcmodel.behaviour.dataset.naming import check_alike
from pcmodel.behaviour.dataset.placing import find_columns
from pcmodel.behaviour.dataset.reading import Reading, check_reading, same
from pcmodel.behaviour.dataset.schema import Task
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.readers import RawTable, TablePath, read_raw
from pcmodel.behaviour.dataset.tables.where import choice, choose_rows, columns_in
from pcmodel.behaviour.dataset.trials.ordering import in_order
from pcmodel.behaviour.dataset.trials.phases import check_phases
from pcmodel.behaviour.dataset.trials.practice import check_rows
from pcmodel.behaviour.dataset.trials.repeats import check_repeats
from pcmodel.behaviour.dataset.trials.sessions import check_people_apart, check_sessions
from pcmodel.behaviour.dataset.values.codes import check_words, is_coded, told
from pcmodel.behaviour.dataset.values.missing import is_settled, without_codes
from pcmodel.behaviour.dataset.values.near_numbers import check_numbers, listed_numbers
from pcmodel.behaviour.dataset.values.options import check_options
from pcmodel.behaviour.dataset.values.seconds import in_seconds
from pcmodel.behaviour.dataset.violations import Violations
from pcmodel.inputs.arguments import checked_arguments

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
    asked, whole = set[str](), raw
    if reading.where:
        asked = columns_in(raw, reading.where)
        raw = choose_rows(raw, reading.where)
    extra = tuple(dict.fromkeys((*covariates, *series_by)))
    places = find_columns(raw, task, columns or {}, extra, problems)
    problems.raise_if_any()
    named = (*(column.name for column in task.columns), *covariates)
    raw = without_codes(raw, whole, places, named, reading)
    values = parse_columns(raw, task, places, scale, reading, problems)
    binary = [c.name for c in task.columns if c.kind == "binary" and c.name in places]
    check_words(raw, places, {name: values[name] for name in binary}, problems)
    who = _labels(raw, places["participant"], problems)
    _check_people(raw, places["participant"], who, asked, problems)
    _check_elsewhere(raw, set(places.values()) | asked, problems)
    notes = [f"{name}: column {place!r}" for name, place in places.items()]
    if "session" not in places:
        notes.append("session: no column, so that a person's rows are one session")
    unused = [name for name in raw.columns if name not in places.values()]
    notes += [f"not used: {', '.join(unused)}"] if unused else []
    options = [c.name for c in task.columns if c.kind == "integer" and c.name in places]
    notes += [
        f"{name}, code: {told(raw.columns[places[name]], values[name])}"
        for name in (*binary, *options)
        if name in binary or is_coded(raw.columns[places[name]], values[name])
    ]
    if "reaction_time" in places and "reaction_time" in values:
        values["reaction_time"], note = in_seconds(
            raw,
            places["reaction_time"],
            values["reaction_time"],
            list(zip(who, _sessions(raw, places), raw.file, strict=True)),
            reading,
            problems,
        )
        notes.append(note)
    grouped = dict.fromkeys(("session", *series_by))
    grouped = [name for name in grouped if name in places]
    keys = [who] + [_labels(raw, places[name], problems) for name in grouped]
    for name in ("participant", *grouped):
        check_alike(raw, places[name], problems)
    series = _first_seen(list(zip(*keys, strict=True)))
    used = {places[name] for name in (*grouped, *covariates)} | asked
    for name in options:
        parts = [*keys, raw.columns[places["block"]]] if "block" in places else keys
        if name not in reading.codes:
            part = _first_seen(list(zip(*parts, strict=True)))
            check_options(raw, name, places[name], values[name], part, problems)
    before = len(problems)
    said = {places[name] for name in extra} | asked
    check_rows(raw, task, places, values, who, said, problems)
    check_phases(raw, task, places, values, series, used, columns or {}, problems)
    check_sessions(raw, places, series, used, columns or {}, problems)
    people = _first_seen(who)
    check_people_apart(raw, places, people, used | set(places.values()), problems)
    check_repeats(raw, task, places, series, problems)
    # Trials that stand twice because of these rows are no second thing to correct.
    settled = len(problems) == before
    order, note = in_order(
        raw, places, series, used, columns or {}, problems, settled=settled
    )
    notes.append(note)
    found = {
        name: _covariate(raw, name, places[name], series, reading, problems)
        for name in covariates
    }
    notes += listed_numbers(raw, places, found)
    _check_usable(raw, places[task.response], who, problems)
    problems.raise_if_any()
    padded = _pad(values, series, _first_seen(who), order, found)
    return padded._replace(notes=tuple(note for note in notes if note))


def _sessions(raw: RawTable, places: Mapping[str, str]) -> Sequence[str]:
    return raw.columns[places["session"]] if "session" in places else raw.file


def _labels(raw: RawTable, column: str, problems: Violations) -> list[str]:
    cells = [cell.strip() for cell in raw.columns[column]]
    missing = {cell for cell in set(cells) if is_missing(cell)}
    for i, cell in enumerate(cells if missing else ()):
        if cell in missing:
            problems.add(
                "is missing, and must be known; fill it in, or leave its rows out "
                "(--where)",
                **raw.at(i, column),
            )
    return cells


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


def _covariate(
    raw: RawTable,
    name: str,
    column: str,
    series: np.ndarray,
    reading: Reading,
    problems: Violations,
) -> np.ndarray:
    """One value for each series: numbers where all cells are and no labels are listed."""
    cells = _labels(raw, column, problems)
    numbers = {cell: to_number(cell) for cell in set(cells)}
    listed = reading.codes.get(name, ())
    allowed = listed or raw.levels.get(column)
    numeric = not listed and all(
        n is not None and np.isfinite(n) for n in numbers.values()
    )
    if not numeric:
        if not allowed:
            check_numbers(raw, column, cells, numbers, problems)
        check_alike(raw, column, problems)
    value: dict[int, str] = {}
    for i, cell in enumerate(cells):
        if allowed and not is_missing(cell) and not any(same(cell, a) for a in allowed):
            source = "codes" if listed else "side-car's"
            problem = f"is none of the {source} {', '.join(allowed)}"
        elif not same(value.setdefault(int(series[i]), cell), cell):
            problem = (
                "changes within a series, over which parameters are constant; name the "
                "column as series if the belief starts afresh where it changes"
            )
        else:
            continue
        problems.add(problem, **raw.at(i, column), value=cell)
    labels = [value[s] for s in sorted(value)]
    levels = {numbers[x] if numeric else x for x in labels}
    if len(levels) < 2:
        problems.add(
            f"has one value only ({labels[0]}), so that nothing can be said of its effect",
            file=raw.at(0, column)["file"],
            column=column,
        )
    if not numeric:
        return np.asarray(labels)
    found = np.asarray([numbers[label] for label in labels], dtype=float)
    if not is_settled(reading, name, column):
        every = np.asarray([numbers[cell] for cell in cells], dtype=float)
        check_suspects(raw, column, every, found, problems)
    return found


def _check_usable(
    raw: RawTable, response: str, who: Sequence[str], problems: Violations
) -> None:
    """Every participant must have responded at least once."""
    usable: dict[str, bool] = {}
    last: dict[str, int] = {}
    answered = [
        not is_missing(cell) and cell.strip().lower() != "none"
        for cell in raw.columns[response]
    ]
    for i, name in enumerate(who):
        usable[name] = usable.get(name, False) or answered[i]
        last[name] = i
    for name, some in usable.items():
        if not some and not is_missing(name):
            problems.add(
                "the last row of a participant who has not one usable response: leave "
                "the participant out",
                file=raw.file[last[name]],
                row=raw.row[last[name]],
            )


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
