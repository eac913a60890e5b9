"""`pcmodel calibrate TASK MODEL`: does a fit recover the parameters that a model was simulated with?"""

import argparse
from typing import Any

from pcmodel.cli.commands.command import add_formulas
from pcmodel.cli.commands.studies import (
    Parts,
    add_model_arguments,
    add_size_arguments,
    check_made_up,
    study_command,
    task_options,
    with_own_hashes,
)
from pcmodel.cli.numbers import chosen, count
from pcmodel.cli.prior_arguments import add_prior_arguments, priors_of

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
    add_prior_arguments(parser)
    add = parser.add_argument
    add_formulas(parser)
    add_size_arguments(parser, replications=200)
    add("--warmup", type=count, metavar="N", help="default 400")
    add("--samples", type=count, metavar="N", help="default 500")


def make_plan(arguments: argparse.Namespace) -> Any:
    """The plan of the arguments; UserError for names that do not exist."""
    from pcmodel.behaviour.studies.calibrate import CheckPlan, plan_study

    sizes: dict[str, Any] = {"num_warmup": 400} | chosen(
        arguments,
        SMOKE,
        *("participants", "trials", "replications"),
        num_warmup="warmup",
        num_samples="samples",
    )
    plan = CheckPlan(
        arguments.task,
        arguments.model,
        tuple(arguments.formula),
        priors=priors_of(arguments),
        **(sizes | task_options(arguments)),
    )
    check_made_up(plan.participants, max(plan.trials, plan.num_samples))
    plan_study(plan, arguments.seed)
    return with_own_hashes(plan)


def parts() -> Parts:
    """The study's computation, its stored replications and its page."""
    from pcmodel.behaviour.studies.calibrate import run_check
    from pcmodel.behaviour.studies.sbc import PEOPLE_TOGETHER, Replication
    from pcmodel.cli.pages import calibrate_page

    return Parts(
        run_check,
        Replication,
        calibrate_page,
        lambda plan: max(1, PEOPLE_TOGETHER // plan.participants),
    )


CALIBRATE = study_command(
    name="calibrate",
    help="simulate, fit and see whether a model finds its truths again",
    description="Simulation-based calibration and parameter recovery of one model. An "
    "interrupted one goes on where it was.",
    add_arguments=add_arguments,
    make_plan=make_plan,
    question=lambda plan: (
        f"Does {plan.model} find again what it simulated in the {plan.task} task?"
    ),
    parts=parts,
    page="docs/before-there-are-data.md",
)
