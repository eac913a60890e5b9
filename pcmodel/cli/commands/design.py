"""`pcmodel design TASK MODEL`: how many people and trials distinguish an effect from its rivals?"""

import argparse
from typing import Any

from pcmodel.cli.commands.studies import (
    Parts,
    add_model_arguments,
    check_made_up,
    study_command,
    task_options,
    with_own_hashes,
)
from pcmodel.cli.numbers import MOST, chosen, count, words
from pcmodel.cli.prior_arguments import add_prior_arguments, priors_of
from pcmodel.errors import UserError
from pcmodel.inputs.numerals import to_whole

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
    add_prior_arguments(parser)
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


def make_plan(arguments: argparse.Namespace) -> Any:
    """The plan of the arguments; UserError for names that do not exist."""
    from pcmodel.behaviour.studies.power import DesignPlan, check_plan

    sizes = chosen(arguments, SMOKE, "participants", "trials", "pool")
    for name in ("participants", "trials"):
        if isinstance(sizes.get(name), str):
            sizes[name] = counts(sizes[name], f"--{name}")
    plan = DesignPlan(
        arguments.task,
        arguments.model,
        arguments.effect,
        tuple(arguments.rival),
        confidence=arguments.confidence,
        priors=priors_of(arguments),
        **task_options(arguments),
        **sizes,
    )
    check_made_up(plan.pool, max(plan.trials), numbers=20 * plan.sizes)
    check_plan(plan)
    return with_own_hashes(plan)


def counts(text: str, where: str) -> tuple[int, ...]:
    """The whole numbers of a list, in order, each once; UserError naming the option for other text."""
    found = [to_whole(word) for word in words(text)]
    if not found or not all(count is not None and count >= 0 for count in found):
        raise UserError(
            f"cannot be read: {text!r}", where=where, expected="whole numbers: 10,20,40"
        )
    if any(count > MOST for count in found if count is not None):
        raise UserError(
            f"cannot be {text}", where=where, expected=f"numbers of at most {MOST}"
        )
    return tuple(sorted({count for count in found if count is not None}))


def parts() -> Parts:
    """The study's computation, its stored profiles (one for each kind of study, by number) and its page."""
    from pcmodel.behaviour.studies.power import ProfilePair, run_design
    from pcmodel.cli.pages import design_page

    return Parts(run_design, ProfilePair, design_page)


DESIGN = study_command(
    name="design",
    help="how many participants and trials tell an effect from its rivals",
    description="Simulate a drug that shifts one parameter within people, refit it and its "
    "rivals, and count how often the right one is found.",
    add_arguments=add_arguments,
    make_plan=make_plan,
    question=lambda plan: (
        f"How many people and trials tell {plan.effect} from its rivals?"
    ),
    parts=parts,
    page="docs/before-there-are-data.md",
)
