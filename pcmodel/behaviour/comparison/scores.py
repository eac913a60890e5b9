"""Differences of models in what they predict, with standard errors, and whether they are told apart."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.comparison.people import SURE, difference_error

FEWEST = 4.0  # nats; of smaller differences the standard error is unreliable
"""Sivula, Magnusson & Vehtari 2020, arXiv:2008.10296."""


class Score(NamedTuple):
    """One model's predictions against the best model's.

    model: label.
    total: log density, summed over people, nats.
    difference: from the best model; 0 for the best, else negative, nats.
    standard_error: of the difference over people, nats; 0 for the best, NaN for one person.
    told_apart: whether the model is worse by more than two standard errors and by more than 4 nats.
    """

    model: str
    total: float
    difference: float
    standard_error: float
    told_apart: bool


def score_models(
    log_density: Float[np.ndarray, "people models"], models: Sequence[str]
) -> tuple[Score, ...]:
    """All models, the best first."""
    totals = log_density.sum(axis=0)
    order = np.argsort(-totals, kind="stable")
    best = int(order[0])
    found = []
    for own in map(int, order):
        gap = float((log_density[:, own] - log_density[:, best]).sum())
        error = 0.0 if own == best else difference_error(log_density, own, best)
        apart = own != best and -gap > max(FEWEST, SURE * error) and np.isfinite(error)
        found.append(Score(models[own], float(totals[own]), gap, error, bool(apart)))
    return tuple(found)


def are_told_apart(scores: Sequence[Score]) -> bool:
    """Whether the best model is told apart from all others."""
    return all(score.told_apart for score in scores[1:])
