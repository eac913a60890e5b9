"""Does the Laplace posterior say where it is wrong, and are its corrected numbers right where it says so?

Random small networks (tanh, gelu, relu; Gaussian, Bernoulli, categorical data; one or two free units; precisions
1e-4 to 1e4), each against quadrature on a grid that is refined until it does not matter.  Of every problem:

- *Laplace right*: evidence within 0.1 nats, means within 0.1 and standard deviations within 10 % of the posterior's;
- *trusted*: k within its limit and no other mode found;
- *corrected right*: evidence within 4 standard errors (or 0.01 nats), means within 4 of theirs (or 0.05
  posterior standard deviations), standard deviations within 10 %.

What must not be: trusted and not right after correction.

    python benchmarks/laplace_diagnosis.py [--smoke] [--float64] [--output FOLDER]
"""

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from asking import parser_of, question_of
from flax import nnx
from timing import write

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference.posterior import row_log_det
from pcmodel.inference.whitened import objective, unroll
from pcmodel.model.precision import LOG_TWO_PI

ACTIVATIONS = {"tanh": jnp.tanh, "gelu": jax.nn.gelu, "relu": jax.nn.relu}
LIKELIHOODS = {
    "gaussian": None,
    "bernoulli": pcmodel.Bernoulli(),
    "categorical": pcmodel.Categorical(),
}
CASES = (
    ((1, 1), "tanh", "gaussian"),
    ((3, 2), "tanh", "gaussian"),
    ((2, 1, 1), "tanh", "gaussian"),
    ((1, 1, 1), "relu", "gaussian"),
    ((4, 2), "gelu", "gaussian"),
    ((4, 1), "tanh", "bernoulli"),
    ((3, 1, 1), "tanh", "bernoulli"),
    ((4, 2), "gelu", "bernoulli"),
    ((2, 1, 1), "relu", "bernoulli"),
    ((3, 1, 1), "tanh", "categorical"),
    ((4, 2), "tanh", "categorical"),
    ((3, 1), "gelu", "categorical"),
)


@dataclass(frozen=True)
class Config:
    """Sizes; `smoke` measures nothing of interest."""

    problems: int = 60
    num_samples: int = 2000
    span: float = 4.0
    grid: int = 1200
    cases: int = len(CASES)

    @classmethod
    def smoke(cls) -> "Config":
        """Toy size."""
        return cls(4, 200, grid=300, cases=2)


class Truth(NamedTuple):
    """log evidence, means and variances of the free latents; how much every second point changes the first."""

    log_evidence: float
    mean: np.ndarray
    variance: np.ndarray
    error: float


def random_network(rng: np.random.Generator, case, span: float):
    """Weights, biases, log-precisions and prior mean anew; data from the model, so that they fit."""
    widths, activation, likelihood = case
    free = widths if likelihood == "gaussian" else widths[1:]
    precisions = [10 ** rng.uniform(-span, span) for _ in free]
    if likelihood != "gaussian":
        precisions = [None, *precisions]
    layers = [
        pcmodel.Dense(
            above,
            below,
            activation=ACTIVATIONS[activation],
            scale=float(10 ** rng.uniform(-0.3, 0.5)),
            rngs=nnx.Rngs(int(rng.integers(2**31))),
        )
        for below, above in pairwise(widths)
    ]
    options = (
        {} if likelihood == "gaussian" else {"likelihood": LIKELIHOODS[likelihood]}
    )
    network = pcmodel.Network(
        layers,
        widths,
        log_precisions=[None if p is None else float(np.log(p)) for p in precisions],
        **options,
    )
    data = pcmodel.sample(network, jax.random.key(int(rng.integers(2**31))), 1)[0][0]
    return network, np.asarray(data, float)


@jax.jit
def _log_density(problem, points):
    """log p(z, data) of whitened errors (n, free), less what does not depend on them, and their latents."""

    def one(z):
        latents = unroll(problem, z).latents
        levels = problem.structure.gaussian_levels
        units = [
            latents[level][problem.structure.free_units(level)] for level in levels
        ]
        return -objective(problem, z), jnp.concatenate(units)

    return jax.vmap(one)(points)


def quadrature(problem, size: int) -> Truth:
    """On a grid in whitened errors: a box that shrinks to where the density is, then weights by trapezia."""
    free = problem.structure.num_free
    size = size if free == 2 else 20 * size
    low, high = np.full(free, -9.0), np.full(free, 9.0)
    for _ in range(12):
        axes, logs, _ = on_grid(problem, low, high, size // 2 if free == 2 else size)
        kept = logs > logs.max() - 32
        for axis in range(free):
            seen = np.flatnonzero(
                kept.any(axis=tuple(a for a in range(free) if a != axis))
            )
            step = axes[axis][1] - axes[axis][0]
            low[axis] = max(low[axis], axes[axis][seen[0]] - 2 * step)
            high[axis] = min(high[axis], axes[axis][seen[-1]] + 2 * step)
    axes, logs, latents = on_grid(problem, low, high, size)
    cell = float(np.prod([axis[1] - axis[0] for axis in axes]))
    top = logs.max()
    weights = np.exp(logs - top)
    total = np.log(weights.sum() * cell) + top
    every = tuple(slice(None, None, 2) for _ in axes)
    coarse = np.log(weights[every].sum() * cell * 2**free) + top
    share = (weights / weights.sum()).reshape(-1)
    mean = share @ latents
    constant = 0.5 * float(row_log_det(problem))
    rows = unroll(problem, jnp.zeros((free,))).rows.shape[0]
    constant -= 0.5 * (rows + free) * LOG_TWO_PI
    variance = share @ (latents - mean) ** 2
    return Truth(float(total + constant), mean, variance, abs(float(total - coarse)))


def on_grid(problem, low, high, size):
    """Axes, log density on their product, latents (points, units)."""
    axes = [np.linspace(a, b, size) for a, b in zip(low, high, strict=True)]
    mesh = np.meshgrid(*axes, indexing="ij")
    points = np.stack([m.reshape(-1) for m in mesh], axis=1)
    logs, latents = _log_density(problem, jnp.asarray(points))
    shape = tuple(len(axis) for axis in axes)
    return axes, np.asarray(logs, float).reshape(shape), np.asarray(latents, float)


def judged(network, data, truth: Truth, config: Config, seed: int) -> dict[str, Any]:
    """What the package says of one problem, and whether it is so."""
    found = pcmodel.posterior(network, data)
    told = found.diagnose(jax.random.key(seed), config.num_samples)
    structure = found.posed.problem.structure
    spread = np.sqrt(truth.variance)

    def flat(levels):
        levels = structure.gaussian_levels, levels
        return np.concatenate(
            [
                np.asarray(levels[1][level])[structure.free_units(level)]
                for level in levels[0]
            ]
        ).astype(float)

    def right(evidence, error, mean, errors, variance):
        away = np.abs(mean - truth.mean)
        return (
            abs(evidence - truth.log_evidence) <= error,
            bool(np.all(away <= errors)),
            bool(np.all(np.abs(np.sqrt(variance) / spread - 1) <= 0.1)),
        )

    plain = right(
        float(found.log_evidence),
        0.1,
        flat(found.mean),
        0.1 * spread,
        flat(found.variances),
    )
    raw = told.moments
    corrected = right(
        float(told.laplace_log_evidence + told.shares.correction),
        max(4 * float(told.shares.correction_error), 0.01),
        flat(raw.mean),
        np.maximum(4 * flat(raw.errors), 0.05 * spread),
        flat(raw.variances),
    )
    return {
        "converged": bool(found.result.converged),
        "trusted": bool(told.trusted),
        "laplace": plain,
        "corrected": corrected,
        "k": float(told.pareto_shape),
        "share": float(told.effective_share),
        "corrected k": float(told.shares.corrected_shape),
        "elsewhere": float(told.shares.elsewhere),
        "off": float(found.log_evidence) - truth.log_evidence,
        "off_corrected": float(told.laplace_log_evidence + told.shares.correction)
        - truth.log_evidence,
        "error": float(told.shares.correction_error),
        "sd_ratio": (np.sqrt(flat(raw.variances)) / spread).tolist(),
        "mean_away": (
            (flat(raw.mean) - truth.mean) / np.maximum(flat(raw.errors), 1e-12)
        ).tolist(),
    }


def measure(case, config: Config, dtype, place: int) -> dict[str, Any]:
    """Counts of one case, and its faults."""
    counts, faults = Counter(), []
    for number in range(config.problems):
        rng = np.random.default_rng([place, number])
        network, data = random_network(rng, case, config.span)
        problem = jax.tree.map(
            lambda leaf: jnp.asarray(leaf, jnp.float64), pose(network, data).problem
        )
        truth = quadrature(problem, config.grid)
        if truth.error > 1e-3 or not np.isfinite(truth.log_evidence):
            counts["unresolved"] += 1
            continue
        if dtype == jnp.float32:
            network = nnx.merge(*_cast(nnx.split(network), dtype))
        told = judged(network, data, truth, config, number)
        counts["problems"] += 1
        counts["laplace right"] += all(told["laplace"])
        counts["trusted"] += told["trusted"]
        counts["trusted and right"] += told["trusted"] and all(told["corrected"])
        counts["laplace wrong, corrected"] += (
            told["trusted"] and not all(told["laplace"]) and all(told["corrected"])
        )
        counts["laplace right, not trusted"] += (
            all(told["laplace"]) and not told["trusted"]
        )
        if told["trusted"]:
            for what, fine in zip(
                ("evidence", "mean", "spread"), told["corrected"], strict=True
            ):
                counts[f"wrong {what}"] += not fine
            if not all(told["corrected"]):
                faults.append({"number": number} | told)
    return {
        "case": [str(part) for part in case],
        "counts": dict(counts),
        "faults": faults,
    }


def _cast(split, dtype):
    graph, state = split
    return graph, jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), state)


def main() -> None:
    """Measure all cases, print counts, write the JSON."""
    parser = parser_of(__doc__)
    parser.add_argument("--float64", action="store_true")
    parser.add_argument("--problems", type=int)
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    config = Config.smoke() if options.smoke else Config()
    if options.problems:
        config = Config(problems=options.problems)
    dtype = jnp.float64 if options.float64 else jnp.float32
    results, total = [], Counter()
    for place, case in enumerate(CASES[: config.cases]):
        results.append(measure(case, config, dtype, place))
        total.update(results[-1]["counts"])
        print(*case, results[-1]["counts"], flush=True)
        for fault in results[-1]["faults"]:
            print("   ", fault, flush=True)
    print("all", dict(total))
    content = {
        "question": question_of(__doc__),
        "cases": results,
        "total": dict(total),
    }
    write("laplace_diagnosis", content | {"config": asdict(config)}, options.output)


if __name__ == "__main__":
    main()
