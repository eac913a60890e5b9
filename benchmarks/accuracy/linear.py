"""Linear hierarchies against weighted least squares in the latents, in extended precision.

Householder reflections with the heavy rows first (Cox & Higham 1998, Linear Algebra Appl 280:189): accurate where rows
differ by many orders of magnitude, which normal equations are not.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np

RIGHT = 0.1
"""Posterior standard deviations."""


class Shape(NamedTuple):
    """What compiles: problems of one shape share a program.

    widths: bottom first.  kinds: of each precision.  masks: clamped units by level.
    belief: level that a belief is held about, or None.
    """

    widths: tuple[int, ...]
    kinds: tuple[str, ...]
    masks: dict[int, np.ndarray]
    belief: int | None


class Numbers(NamedTuple):
    """The rest of a problem, float64.  precisions: of the kinds of the shape."""

    weights: list[np.ndarray]
    biases: list[np.ndarray]
    precisions: list[np.ndarray]
    prior_mean: np.ndarray
    values: dict[int, np.ndarray]
    gains: dict[int, Any]
    belief: tuple[np.ndarray, np.ndarray] | None


def draw_shape(rng: np.random.Generator) -> Shape:
    """One to five layers of one to twelve units."""
    depth = int(rng.integers(1, 6))
    largest = int(rng.choice([1, 3, 6, 12], p=[0.1, 0.2, 0.4, 0.3]))
    widths = tuple(int(w) for w in rng.integers(1, largest + 1, size=depth + 1))
    kinds = tuple(
        str(rng.choice(["scalar", "unit", "full"], p=[0.5, 0.3, 0.2])) for _ in widths
    )
    masks = {0: np.ones(widths[0], bool)}
    style = rng.choice(
        ["data", "part", "both ends", "hidden part"], p=[0.6, 0.1, 0.15, 0.15]
    )
    if style == "part":
        masks[0] = rng.random(widths[0]) < 0.6
    if style == "both ends" and depth > 1:
        masks[depth] = np.ones(widths[-1], bool)
    if style == "hidden part" and depth > 1:
        level = int(rng.integers(1, depth + 1))
        masks[level] = rng.random(widths[level]) < 0.4
    masks = {level: mask for level, mask in masks.items() if mask.any()}
    held = [level for level in range(1, depth + 1) if level not in masks]
    belief = int(rng.choice(held)) if held and rng.random() < 0.15 else None
    return Shape(widths, kinds, masks, belief)


def draw_precision(rng: np.random.Generator, kind: str, width: int, scale: float):
    """A precision around `scale`."""
    if kind == "scalar":
        return np.asarray(scale)
    if kind == "unit":
        return scale * 10 ** rng.uniform(-1, 1, size=width)
    root = rng.normal(size=(width, width)) / np.sqrt(width)
    return scale * (root @ root.T + 0.1 * np.eye(width))


def draw_scales(rng: np.random.Generator, levels: int) -> np.ndarray:
    """One scale a level: any, rising, falling, one apart; ratios up to 1e8."""
    style = rng.choice(["any", "rising", "falling", "one apart", "alike"])
    span = rng.uniform(0, 8)
    if style == "any":
        logs = rng.uniform(-span / 2, span / 2, size=levels)
    elif style == "alike":
        logs = np.full(levels, rng.uniform(-8, 8))
    elif style == "one apart":
        logs = np.zeros(levels)
        logs[rng.integers(levels)] = rng.choice([-1, 1]) * span
    else:
        logs = np.linspace(-span / 2, span / 2, levels)
        logs = logs if style == "rising" else logs[::-1]
    return 10.0**logs


def draw_numbers(rng: np.random.Generator, shape: Shape) -> Numbers:
    """Weights, precisions, data."""
    widths = shape.widths
    scales = draw_scales(rng, len(widths))
    gains: dict[int, Any] = {}
    if rng.random() < 0.3:
        for level in rng.choice(len(widths), size=int(rng.integers(1, 3))):
            gain = 10 ** rng.uniform(-6, 0.5)
            per_unit = rng.random() < 0.3
            spread = 10 ** rng.uniform(-1, 1, size=widths[level])
            gains[int(level)] = gain * spread if per_unit else gain
    size = 10 ** rng.uniform(-1, 1)
    belief = None
    if shape.belief is not None:
        width = widths[shape.belief]
        belief = (
            size * rng.normal(size=width),
            draw_precision(rng, "full", width, 10 ** rng.uniform(-4, 4)),
        )
    return Numbers(
        [
            rng.normal(size=(below, above)) / np.sqrt(above)
            for below, above in itertools.pairwise(widths)
        ],
        [rng.normal(size=w) * rng.choice([0, 1]) for w in widths[:-1]],
        [
            draw_precision(rng, kind, width, scale)
            for kind, width, scale in zip(shape.kinds, widths, scales, strict=True)
        ],
        size * rng.normal(size=widths[-1]) * rng.choice([0, 1]),
        {level: size * rng.normal(size=widths[level]) for level in shape.masks},
        gains,
        belief,
    )


class Truth(NamedTuple):
    """state, deviations: of the free units.  root: R with R'R the posterior precision."""

    state: np.ndarray
    deviations: np.ndarray
    root: np.ndarray
    log_evidence: float


def lower_factor(log_precision: np.ndarray, width: int) -> np.ndarray:
    """L of Pi = L L' from what is stored (the log-Cholesky form)."""
    value = np.asarray(log_precision, np.longdouble)
    if value.ndim < 2:
        return np.diag(np.exp(np.broadcast_to(value, (width,)) / 2))
    return np.tril(value, -1) + np.diag(np.exp(np.diagonal(value) / 2))


def weighted_rows(problem) -> tuple[np.ndarray, np.ndarray, float]:
    """A, b and half the log determinant with energy |A x - b|^2 / 2 over all latents.

    From the arrays as they are stored (so that their own rounding is nobody's error), but for a linear
    hierarchy written out again.
    """
    structure, inputs = problem.structure, problem.inputs
    widths = structure.model.widths
    ends = np.cumsum([0, *widths])
    rows, rights, log_det = [], [], np.longdouble(0)

    def add(factor: np.ndarray, selector: np.ndarray, constant: np.ndarray) -> None:
        nonlocal log_det
        rows.append(factor.T @ selector)
        rights.append(factor.T @ constant)
        log_det += np.sum(np.log(np.diagonal(factor)))

    layers = stored_layers(problem)
    owner = structure.owner(structure.top)
    for level, width in enumerate(widths):
        if level == structure.top and owner is not None:
            continue
        selector = np.zeros((width, ends[-1]), np.longdouble)
        selector[:, ends[level] : ends[level + 1]] = np.eye(width)
        if level == structure.top:
            constant = np.asarray(inputs.weights["prior_mean"], np.longdouble)
        else:
            matrix, constant = layers[level]
            selector[:, ends[level + 1] : ends[level + 2]] = -matrix
        gain = np.broadcast_to(np.asarray(inputs.gains[level], np.longdouble), (width,))
        own = lower_factor(inputs.log_precisions[level], width)
        add(np.sqrt(gain)[:, None] * own, selector, constant)
    for belief, levels in zip(inputs.beliefs, structure.beliefs, strict=True):
        (level,) = levels
        width = widths[level]
        selector = np.zeros((width, ends[-1]), np.longdouble)
        selector[:, ends[level] : ends[level + 1]] = np.eye(width)
        gain = np.broadcast_to(np.asarray(inputs.gains[level], np.longdouble), (width,))
        own = np.sqrt(gain)[:, None] * lower_factor(belief.log_precision, width)
        add(own, selector, np.asarray(belief.mean, np.longdouble))
    return np.vstack(rows), np.concatenate(rights), float(log_det)


def stored_layers(problem) -> list[tuple[np.ndarray, np.ndarray]]:
    """Matrix and bias of every layer, from the function itself (it is affine)."""
    import jax
    import jax.numpy as jnp

    model, weights = problem.structure.model, problem.inputs.weights
    layers = []
    with jax.default_matmul_precision("float32"):
        for level, width in enumerate(model.widths[1:]):
            dtype = weights["prior_mean"].dtype
            bias = model.predict_level(weights, level, (jnp.zeros((width,), dtype),))
            # Of a matrix product with a unit vector every digit is exact.
            matrix, _ = jax.vmap(
                lambda unit, level=level: jax.jvp(
                    lambda x: model.predict_level(weights, level, (x,)),
                    (jnp.zeros_like(unit),),
                    (unit,),
                )[::-1]
            )(jnp.eye(width, dtype=dtype))
            layers.append(
                (np.asarray(matrix, np.longdouble).T, np.asarray(bias, np.longdouble))
            )
    return layers


def householder(matrix: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R and Q'b of a tall matrix in its own (extended) precision, heavy rows first."""
    order = np.argsort(-np.max(np.abs(matrix), axis=1), kind="stable")
    work, rhs = matrix[order].copy(), right[order].copy()
    columns = work.shape[1]
    for index in range(columns):
        column = work[index:, index].copy()
        size = np.sqrt(np.sum(column**2))
        if size == 0:
            continue
        column[0] += np.copysign(size, column[0])
        column /= np.sqrt(np.sum(column**2))
        work[index:] -= 2 * np.outer(column, column @ work[index:])
        rhs[index:] -= 2 * column * (column @ rhs[index:])
    return np.triu(work[:columns]), rhs[:columns]


def back_substitute(upper: np.ndarray, right: np.ndarray) -> np.ndarray:
    """R^-1 b in extended precision."""
    solution = np.zeros_like(right)
    for index in reversed(range(len(upper))):
        rest = upper[index, index + 1 :] @ solution[index + 1 :]
        solution[index] = (right[index] - rest) / upper[index, index]
    return solution


def truth(problem) -> Truth:
    """Mode, standard deviations and evidence of a linear-Gaussian problem."""
    structure, inputs = problem.structure, problem.inputs
    matrix, right, log_det = weighted_rows(problem)
    ends = np.cumsum([0, *structure.model.widths])
    free, known = [], []
    right = right.copy()
    for level, start in enumerate(ends[:-1]):
        free += list(start + structure.free_units(level))
        units = structure.clamped_units(level)
        known += list(start + units)
        values = np.asarray(inputs.values[level], np.longdouble)
        right -= matrix[:, start + units] @ values
    upper, rotated = householder(matrix[:, free], right)
    state = back_substitute(upper, rotated)
    inverse = back_substitute(upper, np.eye(len(upper), dtype=np.longdouble))
    misfit = np.sum((matrix[:, free] @ state - right) ** 2)
    two_pi = np.log(np.longdouble(2) * np.pi)
    evidence = (
        -misfit / 2
        + log_det
        - (len(right) - len(free)) / 2 * two_pi
        - np.sum(np.log(np.abs(np.diagonal(upper))))
    )
    return Truth(
        np.asarray(state),
        np.sqrt(np.sum(inverse**2, axis=1)),
        upper,
        float(evidence),
    )


class Verdict(NamedTuple):
    """One answer.  distance: to the mode, posterior s.d. (all units together).  worst: of one unit."""

    distance: float
    worst: float
    claimed: float
    certified: bool
    iterations: int
    products: int


def pose_linear(shape: Shape, numbers: Numbers):
    """The posed problem of the package."""
    import pcmodel
    from pcmodel.api.pose import pose
    from pcmodel.model.levels import LevelName

    network = pcmodel.linear_gaussian(
        numbers.weights,
        numbers.precisions,
        biases=numbers.biases,
        prior_mean=numbers.prior_mean,
    )
    clamp: dict[LevelName, pcmodel.Clamp] = {
        level: pcmodel.Clamp(numbers.values[level], mask)
        for level, mask in shape.masks.items()
    }
    prior = None
    if shape.belief is not None and numbers.belief is not None:
        mean, precision = numbers.belief
        prior = pcmodel.Belief.of(mean, precision, level=shape.belief)
    gains: dict[LevelName, Any] = {**numbers.gains}
    return pose(network, clamp=clamp, prior=prior, modulation=pcmodel.Modulation(gains))


def free_state(problem, latents) -> np.ndarray:
    """Free units of all levels, bottom first."""
    return np.concatenate(
        [
            np.asarray(latent, np.longdouble)[problem.structure.free_units(level)]
            for level, latent in enumerate(latents)
        ]
    )


def judge(problem, result) -> Verdict:
    """Compare one answer with the truth."""
    exact = truth(problem)
    error = free_state(problem, result.latents) - exact.state
    return Verdict(
        float(np.sqrt(np.sum((exact.root @ error) ** 2))),
        float(np.max(np.abs(error) / exact.deviations, initial=0)),
        float(result.residual),
        bool(result.converged),
        int(result.iterations),
        int(result.products),
    )


def word(verdict: Verdict) -> str:
    """right / certified wrong / not certified."""
    right = verdict.distance <= RIGHT  # a NaN is wrong
    if verdict.certified:
        return "right" if right else "certified wrong"
    return "right, not certified" if right else "wrong, not certified"


def forget_programs(done: int) -> None:
    """Every program of JAX holds memory maps, of which a process may have some ten thousand."""
    import jax

    if done % 200 == 0:
        jax.clear_caches()


def linear_battery(count: int, seed: int, solver=None, each: int = 20, report=print):
    """Verdicts of `count` linear problems, `each` of every shape."""
    from pcmodel.api.infer import run_inference
    from pcmodel.inference.solvers.gauss_newton import GaussNewton

    rng = np.random.default_rng(seed)
    verdicts = []
    while len(verdicts) < count:
        shape = draw_shape(rng)
        for _ in range(min(each, count - len(verdicts))):
            posed = pose_linear(shape, draw_numbers(rng, shape))
            if posed.problem.structure.num_free == 0:
                break
            result = run_inference(posed, solver or GaussNewton())
            verdicts.append(judge(posed.problem, result))
        forget_programs(len(verdicts))
        report(len(verdicts))
    return verdicts
