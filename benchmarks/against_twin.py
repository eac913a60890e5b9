"""By how much does each learning rule differ from backpropagation of the same network, seed by seed?

A shipped configuration is trained by several rules from the same seeds: the same network, initial weights, images, order,
optimiser and schedule; only the gradient's rule differs.

- `centred`, `random`, `forward`, `backward`: the configuration's nudge with that sign;
- `equal`: plain predictive coding at equal precisions, whose modes are found by one truncated Newton step of two products;
- `backprop`: the twin.

Told of each: test accuracy, its paired difference to the twin over seeds with a 95 % t interval and over images, expected
calibration error as it is and with one scale found on validation images, seconds an epoch (of training alone), seconds until
an epoch's validation accuracy first passes the target, and, before and after training, the share of the energy between sweep
and equilibrium that inference leaves, the residual of the nudge, and the cosine with backpropagation's gradient, whole and by
layer.

Every finished epoch of every run is kept in `--store`.  A run that is cut off, or stopped by `--minutes` at an epoch's end
(exit code 75: call again), goes on where it was; on another kind of device it is refused.

    python benchmarks/against_twin.py mnist_vgg4_nudged --folder DATA --seeds 0 1 2 3 4 --minutes 9
    python benchmarks/against_twin.py cifar10_vgg6_nudged --folder DATA --rules centred forward equal backprop
        --examples 12500 --channels 16 32 64 64 64 --epochs 20 --label cifar10_quarter
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from asking import parser_of, question_of
from classification import mean_and_error, probabilities, temperature
from timing import write
from twins.diagnosis import diagnose
from twins.paired import paired

from pcmodel.calibration import expected_calibration_error
from pcmodel.cli.options import configure
from pcmodel.data.images import ImageData, load_images
from pcmodel.errors import UserError
from pcmodel.learning.em import init_learning
from pcmodel.networks.pure import as_model
from pcmodel.record.strict_json import dump_json
from pcmodel.runtime.matmul_precision import matrix_products
from pcmodel.training.plan import EStepPlan, TrainingPlan
from pcmodel.training.run import run_training
from pcmodel.training.setup import prepare
from pcmodel.training.shipped import locate_plan

SIGNS = {
    "centred": "centred",
    "random": "random",
    "forward": "positive",
    "backward": "negative",
}
RULES = (*SIGNS, "equal", "backprop")
UNFINISHED = 75
"""Exit code of a part after which others remain (EX_TEMPFAIL)."""
STORE = Path(__file__).parents[1] / "runs" / "against_twin"


class OutOfTimeError(Exception):
    """The minutes are over; what is finished is kept."""


class Work(NamedTuple):
    """What is asked of one command.

    trained: epochs that this process has trained; at least one, however few the minutes, so that every part gets further.
    """

    plan: TrainingPlan
    data: ImageData
    store: Path
    diagnosed: int
    target: float
    until: float
    trained: list[float]

    def check_time(self) -> None:
        """OutOfTimeError if the minutes are over and something was trained."""
        if self.trained and time.monotonic() > self.until:
            raise OutOfTimeError


def plan_of(plan: TrainingPlan, rule: str) -> TrainingPlan:
    """The plan with another rule and nothing else."""
    learning = plan.learning
    if rule in SIGNS:
        learning = replace(learning, rule="nudged_loss", nudge=SIGNS[rule])
    elif rule == "equal":
        e_step = EStepPlan(kind="point", solver="newton", products=2)
        learning = replace(learning, rule="em", nudge="centred", e_step=e_step)
    else:
        learning = replace(learning, rule="backprop", nudge="centred")
    return replace(plan, learning=learning)


def run_one(work: Work, rule: str, seed: int) -> dict[str, Any]:
    """The result of one rule and seed: as kept, or trained from where it was.  OutOfTimeError at the end of an epoch."""
    folder = work.store / rule / f"seed{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "result.json"
    check_device(folder / "device.json")
    plan = plan_of(work.plan, rule)
    if kept.exists():
        found = json.loads(kept.read_text("utf-8"))
        if found["plan"] == as_json(plan):
            return found
        raise UserError(f"{kept} holds a run of another plan; name another --store")
    work.check_time()

    def log(numbers: dict[str, float]) -> None:
        if "validation_accuracy" in numbers:
            told = f"validation {numbers['validation_accuracy']:.4f}"
            print(
                f"  {rule}, seed {seed}, epoch {numbers['epoch']:g}: {told}", flush=True
            )
            work.trained.append(numbers["epoch"])
            if numbers["epoch"] < plan.epochs:
                work.check_time()

    done = run_training(plan, seed=seed, folder=folder, data=work.data, log=log)
    if done.stopped_early:
        print(f"  {rule}, seed {seed}: {done.reason}", flush=True)
    found = {"plan": as_json(plan), **summary(work, plan, seed, done)}
    kept.with_suffix(".part").write_text(dump_json(found), "utf-8")
    kept.with_suffix(".part").replace(kept)
    return json.loads(kept.read_text("utf-8"))


def check_device(path: Path) -> None:
    """UserError where the folder's epochs were computed on another kind of device."""
    own = {"kind": jax.devices()[0].device_kind, "jax": jax.__version__}
    if path.exists():
        earlier = json.loads(path.read_text("utf-8"))
        if earlier != own:
            raise UserError(
                f"{path.parent} was begun on {earlier}, and this is {own}; name another --store"
            )
    path.write_text(json.dumps(own), "utf-8")


def as_json(plan: TrainingPlan) -> dict[str, Any]:
    """A plan without where its images are."""
    told = json.loads(json.dumps(plan, default=vars))
    told["data"].pop("folder")
    return told


def summary(work: Work, plan: TrainingPlan, seed: int, done: Any) -> dict[str, Any]:
    """What is told of one trained network."""
    labels = np.asarray(done.split.test.labels)
    sharper = temperature(done.validation.scores, done.split.validation)
    scaled = probabilities(done.test.scores, sharper)
    seconds = np.cumsum([row["seconds"] for row in done.rows])
    at_end = [i for i, row in enumerate(done.rows) if "validation_accuracy" in row]
    passed = [i for i in at_end if done.rows[i]["validation_accuracy"] >= work.target]
    first_rate = np.median(
        [row["images_per_second"] for row in done.rows[1:]] or [np.nan]
    )
    with matrix_products(plan.dtype):
        setting = prepare(plan, seed, work.data)
        pure = as_model(done.network)
        trained = init_learning(
            pure.weights,
            pure.log_precisions,
            setting.learning,
            structure=setting.structure,
        )
        looks = [
            diagnose(setting, state, work.diagnosed)
            for state in (setting.state, trained)
        ]
    return {
        "rule": plan.learning.rule,
        "seed": seed,
        "test_accuracy": done.test.accuracy,
        "right": (done.test.scores.argmax(axis=1) == labels).astype(int).tolist(),
        "expected_calibration_error": float(
            expected_calibration_error(np.exp(done.test.scores), labels)
        ),
        "expected_calibration_error_scaled": float(
            expected_calibration_error(scaled, labels)
        ),
        "validation_accuracy_by_epoch": [
            done.rows[i]["validation_accuracy"] for i in at_end
        ],
        "converged_by_epoch": [done.rows[i]["converged"] for i in at_end],
        "seconds_per_epoch": len(done.split.train.labels) / float(first_rate),
        "seconds_to_target": float(seconds[passed[0]]) if passed else None,
        "stopped": done.reason,
        "before": looks[0],
        "after": looks[1],
    }


def table(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Each rule's means over the seeds that every rule has finished, and its paired difference to the twin."""
    seeds = set.intersection(
        *({run["seed"] for run in runs} for runs in found.values())
    )
    both = {
        name: [run for run in runs if run["seed"] in seeds]
        for name, runs in found.items()
    }
    if not seeds:
        return {}
    twin = np.array([run["right"] for run in both.get("backprop", [])])
    told: dict[str, Any] = {}
    for name, runs in both.items():
        told[name] = {
            what: mean_and_error([run[what] for run in runs])
            for what in (
                "test_accuracy",
                "expected_calibration_error",
                "expected_calibration_error_scaled",
                "seconds_per_epoch",
            )
        }
        told[name]["after"] = runs[-1]["after"]
        if name == "backprop" or not len(twin):
            continue
        told[name]["less_backprop"] = paired(np.array([r["right"] for r in runs]), twin)
        told[name]["time_per_epoch_over_twin"] = mean_and_error(
            [
                run["seconds_per_epoch"] / other["seconds_per_epoch"]
                for run, other in zip(runs, both["backprop"], strict=True)
            ]
        )
        arrived = [
            run["seconds_to_target"] / other["seconds_to_target"]
            for run, other in zip(runs, both["backprop"], strict=True)
            if run["seconds_to_target"] and other["seconds_to_target"]
        ]
        told[name]["seeds_both_at_target"] = len(arrived)
        if arrived:
            told[name]["time_to_target_over_twin"] = mean_and_error(arrived)
    return {"seeds": sorted(seeds), **told}


def asked() -> Any:
    """The command line."""
    parser = parser_of(__doc__)
    parser.add_argument("configuration", nargs="?", default="mnist_vgg4_nudged")
    parser.add_argument("--folder", help="where the images are; downloaded otherwise")
    parser.add_argument(
        "--rules", nargs="+", choices=RULES, default=["centred", "backprop"]
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--examples", type=int, help="only so many training images")
    parser.add_argument("--channels", type=int, nargs="+", help="of the convolutions")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--target", type=float, default=0.99)
    parser.add_argument("--diagnosed", type=int, default=64)
    parser.add_argument("--store", type=Path, default=STORE)
    parser.add_argument("--label", help="of the result; the configuration's name")
    return parser.parse_args()


def work_of(options: Any, began: float) -> Work:
    """The plan as changed by the options, and its images."""
    path = locate_plan(options.configuration)
    plan = configure(TrainingPlan, TrainingPlan(), file=path, where=str(path))
    data = replace(plan.data, examples=options.examples)
    if options.smoke:
        options.seeds, options.diagnosed = [0, 1], 4
        options.store = options.output / "store"
        plan = plan.shrunk()
        data = replace(plan.data, name="digits", folder=None, examples=64)
    network, learning = plan.network, plan.learning
    if options.channels:
        network = replace(network, channels=tuple(options.channels))
    if options.rate:
        learning = replace(learning, rate=options.rate)
    plan = replace(
        plan,
        data=data,
        network=network,
        learning=learning,
        epochs=options.epochs or plan.epochs,
        batch_size=options.batch_size or plan.batch_size,
        checkpoint_every=0.0,
        chunk=max(plan.chunk, 500),
    )
    label = options.label or options.configuration
    images = load_images(plan.data.name, options.folder)
    until = began + 60 * options.minutes
    return Work(
        plan,
        images,
        options.store / label,
        options.diagnosed,
        options.target,
        until,
        [],
    )


def main() -> int:
    """Train what is not yet trained, write the JSON of what is finished; the exit code."""
    began, options = time.monotonic(), asked()
    found: dict[str, list[dict[str, Any]]] = {rule: [] for rule in options.rules}
    finished = False
    try:
        work = work_of(options, began)
        for seed in options.seeds:
            for rule in options.rules:
                found[rule].append(run_one(work, rule, seed))
        finished = True
    except OutOfTimeError:
        pass
    except UserError as error:
        raise SystemExit(str(error)) from None
    content = {
        "question": question_of(__doc__),
        "configuration": options.configuration,
        "finished": finished,
        "target": options.target,
        "test_images": len(work.data.test_labels),
        "plan": as_json(work.plan),
        "cases": table(found),
        "runs": {
            rule: [
                {k: v for k, v in run.items() if k not in ("plan", "right")}
                for run in runs
            ]
            for rule, runs in found.items()
        },
    }
    name = f"against_twin_{options.label or options.configuration}"
    print(write(name, content, options.output), flush=True)
    print("finished" if finished else "more to do: call again", flush=True)
    return 0 if finished else UNFINISHED


if __name__ == "__main__":
    sys.exit(main())
