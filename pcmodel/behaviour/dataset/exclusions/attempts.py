"""Second attempts at one trial, which are no trials of their own."""

import re
from collections.abc import Sequence

import numpy as np

from pcmodel.behaviour.dataset.exclusions.practice_words import folded
from pcmodel.behaviour.dataset.naming import plain
from pcmodel.behaviour.dataset.tables.cells import to_numbers
from pcmodel.behaviour.dataset.tables.pasted import all_rows, rows_with
from pcmodel.behaviour.dataset.task_table import Trials
from pcmodel.behaviour.dataset.trials.blocks import row_order_option

ATTEMPTS = re.compile(
    r"(?:trial|response|the|this|n|num|number|of)*(?:attempt|retry|retries|tries|try"
    r"|versuch|tentative|intento|tentativo|poging)s?(?:no|nr|num|number|index|count|n)?"
    r"|(?:trial)?(?:repeat|repetition|repeated)s?(?:no|nr|num|number|index|count|n)?"
    r"(?:of)?(?:this|the)?(?:trial)?"
)
FIRST = 0.5  # of the rows, at least: most trials need no second attempt


def check_attempts(trials: Trials, used: set[str]) -> None:
    """Refuse second attempts, where a column counts the attempts at one trial."""
    for name, cells in trials.columns.items():
        if name in used or not ATTEMPTS.fullmatch(folded(plain(name))):
            continue
        later = _later(trials, cells)
        if later is None:
            continue
        first = cells[int(np.argmin(later))]
        keep = all_rows(name, first)
        if "trial" in trials.places:
            keep = f"{keep} {row_order_option(None)}"
        trials.row(name, int(np.argmax(later))).refuse(
            f"counts the attempts at one trial, it seems, and {int(later.sum())} of "
            f"{len(later)} rows are later than the first; keep the first "
            f"({rows_with(name, first.strip())}), or, if each is a trial of "
            f"its own, keep all ({keep})"
        )


def _later(trials: Trials, cells: Sequence[str]) -> np.ndarray | None:
    """Whether each row is a later attempt; None where cells do not count attempts."""
    values = to_numbers(cells)
    if values is None or not np.all(np.isfinite(values)):
        return None
    first = values.min()
    later = values > first
    if first not in (0.0, 1.0) or not later.any() or later.mean() > 1.0 - FIRST:
        return None
    for own in (values[rows] for rows in trials.by_series):
        if own[0] != first or np.any((own[1:] > first) & (np.diff(own) != 1.0)):
            return None
    return later
