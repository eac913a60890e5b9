"""How well, and at what price, does predictive coding classify, its backprop twin beside it?

A shipped configuration and its twin (the same network, data, order, optimiser and schedule; the gradient by
backpropagation) train on the same loop, a part of an epoch in turns, over several seeds.  Told for
both: accuracy on the test images with its standard error, expected calibration error as it is and with
the label's precision scaled by one number found on validation images, seconds per epoch, and
seconds of training until the test accuracy first passes the target.  So that nobody mistakes one for the other,
for predictive coding also: the energy that its E-step leaves above the mode, and the cosine of its
weights' gradient with backpropagation's and with that of the converged equilibrium, before, during and
after training.

Time is of training alone: compiling is apart, evaluation is not counted.

    python benchmarks/classification.py mnist_mlp --folder DATA [--seeds 0 1 2] [--epochs N] [--add] [--smoke]

`--add` keeps the file's other seeds of the same plan, so that seeds can be trained one by one.
"""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from asking import parser_of, question_of
from scipy.optimize import minimize_scalar
from timing import write

from pcmodel.calibration import expected_calibration_error
from pcmodel.cli.options import configure
from pcmodel.data.images import ImageData, load_images
from pcmodel.errors import UserError
from pcmodel.inference import GaussNewton
from pcmodel.inference.linear.dual_primal import ConjugateGradient
from pcmodel.inference.whitened import objective
from pcmodel.learning.e_step import PointEstimate, sweep_start
from pcmodel.learning.em import LearningState, problem_of
from pcmodel.learning.loop import Position, chunks, run_chunk
from pcmodel.learning.rules import Backpropagation, Equilibrium, RuleContext
from pcmodel.networks.pure import as_model
from pcmodel.record.environment import environment
from pcmodel.runtime.contents import Static
from pcmodel.runtime.matmul_precision import matrix_products
from pcmodel.training.evaluation.evaluate import evaluate
from pcmodel.training.plan import TrainingPlan
from pcmodel.training.setup import TrainingSetup, network_of, prepare
from pcmodel.training.shipped import locate_plan

CONVERGED = PointEstimate(GaussNewton(ConjugateGradient(200), max_iterations=30))
TARGETS = {"mnist": 0.975, "cifar10": 0.5, "cifar100": 0.25, "digits": 0.9}
"""Test accuracy to which time is told."""


class Run(NamedTuple):
    """One competitor of one seed as it trains."""

    setting: TrainingSetup
    state: LearningState
    seconds: list[float]
    accuracy: list[float]


def competitors(plan: TrainingPlan) -> dict[str, TrainingPlan]:
    """The plan and its twin."""
    learning = replace(plan.learning, rule="backprop", precision_rate=0.0)
    return {
        "predictive coding": plan,
        "backprop twin": replace(plan, learning=learning),
    }


def advance(run: Run, start: Position, size: int) -> tuple[Run, float]:
    """Train on some batches; the seconds it took."""
    setting = run.setting
    began = time.perf_counter()
    state, info = run_chunk(
        run.state,
        setting.examples,
        jax.random.fold_in(setting.key, start.epoch),
        jnp.asarray(start.batch),
        jnp.asarray(size),
        structure=setting.structure,
        learning=Static(setting.learning),
        batch_size=setting.plan.batch_size,
        prepare=Static(setting.preparation),
    )
    if not np.isfinite(info.energy):
        raise SystemExit("the energy is not finite: nothing was written")
    return run._replace(state=state), time.perf_counter() - began


def train(
    plan: TrainingPlan, data: ImageData, seed: int, parts: int, diagnosed_images: int
) -> dict[str, Any]:
    """Both competitors of one seed, a part of an epoch in turns."""
    runs = {
        name: Run(setting, copy(setting.state), [], [])
        for name, each in competitors(plan).items()
        for setting in [prepare(each, seed, data)]
    }
    setting = runs["predictive coding"].setting

    def look(epoch: float, state: LearningState) -> dict[str, Any]:
        return {"epoch": epoch, **diagnose(setting, state, diagnosed_images)}

    diagnosed = [look(0.0, setting.state)]
    walk = list(chunks(Position(), plan.epochs, setting.batches, parts))
    compiling = {}
    for name, run in runs.items():
        began = time.perf_counter()
        advance(run._replace(state=copy(run.state)), Position(), 1)
        compiling[name] = time.perf_counter() - began
    for start, size, end in walk:
        for name, run in runs.items():
            run, seconds = advance(run, start, size)
            run.seconds.append(seconds)
            run.accuracy.append(accuracy_of(run).accuracy)
            runs[name] = run
        if end.batch == 0 and end.epoch in (1, plan.epochs):
            state = runs["predictive coding"].state
            diagnosed.append(look(float(end.epoch), state))
        done = end.epoch + end.batch / setting.batches
        told = ", ".join(f"{n} {r.accuracy[-1]:.4f}" for n, r in runs.items())
        print(f"  seed {seed}, epoch {done:.2f}: {told}", flush=True)
    target = TARGETS[data.name]
    return {
        "seed": seed,
        "runs": {
            name: summary(run, target, compiling[name]) for name, run in runs.items()
        },
        "e_step": diagnosed,
        "git_revision": environment()["git_revision"],
        "device": environment()["device"],
    }


def copy(tree: Any) -> Any:
    """Buffers of their own, since training gives its state away."""
    return jax.tree.map(jnp.copy, tree)


def accuracy_of(run: Run):
    """On the test images."""
    network = as_model(network_of(run.setting, run.state))
    return evaluate(network, run.setting.split.test, run.setting.preparation)


def summary(run: Run, target: float, compiling: float) -> dict[str, Any]:
    """What is told of one trained network."""
    network = as_model(network_of(run.setting, run.state))
    final = {
        name: evaluate(network, part, run.setting.preparation)
        for name, part in (
            ("test", run.setting.split.test),
            ("validation", run.setting.split.validation),
        )
    }
    labels = np.asarray(run.setting.split.test.labels)
    clock = np.cumsum(run.seconds)
    sharper = temperature(final["validation"].scores, run.setting.split.validation)
    passed = np.flatnonzero(np.asarray(run.accuracy) >= target)
    return {
        **{
            f"{name}_{what}": getattr(found, what)
            for name, found in final.items()
            for what in ("accuracy", "standard_error", "num")
        },
        "expected_calibration_error": float(
            expected_calibration_error(np.exp(final["test"].scores), labels)
        ),
        "expected_calibration_error_scaled": float(
            expected_calibration_error(
                probabilities(final["test"].scores, sharper), labels
            )
        ),
        "inverse_temperature": sharper,
        "seconds_per_epoch": float(clock[-1] / run.setting.plan.epochs),
        "first_call_seconds": compiling,
        "seconds_to_target": float(clock[passed[0]]) if len(passed) else None,
        "test_accuracy_by_part": run.accuracy,
        "seconds_by_part": run.seconds,
    }


def probabilities(scores: np.ndarray, inverse_temperature: float) -> np.ndarray:
    """Of the classes, from log scores made sharper."""
    return np.asarray(jax.nn.softmax(inverse_temperature * scores, axis=1))


def temperature(scores: np.ndarray, held_out: Any) -> float:
    """The one number that makes held-out labels most probable (Guo et al. 2017).

    A frozen label precision of 1 says nothing of how sure the network may be; this does.
    """
    labels = np.asarray(held_out.labels)

    def surprise(log_scale: float) -> float:
        chosen = probabilities(scores, float(np.exp(log_scale)))
        return -float(np.mean(np.log(chosen[np.arange(len(labels)), labels] + 1e-12)))

    found = minimize_scalar(surprise, bounds=(-5.0, 5.0), method="bounded")
    return float(np.exp(found.x))


def diagnose(setting: TrainingSetup, state: LearningState, num: int) -> dict[str, Any]:
    """What the E-step leaves undone, and which gradient the update is like, on training images."""
    num = min(num, len(setting.split.train.labels))
    some = jax.tree.map(lambda leaf: leaf[:num], setting.examples)
    keys = jax.random.split(jax.random.key(0), num)
    plain = replace_augmentation(setting)
    values = jax.vmap(plain)(keys, some)
    used = setting.learning.e_step
    rule = setting.learning.rule
    gradients = {
        "used": gradient(setting, state, values, rule, used),
        "backprop": gradient(setting, state, values, Backpropagation(), used),
        "equilibrium": gradient(setting, state, values, Equilibrium(), CONVERGED),
    }
    energies = {
        name: mode_energies(setting, state, values, e_step)
        for name, e_step in (("used", used), ("converged", CONVERGED))
    }
    swept = mode_energies(setting, state, values, None)
    excess, whole = (
        energies["used"] - energies["converged"],
        swept - energies["converged"],
    )
    # Another rule does not infer by this E-step, or under another energy: `against_twin.py` tells of nudges.
    own = isinstance(rule, Equilibrium)
    return {
        "excess_energy": float(jnp.mean(excess)) if own else None,
        "excess_energy_of_the_sweep": float(jnp.mean(whole)),
        "cosine_with_backprop": cosine(gradients["used"], gradients["backprop"]),
        "cosine_with_equilibrium": cosine(gradients["used"], gradients["equilibrium"]),
        "cosine_of_equilibrium_with_backprop": cosine(
            gradients["equilibrium"], gradients["backprop"]
        ),
    }


def replace_augmentation(setting: TrainingSetup):
    """The preparation without shifts and flips."""
    return replace(
        setting.preparation, augmentation=type(setting.preparation.augmentation)()
    )


def gradient(setting: TrainingSetup, state: LearningState, values, rule, e_step):
    """A rule's gradient of the layers, flat."""

    @jax.jit
    def run(state, values):
        def pose(weights, example):
            return problem_of(setting.structure, weights, state.log_precisions, example)

        context = RuleContext(pose, lambda state, slope, draws: slope, e_step)
        result = rule.step(state, values, (), jax.random.key(0), context)
        leaves = jax.tree.leaves(result.state.gradient["layers"])
        return jnp.concatenate([leaf.ravel() for leaf in leaves])

    return run(state, values)


def mode_energies(
    setting: TrainingSetup, state: LearningState, values, e_step
) -> jax.Array:
    """Objective of each example where an E-step's solver ends (None: at the sweep)."""

    @jax.jit
    def run(state, values):
        def one(example):
            problem = problem_of(
                setting.structure, state.weights, state.log_precisions, example
            )
            start = sweep_start(problem)
            if e_step is None:
                return objective(problem, start)
            return objective(problem, e_step.solver.minimise(problem, start).whitened)

        return jax.vmap(one)(values)

    return run(state, values)


def cosine(one: jax.Array, other: jax.Array) -> float:
    """Of the angle between two gradients."""
    return float(one @ other / (jnp.linalg.norm(one) * jnp.linalg.norm(other)))


def mean_and_error(values: list[float]) -> dict[str, float | None]:
    """Over seeds; a single one tells nothing of the error."""
    array = np.asarray(values)
    error = float(array.std(ddof=1) / len(array) ** 0.5) if len(array) > 1 else None
    return {"mean": float(array.mean()), "standard_error": error}


def table(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over seeds of both, and ratios of time within each seed."""
    names = list(results[0]["runs"])
    told = {}
    for name in names:
        runs = [result["runs"][name] for result in results]
        told[name] = {
            what: mean_and_error([run[what] for run in runs])
            for what in (
                "test_accuracy",
                "validation_accuracy",
                "expected_calibration_error",
                "expected_calibration_error_scaled",
                "seconds_per_epoch",
            )
        }
    pairs = [[result["runs"][name] for name in names] for result in results]
    told["time_per_epoch_over_twin"] = mean_and_error(
        [one["seconds_per_epoch"] / twin["seconds_per_epoch"] for one, twin in pairs]
    )
    arrived = [
        one["seconds_to_target"] / twin["seconds_to_target"]
        for one, twin in pairs
        if one["seconds_to_target"] and twin["seconds_to_target"]
    ]
    told["seeds_that_reach_the_target"] = len(arrived)
    if arrived:
        told["time_to_target_over_twin"] = mean_and_error(arrived)
    return told


def kept(path: Path, plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The seeds of an earlier file, which must be of the same plan; none without a file."""
    if not path.exists():
        return []
    earlier = json.loads(path.read_text("utf-8"))
    if earlier["plan"] != plan:
        raise SystemExit(f"{path.name} holds runs of another plan")
    where = earlier["environment"]
    known = {"git_revision": where["git_revision"], "device": where["device"]}
    return [known | one for one in earlier["seeds"]]


def main() -> None:
    """Train all seeds, print the table, write the JSON after each seed."""
    parser = parser_of(__doc__)
    parser.add_argument("configuration", nargs="?", default="mnist_mlp")
    parser.add_argument("--folder", help="where the images are; downloaded otherwise")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--add", action="store_true", help="keep the file's seeds")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--examples", type=int, help="only so many training images")
    parser.add_argument("--parts", type=int, default=5, help="looks per epoch")
    parser.add_argument(
        "--diagnosed", type=int, default=500, help="images whose E-step is judged"
    )
    options = parser.parse_args()
    try:
        path = locate_plan(options.configuration)
        plan = configure(TrainingPlan, TrainingPlan(), file=path, where=str(path))
        changes = {"epochs": options.epochs, "batch_size": options.batch_size}
        plan = replace(plan, **{k: v for k, v in changes.items() if v is not None})
        plan = replace(plan, data=replace(plan.data, examples=options.examples))
        if options.smoke:
            digits = replace(plan.data, name="digits", folder=None)
            plan, options.seeds = replace(plan.shrunk(), data=digits), [0, 1]
            plan = replace(plan, data=replace(plan.data, validation=16, examples=64))
        data = load_images(plan.data.name, options.folder)
    except UserError as error:
        raise SystemExit(str(error)) from None
    if plan.network.direction != "classify":
        raise SystemExit(f"{options.configuration} does not classify")
    told_plan = json.loads(json.dumps(plan, default=vars))
    name = f"classification_{options.configuration}"
    results = kept(options.output / f"{name}.json", told_plan) if options.add else []
    for seed in options.seeds:
        with matrix_products(plan.dtype):
            found = train(plan, data, seed, options.parts, options.diagnosed)
        others = [one for one in results if one["seed"] != seed]
        results = sorted([*others, found], key=lambda one: one["seed"])
        content = {
            "question": question_of(__doc__),
            "cases": table(results),
            "configuration": options.configuration,
            "plan": told_plan,
            "target": TARGETS[data.name],
            "test_images": len(data.test_labels),
            "seeds": results,
        }
        path = write(name, content, options.output)
    print(json.dumps(content["cases"], indent=1))
    print(path)


if __name__ == "__main__":
    main()
