"""`pcmodel recover TASK MODEL...`: are parameters and models recovered from simulated data?"""

import argparse
from typing import Any

from pcmodel.cli.commands.studies import (
    Parts,
    add_model_arguments,
    add_size_arguments,
    check_made_up,
    study_command,
    task_options,
    with_own_hashes,
)
from pcmodel.cli.numbers import chosen
from pcmodel.cli.prior_arguments import add_prior_arguments, priors_of

SMOKE: dict[str, Any] = {"participants": 3, "trials": 20, "replications": 2}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel recover`."""
    add_model_arguments(parser, many=True)
    add_prior_arguments(parser)
    add_size_arguments(parser, replications=20)


def make_plan(arguments: argparse.Namespace) -> Any:
    """The plan of the arguments; UserError for names that do not exist."""
    from pcmodel.behaviour.studies.recovery import RecoverPlan, plan_models

    plan = RecoverPlan(
        arguments.task,
        tuple(arguments.models),
        priors=priors_of(arguments),
        **task_options(arguments),
        **chosen(arguments, SMOKE, "participants", "trials", "replications"),
    )
    check_made_up(plan.participants, plan.trials)
    plan_models(plan)
    return with_own_hashes(plan)


def parts() -> Parts:
    """The study's computation, its stored replications and its page."""
    from pcmodel.behaviour.studies.recovery import RecoveryReplication, run_recovery
    from pcmodel.cli.pages import recover_page

    return Parts(run_recovery, RecoveryReplication, recover_page)


RECOVER = study_command(
    name="recover",
    help="simulate each model, fit all, and count which is found again",
    description="Parameter recovery of each model, and of two or more the confusion matrix "
    "of which wins the other's data. An interrupted one goes on where it was.",
    add_arguments=add_arguments,
    make_plan=make_plan,
    question=lambda plan: (
        f"Are {', '.join(plan.models)} found again in the {plan.task} task?"
    ),
    parts=parts,
    page="docs/before-there-are-data.md",
)
