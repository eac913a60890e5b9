"""Second attempts at one trial, which are no trials of their own."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from pcmodel.behaviour.dataset.exclusions.practice_words import folded
from pcmodel.behaviour.dataset.naming import plain
from pcmodel.behaviour.dataset.tables.cells import to_number
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import comparison, every, option
from pcmodel.behaviour.dataset.trials.blocks import as_they_stand
from pcmodel.behaviour.dataset.trials.ordering import by_series
from pcmodel.behaviour.dataset.violations import Violations

ATTEMPTS = re.compile(
    r"(?:trial|response|the|this|n|num|number|of)*(?:attempt|retry|retries|tries|try"
    r"|versuch|tentative|intento|tentativo|poging)s?(?:no|nr|num|number|index|count|n)?"
    r"|(?:trial)?(?:repeat|repetition|repeated)s?(?:no|nr|num|number|index|count|n)?"
    r"(?:of)?(?:this|the)?(?:trial)?"
)
FIRST = 0.5  # of the rows, at least: most trials need no second attempt


def check_attempts(
    raw: RawTable,
    places: Mapping[str, str],
    series: np.ndarray,
    used: set[str],
    problems: Violations,
) -> None:
    """No row is a second attempt, which its column counts."""
    for name, cells in raw.columns.items():
        if name in used or not ATTEMPTS.fullmatch(folded(plain(name))):
            continue
        later = _later(cells, series)
        if later is None:
            continue
        first = next(
            cell for cell, is_later in zip(cells, later, strict=True) if not is_later
        )
        keep = every(name, first)
        if "trial" in places:
            keep = f"{keep} {as_they_stand(None)}"
        problems.add(
            f"counts the attempts at one trial, it seems, and {int(later.sum())} of "
            f"{len(later)} rows are later than the first; keep the first "
            f"({option(comparison(name, '==', first.strip()))}), or, if each is a trial of "
            f"its own, keep all ({keep})",
            **raw.at(int(np.argmax(later)), name),
        )


def _later(cells: Sequence[str], series: np.ndarray) -> np.ndarray | None:
    """Which rows are later attempts, where each follows the one before it; else None."""
    numbers = {cell: to_number(cell) for cell in set(cells)}
    if None in numbers.values():
        return None
    values = np.asarray([numbers[cell] for cell in cells], dtype=float)
    if not np.all(np.isfinite(values)) or values.min() not in (0.0, 1.0):
        return None
    later = values > values.min()
    if not later.any() or later.mean() > 1.0 - FIRST:
        return None
    for rows in by_series(series):
        own = values[rows]
        if own[0] != values.min():
            return None
        steps = np.diff(own)
        if np.any((own[1:] > values.min()) & (steps != 1.0)):
            return None
    return later
