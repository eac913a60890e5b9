"""The principal gradient of connectivity: how far apart its two ends lie."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.sparse.csgraph import connected_components

from pcmodel.brain.measures.connectivity import check_correlation
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import PositiveShare

ALPHA = 0.5
"""Exponent of the density that is divided out (Coifman & Lafon 2006)."""
SAME = 1e-9
"""Relative difference of two eigenvalues below which their gradients are one plane."""


class PrincipalGradient(NamedTuple):
    """The first diffusion component of a connectivity matrix.

    values: of each region, (regions,), mean 0 under the stationary distribution; the entry of largest
        magnitude is positive; NaN where undefined.
    range: largest minus smallest value.
    eigenvalue: of the diffusion operator, -1 to 1.
    undefined: why it is NaN; "" where it is not.
    """

    values: Float[np.ndarray, " regions"]
    range: float
    eigenvalue: float
    undefined: str = ""


@checked_arguments
def principal_gradient(
    correlation: Any, *, kept: PositiveShare = 0.1
) -> PrincipalGradient:
    r"""Diffusion map of the cosine similarity of regions' strongest correlations.

    As described by Margulies et al. (2016, PNAS 113:12574) and Vos de Wael et al. (2020, Commun Biol 3:103):
    of each row the largest `kept` share stays (the diagonal's 1 among them; at least one entry), others and
    negative ones are 0; affinity is the rows' cosine; W = D^-1/2 A D^-1/2 is made a random walk P, and the
    gradient is psi_1 lambda_1 / (1 - lambda_1), all diffusion times together, with sum_i pi_i psi_1i^2 = 1
    under the stationary distribution pi. The eigenvectors are those of P itself, by its symmetric conjugate.
    """
    matrix = check_correlation(correlation)
    number = len(matrix)
    if number < 3:
        return _nothing(number, f"it needs three regions, there are {number}")
    affinity = _affinity(matrix, kept)
    parts = connected_components(affinity > 0, directed=False)[0]
    if parts > 1:
        why = f"regions fall into {parts} groups that share no strong correlation"
        return _nothing(number, why)
    density = affinity.sum(axis=1) ** -ALPHA
    walk = affinity * density[:, None] * density[None, :]
    degree = walk.sum(axis=1)
    half = np.sqrt(degree)
    symmetric = walk / half[:, None] / half[None, :]
    values, vectors = np.linalg.eigh((symmetric + symmetric.T) / 2)
    first, second = values[-2], values[-3]
    if first - second <= SAME * (1 - second):
        return _nothing(number, "the first two gradients are equally strong")
    if 1 - first < 1e-12:
        return _nothing(number, "regions nearly fall into groups without connection")
    psi = vectors[:, -2] / half * np.sqrt(degree.sum())
    gradient = psi * first / (1 - first)
    gradient = gradient * np.sign(gradient[np.abs(gradient).argmax()] or 1.0)
    return PrincipalGradient(gradient, float(np.ptp(gradient)), float(first))


def _affinity(matrix: np.ndarray, kept: float) -> np.ndarray:
    """Cosine similarity of the rows' strongest positive correlations."""
    number = len(matrix)
    count = max(1, int(np.floor(kept * number * (1 + 1e-12))))
    least = np.partition(matrix, number - count, axis=1)[:, number - count]
    rows = np.where(matrix >= least[:, None], np.maximum(matrix, 0.0), 0.0)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    affinity = rows @ rows.T
    return np.maximum((affinity + affinity.T) / 2, 0.0)


def _nothing(number: int, why: str) -> PrincipalGradient:
    return PrincipalGradient(np.full(number, np.nan), np.nan, np.nan, why)
