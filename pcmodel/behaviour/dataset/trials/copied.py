"""Series that are another's copy: the same file under two names, or one table pasted for two.

Reaction times tell copies at once. Without them it takes responses that agree from the first
trial to the last, and so many that chance does not make them agree.
"""

from collections.abc import Mapping

import numpy as np

from pcmodel.behaviour.dataset.schema import Task
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import comparison, every, option
from pcmodel.behaviour.dataset.trials.ordering import by_series
from pcmodel.behaviour.dataset.violations import Violations

CERTAIN = 20.0  # bits beyond chance: one table in a million
LONGEST = 2  # rows before, by which a response may be foretold


def check_copied(
    raw: RawTable,
    task: Task,
    places: Mapping[str, str],
    series: np.ndarray,
    people: str,
    problems: Violations,
) -> None:
    """No two series of outcomes and responses are the same."""
    shown = raw.columns[places["outcome"]] if "outcome" in places else raw.file
    given = raw.columns[places[task.response]]
    each = by_series(series)
    if len(each) < 2:
        return
    place: dict[tuple[str, str], int] = {}
    pairs = zip(map(str.strip, shown), map(str.strip, given), strict=True)
    kind = np.asarray([place.setdefault(pair, len(place)) for pair in pairs])
    answers = np.unique([cell.strip() for cell in given], return_inverse=True)[1]
    bits = min(_bits(kind, answers, each, before) for before in range(LONGEST + 1))
    first: dict[tuple[int, ...], int] = {}
    for rows in each:
        other = first.setdefault(tuple(kind[rows].tolist()), int(rows[0]))
        if other == rows[0] or len(rows) * bits < CERTAIN + 2 * np.log2(len(each)):
            continue
        _refuse(raw, people, places.get("session"), rows, other, problems)


def _refuse(
    raw: RawTable,
    people: str,
    sessions: str | None,
    rows: np.ndarray,
    other: int,
    problems: Violations,
) -> None:
    """Name a copy, with how to leave it out or keep it."""
    i, who = int(rows[0]), raw.columns[people]
    without = comparison(people, "!=", who[i].strip())
    if who[i] == who[other] and sessions is not None:
        own = raw.columns[sessions][i].strip()
        without += f" or {comparison(sessions, '!=', own)}"
    there = raw.at(other, people)
    problems.add(
        f"all {len(rows)} outcomes and responses from here on are those from row "
        f"{there['row']} of {there['file']} on, as of one file under two names; leave one "
        f"out ({option(without)}), or keep both ({every(people, who[i])})",
        **raw.at(i, people),
        value=who[i].strip(),
    )


def _bits(
    kind: np.ndarray, answers: np.ndarray, each: list[np.ndarray], before: int
) -> float:
    """What a response says, on average, to who knows so many rows before it."""
    known, told = [], []
    for rows in each:
        for end in range(before, len(rows)):
            past = tuple(kind[rows[end - before : end]].tolist())
            known.append(past)
            told.append((*past, int(answers[rows[end]])))
    return _entropy(told) - _entropy(known) if told else 0.0


def _entropy(found: list[tuple[int, ...]]) -> float:
    counts: dict[tuple[int, ...], int] = {}
    for one in found:
        counts[one] = counts.get(one, 0) + 1
    share = np.asarray(list(counts.values())) / len(found)
    return float(-(share * np.log2(share)).sum())
