"""Which precisions of a trained network no longer moved, from the rows of its metrics."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from pcmodel.learning.precisions.drift import still


def settled_levels(
    names: Sequence[str], course: Float[np.ndarray, "chunks levels"]
) -> dict[str, bool]:
    """By the name of each level whose precision was learned: it moved at all."""
    if not len(course):
        return {}
    quiet, moved = still(course), np.ptp(course, axis=0) > 0
    return {
        name: bool(quiet[level]) for level, name in enumerate(names) if moved[level]
    }
