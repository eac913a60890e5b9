"""`pcmodel run EXPERIMENT`: one experiment of the package, or one in the user's own file."""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pcmodel.cli import terminal
from pcmodel.cli.catalogue import config_options, locate
from pcmodel.cli.commands.command import Command, Given, add_folder_arguments
from pcmodel.cli.load import load, with_chunks
from pcmodel.cli.numbers import place
from pcmodel.cli.options import build_config
from pcmodel.cli.running.chunks import drop_chunks, open_chunks
from pcmodel.cli.running.preparation import precision, prepare
from pcmodel.cli.running.recorded import destination, run_in_folder
from pcmodel.errors import UserError
from pcmodel.record import dump_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel run` itself; an experiment's own are not among them."""
    add = parser.add_argument
    add("experiment", metavar="EXPERIMENT", nargs="?", help="a name, or a .py file")
    add("-h", "--help", action="store_true", help="show this help and exit")
    add_folder_arguments(parser, name="NAME")
    add("--config", type=place, metavar="FILE", help="read options from JSON or YAML")
    add("--print-config", action="store_true", help="print the options and exit")
    add("--float64", action="store_true", help="compute in double precision")


def run(given: Given) -> int:
    """Run an experiment, or print its help or its options."""
    arguments = given.arguments
    if arguments.help:
        return _help(given.parser, arguments.experiment)
    if arguments.experiment is None:
        raise UserError("no experiment was named", expected="pcmodel run EXPERIMENT")
    prepare(arguments)
    path = locate(arguments.experiment)
    with precision(arguments.float64):
        return _run(path, arguments, given.rest)


def _run(path: Path, arguments: argparse.Namespace, rest: Sequence[str]) -> int:
    experiment = load(path)
    config: Any = build_config(
        experiment, rest, smoke=arguments.smoke, file=arguments.config
    )
    if arguments.print_config:
        print(dump_json(config))
        return 0
    to = destination(experiment.name, config, arguments)
    code = run_in_folder(
        with_chunks(
            experiment,
            lambda: open_chunks(to.path, to.identity, anew=arguments.overwrite),
        ),
        to,
        arguments,
        command=_command(arguments, rest, to.path),
    )
    if code == 0:
        drop_chunks(to.path)
    return code


def _help(parser: argparse.ArgumentParser, name: str | None) -> int:
    path = locate(name) if name else None
    parser.print_help()
    if name and path:
        terminal.print_options(name, config_options(path))
    return 0


def _command(arguments: argparse.Namespace, rest: Sequence[str], folder: Path) -> str:
    """The command that repeats this run from the current folder."""
    words = ["pcmodel", "run", arguments.experiment, "--seed", str(arguments.seed)]
    words += ["--smoke"] if arguments.smoke else []
    words += ["--float64"] if arguments.float64 else []
    words += ["--config", str(folder / "config.json")] if arguments.config else []
    return shlex.join([*words, *rest])


RUN = Command(
    name="run",
    help="run one experiment and write its folder and report",
    usage="pcmodel run EXPERIMENT [options] [--key value ...]",
    description="Run one experiment. Its own options follow as --key value; "
    "`pcmodel run EXPERIMENT --help` lists them.",
    add_arguments=add_arguments,
    carry_out=run,
    takes_more=True,
    helps_itself=True,
    page="experiments/README.md",
)
