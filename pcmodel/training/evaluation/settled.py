"""Which learned precisions of a network were stationary at the end of training."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from pcmodel.learning.precisions.drift import still


def settled_levels(
    names: Sequence[str], course: Float[np.ndarray, "chunks levels"]
) -> dict[str, bool]:
    """Whether each learned precision was stationary at the end of training, by the name of its level.

    course: log-precisions after each chunk; a level whose precision never changed was not learned.
    """
    if not len(course):
        return {}
    quiet, moved = still(course), np.ptp(course, axis=0) > 0
    return {
        name: bool(quiet[level]) for level, name in enumerate(names) if moved[level]
    }
