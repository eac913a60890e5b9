"""A command: its name, its options, and the function that carries it out."""

import argparse
import shlex
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pcmodel.cli.numbers import place, whole


class Given(NamedTuple):
    """One command line.

    arguments: parsed by the command's own parser.
    rest: words that the parser does not know, in their order; empty unless the command `takes_more`.
    line: all words after `pcmodel`.
    parser: the command's own.
    """

    arguments: argparse.Namespace
    rest: Sequence[str]
    line: Sequence[str]
    parser: argparse.ArgumentParser

    def again(self) -> str:
        """The command line that repeats this one, without --overwrite."""
        words = [word for word in self.line if word != "--overwrite"]
        return shlex.join(["pcmodel", *words])


class Command(NamedTuple):
    """One command of the table in `main`.

    name: the word after `pcmodel`.
    help: one line for the list of commands.
    add_arguments: adds the command's options to its parser.
    carry_out: runs the command and returns the exit code; UserError for bad input.
    description: for its --help; argparse's own if None.
    usage: for its --help; argparse's own if None.
    page: of the documentation, where its --help ends.
    takes_more: words that the parser does not know are passed on (`--key value`).
    helps_itself: `carry_out` answers --help itself.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    carry_out: Callable[[Given], int]
    description: str | None = None
    usage: str | None = None
    page: str = ""
    takes_more: bool = False
    helps_itself: bool = False


def add_folder_arguments(
    parser: argparse.ArgumentParser,
    *,
    name: str,
    overwrite: str = "replace a complete run",
) -> None:
    """Add the options of every recorded run: seed, output folder and verbosity.

    name: the start of the folder's name.
    overwrite: help text of --overwrite.
    """
    add = parser.add_argument
    add("--smoke", action="store_true", help="tiny sizes: does it run at all?")
    add("--seed", type=whole, default=0, metavar="N", help="default 0")
    add("--output", type=place, metavar="DIR", help=f"default runs/{name}-HASH-SEED")
    add("--overwrite", action="store_true", help=overwrite)
    add("--quiet", action="store_true", help="no progress on stderr")


def add_formulas(parser: argparse.ArgumentParser, *, about: str | None = None) -> None:
    """Add the formulas of how parameters differ between people, sessions and conditions."""
    parser.add_argument(
        "--formula",
        action="append",
        default=[],
        metavar="F",
        help=about or '"omega2 ~ drug + (drug | participant)"; may be repeated',
    )
