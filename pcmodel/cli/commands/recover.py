"""`pcmodel recover TASK MODEL...`: are parameters and models found again?"""

import argparse
from pathlib import Path
from typing import Any

from pcmodel.cli.commands.studies import (
    add_folder_arguments,
    add_model_arguments,
    add_size_arguments,
    check_made_up,
    task_options,
)
from pcmodel.cli.load import Experiment
from pcmodel.cli.numbers import chosen

NAME = "recover"
HELP = "simulate each model, fit all, and count which is found again"
ABOUT = (
    "Parameter recovery of each model, and of two or more the confusion matrix of which "
    "wins the other's data. An interrupted one goes on where it was."
)
SMOKE: dict[str, Any] = {"participants": 3, "trials": 20, "replications": 2}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel recover`."""
    add_model_arguments(parser, many=True)
    add_size_arguments(parser, replications=20)
    add_folder_arguments(parser, NAME)


def make_plan(arguments: argparse.Namespace) -> Any:
    """The plan that the arguments mean; UserError for what does not exist."""
    from pcmodel.behaviour.studies.recovery import RecoverPlan, plan_models

    names = ("participants", "trials", "replications")
    plan = RecoverPlan(
        arguments.task,
        tuple(arguments.models),
        **task_options(arguments),
        **chosen(arguments, SMOKE, dict(zip(names, names, strict=True))),
    )
    check_made_up(plan.participants, plan.trials)
    plan_models(plan)
    return plan


def open_store(folder: Path, plan: Any, arguments: argparse.Namespace) -> Any:
    """Where this very recovery keeps its studies."""
    from pcmodel.behaviour.studies.recovery import RecoveryReplication
    from pcmodel.cli.commands.studies import open_store

    return open_store(NAME, RecoveryReplication, folder, plan, arguments)


def make_experiment(plan: Any, open_stored: Any) -> Experiment:
    """The recovery in the shape of an experiment."""
    from pcmodel.behaviour.studies.recovery import run_recovery
    from pcmodel.cli.pages import recover_page

    return Experiment(
        name=NAME,
        question=f"Are {', '.join(plan.models)} found again in the {plan.task} task?",
        config=type(plan),
        run=lambda config, *, seed, progress: run_recovery(
            config, seed=seed, progress=progress, stored=open_stored()
        ),
        analyse=recover_page.analyse,
        plot=recover_page.plot,
        report=recover_page.report,
    )
