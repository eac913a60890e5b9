"""`pcmodel list` and `pcmodel protocols`: the experiments and the protocols of the package."""

import argparse

from pcmodel.cli import terminal
from pcmodel.cli.catalogue import catalogue
from pcmodel.cli.commands.command import Command, Given


def print_experiments(given: Given) -> int:
    """Print the table of experiments, read without running any."""
    terminal.print_catalogue(catalogue())
    return 0


def add_protocol_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel protocols`."""
    parser.add_argument(
        "protocol",
        metavar="NAME",
        nargs="?",
        help="prints this one, to begin your own from; a .yaml file of yours is checked",
    )


def print_protocols(given: Given) -> int:
    """Print the table of protocols, the text of a shipped one, or what was understood of a user's own."""
    from pcmodel.sessions.protocol.read import read_protocol
    from pcmodel.sessions.protocol.shipped import shipped_protocols

    name, known = given.arguments.protocol, shipped_protocols()
    if name is None:
        terminal.print_protocols([read_protocol(each).protocol for each in known])
        return 0
    read = read_protocol(name)
    if name in known:
        print(read.text, end="")
        return 0
    from pcmodel.sessions.protocol.load import check_doses
    from pcmodel.sessions.protocol.summary import course, groups

    check_doses(read)
    terminal.print_protocol(course(read.protocol), groups(read.protocol))
    return 0


LIST = Command(
    name="list",
    help="the experiments, their questions and times",
    add_arguments=lambda parser: None,
    carry_out=print_experiments,
)

PROTOCOLS = Command(
    name="protocols",
    help="courses of treatment that are shipped; prints one, or checks your own",
    add_arguments=add_protocol_arguments,
    carry_out=print_protocols,
    description="List the protocols that `pcmodel run therapy --protocol` and `pcmodel power` take, print one "
    "of them, or check a file of your own and say what was understood.",
)
