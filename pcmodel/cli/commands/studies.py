"""What the commands on made-up studies share: their options, and where replications lie."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from pcmodel.cli.commands.fit import scale_numbers
from pcmodel.cli.numbers import count, place, whole
from pcmodel.errors import UserError


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


def add_folder_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    """Seed, output folder and how much is said."""
    add = parser.add_argument
    add("--smoke", action="store_true", help="tiny sizes: does it run at all?")
    add("--seed", type=whole, default=0, metavar="N", help="default 0")
    add("--output", type=place, metavar="DIR", help=f"default runs/{name}-HASH-SEED")
    add("--overwrite", action="store_true", help="replace a complete run")
    add("--quiet", action="store_true", help="no progress on stderr")


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


def open_store(
    name: str, kind: type, folder: Path, plan: Any, arguments: argparse.Namespace
) -> Any:
    """Where this very study keeps its replications; empty with --overwrite."""
    from pcmodel.cli.commands.replications import StoredReplications
    from pcmodel.record import RunIdentity

    identity = RunIdentity(name, plan, arguments.seed)
    own = f"replications-{identity.config_hash}-{arguments.seed}"
    stored = StoredReplications(folder / own, kind)
    if arguments.overwrite:
        stored.clear()
    return stored
