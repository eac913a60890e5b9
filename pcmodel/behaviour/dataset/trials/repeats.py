"""Rows pasted a second time: a long block of rows that occurs twice in the table."""

from collections import Counter

import numpy as np

from pcmodel.behaviour.dataset.naming import called, words
from pcmodel.behaviour.dataset.schema import RT_NAMES
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.task_table import Trials
from pcmodel.behaviour.dataset.trials.copied import (
    CERTAIN,
    check_copied,
    entropy,
    row_kinds,
)
from pcmodel.behaviour.dataset.violations import Place

LEAST_ROWS = 5
LATENCY = {"rt", "rts", "latency", "reaction"}
DIFFERENT = 0.25  # of reaction times, at least: twice pasted, at most half differ
USUAL = 0.05  # of the rows with one and the same time
MOST_BLOCKS = 5  # that are refused one by one
TIMED = (
    "to the very reaction times, as if pasted twice; remove what is not so (or, if the "
    "times are made up, leave their column out)"
)
ALIKE = (
    "as if pasted twice; remove what is not so (or, if they are other trials, number "
    "all in a column called trial)"
)


def check_repeats(trials: Trials, people: str | None) -> None:
    """Refuse long blocks of rows that occur twice.

    The more a row says, the shorter the block that does not occur twice by chance. With
    reaction times a few rows are enough, of whatever people or blocks. Without them rows
    must be the same in every column and of one series, or be all of two series; `people` is
    the column by which one of those can be left out, None where there is none or the user
    considered it.
    """
    order = np.argsort(trials.series, kind="stable")
    times = _times_of_responses(trials)
    if times is not None:
        kind = _timed_kinds(trials, times)[order]
        _check(trials, order, kind, _bits(kind[kind >= 0], 0), TIMED)
        return
    if people is not None:
        check_copied(trials, people)
    if "trial" in trials.places:
        return  # a trial that occurs twice is found by its number
    kind = row_kinds(*trials.columns.values())
    for rows in trials.by_series:
        bits = min(_bits(kind[rows], before) for before in range(4))
        _check(trials, rows, kind[rows], bits, ALIKE)


def _times_of_responses(trials: Trials) -> str | None:
    """A column of reaction times that differ as such times do; None for none."""
    names = called(trials.columns, ("reaction_time", *RT_NAMES))
    names += [name for name in trials.columns if set(words(name)) & LATENCY]
    names = [name for name in names if name not in trials.places.values()]
    for name in (trials.places.get("reaction_time"), *names):
        if name is None:
            continue
        numbers = zip(
            trials.series.tolist(), map(to_number, trials.columns[name]), strict=True
        )
        times = [(s, x) for s, x in numbers if x and x == x]
        if len(times) >= LEAST_ROWS and len(set(times)) >= DIFFERENT * len(times):
            return name
    return None


def _timed_kinds(trials: Trials, times: str) -> np.ndarray:
    """Row kinds by outcome, response and time; below 0 where they show no repetition.

    They show none where there was no response, and where the time is frequent, as that of
    responses that came too late.
    """
    outcome, response = (
        trials.columns[trials.places[name]]
        for name in (trials.task.event, trials.task.response)
    )
    own = trials.columns[times]
    kind, frequency = row_kinds(outcome, response, own), Counter(own)
    most = max(LEAST_ROWS, USUAL * len(own))
    number = {cell: to_number(cell) for cell in frequency}
    shows = [
        bool(x := number[t]) and x == x and frequency[t] <= most and not is_missing(y)
        for t, y in zip(own, response, strict=True)
    ]
    return np.where(shows, kind, -1 - np.arange(len(kind)))


def _bits(kind: np.ndarray, before: int) -> float:
    """The conditional entropy, in bits, of a row given so many rows `before` it."""
    lengths = [before + 1, before]
    cells = kind.tolist()
    windows = (zip(*(cells[i:] for i in range(n)), strict=False) for n in lengths)
    whole, known = map(entropy, windows)
    return whole - known


def _check(
    trials: Trials, rows: np.ndarray, kind: np.ndarray, bits: float, advice: str
) -> None:
    """Refuse blocks of `rows` that repeat earlier ones and are longer than by chance."""
    if len(rows) < 2 * LEAST_ROWS or bits <= 0.0:
        return
    least = max(LEAST_ROWS, int(np.ceil((CERTAIN + 2 * np.log2(len(rows))) / bits)))
    series, raw = trials.series[rows], trials.raw
    first: dict[tuple[int, ...], int] = {}
    refused = i = 0
    while i + least <= len(rows) and refused < MOST_BLOCKS:
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
        file, other = raw.file[rows[i]], raw.file[rows[j]]
        there = "" if file == other else f" of {other}"
        Place(trials.problems, file, row=raw.row[rows[i]]).refuse(
            f"from here to row {last} the rows repeat those from row {before}{there} on, "
            f"{advice}"
        )
        refused, i = refused + 1, i + length


def _is_cut(series: np.ndarray, start: int, length: int) -> bool:
    """Whether a block of rows is of more than one series."""
    return bool(series[start] != series[start + length - 1])
