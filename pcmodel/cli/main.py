"""The table of commands, and the exit code of each command line.

Exit codes: 0 done, 1 the experiment failed, 2 bad input, 130 interrupted.
"""

import os
import sys
from collections.abc import Mapping, Sequence

from pcmodel.cli import terminal
from pcmodel.cli.commands.brain import BRAIN
from pcmodel.cli.commands.calibrate import CALIBRATE
from pcmodel.cli.commands.check import CHECK
from pcmodel.cli.commands.command import Given
from pcmodel.cli.commands.design import DESIGN
from pcmodel.cli.commands.fit import FIT
from pcmodel.cli.commands.listing import LIST, MODELS, PROTOCOLS
from pcmodel.cli.commands.power import POWER
from pcmodel.cli.commands.recover import RECOVER
from pcmodel.cli.commands.run import RUN
from pcmodel.cli.commands.train import TRAIN
from pcmodel.cli.comparison.command import COMPARE
from pcmodel.cli.explore import EXPLORE
from pcmodel.cli.parser import Parser
from pcmodel.cli.running.stopping import (
    BAD_INPUT,
    WAS_INTERRUPTED,
    terminate_like_interrupt,
)
from pcmodel.errors import UserError

COMMANDS = {
    command.name: command
    for command in (
        *(
            LIST,
            PROTOCOLS,
            MODELS,
            RUN,
            FIT,
            COMPARE,
            CHECK,
            CALIBRATE,
            RECOVER,
            DESIGN,
            POWER,
            TRAIN,
        ),
        BRAIN,
        EXPLORE,
    )
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        with terminate_like_interrupt():
            return _dispatch(list(sys.argv[1:] if argv is None else argv))
    except UserError as error:
        terminal.say(str(error))
        return BAD_INPUT
    except (
        BrokenPipeError
    ):  # the reader of the output, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        terminal.say("interrupted before a run had started, nothing was written")
        return WAS_INTERRUPTED


def _dispatch(argv: list[str]) -> int:
    parser, parsers = make_parsers()
    arguments, rest = parser.parse_known_args(argv)
    command = COMMANDS.get(arguments.command)
    if rest and not (command and command.takes_more):
        what = "the option" if rest[0].startswith("-") else "what to do with"
        name = arguments.command or "pcmodel"
        raise UserError(f"{name} does not know {what} {rest[0]!r}")
    if command is None:
        parser.print_help()
        return BAD_INPUT
    return command.carry_out(Given(arguments, rest, argv, parsers[command.name]))


def make_parsers() -> tuple[Parser, Mapping[str, Parser]]:
    """The parser of the whole command line, and the parsers of the commands by name."""
    from pcmodel import __version__

    parser = Parser(
        prog="pcmodel",
        description="Predictive coding with a precision at every level.",
        epilog="Documentation: docs/index.md",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands"
    )
    for command in COMMANDS.values():
        own = commands.add_parser(
            command.name,
            help=command.help,
            usage=command.usage,
            description=command.description,
            epilog=f"Documentation: {command.page}",
            add_help=not command.helps_itself,
            allow_abbrev=False,
        )
        command.add_arguments(own)
    return parser, commands.choices
