"""`pcmodel list`: the experiments of the package."""

from pcmodel.cli import terminal
from pcmodel.cli.catalogue import catalogue
from pcmodel.cli.commands.command import Command, Given


def print_experiments(given: Given) -> int:
    """Print the table of experiments, read without running any."""
    terminal.print_catalogue(catalogue())
    return 0


LIST = Command(
    name="list",
    help="the experiments, their questions and times",
    add_arguments=lambda parser: None,
    carry_out=print_experiments,
)
