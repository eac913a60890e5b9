r"""How long a fluctuating quantity stays below a threshold: of a Gaussian process, and of a series.

A stationary process looked at every h seconds enters a state as often as it leaves it, so that the mean length of a stay is
$h\,P(\mathrm{in}) / P(\mathrm{in\ now, out\ at\ the\ next\ look})$ (Kac 1947, Bull Am Math Soc 53:1002). Of a Gaussian
process with standardised threshold a and correlation r of two looks, $P(\mathrm{in}) = \Phi(a)$ and
$P(\mathrm{in, out}) = 2\,T(a, \sqrt{(1 - r)/(1 + r)})$ with Owen's T (Owen 1956, Ann Math Stat 27:1075), which loses no
digits where stays are long.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.special import log_ndtr, ndtr, owens_t

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_numbers
from pcmodel.inputs.ranges import Finite, Positive


class Dwell(NamedTuple):
    """Stays below a threshold.

    share: of time below it, 0 to 1.
    stay: mean length of a stay, seconds, at least one step; infinite where leaving is too rare for a number.
    log_stay: its logarithm.
    undefined: why the stay is NaN; "" where it is not.
    """

    share: float
    stay: float
    log_stay: float
    undefined: str = ""


@checked_arguments
def gaussian_dwell(
    mean: Finite,
    variance: Positive,
    lagged: Finite,
    *,
    step: Positive,
    threshold: Finite = 0.0,
) -> Dwell:
    """Of a stationary Gaussian process; exact.

    variance: of the process.
    lagged: its covariance with itself one step later, between -variance and variance.
    step: seconds between two looks; stays that begin and end between them are not seen.
    Raises UserError for a covariance that no process has.
    """
    if not abs(lagged) <= variance * (1 + 1e-9):
        raise UserError(
            f"is {lagged:g}",
            where="lagged",
            expected=f"a covariance of at most the variance, {variance:g}",
        )
    standard = (threshold - mean) / np.sqrt(variance)
    apart, alike = max(variance - lagged, 0.0), max(variance + lagged, 0.0)
    slope = np.sqrt(apart / alike) if alike > 0 else np.inf
    leaving = 2 * owens_t(standard, slope)
    with np.errstate(divide="ignore"):
        log_stay = float(np.log(step) + log_ndtr(standard) - np.log(leaving))
    share = float(ndtr(standard))
    if share == 0:
        return Dwell(share, np.nan, np.nan, "it is never below the threshold")
    with np.errstate(over="ignore"):
        return Dwell(share, float(np.exp(log_stay)), log_stay)


@checked_arguments
def series_dwell(series: Any, *, step: Positive, threshold: Finite = 0.0) -> Dwell:
    """Of samples every `step` seconds, (times,): share of looks below, and looks below over exits.

    An unfinished stay counts in the numerator, so that the mean is that of `gaussian_dwell` in the long run.
    """
    values = np.asarray(read_numbers(series, where="series"), np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise UserError(
            f"has the shape {values.shape}",
            where="series",
            expected="(times,), two or more",
        )
    below = values < threshold
    share, exits = float(below.mean()), int(np.sum(below[:-1] & ~below[1:]))
    if not below.any():
        return Dwell(share, np.nan, np.nan, "it is never below the threshold")
    if not exits:
        return Dwell(share, np.inf, np.inf)
    stay = step * float(below[:-1].sum()) / exits
    return Dwell(share, stay, float(np.log(stay)))
