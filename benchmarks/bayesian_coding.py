"""By how much are the precisions of Bayesian predictive coding biased, which learns them from modes of the latents?

Bayesian predictive coding (Tschantz et al. 2025, arXiv 2503.24016) holds a matrix-normal-Wishart posterior over the weights
and the noise precision of every layer, and represents the hidden states by their mode.  Here it is implemented from its
model, in NumPy, and given the hierarchies and data of `precision_recovery.py`:

- weights known: the most favourable case, in which no weight has to be learned and no scale is free.  Each level has one
  precision with a conjugate (gamma) prior of mean 1 that counts as `prior` examples;
- weights learned: matrix-normal-Wishart throughout, begun at the true weights; only level 0 is told, whose precision the
  data identify whatever the scale of hidden levels.

Beside it, on the same data and with the same prior and M-step: the covariance of each example's latents (Laplace; exact in
the linear hierarchies) added to the squares of its errors, which is all that a point estimate leaves out; and, for the
nonlinear ones, what persistent chains found there (`results/precision_recovery.json`, same data, no prior).

Ratios are of learned to true precision; 1 is right.

    python benchmarks/bayesian_coding.py [--seeds 0 1 2] [--smoke] [--output FOLDER]
"""

import json
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from asking import RESULTS, parser_of, question_of
from precision_recovery import CASES, Config, simulate
from timing import write

PRIORS = (1.0, 100.0)
"""Examples that a prior of mean 1 counts as."""
ROUNDS, TOLERANCE = 60, 1e-3
NEWTON = 6


class Hierarchy(NamedTuple):
    """x_l = W_l f(x_{l+1}) + e_l, bottom first; f is tanh or the identity.

    weights: of each map.
    bend: whether f is tanh.
    data: (examples, width of level 0).
    """

    weights: list[np.ndarray]
    bend: bool
    data: np.ndarray

    def f(self, x: np.ndarray) -> np.ndarray:
        """What a map reads of a latent."""
        return np.tanh(x) if self.bend else x

    def slope(self, x: np.ndarray) -> np.ndarray:
        """Derivative of `f`."""
        return 1 - np.tanh(x) ** 2 if self.bend else np.ones_like(x)


class Modes(NamedTuple):
    """Modes of all examples.

    latents: of every level, (examples, width).
    spread: of every level, sum over examples of the covariance of its error, (width, width), by Laplace.
    """

    latents: list[np.ndarray]
    spread: list[np.ndarray]


def modes(
    model: Hierarchy,
    precisions: list[np.ndarray],
    start: list[np.ndarray],
    doubt: list[np.ndarray] | None = None,
) -> Modes:
    """Damped Gauss-Newton on all free latents of every example.

    precisions: matrices, of every level.
    doubt: of every map, the curvature d E[...] that uncertain weights add to what it reads, (above, above).
    """
    latents, widths = list(start), [len(matrix) for matrix in precisions]
    ends = np.cumsum([0, *widths[1:]])
    free = [slice(a, b) for a, b in pairwise(ends)]
    energy = energies(model, precisions, latents, doubt)
    for _ in range(NEWTON if model.bend else 2):
        gradient, hessian = expansion(model, precisions, latents, free, doubt)
        step = -np.linalg.solve(hessian, gradient[..., None])[..., 0]
        size, worse = np.ones((len(model.data), 1)), np.ones(len(model.data), bool)
        tried, new = latents, energy
        for _ in range(8):  # halved where the energy would rise
            tried = [latents[0]] + [
                latents[i + 1] + size * step[:, at] for i, at in enumerate(free)
            ]
            new = energies(model, precisions, tried, doubt)
            worse = new > energy + 1e-9 * np.abs(energy)
            if not worse.any():
                break
            size = np.where(worse[:, None], size / 2, size)
        keep = ~worse
        latents = [
            np.where(keep[:, None], t, x) for t, x in zip(tried, latents, strict=True)
        ]
        energy = np.where(keep, new, energy)
    _, hessian = expansion(model, precisions, latents, free, doubt)
    return Modes(latents, spreads(model, latents, np.linalg.inv(hessian), free))


def energies(model, precisions, latents, doubt) -> np.ndarray:
    """Of every example."""
    total = np.zeros(len(model.data))
    for level, error in enumerate(errors(model, latents)):
        total += 0.5 * np.einsum("ni,ij,nj->n", error, precisions[level], error)
    for level, extra in enumerate(doubt or []):
        read = model.f(latents[level + 1])
        total += 0.5 * np.einsum("ni,ij,nj->n", read, extra, read)
    return total


def errors(model: Hierarchy, latents: list[np.ndarray]) -> list[np.ndarray]:
    """Latent minus prediction of every level; the top is predicted to be 0."""
    found = [
        x - model.f(above) @ weight.T
        for x, above, weight in zip(
            latents[:-1], latents[1:], model.weights, strict=True
        )
    ]
    return [*found, latents[-1]]


def expansion(model, precisions, latents, free, doubt):
    """Gradient (examples, free) and Gauss-Newton Hessian (examples, free, free)."""
    size, number = free[-1].stop, len(model.data)
    gradient, hessian = np.zeros((number, size)), np.zeros((number, size, size))
    for level, error in enumerate(errors(model, latents)):
        own = precisions[level]
        pull = error @ own
        if level:
            here = free[level - 1]
            gradient[:, here] += pull
            hessian[:, here, here] += own
        if level == len(model.weights):
            continue
        above, slope = free[level], model.slope(latents[level + 1])
        jacobian = model.weights[level][None] * slope[:, None]
        gradient[:, above] -= np.einsum("ni,nij->nj", pull, jacobian)
        weighted = own @ jacobian
        hessian[:, above, above] += np.swapaxes(jacobian, 1, 2) @ weighted
        if level:
            hessian[:, here, above] -= weighted
            hessian[:, above, here] -= np.swapaxes(weighted, 1, 2)
        if doubt is not None:
            read = model.f(latents[level + 1])
            gradient[:, above] += slope * (read @ doubt[level])
            hessian[:, above, above] += (
                slope[:, :, None] * doubt[level] * slope[:, None]
            )
    return gradient, hessian


def spreads(model, latents, covariance, free) -> list[np.ndarray]:
    """Sum over examples of J C J', J the derivative of a level's error."""
    found = []
    for level in range(len(latents)):
        width = latents[level].shape[1]
        jacobian = np.zeros((len(model.data), width, free[-1].stop))
        if level:
            jacobian[:, :, free[level - 1]] = np.eye(width)
        if level < len(model.weights):
            slope = model.slope(latents[level + 1])
            jacobian[:, :, free[level]] = -model.weights[level][None] * slope[:, None]
        spread = jacobian @ covariance
        found.append(np.tensordot(spread, jacobian, axes=([0, 2], [0, 2])))
    return found


def learned(model: Hierarchy, widths, prior: float, *, spread: bool) -> dict[str, Any]:
    """One precision a level with known weights: rounds of modes and of the gamma posterior's mean."""
    number, values = len(model.data), np.ones(len(widths))
    latents = [model.data, *(np.zeros((number, width)) for width in widths[1:])]
    rounds = 0
    while rounds < ROUNDS:
        rounds += 1
        matrices = [v * np.eye(w) for v, w in zip(values, widths, strict=True)]
        found = modes(model, matrices, latents)
        latents, before = found.latents, values
        squares = [np.sum(error**2) for error in errors(model, latents)]
        if spread:
            squares = [
                s + np.trace(c) for s, c in zip(squares, found.spread, strict=True)
            ]
        sizes = np.asarray(widths)
        values = sizes * (number + prior) / (np.asarray(squares) + prior * sizes)
        if np.max(np.abs(np.log(values / before))) < TOLERANCE:
            break
    return {"precisions": values.tolist(), "rounds": rounds, "settled": rounds < ROUNDS}


def learned_weights(model: Hierarchy, widths, top: float) -> dict[str, Any]:
    """Matrix-normal-Wishart posteriors of every map, from modes; the top's precision known."""
    number = len(model.data)
    latents = [model.data, *(np.zeros((number, width)) for width in widths[1:])]
    precisions = [np.eye(width) for width in widths[:-1]] + [top * np.eye(widths[-1])]
    doubt = [np.zeros((width, width)) for width in widths[1:]]
    level0 = 1.0
    for round_ in range(1, ROUNDS + 1):
        latents = modes(model, precisions, latents, doubt).latents
        weights = []
        for level, width in enumerate(widths[:-1]):
            read, x = model.f(latents[level + 1]), latents[level]
            inside = np.eye(widths[level + 1]) + read.T @ read
            mean = np.linalg.solve(inside, read.T @ x).T
            degrees = width + 2 + number
            scale = (width + 2) * np.eye(width) + x.T @ x - mean @ inside @ mean.T
            precisions[level] = degrees * np.linalg.inv(scale)
            doubt[level] = width * np.linalg.inv(inside)
            weights.append(mean)
        model = model._replace(weights=weights)
        before, level0 = level0, widths[0] / np.trace(np.linalg.inv(precisions[0]))
        if abs(np.log(level0 / before)) < TOLERANCE and round_ > 5:
            break
    return {"level0": float(level0), "rounds": round_, "settled": round_ < ROUNDS}


def hierarchy(name: str, seed: int, config: Config, *, bend: bool) -> Hierarchy:
    """The data of `precision_recovery.py`, or of the same maps without tanh and with half the weights."""
    widths, truth = CASES[name]
    simulated = simulate(widths, truth, config, seed)
    layers = simulated.pure.weights["layers"]
    weights = [np.asarray(layer["weight"], float) for layer in layers]
    if bend:
        return Hierarchy(weights, True, np.asarray(simulated.data, float))
    weights, rng = [weight / 2 for weight in weights], np.random.default_rng(seed)
    x = rng.normal(size=(config.examples, widths[-1])) / truth[-1] ** 0.5
    for weight, value in zip(reversed(weights), reversed(truth[:-1]), strict=True):
        x = x @ weight.T + rng.normal(size=(len(x), len(weight))) / value**0.5
    return Hierarchy(weights, False, x)


def chains(name: str) -> list[list[float]] | None:
    """What `precision_recovery.py` found by chains, by seed; None where it is not measured."""
    path = RESULTS / "precision_recovery.json"
    if not path.exists():
        return None
    case = json.loads(path.read_text("utf-8"))["cases"].get(name)
    return None if case is None else [run["precisions"] for run in case["runs"]]


def measure(
    name: str, seeds: list[int], config: Config, *, bend: bool
) -> dict[str, Any]:
    """One hierarchy over seeds."""
    widths, truth = CASES[name]
    told: dict[str, Any] = {"truth": truth, "widths": widths, "seeds": seeds}
    runs: dict[str, list[Any]] = {}
    for seed in seeds:
        model = hierarchy(name, seed, config, bend=bend)
        for prior in PRIORS:
            for way, spread in (("modes", False), ("with covariance", True)):
                found = learned(model, widths, prior, spread=spread)
                runs.setdefault(f"{way}, prior of {prior:g} examples", []).append(found)
        runs.setdefault("modes, weights learned", []).append(
            learned_weights(model, widths, truth[-1])
        )
    for way, found in runs.items():
        key = "level0" if "level0" in found[0] else "precisions"
        values = np.array([np.atleast_1d(one[key]) for one in found])
        ratio = np.exp(
            np.mean(np.log(values / np.array(truth)[: values.shape[1]]), axis=0)
        )
        told[way] = {"ratio_to_truth": ratio.tolist(), "runs": found}
        print(f"  {way}: {np.round(ratio, 3).tolist()}", flush=True)
    if bend and (by_chain := chains(name)) is not None and config != Config.smoke():
        ratio = np.exp(np.mean(np.log(np.array(by_chain) / truth), axis=0))
        told["chains, no prior"] = {"ratio_to_truth": ratio.tolist()}
        print(f"  chains, no prior: {np.round(ratio, 3).tolist()}", flush=True)
    return told


def main() -> None:
    """Measure, print a line a way, write the JSON after each case."""
    parser = parser_of(__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--cases", nargs="+", choices=list(CASES), default=list(CASES)[:2]
    )
    options = parser.parse_args()
    config = Config.smoke() if options.smoke else Config()
    if options.smoke:
        options.seeds, options.cases = [0], options.cases[:1]
    cases: dict[str, Any] = {}
    for name in options.cases:
        for bend in (False, True):
            label = f"{name}, {'tanh' if bend else 'linear'}"
            print(label, CASES[name], flush=True)
            cases[label] = measure(name, options.seeds, config, bend=bend)
            content = {
                "question": question_of(__doc__),
                "examples": config.examples,
                "cases": cases,
            }
            write("bayesian_coding", content, options.output)


if __name__ == "__main__":
    main()
