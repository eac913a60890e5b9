r"""Rank-normalised convergence diagnostics: R-hat, bulk and tail effective sample size.

Draws are replaced by the normal scores of their ranks over all chains, so that the diagnostics remain valid for heavy
tails and infinite variances; folding about the median detects chains that differ in scale.

Reference: Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, Bayesian Analysis 16:667, equations 14 and 15
and section 4.3.
"""

import numpy as np
from jaxtyping import Float
from numpyro.diagnostics import effective_sample_size, gelman_rubin
from scipy.stats import norm, rankdata

TAILS = (0.05, 0.95)

Draws = Float[np.ndarray, "_ _ *shape"]  # chains, draws


def ranked_rhat(values: Draws) -> Float[np.ndarray, "*shape"]:
    """The larger of the split R-hats of the draws and of the folded draws; NaN for constant draws."""
    halves = split(values)
    folded = np.abs(halves - np.median(halves, axis=(0, 1)))
    with np.errstate(all="ignore"):
        pair = [
            np.asarray(gelman_rubin(normal_scores(part))) for part in (halves, folded)
        ]
    return np.asarray(np.maximum(*pair))


def ranked_ess(values: Draws) -> Float[np.ndarray, "*shape"]:
    """The smaller of the bulk and tail effective sample sizes."""
    return np.asarray(np.minimum(bulk_ess(values), tail_ess(values)))


def bulk_ess(values: Draws) -> Float[np.ndarray, "*shape"]:
    """Effective sample size of the normal scores, for means."""
    with np.errstate(all="ignore"):
        return np.asarray(effective_sample_size(normal_scores(split(values))))


def tail_ess(values: Draws) -> Float[np.ndarray, "*shape"]:
    """Effective sample size for the 5 % and 95 % quantiles, the smaller of the two."""
    halves = split(values)
    lows = [halves <= np.quantile(halves, share, axis=(0, 1)) for share in TAILS]
    with np.errstate(all="ignore"):
        sizes = [effective_sample_size(low.astype(float)) for low in lows]
    return np.asarray(np.min(sizes, axis=0))


def split(values: Draws) -> Draws:
    """Every chain split in two halves; the last of an odd number of draws is omitted."""
    half = values.shape[1] // 2
    return np.concatenate([values[:, :half], values[:, half : 2 * half]])


def normal_scores(values: Draws) -> Draws:
    """Normal scores of the ranks over all chains and draws."""
    flat = values.reshape(values.shape[0] * values.shape[1], -1)
    ranks = rankdata(flat, axis=0)
    return norm.ppf((ranks - 0.375) / (len(flat) + 0.25)).reshape(values.shape)
