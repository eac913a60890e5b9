"""Correlations between regions, and their Fisher z within and between networks."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.brain.measures.series import (
    Networks,
    check_series,
    network_codes,
    region_names,
    standardised,
)
from pcmodel.errors import UserError
from pcmodel.inputs.arrays import read_numbers

ONE = 1e-12
"""Correlations this close to 1 or -1 are of one series and itself, but for rounding."""


class MeanCoupling(NamedTuple):
    """The average correlation over all pairs of regions.

    correlation: mean of Pearson's r, -1 to 1; NaN with one region.
    fisher_z: mean of arctanh(r); NaN with one region.
    undefined: why they are NaN; "" where they are not.
    """

    correlation: float
    fisher_z: float
    undefined: str = ""


class NetworkCoupling(NamedTuple):
    """Average Fisher z within and between networks.

    names: of the networks, in the order of their first regions.
    by_network: mean over the pairs of two networks, (networks, networks); its diagonal is within, NaN for a
        network of one region.
    within: mean over all pairs of regions of one network.
    between: mean over all pairs of regions of different networks.
    within_networks: mean of the diagonal of `by_network`: every network counts alike, whatever its size.
    difference: `within` minus `between`.
    segregation: (within - between) / within, 0 to 1 (Chan et al. 2014, PNAS 111:E4997); NaN where within <= 0
        or between < 0 (Chan et al. set negative ones to 0 first; here it is undefined instead).
    undefined: why a field is NaN, by its name.
    """

    names: tuple[str, ...]
    by_network: Float[np.ndarray, "networks networks"]
    within: float
    between: float
    within_networks: float
    difference: float
    segregation: float
    undefined: Mapping[str, str]


def correlations(
    series: Any, *, regions: Sequence[str] | None = None
) -> Float[np.ndarray, "regions regions"]:
    """Pearson's correlations between regions over time; 1 on the diagonal.

    series: (regions, times).
    regions: names for messages.
    Raises UserError for what `check_series` refuses, and for two regions of one and the same series.
    """
    values = check_series(series, regions=regions)
    found = correlation_matrix(values)
    twins = first_twins(found)
    if twins is not None:
        names = region_names(regions, len(values), where="series")
        first, second = twins
        raise UserError(
            f"{names[first]} and {names[second]} are one series up to scale (correlation "
            f"{found[first, second]:.3g})",
            where="series",
            expected="each region once",
        )
    return found


def correlation_matrix(values: np.ndarray) -> np.ndarray:
    """The correlations of checked series, exactly symmetric."""
    rows = standardised(values)
    found = rows @ rows.T
    found = np.clip((found + found.T) / 2, -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


def first_twins(correlation: np.ndarray) -> tuple[int, int] | None:
    """The first two regions whose correlation is 1 or -1 to rounding; None if there are none."""
    apart = 1.0 - np.abs(correlation)
    np.fill_diagonal(apart, 1.0)
    if not apart.size or apart.min() > ONE:
        return None
    first, second = np.argwhere(apart <= ONE)[0]
    return int(first), int(second)


def fisher_z(correlation: Any) -> Float[np.ndarray, "regions regions"]:
    """arctanh of the correlations; 0 on the diagonal, which is part of no mean.

    Raises UserError for a matrix that is not one of correlations, and for 1 or -1 off its diagonal.
    """
    matrix = check_correlation(correlation)
    twins = first_twins(matrix)
    if twins is not None:
        raise UserError(
            f"is {matrix[twins]:.3g} between regions {twins[0]} and {twins[1]}",
            where="correlation",
            expected="values between -1 and 1 off the diagonal (Fisher's z is infinite there)",
        )
    inside = matrix.copy()
    np.fill_diagonal(inside, 0.0)
    return np.arctanh(inside)


def check_correlation(correlation: Any) -> Float[np.ndarray, "regions regions"]:
    """The matrix in float64; UserError unless it is square, symmetric and within -1 to 1, with 1 on its diagonal."""
    matrix = np.asarray(read_numbers(correlation, where="correlation"), np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise UserError(
            f"has the shape {matrix.shape}",
            where="correlation",
            expected="regions by regions",
        )
    rounding = 1e-5 if np.asarray(correlation).dtype == np.float32 else 1e-10
    if np.abs(matrix - matrix.T).max() > rounding:
        raise UserError("is not symmetric", where="correlation")
    if (
        np.abs(np.diag(matrix) - 1).max() > rounding
        or np.abs(matrix).max() > 1 + rounding
    ):
        raise UserError(
            f"holds {matrix.flat[np.abs(matrix - np.eye(len(matrix))).argmax()]:g}",
            where="correlation",
            expected="1 on the diagonal, and -1 to 1 elsewhere",
        )
    return np.clip((matrix + matrix.T) / 2, -1.0, 1.0)


def mean_coupling(correlation: Any) -> MeanCoupling:
    """The means of r and of Fisher z over all pairs of different regions."""
    matrix = check_correlation(correlation)
    if len(matrix) < 2:
        return MeanCoupling(np.nan, np.nan, "there is one region")
    pairs = np.triu_indices(len(matrix), 1)
    z = fisher_z(matrix)
    return MeanCoupling(float(matrix[pairs].mean()), float(z[pairs].mean()))


def network_coupling(
    correlation: Any, networks: Sequence[Hashable] | Networks
) -> NetworkCoupling:
    """Mean Fisher z within and between networks; the label of each region says its network."""
    z = fisher_z(correlation)
    found = network_codes(networks, len(z))
    size = np.bincount(found.codes, minlength=len(found.names))
    member = np.eye(len(found.names))[found.codes]  # (regions, networks)
    total = member.T @ z @ member
    pairs = (np.outer(size, size) - np.diag(size)).astype(float)
    by_network = np.divide(
        total, pairs, out=np.full_like(total, np.nan), where=pairs > 0
    )
    within = _ratio(np.trace(total), np.trace(pairs))
    between = _ratio(total.sum() - np.trace(total), pairs.sum() - np.trace(pairs))
    alone = [name for name, count in zip(found.names, size, strict=True) if count < 2]
    undefined = _why_undefined(within, between, alone)
    own = np.diag(by_network)
    return NetworkCoupling(
        found.names,
        by_network,
        within,
        between,
        float(np.nanmean(own)) if np.isfinite(own).any() else np.nan,
        within - between,
        np.nan if "segregation" in undefined else (within - between) / within,
        undefined,
    )


def _ratio(total: float, pairs: float) -> float:
    return float(total / pairs) if pairs else np.nan


def _why_undefined(within: float, between: float, alone: list[str]) -> dict[str, str]:
    """The reasons by field; `alone` are networks of one region."""
    reasons = {}
    if alone:
        reasons["by_network"] = f"one region makes no pair within: {', '.join(alone)}"
    if np.isnan(within):
        why = "no network has two regions"
        reasons |= dict.fromkeys(("within", "within_networks"), why)
        reasons |= dict.fromkeys(("difference", "segregation"), why)
    if np.isnan(between):
        why = "there is one network only"
        reasons |= dict.fromkeys(("between", "difference", "segregation"), why)
    if "segregation" not in reasons and within <= 0:
        reasons["segregation"] = f"within is not positive ({within:.3g})"
    elif "segregation" not in reasons and between < 0:
        reasons["segregation"] = f"between is negative ({between:.3g})"
    return reasons
