"""Entropies: of the eigenvalues of a correlation matrix, and of a Gaussian."""

from typing import Any, NamedTuple

import numpy as np

from pcmodel.brain.measures.connectivity import check_correlation
from pcmodel.errors import UserError
from pcmodel.inputs.arrays import read_numbers


class Entropy(NamedTuple):
    """An entropy.

    value: see the function; NaN where undefined.
    undefined: why it is NaN; "" where it is not.
    """

    value: float
    undefined: str = ""


def eigenspectrum_entropy(correlation: Any) -> Entropy:
    """Entropy of the eigenvalues of a correlation matrix as shares of their sum, relative to log(regions).

    0 if all regions are one, 1 if they are uncorrelated. With fewer samples than regions it cannot reach 1:
    compare recordings of one length and one parcellation only.
    """
    matrix = check_correlation(correlation)
    if len(matrix) < 2:
        return Entropy(np.nan, "there is one region")
    shares = np.maximum(np.linalg.eigvalsh(matrix), 0.0)
    shares = shares[shares > 0] / shares.sum()
    value = -np.sum(shares * np.log(shares)) / np.log(len(matrix))
    return Entropy(float(np.clip(value, 0.0, 1.0)))


def gaussian_entropy(covariance: Any) -> Entropy:
    """Differential entropy of a Gaussian, 0.5 (n log(2 pi e) + log det), in nats.

    covariance: (n, n), such as that of a belief; a vector is taken for the variances of independent units.
    Raises UserError for a matrix that is not symmetric or has a negative eigenvalue.
    """
    given = np.asarray(read_numbers(covariance, where="covariance"), np.float64)
    matrix = np.diag(given) if given.ndim == 1 else given
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise UserError(
            f"has the shape {given.shape}",
            where="covariance",
            expected="(n, n) or (n,)",
        )
    spread = np.diag(matrix)
    if spread.min() < 0:
        raise UserError(f"has the variance {spread.min():g}", where="covariance")
    if spread.min() == 0:
        return Entropy(np.nan, "a variance is 0")
    # As a correlation matrix: variances of 1e-8 beside 1e8 lose no digits.
    scale = np.sqrt(spread)
    inside = matrix / scale[:, None] / scale[None, :]
    if np.abs(inside - inside.T).max() > 1e-6:
        raise UserError("is not symmetric", where="covariance")
    values = np.linalg.eigvalsh((inside + inside.T) / 2)
    rounding = 1e-12 if given.dtype != np.float32 else 1e-6
    if values.min() < -rounding * len(matrix):
        raise UserError(
            "has a negative eigenvalue", where="covariance", expected="none below 0"
        )
    if values.min() <= 4 * np.finfo(float).eps * len(matrix):
        return Entropy(np.nan, "the covariance is singular")
    volume = np.log(values).sum() + 2 * np.log(scale).sum()
    return Entropy(float(0.5 * (len(matrix) * np.log(2 * np.pi * np.e) + volume)))
