"""`pcmodel calibrate TASK MODEL`: does a model find again what it simulated?"""

import argparse
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from pcmodel.cli.fit import scale_numbers
from pcmodel.cli.load import Experiment
from pcmodel.errors import UserError

SMOKE = {
    "participants": 2,
    "trials": 20,
    "replications": 3,
    "num_warmup": 20,
    "num_samples": 99,
    "max_tree_depth": 3,
    "approximate_steps": 50,
}


def add_calibrate_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel calibrate`."""
    add = parser.add_argument
    add("task", metavar="TASK", help="binary, bandit, rating or helicopter")
    add("model", metavar="MODEL", help="for example hgf3; a wrong name lists them")
    add(
        "--formula",
        action="append",
        default=[],
        metavar="F",
        help='"omega2 ~ drug + (drug | participant)"; may be repeated',
    )
    add("--participants", type=int, default=10, metavar="N", help="default 10")
    add("--trials", type=int, default=100, metavar="N", help="a session, default 100")
    add("--arms", type=int, default=2, metavar="N", help="of a bandit, default 2")
    add("--scale", default="0,10", metavar="LOW,HIGH", help="of ratings, default 0,10")
    add("--replications", type=int, default=200, metavar="N", help="default 200")
    add("--warmup", type=int, default=500, metavar="N", help="default 500")
    add("--samples", type=int, default=500, metavar="N", help="default 500")
    add("--smoke", action="store_true", help="tiny sizes: does it run at all?")
    add("--seed", type=int, default=0, metavar="N", help="default 0")
    add("--output", type=Path, metavar="DIR", help="default runs/calibrate-HASH-SEED")
    add("--overwrite", action="store_true", help="replace a complete run")
    add("--quiet", action="store_true", help="no progress on stderr")


def make_plan(arguments: argparse.Namespace) -> Any:
    """The plan that the arguments mean; UserError for what does not exist."""
    from pcmodel.behaviour.checking import CheckPlan, plan_study

    scale = scale_numbers(arguments.scale)
    if len(scale) != 2:
        raise UserError(
            f"has {len(scale)} numbers", where="--scale", expected="LOW,HIGH"
        )
    sizes: dict[str, int] = {
        "participants": arguments.participants,
        "trials": arguments.trials,
        "replications": arguments.replications,
        "num_warmup": arguments.warmup,
        "num_samples": arguments.samples,
    }
    plan = CheckPlan(
        arguments.task,
        arguments.model,
        tuple(arguments.formula),
        options=arguments.arms,
        scale=(scale[0], scale[1]),
        **(sizes | (SMOKE if arguments.smoke else {})),
    )
    plan_study(plan, arguments.seed)
    return plan


def open_store(folder: Path, plan: Any, arguments: argparse.Namespace) -> Any:
    """Where this very check keeps its replications; empty with --overwrite."""
    from pcmodel.behaviour.statistics.calibration import Replication
    from pcmodel.cli.replications import StoredReplications
    from pcmodel.record import RunIdentity

    identity = RunIdentity("calibrate", plan, arguments.seed)
    own = f"replications-{identity.config_hash}-{arguments.seed}"
    stored = StoredReplications(folder / own, Replication)
    if arguments.overwrite:
        stored.clear()
    return stored


def calibrate_experiment(plan: Any, open_stored: Any) -> Experiment:
    """The check in the shape of an experiment; `open_stored()` gives its replications."""
    from pcmodel.behaviour.checking import run_check
    from pcmodel.cli import calibrate_page

    def run(config: Any, *, seed: int, progress: Any) -> Any:
        stored: MutableMapping[int, Any] = open_stored()
        return run_check(config, seed=seed, progress=progress, stored=stored)

    return Experiment(
        name="calibrate",
        question=f"Does {plan.model} find again what it simulated in the {plan.task} task?",
        config=type(plan),
        run=run,
        analyse=calibrate_page.analyse,
        plot=calibrate_page.plot,
        report=calibrate_page.report,
    )
