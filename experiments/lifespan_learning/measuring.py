"""What can be told of a person's learning without any model of it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from pcmodel.behaviour.change_point.task import Trials


class Measures(NamedTuple):
    """One number a series, with its standard error where it comes of a regression.

    A learning rate is the slope of the update on the prediction error (outcome minus
    report), `calm` and `changed` that on trials without and with a change point; `pull`
    is the slope of the same update on how far the mark was moved before it (NaN where it
    never was); `error` is the mean distance of reports from the helicopter (screen units)
    on trials without a change point.
    """

    rate: Float[np.ndarray, "*series"]
    rate_se: Float[np.ndarray, "*series"]
    calm: Float[np.ndarray, "*series"]
    changed: Float[np.ndarray, "*series"]
    pull: Float[np.ndarray, "*series"]
    pull_se: Float[np.ndarray, "*series"]
    error: Float[np.ndarray, "*series"]


def measure(trials: Trials) -> Measures:
    """Measure every series (one leading axis)."""
    columns = [np.asarray(leaf) for leaf in trials]
    rows = [_one(Trials(*(c[i] for c in columns))) for i in range(len(columns[0]))]
    return Measures(*np.asarray(rows).T)


def changes(trials: Trials) -> Bool[np.ndarray, "*trials"]:
    """Whether the helicopter has moved since the trial before."""
    moved = np.diff(trials.helicopter, axis=-1, prepend=-1.0) != 0.0
    return moved | np.asarray(trials.block_start)


def _one(own: Trials) -> tuple[float, ...]:
    usable = own.reported[1:] & own.reported[:-1] & ~own.block_start[1:]
    usable &= own.outcome_seen[:-1]
    update: np.ndarray = np.diff(own.report)[usable]
    error = np.asarray(own.outcome - own.report)[:-1][usable]
    push, change = np.asarray(own.push)[1:][usable], changes(own)[:-1][usable]
    columns = [np.ones_like(error), error]
    is_pushed = bool(np.any(push != 0.0))
    columns = [*columns, push] if is_pushed else columns
    slope, slope_se = regress(update, columns)
    calm = regress(update[~change], [c[~change] for c in columns])[0][1]
    changed = regress(update[change], [c[change] for c in columns])[0][1]
    far = np.abs(own.report - own.helicopter)
    seen = own.reported & ~changes(own) & ~own.block_start
    pull = (slope[2], slope_se[2]) if is_pushed else (np.nan, np.nan)
    return slope[1], slope_se[1], calm, changed, *pull, far[seen].mean()


def regress(
    values: Float[np.ndarray, " trials"], columns: list[np.ndarray]
) -> tuple[Float[np.ndarray, " columns"], Float[np.ndarray, " columns"]]:
    """Least squares with errors that hold under unequal variances (White 1980)."""
    design = np.stack(columns, axis=1)
    inverse = np.linalg.pinv(design.T @ design)
    slopes = inverse @ design.T @ values
    scores = design * (values - design @ slopes)[:, None]
    return slopes, np.sqrt(np.diag(inverse @ scores.T @ scores @ inverse))


def shuffled(trials: Trials, rng: np.random.Generator) -> Trials:
    """The same people with the pushes of their trials exchanged: a null case."""
    push = np.asarray(trials.push).copy()
    free = ~np.asarray(trials.block_start)
    for own, is_free in zip(push, free, strict=True):
        own[is_free] = rng.permutation(own[is_free])
    return trials._replace(push=push)
