"""`pcmodel train CONFIG`: a configuration in, a plan and the parts of an experiment out."""

import argparse
import shlex
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pcmodel.cli.load import Experiment
from pcmodel.cli.numbers import place, whole
from pcmodel.cli.options import configure, describe_type, field_types
from pcmodel.cli.processes import add_process_arguments, wait_for_all
from pcmodel.errors import UserError
from pcmodel.record import RunIdentity
from pcmodel.record.folder import COMPLETE, read_status
from pcmodel.training.plan import TrainingPlan
from pcmodel.training.shipped import locate_plan

CHECKPOINTS = "checkpoints"
KEPT = (CHECKPOINTS, "tensorboard")
"""Folders that outlive a run that was broken off."""


def add_train_arguments(train: argparse.ArgumentParser) -> None:
    """The options of `pcmodel train`."""
    add = train.add_argument
    add("plan", metavar="CONFIG", nargs="?", help="a name, or a .yaml or .json file")
    add("--list", action="store_true", help="the configurations that are shipped")
    add("--options", action="store_true", help="every --key of a configuration")
    add("--print-config", action="store_true", help="print the configuration and exit")
    add("--smoke", action="store_true", help="tiny sizes: does it run at all?")
    add("--seed", type=whole, default=0, metavar="N", help="default 0")
    add("--output", type=place, metavar="DIR", help="default runs/CONFIG-HASH-SEED")
    add(
        "--resume",
        action="store_true",
        help="go on, or say that there is nothing to go on from (by itself an "
        "unfinished run is gone on with)",
    )
    add("--from-step", type=whole, metavar="N", help="go on from this checkpoint")
    add("--any-version", action="store_true", help="also from another version's")
    add("--overwrite", action="store_true", help="begin anew, whatever is there")
    add("--float64", action="store_true", help="compute in double precision")
    add("--tensorboard", action="store_true", help="also write for TensorBoard")
    add("--quiet", action="store_true", help="no progress on stderr")
    add_process_arguments(train)


def make_plan(arguments: argparse.Namespace, tokens: Sequence[str]) -> TrainingPlan:
    """The file's plan, shrunk for --smoke, with the options given."""
    path = locate_plan(arguments.plan)
    plan = configure(TrainingPlan, TrainingPlan(), file=path, where=str(path))
    if arguments.smoke:
        plan = plan.shrunk()
    return configure(TrainingPlan, plan, tokens, where=path.stem)


def train_experiment(
    plan: TrainingPlan,
    arguments: argparse.Namespace,
    folder: Callable[[], Path],
    *,
    writes: bool = True,
) -> Experiment:
    """The training in the shape of an experiment, so that it is recorded like one.

    writes: False in all but the first of several processes.
    """
    from pcmodel.cli.pages.train_page import TrainPage

    page = TrainPage()

    def run(config: TrainingPlan, *, seed: int, progress: Any) -> Any:
        from pcmodel.training.run import run_training

        if arguments.overwrite and writes:
            _forget(folder())
        wait_for_all("the folder is as it should be")
        done = run_training(
            config,
            seed=seed,
            folder=folder(),
            from_step=arguments.from_step,
            any_version=arguments.any_version,
            tensorboard=arguments.tensorboard,
            progress=progress,
        )
        return page.take(done)

    return Experiment(
        name=locate_plan(arguments.plan).stem,
        question=plan.question,
        config=TrainingPlan,
        run=run,
        analyse=page.analyse,
        plot=page.plot,
        report=page.report,
    )


def check_folder(
    path: Path, identity: RunIdentity, arguments: argparse.Namespace
) -> None:
    """Refuse, before anything is written, to go on with what cannot be gone on with."""
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
