"""`pcmodel check DATA --task TASK`: how a table is read, shown before anything is fitted."""

import argparse
from pathlib import Path
from typing import Any

from pcmodel.cli import terminal
from pcmodel.cli.commands.command import Command, Given, add_formulas
from pcmodel.cli.numbers import place
from pcmodel.cli.prior_arguments import add_prior_arguments, priors_of
from pcmodel.cli.table_arguments import (
    add_table_arguments,
    check_names_of,
    table_options,
)
from pcmodel.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `pcmodel check`."""
    add = parser.add_argument
    add("data", metavar="DATA", help="a .csv, .tsv or .parquet file, or a BIDS folder")
    add(
        "--task",
        required=True,
        help="for example binary (`pcmodel models` lists them), or a .yaml file of yours",
    )
    add_formulas(
        parser,
        about="as of fit: its columns are read and built too; may be repeated",
    )
    add(
        "--model",
        default="",
        metavar="M",
        help="as of fit; default the first that has the formulas' parameters",
    )
    add_prior_arguments(parser)
    add("--pooled", action="store_true", help="as of fit")
    add_table_arguments(parser)
    add("--output", type=place, metavar="DIR", help="default runs/check-HASH")
    add("--overwrite", action="store_true", help="replace the check of another reading")


def check(given: Given) -> int:
    """Print how the table is read and write it as `check.json`; UserError as for a fit."""
    from pcmodel.behaviour.dataset import find_task, understood, with_judgements
    from pcmodel.behaviour.studies.fit import Plan, read_data
    from pcmodel.behaviour.studies.planned import find_design, in_words
    from pcmodel.record import RunIdentity, to_jsonable

    arguments = given.arguments
    check_names_of(arguments, *filter(None, (arguments.model,)))
    plan = Plan(
        task=arguments.task,
        model=arguments.model,
        formulas=tuple(arguments.formula),
        pooled=arguments.pooled,
        priors=priors_of(arguments),
        **table_options(arguments),
    )
    task = with_judgements(find_task(plan.task), plan.judgements)
    series = read_data(plan)
    rows = understood(series, task)
    if task.kind == "rating" and not (plan.scale or task.scale):
        rows += (("odd", "no scale is given, which a fit needs (--scale LOW,HIGH)"),)
    plan, hierarchy = find_design(plan, series)
    if hierarchy is not None:
        rows = (*rows, *in_words(plan, hierarchy))
    terminal.print_understood(rows)
    reading = to_jsonable({name: getattr(plan, name) for name in READING})
    identity = RunIdentity("check", (reading, plan.data_sha256), 0)
    folder = arguments.output or Path("runs") / f"check-{identity.config_hash}"
    content = {
        "data_sha256": plan.data_sha256,
        "task": plan.task,
        "reading": reading,
        "understood": [{"what": what, "said": said} for what, said in rows],
    }
    _write(folder / "check.json", content, overwrite=arguments.overwrite)
    print(f"Written: {folder / 'check.json'}", flush=True)
    return 0


# The fields of a plan that determine how the data are read.
READING = (
    *("data", "task", "formulas", "columns", "series_by", "scale", "after_outcome"),
    *(
        "priors",
        "judgements",
        "bids_task",
        "bids_suffix",
        "where",
        "missing",
        "units",
        "codes",
    ),
)


def _write(path: Path, content: dict[str, Any], *, overwrite: bool) -> None:
    """Write the check, unless the file holds one of other data or of other options."""
    from pcmodel.inputs.files import read_json
    from pcmodel.record.files import write_json

    if path.parent.exists() and not path.parent.is_dir():
        raise UserError(
            f"{path.parent} is a file",
            where="--output",
            expected="a folder, or a new one",
        )
    if path.exists() and not overwrite:
        before = read_json(path)
        same = isinstance(before, dict) and all(
            before.get(key) == content[key] for key in ("data_sha256", "reading")
        )
        if not same:
            raise UserError(
                "holds the check of other data or of another reading",
                where=str(path),
                expected="another folder (--output), or --overwrite to replace it",
            )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, content)
    except OSError as error:
        raise UserError(
            f"cannot be written ({error.strerror})", where=str(path)
        ) from None


CHECK = Command(
    name="check",
    help="say what a data set is taken for, before a fit",
    description="Read a table of trials or a BIDS folder and build the columns of the "
    "formulas as `fit` would, and print and write what was understood. Nothing is "
    "fitted.",
    add_arguments=add_arguments,
    carry_out=check,
    page="docs/tables-and-formulas.md",
)
