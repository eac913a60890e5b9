"""Measures computed from reports alone, without a model: learning rate by surprise.

The same code is applied to people and simulated agents, so that noise in the reports enters
both the update and the prediction error exactly as it does in an experiment.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

SURPRISE_EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


class Updates(NamedTuple):
    """Single-trial updates; all fields (participants, trials - 1).

    update: next report minus this report, screen units.
    prediction_error: outcome minus report, screen units.
    noise_sd: the task's outcome SD, screen units.
    usable: both reports were made, in one block and not on a catch trial.
    """

    update: Float[np.ndarray, "participants transitions"]
    prediction_error: Float[np.ndarray, "participants transitions"]
    noise_sd: Float[np.ndarray, "participants transitions"]
    usable: Bool[np.ndarray, "participants transitions"]

    @property
    def mean_size(self) -> float:
        """Mean absolute update over usable trials (screen units)."""
        return float(np.abs(self.update[self.usable]).mean())


def updates_of(trials) -> Updates:
    """The update after each outcome, without block starts and catch trials.

    An update needs two reports in one block.
    """
    outcome, report, noise_sd = (
        np.asarray(a) for a in (trials.outcome, trials.report, trials.noise_sd)
    )
    reported, start, seen, shown = (
        np.asarray(a)
        for a in (
            trials.reported,
            trials.block_start,
            trials.outcome_seen,
            trials.helicopter_seen,
        )
    )
    usable = reported[:, 1:] & reported[:, :-1] & ~start[:, 1:]
    usable &= seen[:, :-1] & ~shown[:, :-1]
    return Updates(
        update=report[:, 1:] - report[:, :-1],
        prediction_error=(outcome - report)[:, :-1],
        noise_sd=noise_sd[:, :-1],
        usable=usable,
    )


def learning_rate_curve(
    updates: Updates, *, noise_sd: float, edges: tuple[float, ...] = SURPRISE_EDGES
) -> tuple[
    Float[np.ndarray, "participants bins"], Float[np.ndarray, "participants bins"]
]:
    """Terms of the regression slope of update on prediction error, by |error| / noise SD.

    edges: of the bins of |error| / noise SD; the last bin is open.
    Returns the sums of update x error and of error squared, (participants, bins) each; the ratio
    of their sums over participants is the learning rate.
    """
    surprise = np.abs(updates.prediction_error) / noise_sd
    bins = np.digitize(surprise, edges) - 1
    usable = updates.usable & (updates.noise_sd == noise_sd)
    product = updates.update * updates.prediction_error
    square = updates.prediction_error**2
    masks = [usable & (bins == b) for b in range(len(edges))]
    return (
        np.stack([np.where(m, product, 0.0).sum(axis=1) for m in masks], axis=1),
        np.stack([np.where(m, square, 0.0).sum(axis=1) for m in masks], axis=1),
    )


def study_band(
    product: Float[np.ndarray, "participants bins"],
    square: Float[np.ndarray, "participants bins"],
    *,
    study_size: int,
    num_studies: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, "3 bins"]:
    """Mean learning rate and the central 95 % over resampled studies of `study_size` people.

    product: sums of update x error, see `learning_rate_curve`.
    square: sums of error squared.
    Returns mean, lower and upper end.
    """
    picks = rng.integers(len(product), size=(num_studies, study_size))
    rates = product[picks].sum(axis=1) / np.maximum(square[picks].sum(axis=1), 1e-9)
    low, high = np.quantile(rates, (0.025, 0.975), axis=0)
    return np.stack(
        [product.sum(axis=0) / np.maximum(square.sum(axis=0), 1e-9), low, high]
    )
