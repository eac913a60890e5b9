r"""Transfer entropy of Gaussian processes, in nats.

$T_{X \to Y} = \tfrac12 \log ( |\Sigma(Y_t | Y^-)| / |\Sigma(Y_t | Y^-, X^-)| )$, half the Granger causality (Barnett, Barrett &
Seth 2009, Phys Rev Lett 103:238701), with the last `lags` samples as the past.
"""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

from pcmodel.brain.measures.series import (
    Networks,
    check_series,
    network_codes,
    standardised,
)
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_numbers
from pcmodel.inputs.ranges import Count

NOTHING_LEFT = 1e-10
"""A target whose residuals are smaller than this share of it is determined by its past."""

SINGULAR = 1e-12
"""Share of a unit's variance that others must leave it in exact covariances."""


class TransferEntropy(NamedTuple):
    """Transfer entropy from a source to a target, by lagged regression.

    nats: 0 or more; biased upwards by about degrees / (2 samples).
    corrected: `nats` without that bias; may be negative.
    p: of the likelihood-ratio test of none (2 samples nats is chi-square; Barnett & Bossomaier 2012).
    samples: number of regressed times.
    degrees: of freedom, lags x units of the source x units of the target.
    undefined: why they are NaN; "" where they are not.
    """

    nats: float
    corrected: float
    p: float
    samples: int
    degrees: int
    undefined: str = ""


class NetworkTransfer(NamedTuple):
    """Transfer entropy between the mean series of networks, each pair alone.

    names: of the networks.
    nats: (from, to), diagonal NaN.
    corrected: (from, to).
    p: (from, to), for each pair alone.
    undefined: why an entry is NaN; "" where none but the diagonal is.
    """

    names: tuple[str, ...]
    nats: Float[np.ndarray, "sources targets"]
    corrected: Float[np.ndarray, "sources targets"]
    p: Float[np.ndarray, "sources targets"]
    undefined: str = ""


@checked_arguments
def transfer_entropy(source: Any, target: Any, *, lags: Count = 1) -> TransferEntropy:
    """From a source to a target, each (times,) or (units, times).

    Raises UserError for series of different lengths, and for too few samples for the regression.
    """
    given = [
        check_series(np.atleast_2d(_read(series, name)), where=name)
        for series, name in ((source, "source"), (target, "target"))
    ]
    rows, aim = (standardised(series) for series in given)
    if rows.shape[1] != aim.shape[1]:
        raise UserError(
            f"has {rows.shape[1]} samples, the target {aim.shape[1]}",
            where="source",
            expected="samples of the same times",
        )
    _check_length(rows.shape[1], lags, len(rows) + len(aim), len(aim))
    return _from_rows(rows, aim, lags)


def _read(series: Any, where: str) -> np.ndarray:
    return np.asarray(read_numbers(series, where=where, finite=False))


def _check_length(times: int, lags: int, units: int, targets: int) -> None:
    least = lags + lags * units + 1 + targets + 1
    if times < least:
        raise UserError(
            f"have {times} samples",
            where="series",
            expected=f"{least} or more for a transfer entropy of {lags} lags between {units} units",
        )


def _from_rows(source: np.ndarray, target: np.ndarray, lags: int) -> TransferEntropy:
    now = target[:, lags:].T
    own = _past(target, lags)
    both = np.hstack([own, _past(source, lags)])
    samples, degrees = len(now), lags * len(source) * len(target)
    alone, with_source = _residual_volume(own, now), _residual_volume(both, now)
    if alone is None or with_source is None:
        why = "the target is determined by the past without remainder"
        return TransferEntropy(np.nan, np.nan, np.nan, samples, degrees, why)
    nats = max(0.0, alone - with_source)
    p = float(stats.chi2.sf(2 * samples * nats, degrees))
    return TransferEntropy(nats, nats - degrees / (2 * samples), p, samples, degrees)


def _past(rows: np.ndarray, lags: int) -> np.ndarray:
    """Columns of the last `lags` samples of each unit, (times - lags, lags x units)."""
    times = rows.shape[1]
    return np.vstack([rows[:, lags - k : times - k] for k in range(1, lags + 1)]).T


def _residual_volume(past: np.ndarray, now: np.ndarray) -> float | None:
    """Half the log determinant of the residuals' covariance; None for residuals of 0.

    Columns of the past that depend on others add nothing.
    """
    past, now = past - past.mean(axis=0), now - now.mean(axis=0)
    left, size, _ = np.linalg.svd(past, full_matrices=False)
    basis = left[:, size > 1e-10 * size[0]]
    rest = now - basis @ (basis.T @ now)
    rest = rest - basis @ (basis.T @ rest)
    scale = np.linalg.norm(now, axis=0)
    length = np.linalg.svd(rest / np.where(scale > 0, scale, 1.0), compute_uv=False)
    if length.min() <= NOTHING_LEFT:
        return None
    return float(np.log(length).sum() + np.log(scale).sum())


@checked_arguments
def network_transfer(
    series: Any, networks: Sequence[Hashable] | Networks, *, lags: Count = 1
) -> NetworkTransfer:
    """Between all pairs of networks; a network's series is the mean of its standardised regions."""
    values = check_series(series)
    found = network_codes(networks, len(values))
    number = len(found.names)
    _check_length(values.shape[1], lags, 2, 1)
    member = np.eye(number)[found.codes]
    rows = standardised((member / member.sum(axis=0)).T @ standardised(values))
    still = np.flatnonzero(np.linalg.norm(rows, axis=1) < 0.5)
    if still.size:
        raise UserError(
            f"the regions of {found.names[still[0]]} cancel each other", where="series"
        )
    nats, corrected, p = (np.full((number, number), np.nan) for _ in range(3))
    reasons = []
    for i in range(number):
        for j in range(number):
            if i != j:
                one = _from_rows(rows[i : i + 1], rows[j : j + 1], lags)
                nats[i, j], corrected[i, j], p[i, j] = one.nats, one.corrected, one.p
                reasons += [one.undefined] if one.undefined else []
    return NetworkTransfer(
        found.names, nats, corrected, p, reasons[0] if reasons else ""
    )


@checked_arguments
def covariance_transfer_entropy(
    covariances: Any, *, source: Sequence[int], target: Sequence[int]
) -> float:
    """Exact transfer entropy of a stationary process, in nats.

    covariances: (lags + 1, units, units); [k] is the covariance of x_t with x_(t-k), E[x_t x_(t-k)^T].
    source: places of the source's units.
    target: places of the target's units.
    Its error is about 1e-16 times the largest ratio of a unit's variance to what the past leaves of it.
    Raises UserError for places that do not exist or stand in both, and for singular covariances.
    """
    blocks = np.asarray(read_numbers(covariances, where="covariances"), np.float64)
    if blocks.ndim != 3 or blocks.shape[1] != blocks.shape[2] or len(blocks) < 2:
        raise UserError(
            f"has the shape {blocks.shape}",
            where="covariances",
            expected="(lags + 1, units, units) with a lag or more",
        )
    units = blocks.shape[1]
    _check_places(source, target, units)
    size = np.sqrt(np.diag(blocks[0]))
    if not np.all(size > 0):
        raise UserError("holds a variance of 0 or less", where="covariances")
    blocks = blocks / size[:, None] / size[None, :]
    lags = len(blocks) - 1
    whole = np.block(
        [
            [blocks[j - i] if j >= i else blocks[i - j].T for j in range(lags + 1)]
            for i in range(lags + 1)
        ]
    )
    whole = (whole + whole.T) / 2
    now = list(target)
    own = [k * units + place for k in range(1, lags + 1) for place in target]
    other = [k * units + place for k in range(1, lags + 1) for place in source]
    alone = _log_det(whole, own + now) - _log_det(whole, own)
    both = _log_det(whole, own + other + now) - _log_det(whole, own + other)
    return max(0.0, 0.5 * (alone - both))


def _check_places(source: Sequence[int], target: Sequence[int], units: int) -> None:
    for name, places in (("source", source), ("target", target)):
        if not places or len(set(places)) < len(places):
            raise UserError(
                f"is {list(places)}", where=name, expected="places, each once"
            )
        if min(places) < 0 or max(places) >= units:
            raise UserError(
                f"is {list(places)}",
                where=name,
                expected=f"places from 0 to {units - 1}",
            )
    if set(source) & set(target):
        raise UserError(
            f"shares {sorted(set(source) & set(target))} with the target",
            where="source",
        )


def _log_det(whole: np.ndarray, places: list[int]) -> float:
    try:
        factor = np.linalg.cholesky(whole[np.ix_(places, places)])
        left = np.diag(factor)
    except np.linalg.LinAlgError:
        left = np.zeros(1)
    if left.min() ** 2 < SINGULAR:
        raise UserError(
            "are singular to rounding, or not those of a process",
            where="covariances",
            expected="that the past leaves each unit some variance of its own",
        )
    return float(2 * np.log(left).sum())
