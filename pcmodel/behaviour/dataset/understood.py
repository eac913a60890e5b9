"""A summary of how a data set was read, for a look before anything is fitted to it.

It counts people and names none.
"""

from collections.abc import Sequence

import numpy as np

from pcmodel.behaviour.dataset.schema import Task
from pcmodel.behaviour.dataset.series import Series
from pcmodel.inputs.arguments import checked_arguments

MANY = 12  # levels of a condition that are listed one by one
LONG = 10.0  # s, beyond which a decision is unusual
SHORT = 0.01  # s, in which nobody responds
ROUNDING = 1e-12  # of the greatest number: means below it are rounding errors of 0
NARROW = 5.0  # times a person's greatest number, which that of others exceeds


@checked_arguments
def understood(series: Series, task: Task) -> tuple[tuple[str, str], ...]:
    """The summary as rows of a table: what it is about, and how it was read."""
    counts = series.present.sum(axis=1)
    per_person = np.bincount(series.participant)
    rows = [
        ("people", f"{series.num_participants}"),
        ("series", f"{len(counts)}, {_range(per_person)} for each person"),
        ("trials", f"{int(counts.sum())}, {_range(counts)} in each series"),
    ]
    for note in series.notes:
        what, _, text = note.partition(": ")
        rows.append((what, text))
    for name, values in series.values.items():
        seen = values[series.present & np.isfinite(values)]
        missing = series.num_missing[name]
        if missing < counts.sum():
            mean = float(seen.mean())
            mean = 0.0 if abs(mean) <= ROUNDING * np.abs(seen).max() else mean
            span = f"{seen.min():g} to {seen.max():g}, mean {mean:.4g}"
            rows.append((f"{name}, values", f"{span}; {missing} missing"))
    for name, values in series.covariates.items():
        kind = "numbers" if values.dtype.kind == "f" else "labels"
        rows.append((f"{name}, {kind}", _levels(values)))
    return tuple(rows) + tuple(("odd", text) for text in oddities(series, task))


def _range(counts: np.ndarray) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low}" if low == high else f"{low} to {high}"


def _levels(values: np.ndarray) -> str:
    levels, counts = np.unique(values, return_counts=True)
    if len(levels) > MANY and values.dtype.kind == "f":
        return f"{levels[0]:g} to {levels[-1]:g}"
    shown = [
        f"{level:g} ({n})" if values.dtype.kind == "f" else f"{level} ({n})"
        for level, n in zip(levels[:MANY], counts[:MANY], strict=True)
    ]
    more = ", ..." if len(levels) > MANY else ""
    return ", ".join(shown) + more + " (series)"


def oddities(series: Series, task: Task) -> list[str]:
    """Remarks on what is possible and most often a mistake in the table."""
    found: list[str] = []
    counts = series.present.sum(axis=1)
    few = int((counts < 0.5 * np.median(counts)).sum())
    if few:
        found.append(f"series with less than half the usual number of trials: {few}")
    responses = np.where(series.present, series.values[task.response], np.nan)
    nothing = np.full(series.present.shape, np.nan)
    shown = series.values.get(task.event, nothing)
    outcome = np.where(series.present, shown, np.nan)
    empty = int((series.present & np.isnan(responses) & np.isnan(outcome)).sum())
    if empty:
        found.append(
            f"rows with neither {task.event} nor response: {empty}; if they are no trials, "
            "--where leaves them out"
        )
    found += _about_people(series, responses)
    found += _about_scales(series)
    times = series.values.get("reaction_time", np.empty(0))
    if long := int((times > LONG).sum()):  # NaN compares false
        found.append(f"reaction times longer than {LONG:g} s: {long}")
    if short := int((times < SHORT).sum()):
        found.append(f"reaction times shorter than {1000 * SHORT:g} ms: {short}")
    return found


def _about_people(series: Series, responses: np.ndarray) -> Sequence[str]:
    """Remarks on people who always responded the same, or hardly ever."""
    same = silent = 0
    for person in range(series.num_participants):
        own = responses[series.participant == person]
        held = series.present[series.participant == person]
        seen = own[np.isfinite(own)]
        same += len(seen) > 1 and len(np.unique(seen)) == 1
        silent += len(seen) < 0.5 * held.sum()
    found = []
    if same:
        found.append(f"people who gave one and the same response throughout: {same}")
    if silent:
        found.append(
            f"people without a response in more than half of their trials: {silent}"
        )
    return found


def _about_scales(series: Series) -> Sequence[str]:
    """Remarks on people who may have used another scale: 1 to 4 beside 0 to 100."""
    found = []
    for name in ("confidence", "report", "prediction"):
        values = np.abs(series.values.get(name, np.full(series.present.shape, np.nan)))
        given = series.present & np.isfinite(values)
        greatest = [
            values[own].max()
            for person in range(series.num_participants)
            if (own := (series.participant == person)[:, None] & given).any()
        ]
        if not greatest:
            continue
        most = max(greatest)
        narrow = sum(NARROW * largest < most for largest in greatest)
        if narrow:
            found.append(
                f"people whose {name} never goes beyond a fifth of the greatest "
                f"({most:g}): {narrow}; one scale is taken for all"
            )
    return found
