"""How much faster is GaussNewton than a tuned StateDescent, to 1e-3 nats of excess?

A digits hierarchy 64-128-64-10 (tanh, weights trained with labels at the top) perceives
held-out images from the top-down sweep, under three sets of precisions: learned, a
precise top (1, 10, 100, 1000 from the bottom) and a precise bottom (1000, 100, 10, 1).

`StateDescent` is tuned for each: step size times momentum (heavy ball and Nesterov) and
Adam's rate, and the setting that needs the fewest steps is timed for exactly that many
steps, with no convergence checks: a number of steps known in hindsight, which favours
it.  `GaussNewton`, as it is by default and with conjugate gradients, is timed for the number of
iterations it needs (same rule: where its secant steps arrive, those steps alone), and as a
user calls it, stopping by itself.  Excess energy is measured in double precision, per
image above the mode that each run ends in; the competitors run in single precision, in
turns, compilation apart.

    python benchmarks/inference_speed.py [--smoke] [--output FOLDER]
"""

import json
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
from asking import parser_of, question_of
from descent_tuning import (
    TARGET,
    Search,
    cast,
    mean_excess,
    start_of,
    tune,
)
from flax import nnx
from timing import interleaved, write

import pcmodel
from pcmodel.api.batching import over_examples
from pcmodel.api.infer import run_inference
from pcmodel.api.pose import Posed, pose
from pcmodel.data.digits import load_digits_split, one_hot
from pcmodel.inference import ConjugateGradient, GaussNewton, StateDescent
from pcmodel.inference.linear.dual_primal import choose, factor_once
from pcmodel.inference.solvers.descent import descend_steps
from pcmodel.inference.solvers.gauss_newton import WARM_START
from pcmodel.inference.solvers.lbfgs import secant_descent
from pcmodel.learning.em import Learning

WIDTHS = (64, 128, 64, 10)
HELD = 10
"""Programs of one search that are held in memory at a time."""
NEWTONS = {
    "GaussNewton": GaussNewton(),
    "GaussNewton by conjugate gradients": GaussNewton(ConjugateGradient()),
}


@dataclass(frozen=True)
class Config:
    """Sizes; `smoke` runs in seconds and measures nothing of interest."""

    images: int = 100
    epochs: int = 20
    rounds: int = 15
    search: Search = field(default_factory=Search)
    most_iterations: int = 100

    @classmethod
    def smoke(cls) -> "Config":
        """Toy size."""
        return cls(4, 1, 2, Search(2, 40, (0.9,), (0.5,), (0.03,)), 4)


def cases(config: Config, seed: int) -> dict[str, Posed]:
    """The three inference problems on the same held-out images."""
    digits = load_digits_split()
    network = pcmodel.dense(WIDTHS, precisions=(10.0,) * 4, rngs=nnx.Rngs(seed))
    trained = pcmodel.train(
        network,
        digits.train_images,
        clamp={"top": one_hot(digits.train_labels)},
        key=jax.random.key(seed),
        learning=Learning(variance_floor=0.01),
        num_epochs=config.epochs,
    ).network
    posed = pose(trained, digits.test_images[: config.images])
    by_hand = {
        "precise top": (1.0, 10.0, 100.0, 1000.0),
        "precise bottom": (1000.0, 100.0, 10.0, 1.0),
    }
    return {
        "learned precisions": posed,
        **{name: with_precisions(posed, values) for name, values in by_hand.items()},
    }


def with_precisions(posed: Posed, precisions: tuple[float, ...]) -> Posed:
    """The same problem with one precision per level set by hand."""
    dtype = posed.problem.inputs.gains[0].dtype
    log_precisions = tuple(jnp.log(jnp.asarray(p, dtype)) for p in precisions)
    inputs = posed.problem.inputs._replace(log_precisions=log_precisions)
    return Posed(type(posed.problem)(posed.problem.structure, inputs), posed.batching)


@partial(jax.jit, static_argnames=("optimiser", "batching", "num_steps"))
def descend_only(problem, *, optimiser, batching, num_steps):
    """What is timed: the steps and nothing else."""

    def one(problem):
        coordinates = StateDescent.coordinates(problem)
        start = coordinates.from_whitened(start_of(problem))
        solver = StateDescent(optimiser)
        return coordinates.to_whitened(descend_steps(solver, problem, start, num_steps))

    return over_examples(one, problem, batching=batching)


def iterations_needed(posed: Posed, solver: GaussNewton, most: int) -> int:
    """Fewest Gauss-Newton iterations whose mean excess is at the target; `most` if no fewer."""
    for iterations in range(1, most):
        found = run_inference(posed, replace(solver, max_iterations=iterations))
        if mean_excess(posed, found.whitened) <= TARGET:
            return iterations
        # Each number of iterations is a program of its own, with hundreds of memory maps, of which
        # Linux lets a process have 65,530.
        if iterations % HELD == 0:
            jax.clear_caches()
    return most


def compare(posed: Posed, config: Config) -> dict[str, Any]:
    """Tune, then time the competitors in turns, in single precision."""
    single = cast(posed, jnp.float32)
    setting, steps, arrives = tune(posed, config.search)
    iterations = {
        name: iterations_needed(single, solver, config.most_iterations)
        for name, solver in NEWTONS.items()
    }
    descent = partial(
        descend_only,
        single.problem,
        optimiser=setting.optimiser(),
        batching=single.batching,
        num_steps=steps,
    )
    competitors = {"StateDescent, tuned": descent}
    for name, solver in NEWTONS.items():
        enough = iterations[name]
        competitors[f"{name}, to target"] = partial(
            newton_only,
            single.problem,
            solver=replace(solver, max_iterations=enough),
            batching=single.batching,
            secant_only=solver.linear_solver is None and enough <= WARM_START,
        )
        competitors[f"{name}, as called"] = partial(newton, single, solver)
    jax.clear_caches()
    seconds = interleaved(competitors, config.rounds)
    baseline = seconds["StateDescent, tuned"]["median"]
    return {
        "state_descent": {
            **setting._asdict(),
            "steps": steps,
            "reaches_target": arrives,
            "gflops": gradient_flops(posed) * steps / baseline / 1e9,
        },
        "gauss_newton_iterations": iterations,
        "seconds": seconds,
        "mean_excess_energy": {
            name: mean_excess(posed, call()) for name, call in competitors.items()
        },
        "time_over_state_descent": {
            name: times["median"] / baseline for name, times in seconds.items()
        },
    }


@partial(jax.jit, static_argnames=("solver", "batching", "secant_only"))
def newton_only(problem, *, solver, batching, secant_only):
    """What is timed: the iterations and nothing else (no latents, no energy of the result)."""

    def one(problem):
        start = start_of(problem)
        if not secant_only:
            return solver.minimise(problem, start).whitened
        outputs = problem.structure.model.widths[0]
        factor = factor_once(problem, start, choose(problem.structure, outputs))
        steps = solver.max_iterations
        end = secant_descent(problem, start, factor, tolerance=0.0, max_steps=steps)
        return end.whitened

    return over_examples(one, problem, batching=batching)


def newton(posed: Posed, solver: GaussNewton) -> jax.Array:
    """The mode a Gauss-Newton solver ends in."""
    return run_inference(posed, solver).whitened


def gradient_flops(posed: Posed) -> float:
    """Matrix multiplications and additions of one gradient step of the whole batch."""
    weights = sum(a * b for a, b in pairwise(WIDTHS))
    return 4.0 * weights * (posed.batch_size or 1)


def main() -> None:
    """Measure all cases, print a line each, write the JSON."""
    parser = parser_of(__doc__)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    config = Config.smoke() if options.smoke else Config()
    jax.config.update("jax_enable_x64", True)
    results = {}
    question = question_of(__doc__)
    for name, posed in cases(config, options.seed).items():
        results[name] = compare(posed, config)
        print(name, json.dumps(results[name]["state_descent"]))
        for competitor, ratio in results[name]["time_over_state_descent"].items():
            print(f"  {ratio:6.3f} of the time  {competitor}", flush=True)
        # Written after each case: what is measured is not lost.
        content = {"question": question, "target": TARGET, "cases": results}
        content["config"] = asdict(config)
        print(write("inference_speed", content, options.output))


if __name__ == "__main__":
    main()
