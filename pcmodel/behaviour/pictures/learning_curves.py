"""Learning curves: responses over trials, or around change points, beside what the posterior predicts.

A band holds the middle 90 % of replicated curves, each the mean over the same series and trials as the data's.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.pictures.conditions import Conditions

MOST_POINTS = 40
BEFORE, AFTER = 3, 10  # trials around a change
BAND = (0.05, 0.95)


class Curve(NamedTuple):
    """One condition's curve.

    condition: its words.
    place: trial number from 1, or trials since the change.
    observed: mean of the data; NaN where there are none.
    low: 5 % quantile of replications.
    middle: their median.
    high: 95 % quantile.
    """

    condition: str
    place: Float[np.ndarray, " points"]
    observed: Float[np.ndarray, " points"]
    low: Float[np.ndarray, " points"]
    middle: Float[np.ndarray, " points"]
    high: Float[np.ndarray, " points"]


class LearningCurves(NamedTuple):
    """Curves of all conditions.

    what: what is averaged, with its unit.
    along: what the places are.
    curves: of the conditions.
    """

    what: str
    along: str
    curves: tuple[Curve, ...]


def learning_curves(
    series: Series,
    conditions: Conditions,
    observed: Float[np.ndarray, "series trials"],
    replicated: Float[np.ndarray, "draws series trials"],
) -> LearningCurves:
    """Curves of the data and of replications; NaN where a response is not scored."""
    what, measure = _measure(series, observed)
    changes = change_points(series)
    place = _by_trial(series) if changes is None else since_change(changes)
    along = "trial" if changes is None else "trials since the hidden position changed"
    values = np.concatenate([measure(observed)[None], measure(replicated)])
    curves = []
    for i, word in enumerate(conditions.words):
        own = np.where(conditions.place == i)[0]
        curves.append(_curve(word, place[own], values[:, own]))
    return LearningCurves(what, along, tuple(curves))


def _measure(series: Series, observed: np.ndarray):
    """What is averaged, and the function of responses that yields it."""
    values = series.values
    if "helicopter" in values and np.isfinite(values["helicopter"]).any():
        return (
            "distance of reports from the hidden position, screen units",
            lambda given: np.abs(given - values["helicopter"]),
        )
    if "choice" in values:
        if np.nanmax(observed) <= 1.0:
            return "share of choices of option 2", lambda given: given
        return "share of choices that repeat the last", _stays
    if set(np.unique(observed[np.isfinite(observed)])) <= {0.0, 1.0}:
        return "share of responses 1", lambda given: given
    return "mean response", lambda given: given


def _stays(responses: np.ndarray) -> np.ndarray:
    """1 for a choice like the one before, 0 for another; NaN where either is missing."""
    found = np.full(responses.shape, np.nan)
    before, after = responses[..., :-1], responses[..., 1:]
    both = np.isfinite(before) & np.isfinite(after)
    found[..., 1:] = np.where(both, before == after, np.nan)
    return found


def change_points(series: Series) -> np.ndarray | None:
    """Trials, (series, trials), at which a known hidden position jumps by more than its noise; None where none does."""
    hidden = series.values.get("helicopter")
    if hidden is None:
        return None
    noise = np.nan_to_num(series.values["noise_sd"], nan=np.inf)
    found = np.zeros(hidden.shape, bool)
    with np.errstate(invalid="ignore"):
        found[:, 1:] = np.abs(np.diff(hidden, axis=1)) > noise[:, 1:]
    starts = series.values.get("block_start")
    if starts is not None:
        found &= ~(np.nan_to_num(starts) > 0.5)
    return found if found.any() else None


def since_change(changes: np.ndarray) -> Int[np.ndarray, "series trials"]:
    """Trials since the last change, or before the next one (negative, at most 3); a large number elsewhere.

    A trial within 3 of the next change belongs to that unless it is within 10 of the last.
    """
    num_series, num_trials = changes.shape
    far = 10 * (AFTER + num_trials)
    found = np.full(changes.shape, far)
    for s in range(num_series):
        at = np.flatnonzero(changes[s])
        for t in at:
            span = np.arange(max(0, t - BEFORE), t)
            free = found[s, span] == far
            found[s, span[free]] = span[free] - t
            span = np.arange(t, min(num_trials, t + AFTER + 1))
            found[s, span] = span - t
    return found


def _by_trial(series: Series) -> Float[np.ndarray, "series trials"]:
    """The middle of each trial's bin, from 1."""
    num_series, num_trials = series.present.shape
    width = max(1, -(-num_trials // MOST_POINTS))
    number = np.arange(num_trials)
    middle = (number // width) * width + 0.5 * (width - 1) + 1.0
    return np.broadcast_to(middle, (num_series, num_trials))


def _curve(
    word: str,
    place: np.ndarray,
    values: Float[np.ndarray, "draws series trials"],
) -> Curve:
    """The data's curve, which is the first of `values`, and the band of the others."""
    far = 10.0 * (AFTER + place.shape[1])
    usable = np.isfinite(values[0]) & (place < far)
    found = np.unique(place[usable])
    means = np.full((len(values), len(found)), np.nan)
    for k, at in enumerate(found):
        here = usable & (place == at)
        own = values[:, here]
        counts = np.isfinite(own).sum(axis=1)
        sums = np.nansum(own, axis=1)
        means[:, k] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    low, middle, high = np.nanquantile(means[1:], (BAND[0], 0.5, BAND[1]), axis=0)
    return Curve(word, found.astype(float), means[0], low, middle, high)
