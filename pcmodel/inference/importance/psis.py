r"""Leave-one-out predictive accuracy by Pareto-smoothed importance sampling.

Vehtari, Gelman & Gabry 2017 (Stat Comput 27:1413) with the smoothing of Vehtari,
Simpson, Gelman, Yao & Gabry 2024 (JMLR 25:72) and the generalised Pareto fit of Zhang &
Stephens 2009. Leaving out observation i reweights the posterior draws by
$1 / p(y_i \mid \theta_s)$; the largest weights are replaced by the expected order
statistics of a fitted generalised Pareto distribution. Its shape k measures their reliability: estimates from $S$ draws
are useful up to $k = \min(1 - 1 / \log_{10} S, 0.7)$. Plain numpy, all observations at once.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_numbers

TRUSTED_SHAPE = 0.7  # for any number of draws; the limit is lower for fewer than 2200
LEAST_DRAWS = 25  # five in the tail
_FLAT = 1e-9  # nats: log weights that differ by rounding have no tail
_PRIOR_DRAWS = 10.0  # weight of the prior k = 0.5, in draws (Vehtari et al. 2024)


class Loo(NamedTuple):
    """Leave-one-out log predictive densities.

    pointwise: log predictive density of each observation given all others, nats.
    pareto_shape: Pareto shape k of each observation's importance weights.
    trusted_shape: largest shape at which an estimate is reliable.
    """

    pointwise: Float[np.ndarray, " observations"]
    pareto_shape: Float[np.ndarray, " observations"]
    trusted_shape: float = TRUSTED_SHAPE

    @property
    def total(self) -> float:
        """Expected log pointwise predictive density, summed (nats)."""
        return float(self.pointwise.sum())

    @property
    def num_untrusted(self) -> int:
        """Number of observations whose importance weights are too heavy-tailed."""
        return int(np.sum(~(self.pareto_shape <= self.trusted_shape)))


@checked_arguments
def psis_loo(log_likelihood: Float[np.ndarray, "draws observations"]) -> Loo:
    """PSIS-LOO from the pointwise log likelihood of posterior draws; UserError for fewer than 25."""
    read = read_numbers(log_likelihood, where="log_likelihood", finite=False)
    if read.ndim != 2 or 0 in read.shape:
        raise UserError(
            f"has the shape {read.shape}",
            where="log_likelihood",
            expected="(draws, observations)",
        )
    values = np.asarray(read, dtype=np.float64).T
    ratios = -values
    if values.shape[1] < LEAST_DRAWS:
        raise UserError(
            f"leave-one-out accuracy cannot be had from {values.shape[1]} draws",
            where="samples",
            expected=f"{LEAST_DRAWS} or more over all chains, to smooth a tail",
        )
    weights, shape = smooth_tails(ratios)
    weights -= _logsumexp(weights)
    return Loo(
        _logsumexp(weights + values)[:, 0], shape, trusted_shape(values.shape[1])
    )


def trusted_shape(num_draws: int) -> float:
    """The largest Pareto shape at which this number of draws gives a useful estimate.

    >>> round(trusted_shape(400), 3), trusted_shape(4000)
    (0.616, 0.7)
    """
    return min(1.0 - 1.0 / float(np.log10(num_draws)), TRUSTED_SHAPE)


def smooth_tails(
    log_ratios: Float[np.ndarray, "rows draws"],
) -> tuple[Float[np.ndarray, "rows draws"], Float[np.ndarray, " rows"]]:
    """Log weights with each row's upper tail replaced by Pareto quantiles, and the Pareto shape of each tail.

    Weights are relative to the row's largest ratio and not normalised; at least 25 draws are needed.
    """
    ratios = log_ratios - log_ratios.max(axis=1, keepdims=True)
    num_draws = ratios.shape[1]
    num_tail = int(np.ceil(min(0.2 * num_draws, 3.0 * np.sqrt(num_draws))))
    order = np.argsort(ratios, axis=1)
    tail = order[:, -num_tail:]
    cutoff = np.take_along_axis(ratios, order[:, -num_tail - 1, None], axis=1)
    excess = np.exp(np.take_along_axis(ratios, tail, axis=1)) - np.exp(cutoff)
    shape, scale = fit_generalised_pareto(np.maximum(excess, 1e-300))
    probability = (np.arange(num_tail) + 0.5) / num_tail
    quantiles = _quantile(probability[None, :], shape[:, None], scale[:, None])
    smoothed = ratios.copy()
    replaced = np.log(quantiles + np.exp(cutoff))
    np.put_along_axis(smoothed, tail, np.minimum(replaced, 0.0), axis=1)
    is_flat = ratios.min(axis=1) > -_FLAT
    return np.where(is_flat[:, None], ratios, smoothed), np.where(is_flat, 0.0, shape)


def fit_generalised_pareto(
    excess: Float[np.ndarray, "rows tail"],
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " rows"]]:
    """Shape k and scale of the generalised Pareto distribution fitted to each row of ascending positive excesses."""
    num_rows, size = excess.shape
    grid_size = 30 + int(np.sqrt(size))
    quartile = excess[:, max(int(size / 4.0 + 0.5) - 1, 0)]
    grid = 1.0 - np.sqrt(grid_size / (np.arange(1, grid_size + 1) - 0.5))
    grid = grid[None, :] / (3.0 * quartile[:, None]) + 1.0 / excess[:, -1:]
    shapes = np.empty((num_rows, grid_size))
    for j in range(grid_size):
        shapes[:, j] = np.log1p(-grid[:, j, None] * excess).mean(axis=1)
    profile = size * (np.log(-grid / shapes) - shapes - 1.0)
    weights = np.exp(profile - _logsumexp(profile))
    slope = np.sum(grid * weights, axis=1)
    raw = np.log1p(-slope[:, None] * excess).mean(axis=1)
    scale = -raw / slope
    shape = (raw * size + 0.5 * _PRIOR_DRAWS) / (size + _PRIOR_DRAWS)
    return shape, scale


def _quantile(probability, shape, scale):
    small = np.abs(shape) < 1e-8
    safe = np.where(small, 1.0, shape)
    exponent = np.minimum(-safe * np.log1p(-probability), 700.0)
    heavy = scale * np.expm1(exponent) / safe
    return np.where(small, -scale * np.log1p(-probability), heavy)


def _logsumexp(values: np.ndarray) -> np.ndarray:
    top = values.max(axis=1, keepdims=True)
    return top + np.log(np.exp(values - top).sum(axis=1, keepdims=True))
