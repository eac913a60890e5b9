"""Pareto-smoothed importance weights, with their diagnostics."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Weighed(NamedTuple):
    """Weights and diagnostics of rows of log importance ratios.

    weights: smoothed weights, each row summing to 1.
    shape: Pareto shape k of each row's tail.
    share: effective sample size as a fraction of the number of draws, in (0, 1]; 0 for invalid ratios.
    log_mean: logarithm of the mean smoothed ratio.
    error: approximate standard error of `log_mean`.
    """

    weights: Float[np.ndarray, "rows draws"]
    shape: Float[np.ndarray, " rows"]
    share: Float[np.ndarray, " rows"]
    log_mean: Float[np.ndarray, " rows"]
    error: Float[np.ndarray, " rows"]


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean over draws, (rows, units); exact for values that do not vary."""
    first = values[:, :1]
    return first[:, 0] + np.einsum("bs,bsi->bi", weights, values - first)


def weigh(log_ratios: np.ndarray) -> Weighed:
    """Weights from log ratios; a row with a NaN or +inf, or without a finite ratio, gets shape inf and equal weights."""
    from pcmodel.inference.importance.psis import smooth_tails

    ratios = np.asarray(log_ratios, float)
    size = ratios.shape[1]
    broken = np.any(np.isnan(ratios) | (ratios == np.inf), axis=1)
    broken |= ~np.any(np.isfinite(ratios), axis=1)
    ratios = np.where(broken[:, None], 0.0, ratios)
    top = ratios.max(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        # Ratios below exp(-700) of the largest are negligible; the bound keeps their logarithms finite.
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
