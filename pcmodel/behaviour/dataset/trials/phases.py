"""The phases of one trial, in rows of their own, are no trials each."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from pcmodel.behaviour.dataset.naming import called
from pcmodel.behaviour.dataset.schema import PHASE_NAMES, Task
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import choice, comparison, option
from pcmodel.behaviour.dataset.trials.clocks import counts
from pcmodel.behaviour.dataset.trials.ordering import by_series
from pcmodel.behaviour.dataset.violations import Violations

FEEDBACK = re.compile("feedback|outcome|reward|result", re.IGNORECASE)
CHOICE = re.compile("choice|choose|response|decision|decide|stimul", re.IGNORECASE)
FEW = 0.1  # of rows, and no more than slips
LEAST_PHASES = 5  # rows of one phase that show a pattern


def check_phases(
    raw: RawTable,
    task: Task,
    places: Mapping[str, str],
    values: Mapping[str, np.ndarray],
    series: np.ndarray,
    used: set[str],
    given: Mapping[str, str],
    problems: Violations,
) -> None:
    """The response and the outcome of a trial stand in one row.

    Software that writes a row for the choice and another for the feedback makes two
    trials of each. Rows are taken for trials of their own (questions asked between
    outcomes) where the user named the column that gives each a number.
    """
    outcome, response = values["outcome"], values[task.response]
    seen, done = np.isfinite(outcome), np.isfinite(response)
    counted = given.get("trial") in raw.columns
    each = by_series(series)
    for rows in each if seen.any() and done.any() else ():
        if counted and len({raw.columns[given["trial"]][i] for i in rows}) == len(rows):
            continue
        if not _is_apart(seen[rows], done[rows], outcome[rows], response[rows]):
            continue
        halves = rows[seen[rows] != done[rows]]
        problems.add(
            "the response and the outcome of one trial stand in different rows, so that "
            "each trial would count twice; write one row per trial, with both, or, if each "
            f"row is a trial of its own, {_each_a_trial(raw, places, each)}",
            **raw.at(int(halves[0]), places[task.response]),
        )
    for name in called(raw.columns, PHASE_NAMES):
        if name not in used:
            _check_events(raw, name, each, outcome, response, problems)


def _each_a_trial(
    raw: RawTable, places: Mapping[str, str], each: Sequence[np.ndarray]
) -> str:
    """How to say so: by the column that gives each row of a series a number of its own."""
    names = [name for name in raw.columns if counts(name)]
    names = [places["trial"], *names] if "trial" in places else names
    for name in names:
        cells = raw.columns[name]
        if all(len({cells[i] for i in rows}) == len(rows) for rows in each):
            return f"say so ({pasted('columns', f'trial={listed(name)}')})"
    return "number them and name that column (--columns trial=COLUMN)"


def _check_events(
    raw: RawTable,
    name: str,
    each: Sequence[np.ndarray],
    outcome: np.ndarray,
    response: np.ndarray,
    problems: Violations,
) -> None:
    """No column of phases tells several rows of one trial, each of which says it whole."""
    cells = np.asarray([cell.strip() for cell in raw.columns[name]])
    levels = sorted(set(cells.tolist()))
    whole = np.isfinite(outcome) & np.isfinite(response)
    feedback = [level for level in levels if FEEDBACK.search(level)]
    choices = [level for level in levels if CHOICE.search(level)]
    for level in feedback if choices and set(choices) != set(feedback) else ():
        if whole[cells == level].any() and whole[np.isin(cells, choices)].any():
            problems.add(
                f"{level!r} is a phase of trials that have a row of {choices[0]!r}, it "
                f"seems; {choice(name, level)}",
                **raw.at(int(np.argmax(cells == level)), name),
            )
            return
    for rows in each:
        if number := _rows_each(cells[rows], outcome[rows], response[rows]):
            kinds = [len(np.unique(response[rows][i::number])) for i in range(number)]
            level = str(cells[rows][int(np.argmax(kinds))])
            problems.add(
                f"has {number} rows for each trial, it seems, with one response or "
                "one outcome; keep those with the response "
                f"({option(comparison(name, '==', level))})",
                **raw.at(int(rows[0]), name),
            )


def _is_apart(
    seen: np.ndarray, done: np.ndarray, outcome: np.ndarray, response: np.ndarray
) -> bool:
    """Whether the rows of one series are phases of trials.

    Either next to no row has both, or about every second row lacks one of them and otherwise
    says what the other phase's row says: the choice before, or the outcome to come.
    """
    both, half = seen & done, seen != done
    least = min(seen.sum(), done.sum())
    if both.sum() <= FEW * least:
        return bool(least)
    if half.sum() < max(LEAST_PHASES, 0.4 * len(half)):
        return False
    follows = done[:-1] & ~seen[:-1] & both[1:] & (response[:-1] == response[1:])
    repeats = seen[1:] & ~done[1:] & both[:-1] & (outcome[1:] == outcome[:-1])
    return bool(follows.sum() + repeats.sum() >= 0.9 * half.sum())


def _rows_each(cells: np.ndarray, outcome: np.ndarray, response: np.ndarray) -> int:
    """How many phases follow each other again and again with the same values; else 0.

    The outcome alone, or the response, may be the same: a row of feedback has a key, too.
    """
    number = len(set(cells.tolist()))
    if number < 2 or len(cells) % number or len(cells) < LEAST_PHASES * number:
        return 0
    phases = cells.reshape(-1, number)
    if not (phases == phases[0]).all():
        return 0
    alike = [_is_alike(values.reshape(-1, number)) for values in (outcome, response)]
    enough = all(alike) or (any(alike) and len(phases) >= 2 * LEAST_PHASES)
    return number if enough else 0


def _is_alike(values: np.ndarray) -> bool:
    """Whether values are the same in all phases of each trial, and not in all trials."""
    first = values[:, :1]
    same = np.array_equal(values, np.repeat(first, values.shape[1], 1), equal_nan=True)
    return same and len(np.unique(first)) > 1
