"""Series that are copies of another: one file under two names, or one table pasted twice.

Reaction times show copies at once. Without them it takes responses that agree from the first
trial to the last, and so many that they do not agree by chance.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Int

from pcmodel.behaviour.dataset.tables.pasted import all_rows, comparison, option
from pcmodel.behaviour.dataset.task_table import Trials

CERTAIN = 20.0  # bits beyond chance: one table in a million
LONGEST = 2  # rows before, from which a response may be predicted


def check_copied(trials: Trials, people: str) -> None:
    """Refuse series whose outcomes and responses are all those of another series.

    `people` is the column by which one of them can be left out.
    """
    shown = trials.raw.file
    if trials.task.event in trials.places:
        shown = trials.cells(trials.places[trials.task.event])
    given = trials.cells(trials.places[trials.task.response])
    each = trials.by_series
    if len(each) < 2:
        return
    kind, answers = row_kinds(shown, given), row_kinds(given)
    bits = min(_bits(kind, answers, each, before) for before in range(LONGEST + 1))
    first: dict[tuple[int, ...], int] = {}
    for rows in each:
        other = first.setdefault(tuple(kind[rows].tolist()), int(rows[0]))
        if other == rows[0] or len(rows) * bits < CERTAIN + 2 * np.log2(len(each)):
            continue
        _refuse(trials, people, rows, other)


def row_kinds(*columns: Sequence[str]) -> Int[np.ndarray, " rows"]:
    """A number for each row, the same for rows with the same cells."""
    place: dict[tuple[str, ...], int] = {}
    rows = zip(*columns, strict=True)
    return np.asarray([place.setdefault(row, len(place)) for row in rows])


def entropy(keys: Iterable[tuple[int, ...]]) -> float:
    """The entropy of the empirical distribution of some keys, in bits; 0 for none."""
    counts = np.asarray(list(Counter(keys).values()), dtype=float)
    share = counts / counts.sum() if len(counts) else counts
    return float(-(share * np.log2(share)).sum())


def _refuse(trials: Trials, people: str, rows: np.ndarray, other: int) -> None:
    """Refuse a copy, with advice to leave it out or to keep it."""
    i, who = int(rows[0]), trials.cells(people)
    without = comparison(people, "!=", who[i])
    sessions = trials.places.get("session")
    if who[i] == who[other] and sessions is not None:
        without += f" or {comparison(sessions, '!=', trials.cells(sessions)[i])}"
    there = trials.raw.at(other, people)
    trials.cell(people, i).refuse(
        f"all {len(rows)} outcomes and responses from here on are those from row "
        f"{there['row']} of {there['file']} on, as of one file under two names; leave one "
        f"out ({option(without)}), or keep both ({all_rows(people, who[i])})"
    )


def _bits(
    kind: np.ndarray, answers: np.ndarray, each: list[np.ndarray], before: int
) -> float:
    """The conditional entropy, in bits, of a response given so many rows `before` it."""
    known, whole = [], []
    for rows in each:
        for end in range(before, len(rows)):
            past = tuple(kind[rows[end - before : end]].tolist())
            known.append(past)
            whole.append((*past, int(answers[rows[end]])))
    return entropy(whole) - entropy(known)
