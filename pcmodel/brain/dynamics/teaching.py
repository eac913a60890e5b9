r"""Learning from streams of which every cause is given: the M-step of EM, exact.

With nothing hidden the most likely map of each level is the regression on what its parents pass on, and its precision
the inverse covariance of the residuals (divided by the number of examples).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.errors import UserError


class Taught(NamedTuple):
    """What one level learned.

    maps: one per parent, (width, parent's width).
    bias: (width,); of a top its prior mean.
    precision: of the errors, (width, width).
    """

    maps: tuple[Float[np.ndarray, "width above"], ...]
    bias: Float[np.ndarray, " width"]
    precision: Float[np.ndarray, "width width"]


def regress(
    level: str,
    values: Float[np.ndarray, "examples width"],
    passed: list[Float[np.ndarray, "examples above"]],
) -> Taught:
    """Regression of a level on what its parents pass on, with a constant.

    Raises UserError for fewer examples than a precision matrix needs.
    """
    number, width = values.shape
    columns = np.hstack([*passed, np.ones((number, 1))])
    if number < columns.shape[1] + width + 1:
        raise UserError(
            f"{number} examples do not determine level {level!r}",
            where="examples",
            expected=f"{columns.shape[1] + width + 1} or more for its {width} units",
        )
    found, *_ = np.linalg.lstsq(columns, values, rcond=None)
    left = values - columns @ found
    ends = np.cumsum([own.shape[1] for own in passed])
    maps = np.split(found[:-1], ends[:-1]) if passed else []
    return Taught(
        tuple(own.T for own in maps), found[-1], np.linalg.inv(left.T @ left / number)
    )
