"""A line for each person: which model predicts them best, and by how much."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import ArrayLike, Float

from pcmodel.behaviour.comparison.evidence import read_evidence
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments

SURE = 2.0  # standard errors beyond which a difference is told from chance


class PersonChoice(NamedTuple):
    """The model that predicts one person best.

    person: label.
    best: name of the model; ties go to the first named.
    second: the next best; "" where there is one model.
    difference: log density of the best minus the next best's, nats.
    standard_error: of the difference over the person's responses, nats; NaN where it is not known.
    distinguished: whether the difference exceeds two standard errors.
    """

    person: str
    best: str
    second: str
    difference: float
    standard_error: float
    distinguished: bool


@checked_arguments
def choose_for_people(
    log_density: ArrayLike,
    models: Sequence[str],
    *,
    people: Sequence[str] | None = None,
    pointwise: Sequence[np.ndarray] | None = None,
) -> tuple[PersonChoice, ...]:
    """The best model of each person; UserError for shapes that do not agree.

    log_density: of all responses of a person under each model, nats.
    models: names of the models.
    people: labels; numbers from 1 if None.
    pointwise: of each person the log densities of each response, (responses, models), for the standard errors.
    """
    values = read_evidence(log_density, where="log_density")
    labels = [str(i + 1) for i in range(len(values))] if people is None else people
    _check_count(models, values.shape[1], "models")
    _check_count(labels, len(values), "people")
    if pointwise is not None:
        _check_count(pointwise, len(values), "pointwise")
    found = []
    for i, row in enumerate(values):
        order = np.argsort(-row, kind="stable")
        best, second = int(order[0]), int(order[min(1, len(order) - 1)])
        error = (
            np.nan
            if pointwise is None
            else difference_error(pointwise[i], best, second)
        )
        gap = float(row[best] - row[second])
        found.append(
            PersonChoice(
                labels[i],
                models[best],
                models[second] if second != best else "",
                gap,
                error,
                bool(gap > SURE * error),
            )
        )
    return tuple(found)


def difference_error(
    pointwise: Float[np.ndarray, "units models"], one: int, other: int
) -> float:
    """Standard error (nats) of a summed difference of two models; NaN for fewer than two units."""
    gaps = pointwise[:, one] - pointwise[:, other]
    return float(np.sqrt(len(gaps)) * gaps.std(ddof=1)) if len(gaps) > 1 else np.nan


def _check_count(given: Sequence, count: int, where: str) -> None:
    if len(given) != count:
        raise UserError(f"are {len(given)}", where=where, expected=str(count))
