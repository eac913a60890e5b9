"""Every option that a complaint advises, followed as a shell takes it, leads on.

Small tables with one thing or two that are doubtful are checked; each option that is told
in brackets is added to the command as it stands, and so on until the table is read. An
option fails that cannot be read, or after which the complaint that told it is still there.
`python -m tests.behaviour.dataset.advice_battery` prints what failed, and counts.
"""

import itertools
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pcmodel.cli.parser import Parser
from pcmodel.cli.table_arguments import add_table_arguments, table_options
from pcmodel.errors import UserError
from tests.behaviour.dataset.small_tables import options

DEEPEST = 4  # options after each other
GENERAL = ("=COLUMN", "=A,B", "=CODE", "=WORD", "LOW,HIGH")  # to be filled in
AGES = ("31", "24", "55", "47")
NAMES = ("age", "BDI-II, total", "age (years)", "a=b")
WORDS = ("999", "-9", "n/a", "", "unknown", "?", "20%", "−5", "1 000", "30px", "it's")
PARTS = ("condition", "version", "Phase", "list", "group", "site (no)", "drug", "x, y")


RESPONSES = (
    *(("5",), ("left",), ("0", "2"), ("1", "9"), ("7", "8"), ("left", "right")),
    *(
        ("0", "1", "7"),
        ("left", "right", "none given"),
        ("f", "j", "0"),
        ("win", "loss"),
    ),
    *(
        ("0", "1", "late"),
        ("1", "2", "3", "space"),
        ("0", "1", "2"),
        ("A", "B", "miss"),
    ),
    *(("a, b", "c"), ("1", "2", "2,5"), ("1", "5", "20"), ("it's", "not"), ("-1", "1")),
    *(
        ("1", "99"),
        ("x=1", "x=2"),
        ('say "hi"', "no"),
        ("0.1", "0.2"),
        ("1", "2", "-9"),
    ),
)
BLOCKS = (
    *(("block", ("1", "2")), ("block", ("A", "B")), ("run (no)", ("1", "2"))),
    *(("condition", ("easy", "hard")), ("x, y", ("2", "1")), ("Run", ("a, b", "c"))),
)


class Case(NamedTuple):
    """A table, the task, its covariates, and the options that it is first read with."""

    text: str
    task: str = "binary"
    covariates: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"' if "," in name or '"' in name else name


def _rows(cells: Sequence[Sequence[str]], *, trials: int = 6) -> Iterator[str]:
    for who, own in enumerate(cells):
        for t in range(trials):
            yield ",".join(
                (f"s{who}", f"{t}", f"{t % 2}", f"{(t + who) // 2 % 2}", *own)
            )


def _covariates() -> Iterator[Case]:
    for name, word in itertools.product(NAMES, WORDS):
        head = f"id,trial,outcome,response,{_quoted(name)}"
        for rest in (AGES, ("low", "high", "low", "high")):
            cells = [(word,), *((x,) for x in rest)]
            yield Case("\n".join([head, *_rows(cells)]), covariates=(name,))


def _parts() -> Iterator[Case]:
    for name, levels in itertools.product(PARTS, ("AB", "12")):
        for trial, by_person in itertools.product((True, False), (True, False)):
            rows = [
                (who, f"s{who}," + f"{t}," * trial + f"{t % 2},{t // 3},{level}")
                for level in levels
                for who in range(3)
                for t in range(6)
            ]
            rows = sorted(rows, key=lambda row: row[0]) if by_person else rows
            head = "id," + "trial," * trial + f"outcome,response,{_quoted(name)}"
            text = "\n".join([head, *(row for _, row in rows)])
            yield Case(text)
            yield Case(text, covariates=(name,))


def _ratings() -> Iterator[Case]:
    for cells in ("0 250 500", "-5 99 505", "0.5 250 500.25", "-1 50 100", "7 late 9"):
        rows = [f"a,{t},{t % 2},{cell}" for t, cell in enumerate(cells.split() * 2)]
        text = "\n".join(["id,trial,outcome,rating", *rows])
        yield Case(text, "rating", options=(("--scale", "0,100"),))


def _choices() -> Iterator[Case]:
    """Responses, outcomes and options of words and numbers, of which some may be none."""
    for kinds in RESPONSES:
        cells = [kinds[t % len(kinds)] for t in range(12)]
        rows = [f"a,{t},{t // 2 % 2},{_quoted(cell)}" for t, cell in enumerate(cells)]
        yield Case("\n".join(["id,trial,outcome,response", *rows]))
        yield Case("\n".join(["id,trial,response,outcome", *rows]))
        rows = [f"{row},{t // 3 % 2}" for t, row in enumerate(rows)]
        yield Case("\n".join(["id,trial,reward,choice,x", *rows]), "bandit")


def _blocks() -> Iterator[Case]:
    """Blocks that half of the people did in the other order, trials counted in each or on."""
    for (name, levels), anew, clock, sort in itertools.product(
        BLOCKS, (True, False), (True, False), (True, False)
    ):
        rows = []
        for place, who in enumerate("abcd"):
            for i, level in enumerate(reversed(levels) if place % 2 else levels):
                first = 0 if anew else 8 * levels.index(level)
                for t in range(8):
                    onset = f",{100 * (t + 8 * i) + t % 3}" if clock else ""
                    done = f"{t % 2},{t // 2 % 2}{onset}"
                    rows.append(f"{who},{_quoted(level)},{t + first},{done}")
        rows = sorted(rows) if sort else rows
        head = f"id,{_quoted(name)},trial,outcome,response" + ",onset" * clock
        yield Case("\n".join([head, *rows]))


def cases() -> list[Case]:
    """All tables."""
    return [*_covariates(), *_parts(), *_ratings(), *_choices(), *_blocks()]


def _said(folder: Path, case: Case) -> str:
    """What is complained of; nothing where the table is read."""
    from pcmodel.behaviour.dataset import find_task, load_series
    from pcmodel.behaviour.dataset.reading import pairs_of
    from pcmodel.behaviour.studies.fit import Plan, reading_of

    path = folder / "data.csv"
    path.write_text(case.text + "\n", "utf-8")
    parser = Parser()
    add_table_arguments(parser)
    words = [f"{name}={value}" for name, value in case.options]
    try:
        arguments = parser.parse_args(words)
        arguments.data = path
        plan = Plan(task=case.task, model="", **table_options(arguments))
        load_series(
            path,
            find_task(case.task),
            columns=pairs_of(plan.columns, where="columns"),
            covariates=case.covariates,
            series_by=plan.series_by,
            scale=plan.scale or None,
            reading=reading_of(plan),
        )
    except UserError as error:
        return str(error)
    return ""


def _replaces(option: tuple[str, str], own: tuple[str, str]) -> bool:
    """Whether one option is given in place of another."""
    if option == ("--columns", "trial=row"):
        return own[0] == "--columns" and own[1].startswith("trial=")
    return option[0] == own[0] == "--scale"


def failures(folder: Path, case: Case) -> tuple[list[str], int]:
    """What failed of the options that are advised, and how many were followed."""
    said, found, count = _said(folder, case), [], 0
    if said and not said.partition("\n")[0].endswith("to correct:"):
        return [f"{case.options}: {said}"], 0
    for name, value in options(said):
        if not value or any(word in f"{name}={value}" for word in GENERAL):
            continue
        kept = tuple(own for own in case.options if not _replaces((name, value), own))
        then = case._replace(options=(*kept, (name, value)))
        after = _said(folder, then)
        count += 1
        if (name, value) in options(after):
            found.append(f"{then.options}: is told again: {after}")
        elif len(then.options) < DEEPEST:
            more, further = failures(folder, then)
            found, count = found + more, count + further
    return found, count


def main() -> int:
    """Follow all; 1 where one failed."""
    found, count = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for case in cases():
            more, followed = failures(Path(folder), case)
            found, count = found + more, count + followed
    print("\n\n".join(found))
    print(f"tables {len(cases())}, options followed {count}, failed {len(found)}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
