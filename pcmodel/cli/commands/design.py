"""`pcmodel design TASK MODEL`: how many people and trials tell an effect from its rivals?"""

import argparse
from pathlib import Path
from typing import Any

from pcmodel.cli.commands.studies import (
    add_folder_arguments,
    add_model_arguments,
    check_made_up,
    task_options,
)
from pcmodel.cli.load import Experiment
from pcmodel.cli.numbers import MOST, chosen, count
from pcmodel.errors import UserError
from pcmodel.inputs.numerals import to_whole

NAME = "design"
HELP = "how many participants and trials tell an effect from its rivals"
ABOUT = (
    "Simulate a drug that shifts one parameter within people, refit it and its rivals, "
    "and count how often the right one is found."
)
SMOKE = {
    "participants": (5, 10),
    "trials": (20,),
    "pool": 10,
    "studies": 50,
    "sizes": 7,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel design`."""
    add_model_arguments(parser)
    add = parser.add_argument
    add("--effect", required=True, metavar="P=SIZE", help="top_precision=-1")
    add(
        "--rival",
        action="append",
        default=[],
        metavar="P[+P]",
        help="a parameter, or several that move together; may be repeated",
    )
    add("--participants", metavar="N,..", help="sizes of studies, default 10,20,40")
    add("--trials", metavar="N,..", help="of each session, default 50,100,200")
    add("--confidence", action="store_true", help="also with confidence reports")
    add(
        "--pool",
        type=count,
        metavar="N",
        help="simulated people, default 80",
    )
    add_folder_arguments(parser, NAME)


def make_plan(arguments: argparse.Namespace) -> Any:
    """The plan that the arguments mean; UserError for what does not exist."""
    from pcmodel.behaviour.studies.power import DesignPlan, check_plan

    names = ("participants", "trials", "pool")
    sizes = chosen(arguments, SMOKE, dict(zip(names, names, strict=True)))
    for name in ("participants", "trials"):
        if isinstance(sizes.get(name), str):
            sizes[name] = _counts(sizes[name], f"--{name}")
    plan = DesignPlan(
        arguments.task,
        arguments.model,
        arguments.effect,
        tuple(arguments.rival),
        confidence=arguments.confidence,
        **task_options(arguments),
        **sizes,
    )
    check_made_up(plan.pool, max(plan.trials), numbers=20 * plan.sizes)
    check_plan(plan)
    return plan


def _counts(text: str, where: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    counts = [to_whole(word) for word in words]
    if not counts or not all(count is not None and count >= 0 for count in counts):
        raise UserError(
            f"cannot be read: {text!r}", where=where, expected="whole numbers: 10,20,40"
        )
    if any(count > MOST for count in counts if count is not None):
        raise UserError(
            f"cannot be {text}", where=where, expected=f"numbers of at most {MOST}"
        )
    return tuple(sorted({count for count in counts if count is not None}))


def open_store(folder: Path, plan: Any, arguments: argparse.Namespace) -> Any:
    """Each kind of study, by number, as soon as it is done."""
    from pcmodel.behaviour.studies.power import ProfilePair
    from pcmodel.cli.commands.studies import open_store

    return open_store(NAME, ProfilePair, folder, plan, arguments)


def make_experiment(plan: Any, open_stored: Any) -> Experiment:
    """The design in the shape of an experiment."""
    from pcmodel.behaviour.studies.power import run_design
    from pcmodel.cli.pages import design_page

    return Experiment(
        name=NAME,
        question=f"How many people and trials tell {plan.effect} from its rivals?",
        config=type(plan),
        run=lambda config, *, seed, progress: run_design(
            config, seed=seed, progress=progress, stored=open_stored()
        ),
        analyse=design_page.analyse,
        plot=design_page.plot,
        report=design_page.report,
    )
