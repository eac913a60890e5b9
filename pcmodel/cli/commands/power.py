"""`pcmodel power PROTOCOL`: how many people in each arm tell a drug from therapy, unblinding and plasticity?"""

import argparse
from argparse import ArgumentTypeError
from typing import Any

from pcmodel.cli.commands.design import counts
from pcmodel.cli.commands.studies import Parts, check_made_up, study_command
from pcmodel.cli.numbers import chosen, count, finite, words

SMOKE = {
    "participants": (4, 8),
    "pool": 16,
    "studies": 20,
    "sizes": 5,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel power`."""
    add = parser.add_argument
    add("protocol", metavar="PROTOCOL", help="a name, or a .yaml file")
    add(
        "--questions",
        metavar="Q,..",
        help="of therapy, unblinding and window; default all",
    )
    add(
        "--arms",
        metavar="A,..",
        help="the treated one, its control, others; default the protocol's first two and an active placebo",
    )
    add("--participants", metavar="N,..", help="in each arm, default 25,50,100,200")
    add("--days", metavar="D,..", help="of follow-up, default the protocol's own")
    add("--guess", action="store_true", help="also ask what people think they had")
    add(
        "--noise", type=positive, metavar="SD", help="of one reading, points, default 3"
    )
    add("--account", metavar="NAME", help="of the drug's acute effects; rebus, ...")
    add("--pool", type=count, metavar="N", help="simulated people, default 500")


def positive(text: str) -> float:
    """A finite number above 0; ArgumentTypeError for any other text."""
    number = finite(text)
    if number <= 0.0:
        raise ArgumentTypeError(f"cannot be {text[:40]}; expected a number above 0")
    return number


def make_plan(arguments: argparse.Namespace) -> Any:
    """The plan of the arguments; UserError for names and files that do not exist."""
    from pcmodel.sessions.planning.options import StudyPlan, arms_of, days_of
    from pcmodel.sessions.planning.simulate import find_account
    from pcmodel.sessions.protocol.load import load_protocol, protocol_sha256

    sizes = chosen(arguments, SMOKE, "participants", "pool")
    if isinstance(sizes.get("participants"), str):
        sizes["participants"] = counts(sizes["participants"], "--participants")
    given = {
        name: getattr(arguments, name)
        for name in ("noise", "account")
        if getattr(arguments, name) is not None
    }
    for name in ("questions", "arms"):
        if getattr(arguments, name) is not None:
            given[name] = words(getattr(arguments, name))
    if arguments.days is not None:
        given["days"] = counts(arguments.days, "--days")
    protocol = load_protocol(arguments.protocol)
    plan = StudyPlan(
        arguments.protocol,
        protocol_sha256(arguments.protocol),
        guess=arguments.guess,
        **given,
        **sizes,
    )
    arms, days = arms_of(plan, protocol), days_of(plan, protocol)
    find_account(plan.account)
    check_made_up(plan.pool * len(arms), 2 * plan.sizes * len(days))
    return plan


def parts() -> Parts:
    """The study's computation, what it stores (one entry for each question, by number) and its page."""
    from pcmodel.cli.pages import power_page
    from pcmodel.sessions.planning.rivals import Rivals
    from pcmodel.sessions.planning.simulate import run_study

    return Parts(run_study, Rivals, power_page)


POWER = study_command(
    name="power",
    help="how many people in each arm of a protocol tell its rival explanations apart",
    description="Simulate a protocol of treatment as it is, with unblinding alone and with a plasticity window "
    "alone, and count how often studies of a size find out which it was.",
    add_arguments=add_arguments,
    make_plan=make_plan,
    question=lambda plan: (
        f"How many people in each arm of {plan.protocol} tell its rival explanations apart?"
    ),
    parts=parts,
    page="docs/sessions.md",
)
