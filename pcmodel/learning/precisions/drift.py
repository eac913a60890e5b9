r"""Whether a log-precision is still on its way, from its course alone.

For steps that keep no scores.  A straight line through the second half of the course gives the present drift, and its
scatter how uncertain that is.  A level is *still* when going on for as long again, at the largest drift that the
scatter allows, would move it by less than `STILL`, and its drift has slowed down where there plainly is one.
Slower than that, a course cannot tell: `NaturalGradient` measures what is left to go instead.
"""

import numpy as np
from jaxtyping import Bool, Float

STILL = 0.05
"""Change of a log-precision, by about 5 % of the precision, that would not matter."""
FEWEST = 8
"""Chunks from which a course says anything."""
SLOWED = 0.5
"""Share of the first half's drift above which a plain drift has not slowed down."""


def still(course: Float[np.ndarray, "chunks levels"]) -> Bool[np.ndarray, " levels"]:
    """Which levels no longer move; none where there are fewer than 8 chunks, and never a level without values."""
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
    """Least-squares slope a chunk of each level, and its standard error with correlated residuals."""
    time = np.arange(len(course)) - (len(course) - 1) / 2
    total = np.sum(time**2)
    slope = time @ course / total
    left = course - course.mean(axis=0) - time[:, None] * slope
    variance = np.sum(left**2, axis=0) / (len(course) - 2)
    lag = np.sum(left[1:] * left[:-1], axis=0) / np.maximum(np.sum(left**2, 0), 1e-300)
    lag = np.clip(lag, 0, 0.95)
    return slope, np.sqrt(variance / total * (1 + lag) / (1 - lag))
