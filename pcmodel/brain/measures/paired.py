"""Statistics of the differences within people between two conditions."""

from typing import Any, NamedTuple

import numpy as np
from jax import Array
from scipy import stats

from pcmodel.brain.measures.random_numbers import generator
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_numbers
from pcmodel.inputs.ranges import Count, InnerShare

NOTHING = (np.nan,) * 8


class PairedStatistics(NamedTuple):
    """The differences b - a of paired values.

    people: number of pairs without NaN.
    dropped: number of pairs with NaN.
    mean_a: over the counted people.
    mean_b: over the counted people.
    difference: mean of b - a.
    dz: difference over its standard deviation over people (n - 1).
    t: dz sqrt(people).
    p: two-sided, of Student's t with people - 1 degrees of freedom.
    low: lower end of the bootstrap interval of the difference.
    high: upper end.
    undefined: why fields are NaN; "" where none are.
    """

    people: int
    dropped: int
    mean_a: float
    mean_b: float
    difference: float
    dz: float
    t: float
    p: float
    low: float
    high: float
    undefined: str = ""


@checked_arguments
def paired_statistics(
    a: Any,
    b: Any,
    *,
    key: Array,
    num_bootstraps: Count = 10_000,
    level: InnerShare = 0.95,
) -> PairedStatistics:
    """Of one measure in two conditions, one value a person in each, in one order of people.

    key: of the bootstrap, which redraws people; its percentile interval is narrow below about ten people.
    level: of the interval.
    Raises UserError for different numbers of people, and for infinite values.
    """
    first, second = (_read(values, name) for values, name in ((a, "a"), (b, "b")))
    if len(first) != len(second):
        raise UserError(
            f"has {len(first)} people, b {len(second)}",
            where="a",
            expected="the same people",
        )
    has = ~(np.isnan(first) | np.isnan(second))
    x, y = first[has], second[has]
    people, dropped = int(has.sum()), int((~has).sum())
    change = y - x
    none = PairedStatistics(people, dropped, *NOTHING)
    if people:
        none = none._replace(
            mean_a=float(x.mean()),
            mean_b=float(y.mean()),
            difference=float(change.mean()),
        )
    if people < 2:
        why = f"{people} people have it in both conditions"
        return none._replace(undefined=why)
    low, high = _bootstrap(change, generator(key), num_bootstraps, level)
    told = none._replace(low=low, high=high)
    spread = float(np.std(change, ddof=1))
    if spread <= 1e-12 * max(np.abs(x).max(), np.abs(y).max()):
        return told._replace(undefined="everybody's difference is the same")
    dz = told.difference / spread
    t = float(dz * np.sqrt(people))
    return told._replace(dz=dz, t=t, p=float(2 * stats.t.sf(abs(t), people - 1)))


def _read(values: Any, where: str) -> np.ndarray:
    read = np.asarray(read_numbers(values, where=where, finite=False), np.float64)
    if read.ndim != 1:
        raise UserError(
            f"has the shape {read.shape}", where=where, expected="(people,)"
        )
    if np.isinf(read).any():
        raise UserError("holds infinite values", where=where, expected="numbers or NaN")
    return read


def _bootstrap(
    change: np.ndarray, rng: np.random.Generator, number: int, level: float
) -> tuple[float, float]:
    """The percentile interval of the mean, over people redrawn with replacement, a million numbers at a time."""
    people, means = len(change), []
    step = max(1, 1_000_000 // people)
    for start in range(0, number, step):
        drawn = rng.integers(people, size=(min(step, number - start), people))
        means.append(change[drawn].mean(axis=1))
    ends = ((1 - level) / 2, (1 + level) / 2)
    low, high = np.quantile(np.concatenate(means), ends)
    return float(low), float(high)
