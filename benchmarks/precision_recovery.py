"""Are the precisions of nonlinear hierarchies found that made the data?

Tanh hierarchies of three and four levels, precisions falling and rising towards the top, weights held at
the truth (random, fixed by the seed; scaled so that the mean slope of tanh at the latents, reported, is well
below 1).  From data alone and from precisions of 1 everywhere each level's precision is learned by

- persistent Hamiltonian chains and natural gradient (a standard error is reported of settled levels only): asked to
  end within 5 % of the truth, or within two standard
  errors (from the observed information: the data's own sampling error, about which nothing can be done).
  Over all runs the squared distance in standard errors (Wald) should average the number of levels;
- the same chains and closed-form EM: how far it is after as many steps;
- Laplace draws and closed-form EM, from the first 500 examples: biased; the bias is what is reported;
- modes alone: divergence is what is reported.

Steps: after how many all levels stay within 5 % or two standard errors of the truth (null if never).
`imbalance` is the mean difference of the two scores of the last steps, as a change of the
log-precision; zero where the chains have reached the posterior.

    python benchmarks/precision_recovery.py [--smoke] [--output FOLDER]
"""

import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from asking import parser_of, question_of
from flax import nnx
from timing import write

import pcmodel
from pcmodel.api.pose import pose
from pcmodel.inference import ConjugateGradient, GaussNewton
from pcmodel.learning import (
    ClosedForm,
    Hmc,
    Learning,
    NaturalGradient,
    PointEstimate,
    PosteriorSamples,
    settling,
)
from pcmodel.learning.loop import learn
from pcmodel.model.problem import Structure
from pcmodel.networks.pure import PureNetwork, as_model

CASES = {
    "three levels, falling": ((20, 10, 5), (4.0, 2.0, 1.0)),
    "three levels, rising": ((20, 10, 5), (1.0, 2.0, 4.0)),
    "four levels, falling": ((30, 20, 10, 5), (5.0, 4.0, 3.0, 1.0)),
    "four levels, rising": ((30, 20, 10, 5), (1.0, 3.0, 4.0, 5.0)),
}
TOLERANCE = 0.05
FEWER = 500
"""Examples given to Laplace draws: factors of larger batches can wait for each other for ever on a CPU."""
HELD = optax.set_to_zero()
"""One object: another would be another program to compile."""
MODE = GaussNewton(ConjugateGradient(), max_iterations=10, tolerance=1e-2)


@dataclass(frozen=True)
class Config:
    """Sizes; `smoke` runs in seconds and measures nothing of interest."""

    examples: int = 2000
    seeds: int = 3
    steps: int = 200
    burn_in: int = 20
    settle: int = 90
    weight_scale: float = 1.5
    cases: tuple[str, ...] = tuple(CASES)

    @classmethod
    def smoke(cls) -> "Config":
        """Toy size."""
        return cls(50, 1, 6, 1, 4, cases=("three levels, falling",))


class Simulated(NamedTuple):
    """A true network and data of it."""

    pure: PureNetwork
    structure: Structure
    data: jax.Array
    slopes: list[float]


def simulate(
    widths: tuple[int, ...], truth: tuple[float, ...], config: Config, seed: int
) -> Simulated:
    """Every map is tanh, the one out of the top included."""
    layers = [
        pcmodel.Dense(above, below, scale=config.weight_scale, rngs=nnx.Rngs(place))
        for place, (below, above) in enumerate(pairwise(widths), start=100 * seed)
    ]
    network = pcmodel.Network(
        layers, widths, log_precisions=[np.log(value) for value in truth]
    )
    latents = pcmodel.sample(network, jax.random.key(seed), config.examples)
    slopes = [float(jnp.mean(1 - jnp.tanh(latent) ** 2)) for latent in latents[1:]]
    structure = pose(network, np.asarray(latents[0])).problem.structure
    return Simulated(as_model(network), structure, latents[0], slopes)


def run(simulated: Simulated, learning: Learning, steps: int, seed: int):
    """Final state and curve of full-batch steps from precisions of 1."""
    examples, levels = len(simulated.data), len(simulated.pure.model.widths)
    empty = jnp.zeros((examples, 0))
    return learn(
        simulated.structure,
        simulated.pure.weights,
        tuple(jnp.zeros(()) for _ in range(levels)),
        (simulated.data, *(empty for _ in range(levels - 1))),
        jax.random.key(seed),
        learning=learning,
        num_epochs=steps,
        batch_size=examples,
    )


def holding_weights(e_step, precision_step) -> Learning:
    """Learning of precisions alone."""
    return Learning(HELD, e_step=e_step, precision_step=precision_step)


def recover(simulated: Simulated, truth: np.ndarray, config: Config, seed: int):
    """One run of what is recommended."""
    step = NaturalGradient(burn_in=config.burn_in, settle=config.settle)
    started = time.perf_counter()
    state, curve = run(simulated, holding_weights(Hmc(), step), config.steps, seed)
    seconds = time.perf_counter() - started
    examples = len(simulated.data)
    levels = [level for level in settling(state.precision, examples) if level]
    settled = np.asarray([bool(level.settled) for level in levels])
    errors = np.asarray([float(level.error) for level in levels])
    away = curve.log_precisions - np.log(truth)
    allowed = np.maximum(np.log1p(TOLERANCE), 2 * errors)
    outside = np.flatnonzero(np.any(np.abs(away) > allowed, axis=1))
    arrived = int(outside[-1]) + 2 if len(outside) else 1
    information = np.asarray(state.precision.information) * examples
    widths = np.asarray(simulated.pure.model.widths)
    imbalance = [float(level.difference) for level in state.precision.levels]
    return {
        "precisions": np.exp(curve.log_precisions[-1]).tolist(),
        "settled": settled.tolist(),
        "relative_standard_errors": [
            float(e) if kept and np.isfinite(e) else None
            for e, kept in zip(errors, settled, strict=True)
        ],
        "wald": float(away[-1] @ information @ away[-1]),
        "within": (np.abs(away[-1]) <= allowed).tolist(),
        "steps": arrived if arrived <= config.steps else None,
        "share_of_information": np.linalg.eigvalsh(
            information / examples / np.sqrt(np.outer(widths / 2, widths / 2))
        ).tolist(),
        "imbalance": (np.asarray(imbalance) / (widths / 2)).tolist(),
        "acceptance": float(curve.acceptance[-1]),
        "mean_slope_of_tanh": simulated.slopes,
        "seconds": seconds,
    }


def rivals(simulated: Simulated, truth: np.ndarray, config: Config, seed: int):
    """What else one might do, for as many steps as the natural gradient is given."""
    learnings = {
        "chains, closed form": (Hmc(num_chains=1), ClosedForm(), config.steps),
        "Laplace, closed form": (
            PosteriorSamples(2, MODE),
            ClosedForm(),
            config.steps,
        ),
        "modes, closed form": (PointEstimate(MODE), ClosedForm(), 30),
    }
    results = {}
    for name, (e_step, precision_step, steps) in learnings.items():
        learning = holding_weights(e_step, precision_step)
        fewer = simulated._replace(data=simulated.data[:FEWER])
        given = fewer if isinstance(e_step, PosteriorSamples) else simulated
        _, curve = run(given, learning, steps, seed)
        precisions = np.exp(np.minimum(curve.log_precisions, 80.0))
        results[name] = {
            "precisions": precisions[-1].tolist(),
            "ratio_to_truth": (precisions[-1] / truth).tolist(),
            "steps": len(precisions),
            "ended_without_a_finite_energy": curve.stopped_early,
        }
    return results


def measure(name: str, config: Config) -> dict[str, Any]:
    """All seeds of one case; the rivals on the first."""
    widths, values = CASES[name]
    truth = np.asarray(values)
    runs, others = [], {}
    for seed in range(config.seeds):
        simulated = simulate(widths, values, config, seed)
        runs.append(recover(simulated, truth, config, seed))
        print(f"  seed {seed}", {k: _short(runs[-1][k]) for k in SHOWN}, flush=True)
        if seed == 0:
            others = rivals(simulated, truth, config, seed)
            for rival, result in others.items():
                print(f"  {rival}:", _short(result["precisions"]), flush=True)
    found = np.asarray([each["precisions"] for each in runs])
    return {
        "widths": widths,
        "truth": values,
        "runs": runs,
        "mean": found.mean(axis=0).tolist(),
        "mean_ratio_to_truth": (found / truth).mean(axis=0).tolist(),
        "share_within": float(np.mean([each["within"] for each in runs])),
        "mean_wald_per_level": float(np.mean([r["wald"] for r in runs]) / len(truth)),
        "rivals": others,
    }


SHOWN = ("precisions", "relative_standard_errors", "steps", "wald", "seconds")


def _short(value):
    if isinstance(value, list):
        return [_short(each) for each in value]
    return None if value is None else round(value, 3)


def main() -> None:
    """Measure all cases, print a line a run, write the JSON."""
    parser = parser_of(__doc__)
    options = parser.parse_args()
    config = Config.smoke() if options.smoke else Config()
    results = {}
    for name in config.cases:
        print(name, CASES[name], flush=True)
        results[name] = measure(name, config)
        # Written after each case: what is measured is not lost.
        content = {"question": question_of(__doc__), "cases": results}
        write(
            "precision_recovery", content | {"config": asdict(config)}, options.output
        )


if __name__ == "__main__":
    main()
