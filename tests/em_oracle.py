"""EM of any linear directed hierarchy, in numpy, from the oracle's posterior of every example.

With u the parents' units and a last 1, the layer that maximises the expected complete log likelihood solves, for each
unit i of the level, sum p_i E[u u'] w_i = sum p_i E[x_i u], summed over examples and over all levels that share the
layer, p_i the present precision of that unit.  A precision is the inverse of the mean second moment of the errors.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from directed import Numbers, Shape
from directed_oracles import truth, units_of
from oracles import as_matrix


class Fixed(NamedTuple):
    """Levels whose layer, precision or (tops) prior mean is not learned."""

    layers: tuple[int, ...] = ()
    precisions: tuple[int, ...] = ()
    means: tuple[int, ...] = ()


class Step(NamedTuple):
    """The new parameters, and the log evidence of the old ones (all examples, nats)."""

    numbers: Numbers
    log_evidence: float


class Moments(NamedTuple):
    """Sums over examples of E[x] and E[x x'] of all units; number: of examples."""

    first: np.ndarray
    second: np.ndarray
    number: int


def posterior_moments(
    shape: Shape, numbers: Numbers, examples: Sequence[Mapping[int, np.ndarray]]
) -> tuple[Moments, float]:
    """The expectation step."""
    total = sum(shape.widths)
    first, second, evidence = np.zeros(total), np.zeros((total, total)), 0.0
    for values in examples:
        found = truth(shape, numbers._replace(values=dict(values)))
        mean = found.mean.astype(float)
        first += mean
        second += np.outer(mean, mean)
        second[np.ix_(found.free, found.free)] += found.covariance.astype(float)
        evidence += found.log_evidence
    return Moments(first, second, len(examples)), evidence


def level_sums(shape: Shape, moments: Moments, level: int):
    """Sums of E[x x'], E[x u'] and E[u u'] of one level, u with a last 1."""
    own = units_of(shape, level)
    above = [units_of(shape, parent) for parent in shape.parents[level]]
    index = np.concatenate([np.zeros(0, int), *above]).astype(int)
    bordered = np.block(
        [
            [moments.second, moments.first[:, None]],
            [moments.first[None], np.full((1, 1), moments.number)],
        ]
    )
    index = np.append(index, len(moments.first))
    return (
        bordered[np.ix_(own, own)],
        bordered[np.ix_(own, index)],
        bordered[np.ix_(index, index)],
    )


def new_layer(
    shape: Shape, numbers: Numbers, moments: Moments, users: Sequence[int]
) -> np.ndarray:
    """[W, b] of the levels that share a layer, unit by unit."""
    width = shape.widths[users[0]]
    shared = len({shape.precision_of[level] for level in users}) == 1
    rows = []
    for unit in range(width):
        left, right = 0.0, 0.0
        for level in users:
            _, cross, above = level_sums(shape, moments, level)
            weight = as_matrix(numbers.precisions[level], width)[unit, unit]
            weight = 1.0 if shared else weight
            left, right = left + weight * above, right + weight * cross[unit]
        rows.append(np.linalg.solve(left, right))
    return np.array(rows)


def of_kind(kind: str, moment: np.ndarray) -> np.ndarray:
    """The precision of a kind whose errors have this second moment."""
    if kind == "scalar":
        return np.asarray(1 / np.mean(np.diagonal(moment)))
    return 1 / np.diagonal(moment) if kind == "unit" else np.linalg.inv(moment)


def em_of(
    shape: Shape,
    numbers: Numbers,
    examples: Sequence[Mapping[int, np.ndarray]],
    fixed: Fixed,
) -> Step:
    """One step; layers first, then precisions given the new layers."""
    moments, evidence = posterior_moments(shape, numbers, examples)
    levels = range(len(shape.widths))
    weights, offsets = list(numbers.weights), list(numbers.offsets)
    for owner in levels:
        users = [level for level in levels if shape.layer_of[level] == owner]
        tops = not shape.parents[owner]
        if not users or owner in (fixed.means if tops else fixed.layers):
            continue
        matrix = new_layer(shape, numbers, moments, users)
        widths = [shape.widths[parent] for parent in shape.parents[owner]]
        *parts, bias = np.split(matrix, np.cumsum(widths), axis=1)
        for level in users:
            weights[level], offsets[level] = parts, bias[:, 0]
    precisions = list(numbers.precisions)
    for owner in levels:
        users = [level for level in levels if shape.precision_of[level] == owner]
        if not users or owner in fixed.precisions:
            continue
        total = np.zeros((shape.widths[owner],) * 2)
        for level in users:
            own, cross, above = level_sums(shape, moments, level)
            matrix = np.hstack([*weights[level], offsets[level][:, None]])
            crossed = cross @ matrix.T
            total += own - crossed - crossed.T + matrix @ above @ matrix.T
        found = of_kind(shape.kinds[owner], total / (moments.number * len(users)))
        for level in users:
            precisions[level] = found
    new = numbers._replace(weights=weights, offsets=offsets, precisions=precisions)
    return Step(new, evidence)
