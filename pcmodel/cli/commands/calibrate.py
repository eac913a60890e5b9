"""`pcmodel calibrate TASK MODEL`: does a model find again what it simulated?"""

import argparse
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from pcmodel.cli.commands import studies
from pcmodel.cli.commands.studies import (
    add_folder_arguments,
    add_model_arguments,
    add_size_arguments,
    check_made_up,
    task_options,
)
from pcmodel.cli.load import Experiment
from pcmodel.cli.numbers import chosen, count

NAME = "calibrate"
HELP = "simulate, fit and see whether a model finds its truths again"
ABOUT = (
    "Simulation-based calibration and parameter recovery of one model. An interrupted "
    "one goes on where it was."
)
SMOKE: dict[str, Any] = {
    "participants": 2,
    "trials": 20,
    "replications": 3,
    "num_warmup": 20,
    "num_samples": 99,
    "max_tree_depth": 3,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel calibrate`."""
    add_model_arguments(parser)
    add = parser.add_argument
    add(
        "--formula",
        action="append",
        default=[],
        metavar="F",
        help='"omega2 ~ drug + (drug | participant)"; may be repeated',
    )
    add_size_arguments(parser, replications=200)
    add("--warmup", type=count, metavar="N", help="default 400")
    add("--samples", type=count, metavar="N", help="default 500")
    add_folder_arguments(parser, NAME)


def make_plan(arguments: argparse.Namespace) -> Any:
    """The plan that the arguments mean; UserError for what does not exist."""
    from pcmodel.behaviour.studies.calibrate import CheckPlan, plan_study

    names = ("participants", "trials", "replications")
    options = {"num_warmup": "warmup", "num_samples": "samples"}
    sizes: dict[str, Any] = {"num_warmup": 400} | chosen(
        arguments, SMOKE, options | dict(zip(names, names, strict=True))
    )
    plan = CheckPlan(
        arguments.task,
        arguments.model,
        tuple(arguments.formula),
        **(sizes | task_options(arguments)),
    )
    check_made_up(plan.participants, max(plan.trials, plan.num_samples))
    plan_study(plan, arguments.seed)
    return plan


def open_store(folder: Path, plan: Any, arguments: argparse.Namespace) -> Any:
    """Where this very check keeps its replications; empty with --overwrite."""
    from pcmodel.behaviour.studies.sbc import Replication

    return studies.open_store(NAME, Replication, folder, plan, arguments)


def make_experiment(plan: Any, open_stored: Any) -> Experiment:
    """The check in the shape of an experiment; `open_stored()` gives its replications."""
    from pcmodel.behaviour.studies.calibrate import run_check
    from pcmodel.cli.pages import calibrate_page

    def run(config: Any, *, seed: int, progress: Any) -> Any:
        stored: MutableMapping[int, Any] = open_stored()
        return run_check(config, seed=seed, progress=progress, stored=stored)

    return Experiment(
        name=NAME,
        question=f"Does {plan.model} find again what it simulated in the {plan.task} task?",
        config=type(plan),
        run=run,
        analyse=calibrate_page.analyse,
        plot=calibrate_page.plot,
        report=calibrate_page.report,
    )
