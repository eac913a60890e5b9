r"""Convergence of log-precisions from their course over training alone, for M-steps that keep no scores.

A least-squares line through the second half of the course estimates the present drift, and the residuals its standard
error.  A level counts as *still* if continuing for the same number of chunks, at the upper limit of its drift (two
standard errors), would move it by at most `STILL`, and if a significant drift is at most `SLOWED` of the earlier one.
Slower convergence cannot be detected from a course: `NaturalGradient` estimates the remaining distance instead.
"""

import numpy as np
from jaxtyping import Bool, Float

STILL = 0.05
"""Largest negligible change of a log-precision (about 5 % of the precision)."""
FEWEST = 8
"""Smallest number of chunks from which convergence can be assessed."""
SLOWED = 0.5
"""Fraction of the first half's drift above which a significant drift has not slowed down."""


def still(course: Float[np.ndarray, "chunks levels"]) -> Bool[np.ndarray, " levels"]:
    """Which levels have stopped moving; none with fewer than 8 chunks, and never a level with NaN values."""
    length, levels = course.shape
    if length < FEWEST:
        return np.zeros(levels, bool)
    late, error = slopes(course[length // 2 :])
    early, _ = slopes(course[: length - length // 2])
    near = (np.abs(late) + 2 * error) * length <= STILL
    plain = np.abs(late) > 3 * error + 1e-12
    return near & ~(plain & (np.abs(late) > SLOWED * np.abs(early)))


def slopes(
    course: Float[np.ndarray, "chunks levels"],
) -> tuple[Float[np.ndarray, " levels"], Float[np.ndarray, " levels"]]:
    """Least-squares slope of each level per chunk, and its standard error for autocorrelated residuals."""
    time = np.arange(len(course)) - (len(course) - 1) / 2
    total = np.sum(time**2)
    slope = time @ course / total
    left = course - course.mean(axis=0) - time[:, None] * slope
    variance = np.sum(left**2, axis=0) / (len(course) - 2)
    lag = np.sum(left[1:] * left[:-1], axis=0) / np.maximum(np.sum(left**2, 0), 1e-300)
    lag = np.clip(lag, 0, 0.95)
    return slope, np.sqrt(variance / total * (1 + lag) / (1 - lag))
