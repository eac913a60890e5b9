"""Rows that are phases of one trial, such as choice and feedback, and no trials each."""

import re
from collections.abc import Mapping

import numpy as np

from pcmodel.behaviour.dataset.naming import called
from pcmodel.behaviour.dataset.schema import PHASE_NAMES
from pcmodel.behaviour.dataset.tables.pasted import as_column, choice, rows_with
from pcmodel.behaviour.dataset.task_table import Trials
from pcmodel.behaviour.dataset.trials.clocks import counts

FEEDBACK = re.compile("feedback|outcome|reward|result", re.IGNORECASE)
CHOICE = re.compile("choice|choose|response|decision|decide|stimul", re.IGNORECASE)
FEW = 0.1  # share of the rows that may be mistakes
LEAST_PHASES = 5  # rows of one phase that show a pattern


def check_phases(
    trials: Trials, values: Mapping[str, np.ndarray], used: set[str]
) -> None:
    """Refuse trials whose response and outcome are in different rows.

    Software that writes a row for the choice and another for the feedback makes two
    trials of each. Rows are taken for trials of their own (questions asked between
    outcomes) where the user named the column that gives each a number.
    """
    if trials.task.event not in values:
        return
    outcome, response = values[trials.task.event], values[trials.task.response]
    seen, done = np.isfinite(outcome), np.isfinite(response)
    numbers = trials.columns.get(trials.given.get("trial", ""))
    for rows in trials.by_series if seen.any() and done.any() else ():
        if numbers and len({numbers[i] for i in rows}) == len(rows):
            continue
        if not _is_apart(seen[rows], done[rows], outcome[rows], response[rows]):
            continue
        halves = rows[seen[rows] != done[rows]]
        trials.row(trials.places[trials.task.response], halves[0]).refuse(
            "the response and the outcome of one trial stand in different rows, so that "
            "each trial would count twice; write one row per trial, with both, or, if each "
            f"row is a trial of its own, {_each_a_trial(trials)}"
        )
    for name in called(trials.columns, PHASE_NAMES):
        if name not in used:
            _check_events(trials, name, outcome, response)


def _each_a_trial(trials: Trials) -> str:
    """Advice to name the column that gives each row of a series a number of its own."""
    names = [name for name in trials.columns if counts(name)]
    names = [trials.places["trial"], *names] if "trial" in trials.places else names
    for name in names:
        cells = trials.columns[name]
        if all(len({cells[i] for i in rows}) == len(rows) for rows in trials.by_series):
            return f"say so ({as_column('trial', name)})"
    return "number them and name that column (--columns trial=COLUMN)"


def _check_events(
    trials: Trials, name: str, outcome: np.ndarray, response: np.ndarray
) -> None:
    """Refuse several rows of one trial, each with its outcome and response, by their phases."""
    cells = np.asarray(trials.cells(name))
    levels = sorted(set(cells.tolist()))
    whole = np.isfinite(outcome) & np.isfinite(response)
    feedback = [level for level in levels if FEEDBACK.search(level)]
    choices = [level for level in levels if CHOICE.search(level)]
    for level in feedback if choices and set(choices) != set(feedback) else ():
        if whole[cells == level].any() and whole[np.isin(cells, choices)].any():
            trials.row(name, np.argmax(cells == level)).refuse(
                f"{level!r} is a phase of trials that have a row of {choices[0]!r}, it "
                f"seems; {choice(name, level)}"
            )
            return
    for rows in trials.by_series:
        if number := _rows_each(cells[rows], outcome[rows], response[rows]):
            kinds = [len(np.unique(response[rows][i::number])) for i in range(number)]
            level = str(cells[rows][int(np.argmax(kinds))])
            trials.row(name, rows[0]).refuse(
                f"has {number} rows for each trial, it seems, with one response or one "
                f"outcome; keep those with the response ({rows_with(name, level)})"
            )


def _is_apart(
    seen: np.ndarray, done: np.ndarray, outcome: np.ndarray, response: np.ndarray
) -> bool:
    """Whether the rows of one series are phases of trials.

    Either next to no row has both outcome and response, or about every second row lacks one
    of them and otherwise agrees with the row of the other phase.
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
    """The number of phases that follow each other over and over with the same values, or 0.

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
