"""Importance ratios as weights: Pareto-smoothed, with what they say of themselves."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Weighed(NamedTuple):
    """Of rows of log ratios: normalised weights, tail shapes, log mean ratio and its standard error."""

    weights: Float[np.ndarray, "rows draws"]
    shape: Float[np.ndarray, " rows"]
    share: Float[np.ndarray, " rows"]
    log_mean: Float[np.ndarray, " rows"]
    error: Float[np.ndarray, " rows"]


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean over draws; what does not vary keeps its value to the last bit."""
    first = values[:, :1]
    return first[:, 0] + np.einsum("bs,bsi->bi", weights, values - first)


def weigh(log_ratios: np.ndarray) -> Weighed:
    """A row with a ratio that is not a number, or without a finite one, has shape inf and even weights."""
    from pcmodel.inference.importance.psis import smooth_tails

    ratios = np.asarray(log_ratios, float)
    size = ratios.shape[1]
    broken = np.any(np.isnan(ratios) | (ratios == np.inf), axis=1)
    broken |= ~np.any(np.isfinite(ratios), axis=1)
    ratios = np.where(broken[:, None], 0.0, ratios)
    top = ratios.max(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        # A ratio below exp(-700) of the largest is nothing; its logarithm must be a number.
        logs, shape = smooth_tails(np.maximum(ratios, top - 700.0))
        weights = np.exp(logs)
        total = weights.sum(axis=1)
        share = total**2 / np.sum(weights**2, axis=1) / size
    return Weighed(
        weights / total[:, None],
        np.where(broken | np.isnan(shape), np.inf, shape),
        np.where(broken, 0.0, share),
        top[:, 0] + np.log(total / size),
        np.sqrt(np.maximum(1 / share - 1, 0) / size),
    )
