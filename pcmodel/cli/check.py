"""`pcmodel check DATA --task TASK`: what was understood, before anything is fitted."""

import argparse
from pathlib import Path
from typing import Any

from pcmodel.cli import terminal
from pcmodel.cli.fit import add_table_arguments, table_options
from pcmodel.cli.numbers import place
from pcmodel.errors import UserError


def add_check(commands: Any) -> None:
    """The command and its options."""
    parser = commands.add_parser(
        "check",
        help="say what a data set is taken for, before a fit",
        description="Read a table of trials or a BIDS folder and build the columns of the "
        "formulas as `fit` would, and print and write what was understood. Nothing is "
        "fitted.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("data", metavar="DATA", help="a .csv, .tsv or .parquet file, or a BIDS folder")
    add("--task", required=True, help="binary, bandit, rating or helicopter")
    add(
        "--formula",
        action="append",
        default=[],
        metavar="F",
        help="as of fit: its columns are read and built too; may be repeated",
    )
    add(
        "--model",
        default="",
        metavar="M",
        help="as of fit; default the first that has the formulas' parameters",
    )
    add("--pooled", action="store_true", help="as of fit")
    add_table_arguments(parser)
    add("--output", type=place, metavar="DIR", help="default runs/check-HASH")


def check_data(arguments: argparse.Namespace) -> int:
    """Print the table and write it as `check.json`; UserError as of a fit."""
    from pcmodel.behaviour.dataset import find_task, understood, with_judgements
    from pcmodel.behaviour.planned import find_design, in_words
    from pcmodel.behaviour.workflow import Plan, read_data
    from pcmodel.record.files import write_json

    plan = Plan(
        task=arguments.task,
        model=arguments.model,
        formulas=tuple(arguments.formula),
        pooled=arguments.pooled,
        **table_options(arguments),
    )
    task = with_judgements(find_task(plan.task), plan.judgements)
    series = read_data(plan)
    rows = understood(series, task)
    plan, hierarchy = find_design(plan, series)
    if hierarchy is not None:
        rows = (*rows, *in_words(plan, hierarchy))
    terminal.print_understood(rows)
    folder = arguments.output or Path("runs") / f"check-{plan.data_sha256[:8]}"
    path = folder / "check.json"
    content = {
        "data_sha256": plan.data_sha256,
        "task": plan.task,
        "understood": [{"what": what, "said": said} for what, said in rows],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, content)
    except OSError as error:
        raise UserError(
            f"cannot be written ({error.strerror})", where=str(path)
        ) from None
    print(f"Written: {path}", flush=True)
    return 0
