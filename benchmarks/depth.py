"""Do residual networks of 64 and 128 levels train with one learning rate?

The shipped configurations `mnist_residual64` and `mnist_residual128` (muPC scaling, the same base rate), trained
for the same few epochs.  Told for each: test accuracy with its standard error at the end, the energy of the label
along the way, whether any energy was not finite, seconds of training.  New runs are added to those that the
result file holds (`--add`), each with the revision that it ran at.

    python benchmarks/depth.py --folder DATA [--depths 64 128] [--seeds 0 1 2] [--epochs 4] [--add] [--smoke]
"""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from asking import parser_of, question_of
from timing import write

from pcmodel.cli.options import configure
from pcmodel.data.images import ImageData, load_images
from pcmodel.errors import UserError
from pcmodel.record.environment import environment
from pcmodel.runtime.progress import Progress
from pcmodel.training.plan import TrainingPlan
from pcmodel.training.run import run_training
from pcmodel.training.shipped import locate_plan


def load_plan(name: str) -> TrainingPlan:
    """A shipped configuration."""
    return configure(TrainingPlan, TrainingPlan(), file=locate_plan(name), where=name)


def measure(plan: TrainingPlan, data: ImageData, seed: int) -> dict[str, Any]:
    """One training and what came of it."""
    began = time.perf_counter()
    run = run_training(plan, seed=seed, data=data, progress=Progress(lines=True))
    whole = time.perf_counter() - began
    return {
        "depth": plan.network.depth,
        "seed": seed,
        "test_accuracy": run.test.accuracy,
        "test_standard_error": run.test.standard_error,
        "test_num": run.test.num,
        "validation_accuracy": run.validation.accuracy,
        "stopped_early": run.stopped_early,
        "label_energy": [float(row["level_energies"][0]) for row in run.rows],
        "energies_finite": all(np.isfinite(row["energy"]) for row in run.rows),
        "seconds_in_all": whole,
        "git_revision": environment()["git_revision"],
    }


def kept_cases(folder: Path, epochs: int) -> list[dict[str, Any]]:
    """The cases of an earlier result file; its revision is written into each."""
    earlier = json.loads((folder / "depth.json").read_text("utf-8"))
    if earlier["epochs"] != epochs:
        raise SystemExit(
            f"depth.json holds runs of {earlier['epochs']} epochs, not {epochs}"
        )
    revision = earlier["environment"]["git_revision"]
    return [{"git_revision": revision} | case for case in earlier["cases"]]


def main() -> None:
    """Train each depth, write the JSON after each."""
    parser = parser_of(__doc__)
    parser.add_argument("--folder", help="where the images are; downloaded otherwise")
    parser.add_argument("--depths", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--add", action="store_true", help="keep the file's cases")
    options = parser.parse_args()
    results = kept_cases(options.output, options.epochs) if options.add else []
    for depth in options.depths:
        try:
            plan = replace(load_plan(f"mnist_residual{depth}"), epochs=options.epochs)
            if options.smoke:
                digits = replace(plan.data, name="digits", validation=16, examples=64)
                plan = replace(plan.shrunk(), data=digits, epochs=1)
            data = load_images(plan.data.name, options.folder)
        except UserError as error:
            raise SystemExit(str(error)) from None
        for seed in options.seeds:
            results.append(measure(plan, data, seed))
            print({k: v for k, v in results[-1].items() if k != "label_energy"})
            content = {
                "question": question_of(__doc__),
                "cases": results,
                "learning": vars(plan.learning)
                | {"e_step": vars(plan.learning.e_step)},
                "epochs": plan.epochs,
            }
            print(write("depth", content, options.output), flush=True)


if __name__ == "__main__":
    main()
