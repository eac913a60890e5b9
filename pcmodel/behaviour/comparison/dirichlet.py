r"""The probability that each share of a Dirichlet distribution is the largest.

Shares are gamma variables over their sum, and the largest share belongs to the largest of these. So

$P(r_k > r_j \; \forall j \ne k) = \int_0^1 \prod_{j \ne k} F_j(F_k^{-1}(u)) \, du$

with $F$ the distribution functions of the gammas. With $u$ the logistic function of $t$ the integrand falls
exponentially at both ends, where the trapezoidal rule converges faster than any power of the step. Of two
models it is the Beta distribution function at one half.
"""

import numpy as np
from jaxtyping import Float
from scipy.special import betainc, expit, gammainc, gammainccinv, gammaincinv

REACH, NUM_NODES = 40.0, 801  # logits; errors below 1e-10 for 3 to 100 models


def exceedance(alpha: Float[np.ndarray, " models"]) -> Float[np.ndarray, " models"]:
    """The probability that each model is the most frequent, for the Dirichlet parameters `alpha` above 0."""
    if len(alpha) == 1:
        return np.ones(1)
    if len(alpha) == 2:
        first = float(betainc(alpha[1], alpha[0], 0.5))
        return np.asarray([first, float(betainc(alpha[0], alpha[1], 0.5))])
    found = np.asarray([_integral(alpha, k) for k in range(len(alpha))])
    return found / found.sum()


def _integral(alpha: Float[np.ndarray, " models"], own: int) -> float:
    """The integral above for one model."""
    logit = np.linspace(-REACH, REACH, NUM_NODES)
    low, high = expit(logit), expit(-logit)
    # Of the smaller of both tails, whose digits do not cancel.
    place = np.where(
        logit < 0.0, gammaincinv(alpha[own], low), gammainccinv(alpha[own], high)
    )
    others = np.delete(alpha, own)
    below = gammainc(others[None, :], place[:, None]).prod(axis=1)
    return float((below * low * high).sum() * (logit[1] - logit[0]))
