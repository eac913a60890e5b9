"""Log likelihood of each person's measurements under an explanation.

In each arm the measurements of a person are taken as normal, with the mean and the covariance that the explanation's
own people have. Outcomes need not be normal: how often this finds the truth is counted on simulated people.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.sessions.planning.outcome import GUESS_SD, Measure, Outcome


class Moments(NamedTuple):
    """Of the measurements in each arm.

    mean: improvement on each follow-up day, symptom points; last the guess, if asked.
    covariance: between people, errors of measurement included.
    """

    mean: Float[np.ndarray, "arms measures"]
    covariance: Float[np.ndarray, "arms measures measures"]


def moments(outcome: Outcome, measure: Measure) -> Moments:
    """Mean and covariance of what would be measured; errors of measurement enter exactly, not by draws."""
    points = np.asarray(outcome.points, float)
    exact = points[..., :1] - points[..., 1:]
    # The reading at the start is in every difference.
    days = exact.shape[-1]
    errors = measure.noise**2 * (np.eye(days) + np.ones((days, days)))
    if measure.has_guess:
        believed = np.asarray(outcome.believed, float)[..., None]
        exact = np.concatenate([exact, believed], axis=-1)
        errors = np.pad(errors, (0, 1))
        errors[-1, -1] = GUESS_SD**2
    mean = exact.mean(axis=1)
    gaps = exact - mean[:, None]
    covariance = np.einsum("api,apj->aij", gaps, gaps) / max(exact.shape[1] - 1, 1)
    return Moments(mean, covariance + errors)


def log_likelihood(
    values: Float[np.ndarray, "arms people draws measures"], own: Moments
) -> Float[np.ndarray, "arms people draws"]:
    """Log density of each person's measurements in the person's arm, nats."""
    try:
        roots = np.linalg.cholesky(own.covariance)
    except np.linalg.LinAlgError:
        raise UserError(
            "the measurements of an arm have no spread",
            where="noise",
            expected="a larger error of measurement",
        ) from None
    # Roots are small: no library's threads, which cost more than they save.
    gaps = values - own.mean[:, None, None]
    whitened = np.einsum("aij,apdj->apdi", np.linalg.inv(roots), gaps)
    log_det = 2.0 * np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=-1)
    constant = own.mean.shape[-1] * np.log(2.0 * np.pi) + log_det
    return -0.5 * (np.sum(whitened**2, axis=-1) + constant[:, None, None])
