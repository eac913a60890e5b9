"""Numbers that are most often codes of missing values: 999, 99, -9.

A value is suspected where nothing else in its column comes near it; naming it with
`--missing`, or naming the column there (`rt=n/a`), settles the question.
"""

import numpy as np

NINES = {9.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0}
CODES = NINES | {n / 9 * k for n in NINES - {9.0} for k in (7, 8)} | {8.0, 7.0}
NEGATIVE = {-1.0} | {-code for code in CODES}
CHANCE, CHANCE_OTHERS = 0.2, 0.05  # of a gap below 9, and below 7 and 8, by chance
USED = 3  # least count of a level that is not of the tail
ADVICE = (
    "looks like a code for a missing value; name it ({code}), or, if it is a value, say "
    "that none is missing but n/a ({none})"
)


def suspects(values: np.ndarray) -> set[float]:
    """The values of a column that are usual codes and far from all other values.

    >>> suspects(np.asarray([0.4, 0.7, 0.5, 999.0]))
    {999.0}
    """
    seen = np.unique(values[np.isfinite(values)])
    usual = {v for v in seen.tolist() if v in CODES or v in NEGATIVE}
    found: set[float] = set()
    others = np.asarray([v for v in seen if v not in usual or abs(v) < 10])
    for value in sorted(usual, key=abs, reverse=True):
        rest = np.asarray([v for v in others if v != value])
        if not len(rest):
            continue
        if _apart(value, rest, values):
            found.add(value)
            others = rest
    return found


def _apart(value: float, rest: np.ndarray, values: np.ndarray) -> bool:
    """Whether a usual code is far from the `rest` of the distinct values."""
    if value == -1.0 and set(rest.tolist()) == {1.0}:
        return False  # a contrast of two conditions
    if value < 0.0:
        return bool(rest.min() >= 0.0)
    if value >= 77.0:
        return bool(value > 3.0 * np.abs(rest).max())
    # 9 among answers from 1 to 7: whole numbers with a gap below it.
    whole = bool(np.all(rest == np.round(rest))) and rest.min() >= 0.0
    if not whole or len(rest) < 2 or value < rest.max() + 2.0:
        return False
    counts = np.asarray([np.sum(values == v) for v in rest])
    used = np.minimum(counts[1:], counts[:-1]) >= USED
    steps = np.diff(rest)
    if np.any(used & (steps > 1.0) & (1.5 * steps >= value - rest.max())):
        return False  # levels that someone chose, such as doses of 0, 3 and 8
    chance = _chance_of_gap(value, int(np.sum(values == value)), rest, counts)
    return chance < (CHANCE if value == 9.0 else CHANCE_OTHERS)


def _chance_of_gap(
    value: float, times: int, rest: np.ndarray, counts: np.ndarray
) -> float:
    """The probability of this gap below a value if it is one of a tail of counts.

    Counts fall from the commonest to the greatest of the rest by one factor a step, and are
    taken to fall on so. Then none is in the gap, and all beyond it are at `value`.
    """
    top, mode = rest[-1], rest[np.argmax(counts)]
    fall = (counts[-1] / counts.max()) ** (1.0 / max(top - mode, 1.0))
    gap = int(value - top) - 1
    expected = counts[-1] * np.sum(fall ** np.arange(1, gap + 1))
    return float(np.exp(-expected) * (gap + 1.0) ** -times)
