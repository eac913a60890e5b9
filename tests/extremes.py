r"""Posteriors of linear hierarchies at extreme precisions, against numpy in extended precision.

    PYTHONPATH=.:tests python tests/extremes.py [--problems 40] [--span 4] [--float64]

prints of how many random problems the variances, covariances, determinants, evidence and draws are right.
The oracle works in the latents themselves (the package in whitened errors): every level's whitened error is a
row of one matrix, reduced by Householder reflections with rows sorted and columns pivoted, which keep small
rows beside large ones.
"""

import argparse
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference import posterior as laplace
from pcmodel.inference.level_evidence import evidence_about
from pcmodel.inference.whitened import linearise, unroll, whitened_from_latents
from pcmodel.model.levels import Units
from pcmodel.model.problem import Problem

WIDE = np.longdouble


class Shape(NamedTuple):
    """What a program is compiled for: widths, kinds of precision, and which units are clamped."""

    widths: tuple[int, ...]
    kinds: tuple[str, ...]
    clamped: dict[int, tuple[int, ...]]


SHAPES = (
    Shape((1, 1), ("scalar", "scalar"), {0: (0,)}),
    Shape((1, 1, 1, 1), ("scalar",) * 4, {0: (0,)}),
    Shape((8, 12, 4), ("scalar",) * 3, {0: tuple(range(8))}),
    Shape((6, 2, 5), ("scalar", "unit", "full"), {0: tuple(range(6))}),
    Shape((3, 4, 2, 3), ("full", "unit", "scalar", "full"), {0: (0, 2)}),
    Shape((5, 3, 2), ("unit", "full", "full"), {0: tuple(range(5)), 1: (1,)}),
    Shape((4, 1, 3, 1, 2), ("scalar",) * 5, {0: tuple(range(4))}),
    Shape((2, 6, 3), ("full", "full", "full"), {0: (0, 1), 2: (0, 2)}),
    Shape((7, 5), ("full", "full"), {0: tuple(range(7))}),
    Shape((3, 3, 3), ("unit",) * 3, {2: (0, 1, 2)}),
)


class Values(NamedTuple):
    """Numbers of one hierarchy; gains and precisions reach over the span."""

    weights: list[np.ndarray]
    biases: list[np.ndarray]
    precisions: list[np.ndarray]
    prior_mean: np.ndarray
    gains: list[float]
    data: dict[int, np.ndarray]


def random_values(rng: np.random.Generator, shape: Shape, span: float, dtype) -> Values:
    """Precisions log-uniform over 10^-span to 10^span, gains down to 10^-6."""
    widths = shape.widths
    precisions = []
    for width, kind in zip(widths, shape.kinds, strict=True):
        scale = 10 ** rng.uniform(-span, span)
        if kind == "unit":
            scale = scale * 10 ** rng.uniform(-1, 1, size=width)
        elif kind == "full":
            root = rng.normal(size=(width, width)) / np.sqrt(width)
            scale = scale * (root @ root.T + 0.5 * np.eye(width))
        precisions.append(np.asarray(scale))
    weights = [
        (rng.normal(size=(a, b)) / np.sqrt(b)).astype(dtype)
        for a, b in pairwise(widths)
    ]
    return Values(
        weights,
        [rng.normal(size=width).astype(dtype) for width in widths[:-1]],
        precisions,
        rng.normal(size=widths[-1]).astype(dtype),
        [10 ** -rng.uniform(0, 6) if rng.random() < 0.2 else 1.0 for _ in widths],
        {
            level: rng.normal(size=widths[level]).astype(dtype)
            for level in shape.clamped
        },
    )


def problem_of(shape: Shape, values: Values, dtype) -> Problem:
    """The package's problem in one precision of floats."""
    network = pcmodel.linear_gaussian(
        values.weights,
        values.precisions,
        biases=values.biases,
        prior_mean=values.prior_mean,
    )
    clamp = {
        level: pcmodel.Clamp(
            values.data[level], np.isin(np.arange(shape.widths[level]), units)
        )
        for level, units in shape.clamped.items()
    }
    modulation = pcmodel.Modulation(dict(enumerate(values.gains)))
    problem = pose(network, clamp=clamp, modulation=modulation).problem
    inputs = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), problem.inputs)
    return Problem(problem.structure, inputs)


class Exact(NamedTuple):
    """Latents at the mode, covariance and its free units, log det of I + S'S, log evidence."""

    state: np.ndarray
    covariance: np.ndarray
    free: np.ndarray
    log_det: float
    log_evidence: float


def exact(shape: Shape, values: Values, problem: Problem) -> Exact:
    """The posterior in extended precision, from the very numbers that the problem holds."""
    widths, top = shape.widths, len(shape.widths) - 1
    starts = np.cumsum([0, *widths])
    rows, constants, log_det = [], [], WIDE(0)
    state, free = np.zeros(starts[-1], WIDE), np.ones(starts[-1], bool)
    for level, units in shape.clamped.items():
        index = starts[level] + np.asarray(units)
        free[index] = False
        state[index] = values.data[level][list(units)]
    own = WIDE(0)
    for level, width in enumerate(widths):
        factor = wide_factor(problem, level, width)
        row = np.zeros((width, starts[-1]), WIDE)
        row[:, starts[level] : starts[level + 1]] = np.eye(width)
        if level < top:
            row[:, starts[level + 1] : starts[level + 2]] = -values.weights[level]
        rows.append(factor.T @ row)
        mean = values.biases[level] if level < top else values.prior_mean
        constants.append(factor.T @ mean.astype(WIDE))
        log_det += 2 * np.sum(np.log(np.abs(np.diagonal(factor))))
        kept = np.flatnonzero(free[starts[level] : starts[level + 1]])
        if len(kept):
            triangle, _, _ = reduced(factor[kept].T, np.zeros(width, WIDE))
            own += 2 * np.sum(np.log(np.abs(np.diagonal(triangle))))
    matrix, constant = np.vstack(rows), np.concatenate(constants)
    rhs = constant - matrix[:, ~free] @ state[~free]
    triangle, order, target = reduced(matrix[:, free], rhs)
    size = len(order)
    inverse = back_substituted(triangle, np.eye(size, dtype=WIDE))
    root = np.zeros_like(inverse)
    root[order] = inverse
    found = np.zeros(size, WIDE)
    found[order] = back_substituted(triangle, target[:, None])[:, 0]
    state[free] = found
    curvature = 2 * np.sum(np.log(np.abs(np.diagonal(triangle))))
    squares = np.sum((matrix @ state - constant) ** 2)
    known = len(free) - size
    evidence = 0.5 * (log_det - squares - known * np.log(2 * np.pi) - curvature)
    return Exact(state, root @ root.T, free, float(curvature - own), float(evidence))


def wide_factor(problem: Problem, level: int, width: int) -> np.ndarray:
    """Lower F with F F' the gained precision."""
    stored = np.asarray(problem.inputs.log_precisions[level]).astype(WIDE)
    gain = np.asarray(problem.inputs.gains[level]).astype(WIDE)
    root = np.sqrt(np.broadcast_to(gain, (width,)))[:, None]
    if stored.ndim < 2:
        return root * np.diag(np.exp(0.5 * np.broadcast_to(stored, (width,))))
    return root * (np.tril(stored, -1) + np.diag(np.exp(0.5 * np.diagonal(stored))))


def reduced(matrix, rhs):
    """Triangle R, column order and Q' rhs: Householder, rows sorted, columns pivoted."""
    matrix, rhs = matrix.astype(WIDE).copy(), rhs.astype(WIDE).copy()
    size = matrix.shape[1]
    order = np.arange(size)
    for j in range(size):
        best = j + int(np.argmax(np.sum(matrix[j:, j:] ** 2, axis=0)))
        matrix[:, [j, best]], order[[j, best]] = matrix[:, [best, j]], order[[best, j]]
        largest = j + int(np.argmax(np.abs(matrix[j:, j])))
        matrix[[j, largest]], rhs[[j, largest]] = (
            matrix[[largest, j]],
            rhs[[largest, j]],
        )
        mirror = matrix[j:, j].copy()
        norm = np.sqrt(np.sum(mirror**2))
        mirror[0] += norm if mirror[0] >= 0 else -norm
        scale = np.sum(mirror**2)
        if scale > 0:
            matrix[j:, j:] -= np.outer(mirror, 2 / scale * (mirror @ matrix[j:, j:]))
            rhs[j:] -= mirror * (2 / scale * (mirror @ rhs[j:]))
    return matrix[:size], order, rhs[:size]


def back_substituted(upper, rhs):
    """upper^-1 rhs."""
    found = np.zeros(rhs.shape, WIDE)
    for row in reversed(range(len(upper))):
        rest = upper[row, row + 1 :] @ found[row + 1 :]
        found[row] = (rhs[row] - rest) / upper[row, row]
    return found


NUM_DRAWS = 400


@jax.jit
def _answers(problem: Problem, latents, key):
    whitened = whitened_from_latents(problem, latents)
    root = laplace.covariance_root(problem, whitened)
    found = {
        "root": root,
        "log_det": laplace.log_det_hessian(linearise(problem, whitened), None),
        "log_evidence": -laplace.free_energy(problem, whitened),
    }
    draws = laplace.whitened_samples(problem, whitened, key, NUM_DRAWS)
    spread = jax.vmap(lambda z: unroll(problem, z).latents)(draws)
    found["draws"] = jnp.concatenate(spread, axis=1)
    if not problem.structure.clamped[-1]:
        found["top"] = evidence_about(problem, whitened).covariance
    _, log_precision = laplace.joint_belief(
        problem, whitened, (Units(belief_level(problem)),)
    )
    found["belief"] = log_precision
    return found


def belief_level(problem: Problem) -> int:
    """The highest level that is wholly free, for a belief about it."""
    clamped = problem.structure.clamped
    return max(level for level, units in enumerate(clamped) if not units)


def errors_of(shape: Shape, values: Values, dtype, seed: int) -> dict[str, float]:
    """Relative errors (of variances, covariances in standard deviations), absolute ones in nats."""
    problem = problem_of(shape, values, dtype)
    truth = exact(shape, values, problem)
    starts = np.cumsum([0, *shape.widths])
    latents = tuple(
        jnp.asarray(truth.state[a:b].astype(dtype)) for a, b in pairwise(starts)
    )
    found = jax.tree.map(np.asarray, _answers(problem, latents, jax.random.key(seed)))
    spread = np.sqrt(np.diagonal(truth.covariance))
    scale = np.outer(spread, spread)
    root = found["root"].astype(WIDE)
    errors = {
        "variances": np.diagonal(root @ root.T) / spread**2 - 1,
        "covariances": (root @ root.T - truth.covariance) / scale,
        "log_det": found["log_det"] - truth.log_det,
        "log_evidence": found["log_evidence"] - truth.log_evidence,
        "draws": (
            np.var(found["draws"][:, truth.free].astype(WIDE), axis=0) / spread**2 - 1
        )
        / (5 * np.sqrt(2 / NUM_DRAWS) / TOLERANCE),
    }
    units = np.cumsum(truth.free) - 1
    if "top" in found:
        part = units[starts[-2] :]
        errors["top"] = (found["top"] - truth.covariance[np.ix_(part, part)]) / scale[
            np.ix_(part, part)
        ]
    level = belief_level(problem)
    part = units[starts[level] : starts[level + 1]]
    stored = found["belief"].astype(WIDE)
    factor = np.tril(stored, -1) + np.diag(np.exp(0.5 * np.diagonal(stored)))
    # L' C L is the identity where L L' is the inverse of C.
    identity = factor.T @ truth.covariance[np.ix_(part, part)] @ factor
    errors["belief"] = identity - np.eye(len(part))
    return {
        name: float(np.max(np.abs(value))) if np.all(np.isfinite(value)) else np.inf
        for name, value in errors.items()
    }


TOLERANCE = 1e-3


def count(problems: int, span: float, dtype, shapes=SHAPES, seed: int = 0):
    """{quantity: (problems, right, wrong by more than 0.1 or not a number, worst)}."""
    seen: dict[str, list[float]] = {}
    for place, shape in enumerate(shapes):
        for number in range(problems):
            rng = np.random.default_rng([seed, place, number])
            values = random_values(rng, shape, span, dtype)
            for name, error in errors_of(shape, values, dtype, number).items():
                seen.setdefault(name, []).append(error)
    return {
        name: (
            len(each),
            int(np.sum(np.asarray(each) <= TOLERANCE)),
            int(np.sum(~(np.asarray(each) <= 0.1))),
            float(np.max(each)),
        )
        for name, each in seen.items()
    }


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", type=int, default=40, help="of each shape")
    parser.add_argument("--span", type=float, default=4.0)
    parser.add_argument("--float64", action="store_true")
    options = parser.parse_args()
    if options.float64:
        jax.config.update("jax_enable_x64", True)
    dtype = np.float64 if options.float64 else np.float32
    print(
        f"{np.dtype(dtype).name}, precisions 1e-{options.span:g} to 1e{options.span:g}"
    )
    for name, row in count(options.problems, options.span, dtype).items():
        print(f"{name:13s} of %d: right %d, off by more than 0.1 %d, worst %.1e" % row)


if __name__ == "__main__":
    main()
