"""What inference must give, derived a second time without any of the package's code.

Everything here is numpy, in covariance form: a hierarchy is generated top-down into one
joint Gaussian, and what is known (clamped units, beliefs about lower levels) is
conditioned on as a linear observation.  The package works with precisions, whitened
errors and triangular factors instead, so the two can only agree by both being right.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Gaussian(NamedTuple):
    """Mean and covariance."""

    mean: np.ndarray
    covariance: np.ndarray


class Conditioned(NamedTuple):
    """A Gaussian given an observation, and the log density of that observation."""

    mean: np.ndarray
    covariance: np.ndarray
    log_evidence: float


class LinearHierarchy(NamedTuple):
    """x_l = W_l x_{l+1} + b_l + e_l, e_l ~ N(0, P_l^-1); the last precision is the
    top's.

    precisions: scalar, per unit, or full (matrix), one per level, bottom first.
    """

    weights: list[np.ndarray]
    biases: list[np.ndarray]
    precisions: list[np.ndarray]
    prior_mean: np.ndarray

    @property
    def widths(self) -> list[int]:
        return [len(bias) for bias in self.biases] + [len(self.prior_mean)]

    def offsets(self) -> np.ndarray:
        """Where each level starts in the concatenated latents."""
        return np.cumsum([0, *self.widths])

    def units(self, level: int) -> np.ndarray:
        """Indices of one level in the concatenated latents."""
        offsets = self.offsets()
        return np.arange(offsets[level], offsets[level + 1])


class KnownUnits(NamedTuple):
    """Values of some units of one level."""

    level: int
    units: np.ndarray
    values: np.ndarray


class JointBelief(NamedTuple):
    """Gaussian belief about the concatenated units of some levels, ascending."""

    levels: Sequence[int]
    mean: np.ndarray
    covariance: np.ndarray


def as_matrix(precision, width: int) -> np.ndarray:
    """A scalar, per-unit or full precision as a matrix."""
    precision = np.asarray(precision, dtype=float)
    if precision.ndim == 2:
        return precision
    return np.diag(np.broadcast_to(precision, (width,)))


def gained(precision, gain, width: int) -> np.ndarray:
    """G^1/2 P G^1/2."""
    root = np.sqrt(np.broadcast_to(np.asarray(gain, dtype=float), (width,)))
    return root[:, None] * as_matrix(precision, width) * root[None, :]


def generate(hierarchy: LinearHierarchy, top: Gaussian, gains: Sequence) -> Gaussian:
    """Joint Gaussian over all levels, bottom first, generated from the top down."""
    mean, covariance = top
    for level in reversed(range(len(hierarchy.weights))):
        weight, bias = hierarchy.weights[level], hierarchy.biases[level]
        above = weight.shape[1]
        to_below = np.hstack([weight, np.zeros((len(bias), len(mean) - above))])
        noise = np.linalg.inv(
            gained(hierarchy.precisions[level], gains[level], len(bias))
        )
        cross = to_below @ covariance
        covariance = np.block(
            [[cross @ to_below.T + noise, cross], [cross.T, covariance]]
        )
        mean = np.concatenate([to_below @ mean + bias, mean])
    return Gaussian(mean, covariance)


def condition(
    joint: Gaussian, rows: np.ndarray, value: np.ndarray, noise: np.ndarray
) -> Conditioned:
    """The joint given rows @ x + N(0, noise) = value."""
    spread = rows @ joint.covariance @ rows.T + noise
    gain = np.linalg.solve(spread, rows @ joint.covariance).T
    surprise = value - rows @ joint.mean
    _, log_det = np.linalg.slogdet(2 * np.pi * spread)
    return Conditioned(
        joint.mean + gain @ surprise,
        joint.covariance - gain @ rows @ joint.covariance,
        -0.5 * (surprise @ np.linalg.solve(spread, surprise) + log_det),
    )


def exact_posterior(
    hierarchy: LinearHierarchy,
    known: Sequence[KnownUnits] = (),
    *,
    beliefs: Sequence[JointBelief] = (),
    gains: Sequence | None = None,
) -> Conditioned:
    """Posterior over the concatenated latents, and the log evidence.

    A belief that includes the top is split by the chain rule: its top marginal is the
    prior, and what it says of lower levels given the top is observed beside the
    hierarchy's own predictions, as is every belief about lower levels only.
    """
    widths, offsets = hierarchy.widths, hierarchy.offsets()
    last = len(widths) - 1
    gains = [1.0] * len(widths) if gains is None else gains
    top = Gaussian(
        hierarchy.prior_mean,
        np.linalg.inv(gained(hierarchy.precisions[last], gains[last], widths[last])),
    )
    identity, rows, values, noises = np.eye(offsets[-1]), [], [], []
    for belief in beliefs:
        index = np.concatenate([hierarchy.units(level) for level in belief.levels])
        gain = np.concatenate(
            [np.broadcast_to(gains[level], (widths[level],)) for level in belief.levels]
        )
        covariance = belief.covariance / np.sqrt(np.outer(gain, gain))
        if last not in belief.levels:
            rows.append(identity[index])
            values.append(belief.mean)
            noises.append(covariance)
            continue
        low, high = slice(0, -widths[last]), slice(len(index) - widths[last], None)
        top = Gaussian(belief.mean[high], covariance[high, high])
        slope = covariance[low, high] @ np.linalg.inv(covariance[high, high])
        rows.append(identity[index[low]] - slope @ identity[index[high]])
        values.append(belief.mean[low] - slope @ belief.mean[high])
        noises.append(covariance[low, low] - slope @ covariance[high, low])
    for given in known:
        rows.append(identity[offsets[given.level] + np.asarray(given.units)])
        values.append(np.asarray(given.values, dtype=float))
        noises.append(np.zeros((len(given.units), len(given.units))))
    joint = generate(hierarchy, top, gains)
    if not rows:
        return Conditioned(joint.mean, joint.covariance, 0.0)
    return condition(joint, np.vstack(rows), np.concatenate(values), block_diag(noises))


def block_diag(blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Matrices along the diagonal."""
    sizes = np.cumsum([0, *(len(block) for block in blocks)])
    whole = np.zeros((sizes[-1], sizes[-1]))
    for block, a, b in zip(blocks, sizes, sizes[1:], strict=False):
        whole[a:b, a:b] = block
    return whole


def kalman_filter(
    observations: np.ndarray,
    start: Gaussian,
    *,
    transition: np.ndarray,
    process_noise: np.ndarray,
    emission: np.ndarray,
    observation_noise: np.ndarray,
) -> list[Conditioned]:
    """Textbook filter: `start` is the prior of the first observation."""
    mean, covariance = start
    filtered = []
    for observation in observations:
        spread = emission @ covariance @ emission.T + observation_noise
        gain = covariance @ emission.T @ np.linalg.inv(spread)
        surprise = observation - emission @ mean
        mean = mean + gain @ surprise
        covariance = covariance - gain @ spread @ gain.T
        _, log_det = np.linalg.slogdet(2 * np.pi * spread)
        evidence = -0.5 * (surprise @ np.linalg.solve(spread, surprise) + log_det)
        filtered.append(Conditioned(mean, covariance, evidence))
        mean = transition @ mean
        covariance = transition @ covariance @ transition.T + process_noise
    return filtered
