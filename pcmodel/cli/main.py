"""Arguments, exit codes and signals.

Exit codes: 0 done, 1 the experiment failed, 2 bad input, 130 interrupted.
"""

import argparse
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pcmodel.cli import terminal
from pcmodel.cli.catalogue import catalogue, config_options, locate
from pcmodel.cli.commands import calibrate, design, recover
from pcmodel.cli.commands.check import add_check, check_data
from pcmodel.cli.commands.fit import (
    add_fit_arguments,
    fit_command,
    fit_experiment,
    make_plan,
    open_fit_chunks,
    show_finished,
    write_labelled,
)
from pcmodel.cli.commands.replications import drop_chunks, open_chunks
from pcmodel.cli.commands.train import (
    add_train_arguments,
    check_folder,
    plan_options,
    train_command,
    train_experiment,
)
from pcmodel.cli.commands.train import make_plan as make_training_plan
from pcmodel.cli.execute import execute
from pcmodel.cli.load import Experiment, load, with_chunks
from pcmodel.cli.numbers import place, whole
from pcmodel.cli.options import build_config
from pcmodel.cli.parser import Parser
from pcmodel.cli.processes import join_processes
from pcmodel.cli.stopping import ignore_further_interrupts, terminate_like_interrupt
from pcmodel.errors import UserError
from pcmodel.record import RunFolder, RunIdentity, dump_json
from pcmodel.record.environment import git_revision, is_float64
from pcmodel.record.folder import FAILED, INTERRUPTED, is_complete, read_revision
from pcmodel.runtime.flags import compile_quickly, keep_compiled
from pcmodel.runtime.progress import Progress
from pcmodel.training.shipped import shipped

FAILURE, BAD_INPUT, WAS_INTERRUPTED = 1, 2, 130
STUDIES: dict[str, Any] = {
    "calibrate": calibrate,
    "recover": recover,
    "design": design,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        with terminate_like_interrupt():
            return _dispatch(list(sys.argv[1:] if argv is None else argv))
    except UserError as error:
        terminal.say(str(error))
        return BAD_INPUT
    except BrokenPipeError:  # the reader of our output, such as `head`, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        terminal.say("interrupted before a run had started, nothing was written")
        return WAS_INTERRUPTED


def _dispatch(argv: list[str]) -> int:
    parser, run_parser = _parsers()
    arguments, tokens = parser.parse_known_args(argv)
    if arguments.command == "run":
        if arguments.help:
            return _help_run(run_parser, arguments.experiment)
        return _run(arguments, tokens)
    if arguments.command == "fit" and not tokens:
        return _fit(arguments, argv)
    if arguments.command == "check" and not tokens:
        return check_data(arguments)
    if arguments.command in STUDIES and not tokens:
        return _study(STUDIES[arguments.command], arguments, argv)
    if arguments.command == "train":
        return _train(arguments, tokens)
    if tokens:
        what = "the option" if tokens[0].startswith("-") else "what to do with"
        raise UserError(f"{arguments.command} does not know {what} {tokens[0]!r}")
    if arguments.command == "list":
        terminal.print_catalogue(catalogue())
        return 0
    parser.print_help()
    return BAD_INPUT


def _parsers() -> tuple[Parser, Parser]:
    from pcmodel import __version__

    parser = Parser(
        prog="pcmodel",
        description="Predictive coding with a precision at every level.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands"
    )
    commands.add_parser("list", help="the experiments, their questions and times")
    run = commands.add_parser(
        "run",
        help="run one experiment and write its folder and report",
        usage="pcmodel run EXPERIMENT [options] [--key value ...]",
        description="Run one experiment. Its own options follow as --key value; "
        "`pcmodel run EXPERIMENT --help` lists them.",
        add_help=False,
        allow_abbrev=False,
    )
    _add_run_arguments(run)
    fit = commands.add_parser(
        "fit",
        help="fit a model to behavioural data and write its folder and report",
        description="Fit a participant model to a table of trials, or to a BIDS folder.",
        allow_abbrev=False,
    )
    add_fit_arguments(fit)
    add_check(commands)
    for name, study in STUDIES.items():
        study.add_arguments(
            commands.add_parser(
                name, help=study.HELP, description=study.ABOUT, allow_abbrev=False
            )
        )
    train = commands.add_parser(
        "train",
        help="train a network on images and write its folder and report",
        usage="pcmodel train CONFIG [options] [--key value ...]",
        description="Train what a configuration says; its values can be changed as --key value. "
        "The same command goes on with a run that was broken off.",
        allow_abbrev=False,
    )
    add_train_arguments(train)
    return parser, run


def _add_run_arguments(run: argparse.ArgumentParser) -> None:
    add = run.add_argument
    add("experiment", metavar="EXPERIMENT", nargs="?", help="a name, or a .py file")
    add("-h", "--help", action="store_true", help="show this help and exit")
    add("--smoke", action="store_true", help="tiny sizes: does it run at all?")
    add("--seed", type=whole, default=0, metavar="N", help="default 0")
    add("--output", type=place, metavar="DIR", help="default runs/NAME-HASH-SEED")
    add("--overwrite", action="store_true", help="replace a complete run")
    add("--config", type=place, metavar="FILE", help="read options from JSON or YAML")
    add("--print-config", action="store_true", help="print the options and exit")
    add("--float64", action="store_true", help="compute in double precision")
    add("--quiet", action="store_true", help="no progress on stderr")


def _help_run(parser: argparse.ArgumentParser, name: str | None) -> int:
    path = locate(name) if name else None
    parser.print_help()
    if name and path:
        terminal.print_options(name, config_options(path))
    return 0


def _run(arguments: argparse.Namespace, tokens: list[str]) -> int:
    if arguments.experiment is None:
        raise UserError("no experiment was named", expected="pcmodel run EXPERIMENT")
    _check_seed(arguments.seed)
    path = locate(arguments.experiment)
    if arguments.smoke:
        compile_quickly()
    keep_compiled()
    with _precision(arguments.float64):
        experiment = load(path)
        config = build_config(
            experiment, tokens, smoke=arguments.smoke, file=arguments.config
        )
        if arguments.print_config:
            print(dump_json(config))
            return 0
        code = _run_in_folder(
            with_chunks(experiment, lambda: _chunks(experiment, config, arguments)),
            config,
            arguments,
            lambda folder: _command(arguments, tokens, folder),
        )
        if code == 0:
            drop_chunks(_folder(experiment, config, arguments))
        return code


def _fit(arguments: argparse.Namespace, argv: list[str]) -> int:
    _check_seed(arguments.seed)
    if arguments.smoke:
        compile_quickly()
    plan, kept = make_plan(arguments), []
    experiment = fit_experiment(
        plan,
        accept_unconverged=arguments.accept_unconverged,
        is_smoke=arguments.smoke,
        keep=kept.append,
        open_stored=lambda: chunks,
    )
    identity = RunIdentity(experiment.name, plan, arguments.seed, is_float64())
    folder = _folder(experiment, plan, arguments)
    if show_finished(experiment, identity, folder, argv, arguments):
        return 0
    chunks = open_fit_chunks(folder, identity, anew=arguments.overwrite)
    code = _run_in_folder(experiment, plan, arguments, lambda path: fit_command(argv))
    if kept and code == 0:
        write_labelled(kept[0], folder)
    return code


def _study(study: Any, arguments: argparse.Namespace, argv: list[str]) -> int:
    _check_seed(arguments.seed)
    if arguments.smoke:
        compile_quickly()
    keep_compiled()
    plan = study.make_plan(arguments)
    experiment = study.make_experiment(
        plan,
        lambda: study.open_store(_folder(experiment, plan, arguments), plan, arguments),
    )
    return _run_in_folder(experiment, plan, arguments, lambda _: fit_command(argv))


def _train(arguments: argparse.Namespace, tokens: list[str]) -> int:
    if arguments.list:
        terminal.print_shipped(shipped())
        return 0
    if arguments.options:
        print("\n".join(plan_options()))
        return 0
    if arguments.plan is None:
        raise UserError("no configuration was named", expected="pcmodel train CONFIG")
    _check_seed(arguments.seed)
    if arguments.smoke:
        compile_quickly()
    keep_compiled()
    plan = make_training_plan(arguments, tokens)
    if arguments.print_config:
        print(dump_json(plan))
        return 0
    writes = join_processes(arguments)
    with _precision(arguments.float64):
        experiment = train_experiment(
            plan,
            arguments,
            lambda: _folder(experiment, plan, arguments),
            writes=writes,
        )
        identity = RunIdentity(experiment.name, plan, arguments.seed, is_float64())
        check_folder(_folder(experiment, plan, arguments), identity, arguments)
        if not writes:
            return _help_training(experiment, plan, arguments)
        return _run_in_folder(
            experiment, plan, arguments, lambda _: train_command(arguments, tokens)
        )


def _help_training(
    experiment: Experiment, plan: Any, arguments: argparse.Namespace
) -> int:
    """The part of a process that writes nothing; the first one tells how it went."""
    identity = RunIdentity(experiment.name, plan, arguments.seed, is_float64())
    path = _folder(experiment, plan, arguments)
    if arguments.overwrite or not is_complete(path, identity):
        try:
            experiment.run(plan, seed=arguments.seed, progress=Progress(silent=True))
        except KeyboardInterrupt:
            terminal.say("interrupted; the first process keeps what was finished")
            return WAS_INTERRUPTED
    return 0


def _chunks(experiment: Experiment, config: Any, arguments: argparse.Namespace) -> Any:
    identity = RunIdentity(experiment.name, config, arguments.seed, is_float64())
    folder = _folder(experiment, config, arguments)
    return open_chunks(folder, identity, anew=arguments.overwrite)


def _folder(experiment: Experiment, config: Any, arguments: argparse.Namespace) -> Path:
    identity = RunIdentity(experiment.name, config, arguments.seed, is_float64())
    return arguments.output or Path("runs") / identity.folder_name


def _check_seed(seed: int) -> None:
    if not 0 <= seed < 2**32:
        raise UserError(f"cannot be {seed}", where="--seed", expected="0 to 4294967295")


def _run_in_folder(
    experiment: Experiment,
    config: Any,
    arguments: argparse.Namespace,
    command: Callable[[Path], str],
) -> int:
    identity = RunIdentity(experiment.name, config, arguments.seed, is_float64())
    path = _folder(experiment, config, arguments)
    if not arguments.overwrite and is_complete(path, identity):
        terminal.say(
            f"this very run is already complete{_made_by(path)}, "
            f"see {path / 'report.html'}; add --overwrite to run it again"
        )
        return 0
    folder = RunFolder.start(path, identity, overwrite=arguments.overwrite)
    with _recorded_ending(folder) as ending:
        ending.report = execute(
            experiment,
            config,
            seed=arguments.seed,
            folder=folder,
            progress=Progress(lines=True, silent=arguments.quiet),
            command=command(folder.path),
            is_smoke=arguments.smoke,
        )
    if ending.report is not None:
        terminal.print_summary(ending.report, folder.path)
    return ending.code


def _made_by(path: Path) -> str:
    """A warning when the finished run came from other code than this."""
    made, now = read_revision(path), git_revision()
    if made == now:
        return ""
    return f" (made by revision {str(made)[:8]}, while this is {str(now)[:8]})"


class _Ending:
    """How a run ended: its exit code, and its report if there is one."""

    code: int = 0
    report: Any = None


@contextmanager
def _recorded_ending(folder: RunFolder) -> Iterator[_Ending]:
    """Whatever ends the run, the folder says so and the user gets one sentence."""
    ending = _Ending()
    try:
        yield ending
    except KeyboardInterrupt:
        ignore_further_interrupts()
        folder.finish(INTERRUPTED, "interrupted by the user or the system")
        terminal.say(f"interrupted; what was finished is in {folder.path}")
        ending.code = WAS_INTERRUPTED
    except UserError as error:
        folder.finish(FAILED, str(error))
        raise
    except (Exception, SystemExit) as error:
        folder.write_text("error.txt", traceback.format_exc())
        folder.finish(FAILED, f"{type(error).__name__}: {error}")
        terminal.say(
            f"{folder.identity.experiment} failed with {type(error).__name__} "
            f"({_first_line(error)}); the details are in {folder.path / 'error.txt'}"
        )
        ending.code = FAILURE


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0][:200]


def _command(arguments: argparse.Namespace, tokens: list[str], folder: Path) -> str:
    """The command that repeats this run, from the folder that it was started in."""
    words = ["pcmodel", "run", arguments.experiment, "--seed", str(arguments.seed)]
    words += ["--smoke"] if arguments.smoke else []
    words += ["--float64"] if arguments.float64 else []
    words += ["--config", str(folder / "config.json")] if arguments.config else []
    return shlex.join([*words, *tokens])


@contextmanager
def _precision(float64: bool) -> Iterator[None]:
    """Double precision for one run, before the experiment makes any array."""
    if not float64:
        yield
        return
    import jax

    before = is_float64()
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)
