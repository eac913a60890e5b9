"""Rows pasted a second time: a long block of rows that stands in the table twice."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from pcmodel.behaviour.dataset.naming import called, words
from pcmodel.behaviour.dataset.schema import RT_NAMES, Task
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.trials.copied import check_copied
from pcmodel.behaviour.dataset.trials.ordering import by_series
from pcmodel.behaviour.dataset.violations import Violations

LEAST_ROWS = 5
CERTAIN = 20.0  # bits beyond chance: one table in a million
LATENCY = {"rt", "rts", "latency", "reaction"}
DIFFERENT = 0.25  # of reaction times, at least: twice pasted, at most half differ
USUAL = 0.05  # of the rows with one and the same time
MOST_SAID = 5
TIMED = (
    "to the very reaction times, as if pasted twice; remove what is not so (or, if the "
    "times are made up, leave their column out)"
)
ALIKE = (
    "as if pasted twice; remove what is not so (or, if they are other trials, number "
    "all in a column called trial)"
)


def check_repeats(
    raw: RawTable,
    task: Task,
    places: Mapping[str, str],
    series: np.ndarray,
    people: str | None,
    problems: Violations,
) -> None:
    """No long block of rows stands twice.

    By chance it may, the less so the more a row says. With reaction times, a few rows
    are enough, of whatever people or blocks. Without them rows must be the same in every
    column, and stand in one series, or be all of two series; `people` is the column by
    which one of those can be left out, None where there is none or it was thought of.
    """
    order = np.argsort(series, kind="stable")
    timed = _times_of_responses(raw, places, series)
    if timed is not None:
        place = places["outcome"], places[task.response]
        kind = _timed_kinds(raw, *place, timed)[order]
        bits = _bits(kind[kind >= 0], 0)
        _check(raw, order, series[order], kind, bits, TIMED, problems)
        return
    if people is not None:
        check_copied(raw, task, places, series, people, problems)
    if "trial" in places:
        return  # a trial that stands twice is found by its number
    kind = _kinds(raw, list(raw.columns))
    for rows in by_series(series):
        bits = min(_bits(kind[rows], before) for before in range(4))
        _check(raw, rows, series[rows], kind[rows], bits, ALIKE, problems)


def _times_of_responses(
    raw: RawTable, places: Mapping[str, str], series: np.ndarray
) -> str | None:
    """A column of reaction times that differ as such times do."""
    names = called(raw.columns, ("reaction_time", *RT_NAMES))
    names += [name for name in raw.columns if set(words(name)) & LATENCY]
    names = [name for name in names if name not in places.values()]
    for name in (places.get("reaction_time"), *names):
        if name is None:
            continue
        cells = raw.columns[name]
        given = [to_number(cell) for cell in cells]
        times = [
            (s, x) for s, x in zip(series.tolist(), given, strict=True) if x and x == x
        ]
        if len(times) >= LEAST_ROWS and len(set(times)) >= DIFFERENT * len(times):
            return name
    return None


def _kinds(raw: RawTable, names: Sequence[str]) -> np.ndarray:
    """A number for each row: the same for rows with the same cells."""
    place: dict[tuple[str, ...], int] = {}
    rows = zip(*(raw.columns[name] for name in names), strict=True)
    return np.asarray([place.setdefault(row, len(place)) for row in rows])


def _timed_kinds(raw: RawTable, outcome: str, response: str, times: str) -> np.ndarray:
    """`_kinds`, each below 0 and its own where nothing was done or the time is usual.

    A time that comes back often, as that of a response too late, tells nothing.
    """
    kind = _kinds(raw, (outcome, response, times))
    often = Counter(raw.columns[times])
    most = max(LEAST_ROWS, USUAL * raw.num_rows)
    number = {cell: to_number(cell) for cell in often}
    told = [
        bool(x := number[time]) and x == x and often[time] <= most and not is_missing(y)
        for time, y in zip(raw.columns[times], raw.columns[response], strict=True)
    ]
    return np.where(told, kind, -1 - np.arange(len(kind)))


def _bits(kind: np.ndarray, before: int) -> float:
    """What a row says, on average, to who knows so many of the rows before it."""

    def entropy(length: int) -> float:
        if not length or len(kind) < length:
            return 0.0
        windows = np.lib.stride_tricks.sliding_window_view(kind, length)
        counts = np.unique(windows, axis=0, return_counts=True)[1]
        share = counts / counts.sum()
        return float(-(share * np.log2(share)).sum())

    return entropy(before + 1) - entropy(before)


def _check(
    raw: RawTable,
    rows: np.ndarray,
    series: np.ndarray,
    kind: np.ndarray,
    bits: float,
    advice: str,
    problems: Violations,
) -> None:
    """Name blocks of `rows` that repeat earlier ones and are longer than chance allows."""
    if len(rows) < 2 * LEAST_ROWS or bits <= 0.0:
        return
    least = max(LEAST_ROWS, int(np.ceil((CERTAIN + 2 * np.log2(len(rows))) / bits)))
    first: dict[tuple[int, ...], int] = {}
    said = i = 0
    while i + least <= len(rows) and said < MOST_SAID:
        j = first.setdefault(tuple(kind[i : i + least].tolist()), i)
        if j + least > i or _is_cut(series, i, least) or _is_cut(series, j, least):
            i += 1
            continue
        length = least
        while i + length < len(rows) and j + length < i:
            same = kind[i + length] == kind[j + length]
            if not same or series[i + length] != series[i]:
                break
            length += 1
        last, before = raw.row[rows[i + length - 1]], raw.row[rows[j]]
        file = raw.file[rows[j]]
        there = "" if file == raw.file[rows[i]] else f" of {file}"
        problems.add(
            f"from here to row {last} the rows repeat those from row {before}{there} on, "
            f"{advice}",
            file=raw.file[rows[i]],
            row=raw.row[rows[i]],
        )
        said, i = said + 1, i + length


def _is_cut(series: np.ndarray, start: int, length: int) -> bool:
    return bool(series[start] != series[start + length - 1])
