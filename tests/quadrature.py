"""Small nonlinear hierarchies with discrete ends, integrated on a grid: at most three free units.

A level is predicted as sum_k W_k tanh(x_k) + b over its parents; a Bernoulli or categorical end has these predictions
as logits.  The mode is found from every local minimum of a dense grid, and the integrals by the trapezoidal rule in
coordinates in which the mode is round; it converges faster than any power of the spacing for functions like these.
"""

import itertools
from typing import NamedTuple

import numpy as np
from directed import Numbers, Shape
from directed_oracles import free_of, units_of
from oracles import as_matrix
from scipy.optimize import minimize
from scipy.special import logsumexp


class Bent(NamedTuple):
    """likelihoods: "bernoulli" or "categorical" of discrete ends; the other levels are Gaussian.

    bends: whether tanh is applied to parents; without, predictions are linear.
    """

    shape: Shape
    numbers: Numbers
    likelihoods: dict[int, str]
    bends: bool = True

    @property
    def free(self) -> np.ndarray:
        """Indices of the free Gaussian units among all."""
        discrete = [units_of(self.shape, level) for level in self.likelihoods]
        return np.setdiff1d(free_of(self.shape), np.concatenate([[], *discrete]))


class Integrals(NamedTuple):
    """Of the free units, over the whole posterior."""

    log_evidence: float
    mean: np.ndarray
    covariance: np.ndarray


class Laplace(NamedTuple):
    """The Gauss-Newton approximation at a mode; exact where predictions are linear and data Gaussian."""

    log_evidence: float
    covariance: np.ndarray


def all_latents(bent: Bent, points: np.ndarray) -> np.ndarray:
    """All units, (points, units), from the free ones; an unobserved discrete end is zero."""
    shape, numbers = bent.shape, bent.numbers
    whole = np.zeros((len(points), sum(shape.widths)))
    for level in shape.masks:
        own = shape.clamped(level)
        whole[:, units_of(shape, level)[own]] = numbers.values[level][own]
    whole[:, bent.free] = points
    return whole


def predicted(bent: Bent, whole: np.ndarray, level: int) -> np.ndarray:
    """Predictions (or logits) of a level, (points, width)."""
    shape, numbers = bent.shape, bent.numbers
    total = np.broadcast_to(numbers.offsets[level], (len(whole), shape.widths[level]))
    maps = zip(shape.parents[level], numbers.weights[level], strict=True)
    for parent, weight in maps:
        sent = whole[:, units_of(shape, parent)]
        total = total + (np.tanh(sent) if bent.bends else sent) @ weight.T
    return total


def precision_of(bent: Bent, level: int) -> np.ndarray:
    """G^1/2 P G^1/2 of a Gaussian level."""
    width = bent.shape.widths[level]
    root = np.sqrt(np.broadcast_to(bent.numbers.gains.get(level, 1.0), (width,)))
    matrix = as_matrix(bent.numbers.precisions[level], width)
    return root[:, None] * matrix * root


def log_probability(kind: str, logits: np.ndarray, data: np.ndarray) -> np.ndarray:
    """log p(data | logits), nats, (points,)."""
    if kind == "bernoulli":
        return np.sum(data * logits - np.logaddexp(0, logits), axis=1)
    return np.sum(data * (logits - logsumexp(logits, axis=1, keepdims=True)), axis=1)


def energy(bent: Bent, points: np.ndarray) -> np.ndarray:
    """-log p(free units, data), nats, of every point (points, free)."""
    shape, whole = bent.shape, all_latents(bent, points)
    total = np.zeros(len(points))
    for level in range(len(shape.widths)):
        known = level in shape.masks
        if level in bent.likelihoods:
            if known:
                logits = predicted(bent, whole, level)
                data = bent.numbers.values[level]
                gain = bent.numbers.gains.get(level, 1.0)
                kind = bent.likelihoods[level]
                total -= gain * log_probability(kind, logits, data)
            continue
        error = whole[:, units_of(shape, level)] - predicted(bent, whole, level)
        precision = precision_of(bent, level)
        _, log_det = np.linalg.slogdet(precision / (2 * np.pi))
        total += 0.5 * (np.einsum("ni,ij,nj->n", error, precision, error) - log_det)
    return total


def slopes_of(bent: Bent, point: np.ndarray, level: int) -> np.ndarray:
    """Derivatives of a level's predictions by the free units, (width, free)."""
    shape, whole = bent.shape, all_latents(bent, point[None])[0]
    jacobian = np.zeros((shape.widths[level], len(whole)))
    maps = zip(shape.parents[level], bent.numbers.weights[level], strict=True)
    for parent, weight in maps:
        units = units_of(shape, parent)
        steep = 1 - np.tanh(whole[units]) ** 2 if bent.bends else np.ones(len(units))
        jacobian[:, units] += weight * steep
    return jacobian[:, bent.free]


def gradient_and_curvature(bent: Bent, point: np.ndarray):
    """Gradient of the energy by the free units, and its Gauss-Newton curvature."""
    shape, whole = bent.shape, all_latents(bent, point[None])
    gradient, curvature = np.zeros(len(point)), np.zeros((len(point),) * 2)
    for level in range(len(shape.widths)):
        slope, made = slopes_of(bent, point, level), predicted(bent, whole, level)[0]
        if level in bent.likelihoods:
            if level in shape.masks:
                pull, weight = _likelihood_terms(bent, level, made)
                gradient -= slope.T @ pull
                curvature += slope.T @ weight @ slope
            continue
        slope = np.eye(whole.shape[1])[units_of(shape, level)][:, bent.free] - slope
        error = whole[0, units_of(shape, level)] - made
        precision = precision_of(bent, level)
        gradient += slope.T @ precision @ error
        curvature += slope.T @ precision @ slope
    return gradient, curvature


def _likelihood_terms(bent: Bent, level: int, logits: np.ndarray):
    """Derivative of log p by the logits, and Fisher information."""
    data, gain = bent.numbers.values[level], bent.numbers.gains.get(level, 1.0)
    if bent.likelihoods[level] == "bernoulli":
        chance = 1 / (1 + np.exp(-logits))
        return gain * (data - chance), gain * np.diag(chance * (1 - chance))
    chance = np.exp(logits - logsumexp(logits))
    spread = np.diag(chance) - np.outer(chance, chance)
    return gain * (data - chance), gain * spread


def hessian(bent: Bent, point: np.ndarray) -> np.ndarray:
    """Curvature of the energy itself, by central differences of the gradient."""
    size, columns = 1e-5, []
    for direction in np.eye(len(point)):
        step = size * max(1.0, float(np.abs(point) @ direction)) * direction
        ahead, _ = gradient_and_curvature(bent, point + step)
        behind, _ = gradient_and_curvature(bent, point - step)
        columns.append((ahead - behind) / (2 * np.sum(step)))
    matrix = np.array(columns)
    return (matrix + matrix.T) / 2


def polish(bent: Bent, point: np.ndarray) -> np.ndarray:
    """The local minimum beside a point, to rounding."""
    found = minimize(
        lambda x: (energy(bent, x[None])[0], gradient_and_curvature(bent, x)[0]),
        point,
        jac=True,
        method="BFGS",
    ).x
    for _ in range(5):
        gradient, _ = gradient_and_curvature(bent, found)
        found = found - np.linalg.solve(hessian(bent, found), gradient)
    return found


def modes(bent: Bent, reach: float = 6.0, steps: int = 41) -> list[np.ndarray]:
    """All local minima, the lowest first, from a grid within `reach` prior deviations or so."""
    size = len(bent.free)
    axes = [np.linspace(-reach, reach, steps)] * size
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = energy(bent, grid.reshape(-1, size)).reshape((steps,) * size)
    padded = np.pad(values, 1, constant_values=np.inf)
    lowest = np.ones(values.shape, bool)
    inner = tuple(slice(1, -1) for _ in range(size))
    for shift in itertools.product((-1, 0, 1), repeat=size):
        if any(shift):
            rolled = np.roll(padded, shift, axis=tuple(range(size)))
            lowest &= values <= rolled[inner]
    found: list[np.ndarray] = []
    for start in grid[lowest]:
        point = polish(bent, start)
        if not any(np.allclose(point, other, atol=1e-6) for other in found):
            found.append(point)
    return sorted(found, key=lambda point: energy(bent, point[None])[0])


def laplace(bent: Bent, mode: np.ndarray) -> Laplace:
    """-E + n/2 log 2 pi - log det H / 2 with the Gauss-Newton curvature H."""
    _, curvature = gradient_and_curvature(bent, mode)
    _, log_det = np.linalg.slogdet(curvature / (2 * np.pi))
    value = -energy(bent, mode[None])[0] - 0.5 * log_det
    return Laplace(float(value), np.linalg.inv(curvature))


def integrate(
    bent: Bent, mode: np.ndarray, *, reach: float = 14.0, spacing: float = 0.2
) -> Integrals:
    """Evidence and moments; `reach` and `spacing` in deviations of the posterior, which a first, coarse pass finds.

    The Gaussian at the mode can be much narrower than the posterior, whose tails are those of the prior.
    """
    at_mode = np.linalg.inv(np.linalg.cholesky(hessian(bent, mode))).T
    coarse = trapezoid(bent, mode, at_mode, reach=24.0, spacing=0.5)
    root = np.linalg.cholesky(coarse.covariance)
    return trapezoid(bent, coarse.mean, root, reach=reach, spacing=spacing)


def trapezoid(
    bent: Bent, centre: np.ndarray, root: np.ndarray, *, reach: float, spacing: float
) -> Integrals:
    """The trapezoidal rule over centre + root u, |u_i| <= reach."""
    count = int(np.ceil(reach / spacing))
    line = spacing * np.arange(-count, count + 1)
    size = len(centre)
    rest = np.meshgrid(*[line] * (size - 1), indexing="ij")
    beside = [axis.reshape(-1, 1) for axis in rest]
    lowest = energy(bent, centre[None])[0]
    total, first, second = 0.0, np.zeros(size), np.zeros((size, size))
    for outer in line:  # a slab at a time, so that memory stays small
        slab = np.full((len(line) ** (size - 1), 1), outer)
        moved = np.hstack([slab, *beside]) @ root.T
        mass = np.exp(lowest - energy(bent, centre + moved))
        total += mass.sum()
        first += mass @ moved
        second += moved.T @ (mass[:, None] * moved)
    shift = first / total
    _, log_det = np.linalg.slogdet(root)
    evidence = np.log(total) + size * np.log(spacing) + log_det - lowest
    covariance = second / total - np.outer(shift, shift)
    return Integrals(float(evidence), centre + shift, covariance)
