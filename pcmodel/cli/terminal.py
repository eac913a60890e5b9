"""Output of the command line. Results go to stdout, everything else to stderr."""

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from pcmodel.cli.catalogue import Entry, Option

OUTCOME_STYLE = {"holds": "green", "fails": "red", "inconclusive": "yellow"}


def say(sentence: str) -> None:
    """Print one line to stderr, with line breaks removed except in lists.

    The lines of a list are indented by two spaces and stay separate.
    """
    head, *items = sentence.split("\n  ")
    lines = ["pcmodel: " + " ".join(head.split())]
    lines += ["  " + " ".join(item.split()) for item in items]
    print("\n".join(lines), file=sys.stderr, flush=True)


def print_catalogue(entries: Iterable[Entry]) -> None:
    """The table of `pcmodel list`."""
    table = _table("experiment", "question", "time")
    for entry in entries:
        table.add_row(f"[bold]{entry.name}[/]", _plain(entry.question), entry.time)
    _console().print(table)


def print_understood(rows: Iterable[tuple[str, str]]) -> None:
    """Print the table of `pcmodel check`, with the names of columns unchanged."""
    from rich.markup import escape

    table = _table("what", "was understood")
    for what, said in rows:
        table.add_row(escape(what), escape(said))
    _console().print(table)


def print_rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table of `pcmodel models`; the first cell of each row is a name."""
    table = _table(*header)
    table.columns[0].no_wrap = True
    for name, *cells in rows:
        table.add_row(f"[bold]{_plain(name)}[/]", *map(_plain, cells))
    _console().print(table)


def print_entries(
    entries: Iterable[tuple[str, Iterable[tuple[str, str]]]],
) -> None:
    """Names, and under each what is said of it, wrapped to the terminal's width."""
    width = max(50, _console().width)
    for name, said in entries:
        print(name)
        for label, text in said:
            head = f"    {label:<18}"
            plain = text.replace("`", "")
            rest = " " * len(head)
            print(
                fill(plain, width, initial_indent=head, subsequent_indent=rest),
                flush=True,
            )


def print_lines(lines: Iterable[str]) -> None:
    """Lines to be copied as they are."""
    print("\n".join(lines), flush=True)


def print_shipped(entries: Iterable[Any]) -> None:
    """The table of `pcmodel train --list`."""
    table = _table("configuration", "question", "time")
    for entry in entries:
        table.add_row(f"[bold]{entry.name}[/]", _plain(entry.question), entry.time)
    _console().print(table)


def print_protocols(protocols: Iterable[Any]) -> None:
    """The table of `pcmodel protocols`."""
    table = _table("protocol", "question", "arms", "days")
    for own in protocols:
        arms = ", ".join(arm.name for arm in own.arms)
        table.add_row(
            f"[bold]{own.name}[/]", _plain(own.about), _plain(arms), str(own.length)
        )
    _console().print(table)


def print_protocol(
    course: Iterable[Sequence[str]], groups: Iterable[Sequence[str]]
) -> None:
    """What was understood of a protocol: its sessions and its arms."""
    from rich.markup import escape

    for columns, rows in (
        (("phase", "days", "when", "evidence"), course),
        (("arm", "what it is", "doses"), groups),
    ):
        table = _table(*columns)
        for row in rows:
            table.add_row(*map(escape, row))
        _console().print(table)


def print_options(name: str, options: Sequence[Option]) -> None:
    """The options of one experiment, under the help of `run`."""
    print(f"\noptions of {name}:")
    width = max((len(option.name) for option in options), default=0)
    for option in options:
        default = f" (default: {option.default})" if option.default else ""
        print(f"  --{option.name:<{width}}  {option.type}{default}")


def print_summary(report: Any, folder: Path) -> None:
    """The answer, the verdicts, and where to read more."""
    console = _console()
    console.print(f"\n[bold]{_plain(report.title)}[/]")
    if report.stamp:
        console.print(f"[red]{_plain(report.stamp)}[/]")
    console.print(_plain(report.answer) + "\n")
    if report.verdicts:
        table = _table("verdict", "claim", "observed", "kind")
        for verdict in report.verdicts:
            style = OUTCOME_STYLE[verdict.outcome]
            table.add_row(
                f"[{style}]{verdict.outcome}[/]",
                _plain(verdict.name),
                _plain(verdict.observed),
                verdict.kind,
            )
        console.print(table)
    # Not by the console, which would wrap a long path.
    console.file.flush()
    print(f"\nReport: {folder / 'report.html'}", flush=True)


def _table(*columns: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column == "verdict")
    return table


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


def _plain(text: str) -> str:
    """Text with square brackets escaped and the report's marks removed."""
    from rich.markup import escape

    text = re.sub(
        r"\*\*(\S(?:.*?\S)?)\*\*", r"\1", text
    )  # not the power in I(age ** 2)
    return escape(text.replace("`", ""))
