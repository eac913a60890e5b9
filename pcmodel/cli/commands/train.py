"""`pcmodel train CONFIG`: from a configuration to a plan and the parts of an experiment."""

import argparse
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pcmodel.cli import terminal
from pcmodel.cli.commands.command import Command, Given, add_folder_arguments
from pcmodel.cli.load import Experiment
from pcmodel.cli.numbers import whole
from pcmodel.cli.options import configure, describe_type, field_types
from pcmodel.cli.running.preparation import precision, prepare
from pcmodel.cli.running.processes import (
    add_process_arguments,
    join_processes,
    wait_for_all,
)
from pcmodel.cli.running.recorded import Destination, destination, run_in_folder
from pcmodel.cli.running.stopping import WAS_INTERRUPTED
from pcmodel.errors import UserError
from pcmodel.record import dump_json
from pcmodel.record.folder import COMPLETE, is_complete, read_status
from pcmodel.runtime.progress import Progress
from pcmodel.training.plan import TrainingPlan
from pcmodel.training.shipped import locate_plan, shipped

CHECKPOINTS = "checkpoints"
KEPT = (CHECKPOINTS, "tensorboard")
"""Folders that are not deleted when an interrupted run is resumed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel train` itself; a configuration's are not among them."""
    add = parser.add_argument
    add("plan", metavar="CONFIG", nargs="?", help="a name, or a .yaml or .json file")
    add("--list", action="store_true", help="the configurations that are shipped")
    add("--options", action="store_true", help="every --key of a configuration")
    add("--print-config", action="store_true", help="print the configuration and exit")
    add_folder_arguments(
        parser, name="CONFIG", overwrite="begin anew, whatever is there"
    )
    add(
        "--resume",
        action="store_true",
        help="go on, or say that there is nothing to go on from (by itself an "
        "unfinished run is gone on with)",
    )
    add("--from-step", type=whole, metavar="N", help="go on from this checkpoint")
    add("--any-version", action="store_true", help="also from another version's")
    add("--float64", action="store_true", help="compute in double precision")
    add("--tensorboard", action="store_true", help="also write for TensorBoard")
    add_process_arguments(parser)


def train(given: Given) -> int:
    """Train as configured, or print the available options."""
    arguments = given.arguments
    if arguments.list:
        terminal.print_shipped(shipped())
        return 0
    if arguments.options:
        print("\n".join(plan_options()))
        return 0
    if arguments.plan is None:
        raise UserError("no configuration was named", expected="pcmodel train CONFIG")
    prepare(arguments)
    plan = make_plan(arguments, given.rest)
    if arguments.print_config:
        print(dump_json(plan))
        return 0
    writes = join_processes(arguments)
    with precision(arguments.float64):
        to = destination(locate_plan(arguments.plan).stem, plan, arguments)
        check_folder(to, arguments)
        experiment = train_experiment(to, arguments, writes=writes)
        if not writes:
            return _help_training(experiment, to, arguments)
        command = train_command(arguments, given.rest)
        return run_in_folder(experiment, to, arguments, command=command)


def make_plan(arguments: argparse.Namespace, tokens: Sequence[str]) -> TrainingPlan:
    """The file's plan, reduced in size for --smoke, with the given options."""
    path = locate_plan(arguments.plan)
    plan = configure(TrainingPlan, TrainingPlan(), file=path, where=str(path))
    if arguments.smoke:
        plan = plan.shrunk()
    return configure(TrainingPlan, plan, tokens, where=path.stem)


def train_experiment(
    to: Destination, arguments: argparse.Namespace, *, writes: bool = True
) -> Experiment:
    """The training as an experiment, so that it is recorded like one.

    writes: False in all but the first of several processes.
    """
    from pcmodel.cli.pages.train_page import TrainPage

    page = TrainPage()

    def run(config: TrainingPlan, *, seed: int, progress: Any) -> Any:
        from pcmodel.training.run import run_training

        if arguments.overwrite and writes:
            _forget(to.path)
        wait_for_all("the folder is as it should be")
        done = run_training(
            config,
            seed=seed,
            folder=to.path,
            from_step=arguments.from_step,
            any_version=arguments.any_version,
            tensorboard=arguments.tensorboard,
            progress=progress,
        )
        return page.take(done)

    return Experiment(
        name=to.identity.experiment,
        question=to.identity.config.question,
        config=TrainingPlan,
        run=run,
        analyse=page.analyse,
        plot=page.plot,
        report=page.report,
    )


def check_folder(to: Destination, arguments: argparse.Namespace) -> None:
    """Refuse to resume a run that cannot be resumed, before anything is written."""
    identity, path = to
    saved = (path / CHECKPOINTS).is_dir() and any((path / CHECKPOINTS).iterdir())
    if arguments.overwrite:
        if arguments.resume or arguments.from_step is not None:
            raise UserError("--overwrite begins anew", expected="it without --resume")
        return
    if (arguments.resume or arguments.from_step is not None) and not saved:
        raise UserError("holds no checkpoint to go on from", where=str(path))
    status = read_status(path)
    if status is None or status["status"] == COMPLETE or not saved:
        return
    theirs = (status.get("config_hash"), status.get("seed"))
    if theirs != (identity.config_hash, identity.seed):
        raise UserError(
            f"holds an unfinished run of another configuration or seed ({theirs[0]}, "
            f"{theirs[1]})",
            where=str(path),
            expected="another --output, or --overwrite to begin anew",
        )


def _help_training(
    experiment: Experiment, to: Destination, arguments: argparse.Namespace
) -> int:
    """Run a process that writes nothing; the first process reports the result."""
    if arguments.overwrite or not is_complete(to.path, to.identity):
        try:
            experiment.run(
                to.identity.config,
                seed=arguments.seed,
                progress=Progress(silent=True),
            )
        except KeyboardInterrupt:
            terminal.say("interrupted; the first process keeps what was finished")
            return WAS_INTERRUPTED
    return 0


def train_command(arguments: argparse.Namespace, tokens: Sequence[str]) -> str:
    """The command that repeats the training."""
    words = ["pcmodel", "train", arguments.plan, "--seed", str(arguments.seed)]
    words += ["--smoke"] if arguments.smoke else []
    words += ["--float64"] if arguments.float64 else []
    return shlex.join([*words, *tokens])


def plan_options() -> list[str]:
    """One line for every --key of a plan."""
    kinds, base = field_types(TrainingPlan), TrainingPlan()
    width = max(map(len, kinds))
    return [
        f"  --{name:<{width}}  {describe_type(kind)} (default: {_default(base, name)})"
        for name, kind in kinds.items()
    ]


def _default(plan: Any, name: str) -> Any:
    for part in name.split("."):
        plan = getattr(plan, part)
    return plan


def _forget(folder: Path) -> None:
    for name in KEPT:
        shutil.rmtree(folder / name, ignore_errors=True)


TRAIN = Command(
    name="train",
    help="train a network on images and write its folder and report",
    usage="pcmodel train CONFIG [options] [--key value ...]",
    description="Train what a configuration says; its values can be changed as --key value. "
    "The same command goes on with a run that was broken off.",
    add_arguments=add_arguments,
    carry_out=train,
    takes_more=True,
    page="docs/training-at-scale.md",
)
