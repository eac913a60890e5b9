"""From a raw table to trials in order: one series for every run of the belief.

A series is the trials over which a belief is carried on: one participant in one session,
or in one condition of the columns in `series_by`. Its covariates are constant. Series
are padded to one length; `present` is false under the padding.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from pcmodel.behaviour.dataset.cells import is_missing, to_number
from pcmodel.behaviour.dataset.columns import find_columns, parse_columns
from pcmodel.behaviour.dataset.readers import RawTable, read_raw
from pcmodel.behaviour.dataset.schema import Task
from pcmodel.behaviour.dataset.violations import Violations


class Series(NamedTuple):
    """Trials by series; no identifier of a person is kept."""

    values: dict[str, Float[np.ndarray, "series trials"]]  # NaN where missing
    present: Bool[np.ndarray, "series trials"]
    participant: Int[np.ndarray, " series"]  # counted from 0 in order of appearance
    covariates: dict[str, np.ndarray]  # (series,) numbers or labels
    num_missing: dict[str, int]  # missing cells by column

    @property
    def num_participants(self) -> int:
        """People, each with one series or more."""
        return int(self.participant.max()) + 1


def load_series(
    path: str | Path,
    task: Task,
    *,
    columns: Mapping[str, str] | None = None,
    covariates: Sequence[str] = (),
    series_by: Sequence[str] = (),
    scale: Sequence[float] | None = None,
    bids_task: str | None = None,
) -> Series:
    """Read, check and arrange a data set.

    `columns` maps the task's names to the file's (`{"report": "b_t"}`); `covariates` are
    the columns of conditions and traits; the belief starts afresh for each participant,
    session, and value of the columns in `series_by`; `scale` is that of the response, its
    low and high end and, if it has one, its step.
    Raises UserError naming every violation.
    """
    raw = read_raw(path, task_label=bids_task)
    return arrange(
        raw,
        task,
        columns=columns,
        covariates=covariates,
        series_by=series_by,
        scale=scale,
    )


def arrange(
    raw: RawTable,
    task: Task,
    *,
    columns: Mapping[str, str] | None = None,
    covariates: Sequence[str] = (),
    series_by: Sequence[str] = (),
    scale: Sequence[float] | None = None,
) -> Series:
    """`load_series` for a table already read."""
    problems = Violations()
    extra = tuple(dict.fromkeys((*covariates, *series_by)))
    places = find_columns(raw, task, columns or {}, extra, problems)
    problems.raise_if_any()
    values = parse_columns(raw, task, places, scale, problems)
    who = _labels(raw, places["participant"], problems)
    keys = [who] + [
        _labels(raw, places[name], problems)
        for name in dict.fromkeys(("session", *series_by))
        if name in places
    ]
    series = _first_seen(list(zip(*keys, strict=True)))
    order = _in_order(raw, places.get("trial"), series, problems)
    found = {
        name: _covariate(raw, places[name], series, problems) for name in covariates
    }
    _check_usable(raw, places[task.response], who, problems)
    problems.raise_if_any()
    return _pad(values, series, _first_seen(who), order, found)


def _labels(raw: RawTable, column: str, problems: Violations) -> list[str]:
    cells = [cell.strip() for cell in raw.columns[column]]
    missing = {cell for cell in set(cells) if is_missing(cell)}
    for i, cell in enumerate(cells if missing else ()):
        if cell in missing:
            problems.add(
                "is missing, and must be known",
                file=raw.file[i],
                row=raw.row[i],
                column=column,
            )
    return cells


def _first_seen(labels: Sequence) -> Int[np.ndarray, " rows"]:
    """Labels as numbers from 0 in order of appearance."""
    place = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.asarray([place[label] for label in labels])


def _in_order(
    raw: RawTable, column: str | None, series: np.ndarray, problems: Violations
) -> Int[np.ndarray, " rows"]:
    """Rows sorted by series and trial; without a trial column as they stand."""
    if column is None:
        return np.argsort(series, kind="stable")
    cells = raw.columns[column]
    number = {cell: to_number(cell) for cell in set(cells)}
    numbers = np.asarray([number[cell] for cell in cells], dtype=float)
    for i in np.flatnonzero(np.isnan(numbers)):
        problems.add(
            "must be a number",
            file=raw.file[i],
            row=raw.row[i],
            column=column,
            value=cells[i],
        )
    _check_duplicates(raw, column, series, numbers, problems)
    return np.lexsort((numbers, series))


def _check_duplicates(
    raw: RawTable,
    column: str,
    series: np.ndarray,
    numbers: np.ndarray,
    problems: Violations,
) -> None:
    first: dict[tuple[int, float], int] = {}
    for i, key in enumerate(zip(series.tolist(), numbers.tolist(), strict=True)):
        if np.isfinite(key[1]) and first.setdefault(key, i) != i:
            problems.add(
                "the same trial of the same participant stands twice; if they are of "
                "different sessions or blocks, name those columns as series",
                file=raw.file[i],
                row=raw.row[i],
                column=column,
                value=f"{raw.columns[column][i]}, as in row {raw.row[first[key]]}",
            )


def _covariate(
    raw: RawTable, column: str, series: np.ndarray, problems: Violations
) -> np.ndarray:
    """One value for each series: numbers where all cells are, labels otherwise."""
    cells = _labels(raw, column, problems)
    allowed = raw.levels.get(column)
    value: dict[int, str] = {}
    for i, cell in enumerate(cells):
        if allowed and cell not in allowed and not is_missing(cell):
            problem = f"is none of the side-car's {', '.join(allowed)}"
        elif value.setdefault(int(series[i]), cell) != cell:
            problem = (
                "changes within a series, over which parameters are constant; name the "
                "column as series if the belief starts afresh where it changes"
            )
        else:
            continue
        problems.add(
            problem, file=raw.file[i], row=raw.row[i], column=column, value=cell
        )
    labels = [value[s] for s in sorted(value)]
    numbers = [to_number(label) for label in labels]
    if len(set(labels)) < 2:
        problems.add(
            f"has one value only ({labels[0]}), so that nothing can be said of its effect",
            file=raw.file[0],
            column=column,
        )
    if all(n is not None and np.isfinite(n) for n in numbers):
        return np.asarray(numbers, dtype=float)
    return np.asarray(labels)


def _check_usable(
    raw: RawTable, response: str, who: Sequence[str], problems: Violations
) -> None:
    """Every participant must have responded at least once."""
    usable: dict[str, bool] = {}
    last: dict[str, int] = {}
    answered = [not is_missing(cell) for cell in raw.columns[response]]
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
