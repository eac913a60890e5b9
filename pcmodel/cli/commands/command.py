"""What a command is: a name, its options, and what it does with the words it is given."""

import argparse
import shlex
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pcmodel.cli.numbers import place, whole


class Given(NamedTuple):
    """One command line.

    arguments: what the command's own parser read.
    rest: words that it does not know, in their order; empty unless the command `takes_more`.
    line: all words after `pcmodel`.
    parser: the command's own.
    """

    arguments: argparse.Namespace
    rest: Sequence[str]
    line: Sequence[str]
    parser: argparse.ArgumentParser

    def again(self) -> str:
        """The command line that repeats this one, and replaces nothing."""
        words = [word for word in self.line if word != "--overwrite"]
        return shlex.join(["pcmodel", *words])


class Command(NamedTuple):
    """One command of the table in `main`.

    help: one line for the list of commands.
    add_arguments: gives the command's parser its options.
    carry_out: does what was asked and returns the exit code; UserError for bad input.
    description, usage: of its --help; argparse's own where empty.
    takes_more: words that the parser does not know are the command's too (`--key value`).
    helps_itself: --help is an option among others, which `carry_out` answers.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    carry_out: Callable[[Given], int]
    description: str | None = None
    usage: str | None = None
    takes_more: bool = False
    helps_itself: bool = False


def add_folder_arguments(
    parser: argparse.ArgumentParser,
    *,
    name: str,
    overwrite: str = "replace a complete run",
) -> None:
    """Seed, output folder and how much is said, as every recorded run has them.

    name: what the folder's name begins with.
    """
    add = parser.add_argument
    add("--smoke", action="store_true", help="tiny sizes: does it run at all?")
    add("--seed", type=whole, default=0, metavar="N", help="default 0")
    add("--output", type=place, metavar="DIR", help=f"default runs/{name}-HASH-SEED")
    add("--overwrite", action="store_true", help=overwrite)
    add("--quiet", action="store_true", help="no progress on stderr")


def add_formulas(parser: argparse.ArgumentParser, *, about: str | None = None) -> None:
    """How parameters differ between people, sessions and conditions."""
    parser.add_argument(
        "--formula",
        action="append",
        default=[],
        metavar="F",
        help=about or '"omega2 ~ drug + (drug | participant)"; may be repeated',
    )
