"""Do predictive intervals of a learned nonlinear network cover what they promise?

A tanh hierarchy makes data; a network of the same widths, from random weights and precisions of 1, learns from
them, and then half of each held-out example's units are drawn given the other half
(`pcmodel.complete`).  Central intervals of 50, 80 and 95 % should cover the truth that often, to within the binomial error of
whole examples (units of one example err together).  In turn:

- the network that made the data: what the sampler alone may cost;
- learned with persistent chains, weights and precisions: asked to cover;
- learned with Laplace draws;
- learned with every precision left at 1: the control, which should not cover.

The held-out log-likelihood (annealed importance sampling, nats per example) of each stands beside it, as a
paired difference to the network that made the data.

    python benchmarks/predictive_coverage.py [--smoke] [--output FOLDER]
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import jax
import numpy as np
import optax
from asking import parser_of, question_of
from flax import nnx
from timing import write

import pcmodel
from pcmodel.calibration import coverage
from pcmodel.inference import ConjugateGradient, GaussNewton
from pcmodel.learning import (
    Frozen,
    Hmc,
    Learning,
    MovingAverage,
    PointEstimate,
    PosteriorSamples,
)

WIDTHS = (20, 10, 5)
TRUTH = (4.0, 2.0, 1.0)
LEVELS = (0.5, 0.8, 0.95)
ROUNDING = 1e-9
MODE = GaussNewton(ConjugateGradient(), max_iterations=10, tolerance=1e-2)


@dataclass(frozen=True)
class Config:
    """Sizes; `smoke` runs in seconds and measures nothing of interest.

    samples + 1 is a multiple of 40, so that every interval's ends are whole ranks.
    """

    seeds: int = 4
    training: int = 4000
    held_out: int = 300
    epochs: int = 100
    batch_size: int = 500
    samples: int = 199
    weight_scale: float = 1.5

    @classmethod
    def smoke(cls) -> "Config":
        """Toy size."""
        return cls(1, 100, 20, 2, 50, 39)


def tanh_network(scale: float, precisions: tuple[float, ...], seed: int):
    """Every map tanh, the one out of the top included."""
    layers = [
        pcmodel.Dense(above, below, scale=scale, rngs=nnx.Rngs(1000 * seed + place))
        for place, (below, above) in enumerate(pairwise(WIDTHS))
    ]
    return pcmodel.Network(layers, WIDTHS, log_precisions=list(np.log(precisions)))


OPTIMISER = optax.adam(5e-3)
"""One object: another would be another program to compile."""


def learnings() -> dict[str, Learning]:
    """The ways to learn, by name."""
    optimiser = OPTIMISER
    chains = Hmc(num_chains=1, num_leapfrog=6)
    return {
        "chains": Learning(
            optimiser, e_step=chains, precision_step=MovingAverage(0.05)
        ),
        "Laplace": Learning(
            optimiser,
            e_step=PosteriorSamples(1, MODE),
            precision_step=MovingAverage(0.05),
        ),
        "precisions of 1": Learning(
            optimiser, e_step=PointEstimate(MODE), precision_step=Frozen()
        ),
    }


def networks_of(config: Config, seed: int, data: jax.Array) -> dict[str, Callable]:
    """What makes each network, by name; the first is the one that made the data."""

    def learned(learning: Learning):
        begin = tanh_network(1.0, (1.0,) * len(WIDTHS), seed + 500)
        return pcmodel.train(
            begin,
            data,
            key=jax.random.key(seed),
            learning=learning,
            num_epochs=config.epochs,
            batch_size=config.batch_size,
        ).network

    makers: dict[str, Callable] = {
        "truth": lambda: tanh_network(config.weight_scale, TRUTH, seed)
    }
    for name, learning in learnings().items():
        makers[name] = lambda learning=learning: learned(learning)
    return makers


def judge(network, data: np.ndarray, config: Config, seed: int) -> dict[str, Any]:
    """Coverage of the missing half, and held-out log-likelihood."""
    mask = np.arange(WIDTHS[0]) % 2 == 0
    keys = jax.random.split(jax.random.key(seed + 99))
    draws = pcmodel.complete(
        network, data, mask, key=keys[0], num_samples=config.samples
    )
    found = coverage(np.asarray(draws)[:, :, ~mask], data[:, ~mask], LEVELS)
    annealed = pcmodel.log_likelihood(network, data, key=keys[1], num_steps=40)
    precisions = [np.exp(value[...]).tolist() for value in network.log_precision]
    return {
        "coverage": found.share.tolist(),
        "coverage_standard_error": found.standard_error.tolist(),
        "log_likelihood": np.asarray(annealed.log_likelihood).tolist(),
        "median_effective_particles": float(np.median(annealed.effective_sample_size)),
        "precisions": precisions,
    }


def summary(runs: list[dict[str, Any]], truth: list[dict[str, Any]]) -> dict[str, Any]:
    """Over seeds: mean coverage with its standard error, and the paired log-likelihood."""
    share = np.asarray([run["coverage"] for run in runs])
    error = np.asarray([run["coverage_standard_error"] for run in runs])
    spread = np.sqrt((error**2).sum(axis=0)) / len(runs)
    ours = np.concatenate([run["log_likelihood"] for run in runs])
    theirs = np.concatenate([run["log_likelihood"] for run in truth])
    away = ours - theirs
    return {
        "coverage": share.mean(axis=0).tolist(),
        "coverage_standard_error": spread.tolist(),
        "coverage_z": [
            # Where all are covered alike there is no error to tell, but rounding.
            float((mean - level) / error) if error > ROUNDING else None
            for mean, level, error in zip(
                share.mean(axis=0), LEVELS, spread, strict=True
            )
        ],
        "log_likelihood": float(ours.mean()),
        "less_than_truth": float(away.mean()),
        "less_than_truth_standard_error": float(away.std() / np.sqrt(len(away))),
        "runs": [{k: v for k, v in r.items() if k != "log_likelihood"} for r in runs],
    }


def main() -> None:
    """Measure all, print a line each, write the JSON."""
    parser = parser_of(__doc__)
    options = parser.parse_args()
    config = Config.smoke() if options.smoke else Config()
    runs: dict[str, list[dict[str, Any]]] = {}
    for seed in range(config.seeds):
        true = tanh_network(config.weight_scale, TRUTH, seed)
        total = config.training + config.held_out
        data = pcmodel.sample(true, jax.random.key(seed), total)[0]
        held_out = np.asarray(data[config.training :])
        makers = networks_of(config, seed, data[: config.training])
        for name, make in makers.items():
            found = judge(make(), held_out, config, seed)
            runs.setdefault(name, []).append(found)
            shown = {k: v for k, v in found.items() if k != "log_likelihood"}
            mean = np.mean(found["log_likelihood"])
            print(seed, name, shown, f"log p {mean:.3f}", flush=True)
        # Written after each seed: what is measured is not lost.
        cases = {name: summary(each, runs["truth"]) for name, each in runs.items()}
        content = {"question": question_of(__doc__), "cases": cases}
        content |= {"levels": LEVELS, "widths": WIDTHS, "truth": TRUTH}
        content |= {"config": asdict(config)}
        write("predictive_coverage", content, options.output)


if __name__ == "__main__":
    main()
