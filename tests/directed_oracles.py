"""What inference in a linear directed hierarchy must give: weighted least squares in extended precision.

Every whitened error is a row of one matrix over all latents; clamped units move to the right-hand side, and
Householder reflections with the heavy rows first (Cox & Higham 1998, Linear Algebra Appl 280:189) reduce the rest.
This is accurate where rows differ by many orders of magnitude, which normal equations are not.

Rows are split into the *prior* of the free units (a level's free units given its clamped ones and its parents; the
tops' priors or, in their place, what beliefs say of them) and the *evidence* (what the clamped units, and beliefs
about lower levels, then add).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from directed import Numbers, Shape

WIDE = np.longdouble


class Factors(NamedTuple):
    """Lower L with L L' the precision (gains not included) of each level and of each belief."""

    levels: list[np.ndarray]
    beliefs: list[np.ndarray]


class Rows(NamedTuple):
    """Energy |matrix x - right|^2 / 2 - log_det + rows log(2 pi) / 2 over all latents x."""

    matrix: np.ndarray
    right: np.ndarray
    log_det: np.longdouble


class Split(NamedTuple):
    """The two parts of the energy, over the free units."""

    prior: Rows
    evidence: Rows


class Truth(NamedTuple):
    """mean: of all latents.  root: upper, root root' the covariance of the free units.  curvature: R, R'R its inverse.

    free: indices of the free units among all.  misfit: length of the whitened errors at the mode.

    energy: at the mode with every normaliser, nats.
    """

    mean: np.ndarray
    root: np.ndarray
    curvature: np.ndarray
    free: np.ndarray
    log_evidence: float
    misfit: float
    energy: float

    @property
    def covariance(self) -> np.ndarray:
        return self.root @ self.root.T

    @property
    def deviations(self) -> np.ndarray:
        return np.sqrt(np.sum(self.root**2, axis=1))


class Message(NamedTuple):
    """What the data say of some units a, their prior set aside: exp(h'a - a'J a / 2)."""

    precision: np.ndarray
    information: np.ndarray


def starts_of(shape: Shape) -> np.ndarray:
    """Where each level begins in the concatenated latents."""
    return np.cumsum([0, *shape.widths])


def units_of(shape: Shape, level: int) -> np.ndarray:
    """Indices of one level in the concatenated latents."""
    starts = starts_of(shape)
    return np.arange(starts[level], starts[level + 1])


def free_of(shape: Shape) -> np.ndarray:
    """Indices of all free units."""
    known = [units_of(shape, level)[shape.clamped(level)] for level in shape.masks]
    return np.setdiff1d(np.arange(sum(shape.widths)), np.concatenate([[], *known]))


def lower_factor(precision: np.ndarray, width: int) -> np.ndarray:
    """L of a scalar, per-unit or full precision, by Cholesky's recursion in extended precision."""
    precision = np.asarray(precision, WIDE)
    if precision.ndim < 2:
        return np.diag(np.sqrt(np.broadcast_to(precision, (width,))))
    lower = np.zeros((width, width), WIDE)
    for j in range(width):
        rest = precision[j:, j] - lower[j:, :j] @ lower[j, :j]
        lower[j:, j] = rest / np.sqrt(rest[0])
    return lower


def given_factors(shape: Shape, numbers: Numbers) -> Factors:
    """The factors of the precisions as they are written."""
    own = [
        lower_factor(numbers.precisions[level], width)
        for level, width in enumerate(shape.widths)
    ]
    return Factors(own, [lower_factor(p, len(mean)) for mean, p in numbers.beliefs])


def stored_factor(log_precision, width: int) -> np.ndarray:
    """L of a stored log-precision: its rounding is then nobody's error."""
    value = np.asarray(log_precision, WIDE)
    if value.ndim < 2:
        return np.diag(np.exp(np.broadcast_to(value, (width,)) / 2))
    return np.tril(value, -1) + np.diag(np.exp(np.diagonal(value) / 2))


def householder(matrix: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R and Q'b of a matrix, heavy rows first (rows of zeros are added if it is not tall)."""
    missing = max(0, matrix.shape[1] - len(matrix))
    matrix = np.vstack([matrix, np.zeros((missing, matrix.shape[1]), WIDE)])
    right = np.concatenate([right, np.zeros((missing, *right.shape[1:]), WIDE)])
    order = np.argsort(-np.max(np.abs(matrix), axis=1, initial=0), kind="stable")
    work, rhs = matrix[order].astype(WIDE), right[order].astype(WIDE)
    columns = work.shape[1]
    for index in range(columns):
        largest = index + int(np.argmax(np.abs(work[index:, index])))
        for array in (work, rhs):
            array[[index, largest]] = array[[largest, index]]
        column = work[index:, index].copy()
        size = np.sqrt(np.sum(column**2))
        if size == 0:
            continue
        column[0] += np.copysign(size, column[0])
        column /= np.sqrt(np.sum(column**2))
        work[index:] -= 2 * np.outer(column, column @ work[index:])
        rhs[index:] -= 2 * np.multiply.outer(column, column @ rhs[index:])
    return np.triu(work[:columns]), rhs[:columns]


def solve_upper(upper: np.ndarray, right: np.ndarray) -> np.ndarray:
    """R^-1 b."""
    solution = np.zeros(right.shape, WIDE)
    for index in reversed(range(len(upper))):
        rest = upper[index, index + 1 :] @ solution[index + 1 :]
        solution[index] = (right[index] - rest) / upper[index, index]
    return solution


def solve_upper_transposed(upper: np.ndarray, right: np.ndarray) -> np.ndarray:
    """R'^-1 b."""
    return solve_upper(upper.T[::-1, ::-1], right[::-1])[::-1]


def invert_upper(upper: np.ndarray) -> np.ndarray:
    """R^-1."""
    return solve_upper(upper, np.eye(len(upper), dtype=WIDE))


def ordered_rows(
    factor: np.ndarray, selector: np.ndarray, constant: np.ndarray, later: np.ndarray
) -> tuple[Rows, Rows]:
    """Errors `selector x - constant` of precision F F' (F lower) as two independent sets of rows.

    The errors in `later` have their marginal, the others the conditional given those: the last and the first rows of
    R, where R'R is the precision with its errors reordered.
    """
    first = np.setdiff1d(np.arange(len(constant)), later)
    order = np.concatenate([first, later]).astype(int)
    upper, _ = householder(factor.T[:, order], np.zeros(len(order), WIDE))
    matrix, right = upper @ selector[order], upper @ constant[order]
    sizes = np.log(np.abs(np.diagonal(upper)))
    parts = slice(None, len(first)), slice(len(first), None)
    own, marginal_rows = (
        Rows(matrix[part], right[part], np.sum(sizes[part], dtype=WIDE))
        for part in parts
    )
    return own, marginal_rows


def whitened_rows(shape: Shape, numbers: Numbers, factors: Factors) -> Split:
    """Prior and evidence over *all* latents."""
    spoken_for = {level for group in shape.beliefs for level in group}
    prior, evidence = [], []
    for level in range(len(shape.widths)):
        if not shape.parents[level] and level in spoken_for:
            continue  # a belief about a top stands in place of its prior
        free, clamped = level_rows(shape, numbers, factors.levels[level], level)
        prior.append(free)
        evidence.append(clamped)
    for index in range(len(shape.beliefs)):
        lower, tops = belief_rows(shape, numbers, factors.beliefs[index], index)
        evidence.append(lower)
        prior.append(tops)
    return Split(joined(prior), joined(evidence))


def level_rows(shape: Shape, numbers: Numbers, factor: np.ndarray, level: int):
    """Errors of one level: of its free units given the clamped ones; of the clamped ones."""
    selector = np.eye(sum(shape.widths), dtype=WIDE)[units_of(shape, level)]
    maps = zip(shape.parents[level], numbers.weights[level], strict=True)
    for parent, weight in maps:
        selector[:, units_of(shape, parent)] -= np.asarray(weight, WIDE)
    root = _root_gain(shape, numbers, level)[:, None]
    constant = np.asarray(numbers.offsets[level], WIDE)
    return ordered_rows(root * factor, selector, constant, shape.clamped(level))


def belief_rows(shape: Shape, numbers: Numbers, factor: np.ndarray, index: int):
    """Errors of one belief: of lower levels given the tops; of the tops."""
    group = shape.beliefs[index]
    units = np.concatenate([units_of(shape, level) for level in group])
    root = np.concatenate([_root_gain(shape, numbers, level) for level in group])
    is_top = np.concatenate(
        [np.full(shape.widths[level], not shape.parents[level]) for level in group]
    )
    selector = np.eye(sum(shape.widths), dtype=WIDE)[units]
    mean = np.asarray(numbers.beliefs[index][0], WIDE)
    factor = root[:, None] * factor
    return ordered_rows(factor, selector, mean, np.flatnonzero(is_top))


def _root_gain(shape: Shape, numbers: Numbers, level: int) -> np.ndarray:
    gain = np.asarray(numbers.gains.get(level, 1.0), WIDE)
    return np.sqrt(np.broadcast_to(gain, (shape.widths[level],)))


def known_values(shape: Shape, numbers: Numbers) -> np.ndarray:
    """All latents with the clamped values in place, zero where free."""
    values = np.zeros(sum(shape.widths), WIDE)
    for level in shape.masks:
        own = shape.clamped(level)
        values[units_of(shape, level)[own]] = numbers.values[level][own]
    return values


def over_free(shape: Shape, numbers: Numbers, rows: Rows) -> Rows:
    """The same rows with the clamped units moved to the right-hand side."""
    right = rows.right - rows.matrix @ known_values(shape, numbers)
    return Rows(rows.matrix[:, free_of(shape)], right, rows.log_det)


def joined(parts: Sequence[Rows]) -> Rows:
    """One set of rows."""
    return Rows(
        np.vstack([part.matrix for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.sum([part.log_det for part in parts], dtype=WIDE),
    )


def truth(shape: Shape, numbers: Numbers, factors: Factors | None = None) -> Truth:
    """Mode, covariance of the free units and log evidence (nats)."""
    factors = factors or given_factors(shape, numbers)
    split = whitened_rows(shape, numbers, factors)
    rows = over_free(shape, numbers, joined(split))
    upper, rotated = householder(rows.matrix, rows.right)
    state = solve_upper(upper, rotated)
    misfit = np.sum((rows.matrix @ state - rows.right) ** 2)
    free, mean = free_of(shape), known_values(shape, numbers)
    mean[free] = state
    half = np.log(2 * np.longdouble(np.pi)) / 2
    energy = misfit / 2 - rows.log_det + len(rows.right) * half
    spread = len(free) * half - np.sum(np.log(np.abs(np.diagonal(upper))))
    return Truth(
        mean,
        invert_upper(upper),
        upper,
        free,
        float(spread - energy),
        float(np.sqrt(misfit)),
        float(energy),
    )


def message_about(
    shape: Shape, numbers: Numbers, levels: Sequence[int], factors: Factors
) -> Message:
    """Evidence about the free units of some levels, without the cancellation of S^-1 - S0^-1.

    With the other units n eliminated under the prior, n = n0 - R_nn^-1 R_na a + R_nn^-1 xi, the evidence rows are
    D_n n + D_a a - d = M a - d' + D_n R_nn^-1 xi: a regression with noise covariance I + K K', K = D_n R_nn^-1.
    """
    split = whitened_rows(shape, numbers, factors)
    prior, evidence = (over_free(shape, numbers, part) for part in split)
    about = _positions(shape, levels)
    rest = np.setdiff1d(np.arange(len(free_of(shape))), about)
    size = len(rest)
    upper, rotated = householder(
        prior.matrix[:, np.concatenate([rest, about]).astype(int)], prior.right
    )
    above, beside = upper[:size, :size], upper[:size, size:]
    through = solve_upper_transposed(above, evidence.matrix[:, rest].T).T  # K
    seen = evidence.matrix[:, about] - through @ beside
    value = evidence.right - through @ rotated[:size]
    rows = len(value)
    spread, _ = householder(
        np.vstack([through.T, np.eye(rows, dtype=WIDE)]),
        np.zeros(size + rows, WIDE),
    )
    half = solve_upper_transposed(spread, seen)
    return Message(half.T @ half, half.T @ solve_upper_transposed(spread, value))


def prior_of(shape: Shape, numbers: Numbers, factors: Factors) -> Truth:
    """The free units before any evidence: clamped units stand where they act as parents, and are not explained."""
    rows = over_free(shape, numbers, whitened_rows(shape, numbers, factors).prior)
    upper, rotated = householder(rows.matrix, rows.right)
    free, mean = free_of(shape), known_values(shape, numbers)
    mean[free] = solve_upper(upper, rotated)
    return Truth(mean, invert_upper(upper), upper, free, 0.0, 0.0, 0.0)


def marginal(found: Truth, shape: Shape, levels: Sequence[int]):
    """Mean and covariance of the free units of some levels."""
    about = _positions(shape, levels)
    root = found.root[about]
    return found.mean[found.free[about]], root @ root.T


def _positions(shape: Shape, levels: Sequence[int]) -> np.ndarray:
    """Where the free units of some levels stand among all free units."""
    wanted = np.concatenate([units_of(shape, level) for level in levels])
    return np.flatnonzero(np.isin(free_of(shape), wanted))
