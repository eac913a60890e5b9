"""Do the first steps of a configuration too large for this machine go as its backprop twin's do?

The first `--steps` batches of one epoch over as many images as they need (so that warm-up and decay of the
rate happen within them), predictive coding and its twin in turns, a tenth of the steps at a time.  Told for
both after each tenth: the cross-entropy and the accuracy of the same forward pass on test images (the label's
energy in training is no common measure: for predictive coding it is that after inference).  It shows that
the network trains and that the two begin alike, not how good either becomes.

    python benchmarks/first_steps.py cifar10_vgg5 --folder DATA [--steps 300] [--batch-size 16] [--smoke]
"""

from dataclasses import replace
from typing import Any

import numpy as np
from asking import parser_of, question_of
from classification import Run, accuracy_of, advance, competitors, copy
from timing import write

from pcmodel.cli.options import configure
from pcmodel.data.images import ImageData, load_images
from pcmodel.errors import UserError
from pcmodel.learning.loop import Position, chunks
from pcmodel.runtime.matmul_precision import matrix_products
from pcmodel.training.plan import TrainingPlan
from pcmodel.training.setup import prepare
from pcmodel.training.shipped import locate_plan

PARTS = 10


def judge(run: Run) -> dict[str, float]:
    """The forward pass on the test images, nats and share."""
    found = accuracy_of(run)
    labels = np.asarray(run.setting.split.test.labels)
    own = np.take_along_axis(np.asarray(found.scores), labels[:, None], axis=1)[:, 0]
    return {
        "cross_entropy": float(-own.mean()),
        "cross_entropy_standard_error": float(own.std(ddof=1) / len(own) ** 0.5),
        "accuracy": found.accuracy,
        "accuracy_standard_error": found.standard_error,
        "images": found.num,
    }


def measure(plan: TrainingPlan, data: ImageData, seed: int) -> dict[str, Any]:
    """Both competitors of one seed."""
    settings = {
        name: prepare(each, seed, data) for name, each in competitors(plan).items()
    }
    runs = {
        name: Run(setting, copy(setting.state), [], [])
        for name, setting in settings.items()
    }
    told: dict[str, dict[str, Any]] = {
        name: {"test": [judge(runs[name])], "seconds": []} for name in settings
    }
    batches = next(iter(settings.values())).batches
    for start, size, _ in chunks(Position(), 1, batches, PARTS):
        for name, run in runs.items():
            runs[name], seconds = advance(run, start, size)
            told[name]["test"].append(judge(runs[name]))
            if start.batch:  # the first part also compiles
                told[name]["seconds"].append(seconds / size)
        line = ", ".join(
            f"{name} {one['test'][-1]['cross_entropy']:.4f} nats, "
            f"{100 * one['test'][-1]['accuracy']:.1f} %"
            for name, one in told.items()
        )
        print(f"  seed {seed}, step {start.batch + size}: {line}", flush=True)
    for one in told.values():
        one["seconds_per_step"] = float(np.median(one.pop("seconds")))
    return {"seed": seed, **told}


def main() -> None:
    """Run every seed, write the JSON after each."""
    parser = parser_of(__doc__)
    parser.add_argument("configuration", nargs="?", default="cifar10_vgg5")
    parser.add_argument("--folder", help="where the images are; downloaded otherwise")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument(
        "--dtype",
        choices=("float32", "bfloat16"),
        default="float32",
        help="of matrix products, whatever the configuration says (a CPU has no bfloat16)",
    )
    options = parser.parse_args()
    if options.smoke:  # digits are too small to be pooled four times
        options.configuration = "mnist_mlp"
    try:
        path = locate_plan(options.configuration)
        plan = configure(TrainingPlan, TrainingPlan(), file=path, where=str(path))
        if options.smoke:
            digits = replace(plan.data, name="digits", folder=None)
            plan = replace(plan.shrunk(), data=digits)
            options.batch_size, options.steps = 4, 10
        images = replace(plan.data, examples=options.steps * options.batch_size)
        if options.smoke:
            images = replace(images, validation=16)
        plan = replace(
            plan,
            data=images,
            epochs=1,
            batch_size=options.batch_size,
        )
        data = load_images(plan.data.name, options.folder)
    except UserError as error:
        raise SystemExit(str(error)) from None
    cases = []
    for seed in range(options.seeds):
        with matrix_products(options.dtype):
            cases.append(measure(plan, data, seed))
        content = {
            "question": question_of(__doc__),
            "configuration": options.configuration,
            "steps": options.steps,
            "batch_size": options.batch_size,
            "dtype": options.dtype,
            "cases": cases,
        }
        name = f"first_steps_{options.configuration}"
        print(write(name, content, options.output), flush=True)


if __name__ == "__main__":
    main()
