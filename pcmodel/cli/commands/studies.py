"""What the commands on made-up studies share: their options, and where replications lie."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from pcmodel.cli.commands.command import Command, Given, add_folder_arguments
from pcmodel.cli.commands.tables import scale_numbers
from pcmodel.cli.load import Experiment
from pcmodel.cli.numbers import count
from pcmodel.cli.running.preparation import prepare
from pcmodel.cli.running.recorded import Destination, destination, run_in_folder
from pcmodel.errors import UserError
from pcmodel.record.replications import StoredReplications


def add_model_arguments(parser: argparse.ArgumentParser, *, many: bool = False) -> None:
    """The task, the model or models, and what they need to know of the task."""
    add = parser.add_argument
    add("task", metavar="TASK", help="binary, bandit, rating or helicopter")
    about = "for example hgf3; a wrong name lists them"
    if many:
        add("models", metavar="MODEL", nargs="+", help=about)
    else:
        add("model", metavar="MODEL", help=about)
    arms = partial(count, most=1000)
    add("--arms", type=arms, metavar="N", help="of a bandit, default 2")
    add("--scale", metavar="LOW,HIGH", help="of ratings, default 0,10")


def add_size_arguments(parser: argparse.ArgumentParser, *, replications: int) -> None:
    """How many people, trials and replications."""
    add = parser.add_argument
    add("--participants", type=count, metavar="N", help="default 10")
    add("--trials", type=count, metavar="N", help="a session, default 100")
    add(
        "--replications",
        type=count,
        metavar="N",
        help=f"default {replications}",
    )


def check_made_up(people: int, trials: int, *, numbers: int = 20) -> None:
    """UserError unless the trials of so many people fit in memory, `numbers` for each."""
    from pcmodel.runtime.memory import check_fits

    check_fits(people, trials, numbers, what="so many people and trials", size=8)


def task_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Arms and scale; UserError for a task that has none, or for what is no scale."""
    for name, task in (("arms", "bandit"), ("scale", "rating")):
        if getattr(arguments, name) is not None and arguments.task != task:
            raise UserError(
                f"is said of the {task} task, not of {arguments.task}",
                where=f"--{name}",
                expected="it to be left out",
            )
    scale = scale_numbers("0,10" if arguments.scale is None else arguments.scale)
    if len(scale) != 2:
        raise UserError(
            f"cannot be {arguments.scale}",
            where="--scale",
            expected="two numbers, LOW,HIGH",
        )
    return {"options": arguments.arms or 2, "scale": (scale[0], scale[1])}


class Parts(NamedTuple):
    """What a study computes, how it is stored, and how it is shown.

    run: (plan, *, seed, progress, stored) to the results.
    replication: the named tuple of arrays that is stored of each replication.
    page: a module with `analyse`, `plot` and `report`.
    """

    run: Callable[..., Any]
    replication: type
    page: Any


def study_command(
    *,
    name: str,
    help: str,
    description: str,
    add_arguments: Callable[[argparse.ArgumentParser], None],
    make_plan: Callable[[argparse.Namespace], Any],
    question: Callable[[Any], str],
    parts: Callable[[], Parts],
) -> Command:
    """A command that makes studies up and fits them; an interrupted one goes on.

    make_plan: the plan that the arguments mean; UserError for what does not exist.
    question: of a plan, as its page asks it.
    parts: called once a plan is right, since they import what takes long to import.
    """

    def add_all(parser: argparse.ArgumentParser) -> None:
        add_arguments(parser)
        add_folder_arguments(parser, name=name)

    def carry_out(given: Given) -> int:
        arguments = given.arguments
        prepare(arguments)
        plan = make_plan(arguments)
        to = destination(name, plan, arguments)
        compute, replication, page = parts()

        def run(config: Any, *, seed: int, progress: Any) -> Any:
            stored = _open_store(to, replication, anew=arguments.overwrite)
            return compute(config, seed=seed, progress=progress, stored=stored)

        experiment = Experiment(
            name=name,
            question=question(plan),
            config=type(plan),
            run=run,
            analyse=page.analyse,
            plot=page.plot,
            report=page.report,
        )
        return run_in_folder(experiment, to, arguments, command=given.again())

    return Command(name, help, add_all, carry_out, description)


def _open_store(to: Destination, kind: type, *, anew: bool) -> StoredReplications:
    """Where this very study keeps its replications, in whatever precision it computes."""
    hashed = replace(to.identity, float64=False).config_hash
    folder = to.path / f"replications-{hashed}-{to.identity.seed}"
    stored = StoredReplications(folder, kind)
    if anew:
        stored.clear()
    return stored
