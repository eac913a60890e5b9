"""Options shared by the commands on simulated studies, and the stores of their replications."""

import argparse
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from pcmodel.cli.commands.command import Command, Given, add_folder_arguments
from pcmodel.cli.load import Experiment
from pcmodel.cli.numbers import count
from pcmodel.cli.running.cluster import (
    add_cluster_arguments,
    check_cluster,
    run_jobs,
)
from pcmodel.cli.running.preparation import prepare
from pcmodel.cli.running.recorded import Destination, destination, run_in_folder
from pcmodel.cli.running.shares import ShareDone, SharedStore
from pcmodel.cli.table_arguments import scale_numbers
from pcmodel.errors import UserError
from pcmodel.record.replications import StoredReplications
from pcmodel.runtime.progress import Progress


def add_model_arguments(parser: argparse.ArgumentParser, *, many: bool = False) -> None:
    """Add the task, the model or models, and the properties of the task that they need."""
    add = parser.add_argument
    add(
        "task",
        metavar="TASK",
        help="for example binary (`pcmodel models` lists them), or a .yaml file of yours",
    )
    about = "for example hgf3 (`pcmodel models` lists them), or FILE.py:CLASS"
    if many:
        add("models", metavar="MODEL", nargs="+", help=about)
    else:
        add("model", metavar="MODEL", help=about)
    arms = partial(count, most=1000)
    add(
        "--arms",
        type=arms,
        metavar="N",
        help="of a bandit, default 2; of offered options",
    )
    add("--scale", metavar="LOW,HIGH", help="of ratings, default 0,10")


def add_size_arguments(parser: argparse.ArgumentParser, *, replications: int) -> None:
    """Add the numbers of people, trials and replications."""
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
    """UserError unless the simulated trials fit in memory, at `numbers` values for each trial."""
    from pcmodel.runtime.memory import check_fits

    check_fits(people, trials, numbers, what="so many people and trials", size=8)


def task_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Number of arms and scale; UserError for a task that has none, or for an invalid scale."""
    from pcmodel.behaviour.dataset import kind_of

    kind = kind_of(arguments.task)
    for name, tasks in (("arms", ("bandit", "offered")), ("scale", ("rating",))):
        if getattr(arguments, name) is not None and kind not in tasks:
            raise UserError(
                f"is said of the {tasks[0]} task, not of {arguments.task}",
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


def with_own_hashes(plan: Any) -> Any:
    """The plan of a study with hashes of the user's own task and models, so that other code is another run."""
    from pcmodel.behaviour.models.own.loading import own_hashes

    models = getattr(plan, "models", None) or (plan.model,)
    return replace(plan, own_sha256=own_hashes(plan.task, *models))


class Parts(NamedTuple):
    """The parts of a study.

    run: (plan, *, seed, progress, stored) to the results.
    replication: the named tuple of arrays that is stored for each replication.
    page: a module with `analyse`, `plot` and `report`.
    together: from a plan to the number of replications that one program computes.
    """

    run: Callable[..., Any]
    replication: type
    page: Any
    together: Callable[[Any], int] = lambda plan: 1


def study_command(
    *,
    name: str,
    help: str,
    description: str,
    add_arguments: Callable[[argparse.ArgumentParser], None],
    make_plan: Callable[[argparse.Namespace], Any],
    question: Callable[[Any], str],
    parts: Callable[[], Parts],
    page: str,
) -> Command:
    """A command that simulates studies and fits them; an interrupted run is resumed.

    make_plan: from arguments to the plan; UserError for names that do not exist.
    question: from a plan to the question of its page.
    parts: called once the plan is valid, since it imports modules that take long to import.
    page: of the documentation, where its --help ends.
    """

    def add_all(parser: argparse.ArgumentParser) -> None:
        add_arguments(parser)
        add_folder_arguments(parser, name=name)
        add_cluster_arguments(parser)

    def carry_out(given: Given) -> int:
        arguments = given.arguments
        prepare(arguments)
        check_cluster(arguments)
        plan = make_plan(arguments)
        to = destination(name, plan, arguments)
        compute, replication, written, together = parts()
        if arguments.share:
            stored = _open_store(to, replication, anew=False)
            own = SharedStore(stored, arguments.share, together=together(plan))
            progress = Progress(lines=True, silent=arguments.quiet)
            with suppress(ShareDone):
                compute(plan, seed=arguments.seed, progress=progress, stored=own)
            return 0

        def run(config: Any, *, seed: int, progress: Any) -> Any:
            stored = _open_store(to, replication, anew=arguments.overwrite)
            if arguments.cluster:
                run_jobs(arguments, list(given.line), to.path)
            return compute(config, seed=seed, progress=progress, stored=stored)

        experiment = Experiment(
            name=name,
            question=question(plan),
            config=type(plan),
            run=run,
            analyse=written.analyse,
            plot=written.plot,
            report=written.report,
        )
        return run_in_folder(experiment, to, arguments, command=given.again())

    return Command(name, help, add_all, carry_out, description, page=page)


def _open_store(to: Destination, kind: type, *, anew: bool) -> StoredReplications:
    """The store of this study's replications, separate for single and double precision."""
    hashed = replace(to.identity, float64=False).config_hash
    folder = to.path / f"replications-{hashed}-{to.identity.seed}"
    stored = StoredReplications(folder, kind)
    if anew:
        stored.clear()
    return stored
