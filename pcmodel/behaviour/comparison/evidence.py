"""Tables of evidence, persons x models, and their checks."""

import numpy as np
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arrays import read_numbers


def read_evidence(
    given: object, *, where: str = "log_evidence"
) -> Float[np.ndarray, "people models"]:
    """The table in double precision; UserError unless it is finite, of two axes and not empty."""
    values = np.asarray(read_numbers(given, where=where), dtype=np.float64)
    if values.ndim != 2 or 0 in values.shape:
        raise UserError(
            f"has the shape {values.shape}",
            where=where,
            expected="(people, models), one or more of each",
        )
    return values


def relative(
    evidence: Float[np.ndarray, "people models"],
) -> Float[np.ndarray, "people models"]:
    """Each person's log evidence relative to the model that is best for them: 0 or less, nats."""
    return evidence - evidence.max(axis=1, keepdims=True)
