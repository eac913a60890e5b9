"""`pcmodel explore`: writes one page of HTML in which precisions are moved by hand, and opens it."""

import argparse
import os
import sys
import webbrowser
from pathlib import Path

from pcmodel.cli import terminal
from pcmodel.cli.commands.command import Command, Given
from pcmodel.cli.numbers import place

DEFAULT = Path("pcmodel-explorer.html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel explore`."""
    add = parser.add_argument
    add("--output", type=place, metavar="FILE", help=f"default {DEFAULT}")
    add(
        "--open",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="show it in the browser (default), or only write it",
    )


def explore(given: Given) -> int:
    """Write the page, say where it is, and show it."""
    from pcmodel.explorer import write_page

    path = write_page(given.arguments.output or DEFAULT)
    terminal.print_lines([str(path)])
    if given.arguments.open and not show(path):
        terminal.say("no browser was found: open the file above in one")
    return 0


def show(path: Path) -> bool:
    """Open a file in the browser; false where there is none that draws."""
    windows = sys.platform in ("win32", "darwin")
    if not windows and not (os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}):
        return False
    return webbrowser.open(path.as_uri())


EXPLORE = Command(
    name="explore",
    help="a page to move precisions by hand: beliefs, digits, doses, courses of therapy",
    description="Write one HTML file that needs nothing else, and open it: a belief that meets evidence, a network that "
    "settles on a digit, a dose and its hours, and a course of therapy, each with sliders.",
    page="docs/explorer.md",
    add_arguments=add_arguments,
    carry_out=explore,
)
