"""Options for reading a table of trials, shared by `fit` and `check`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pcmodel.cli.numbers import words
from pcmodel.cli.prior_arguments import priors_of
from pcmodel.errors import UserError
from pcmodel.inputs.files import shown
from pcmodel.inputs.numerals import to_finite


def add_table_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for reading a table; lists given more than once are joined."""
    add = parser.add_argument
    more = {"action": "append", "default": []}
    add(
        "--columns",
        **more,
        metavar="A=B,..",
        help="the task's names = the file's; participant=A+B where two people share an A; "
        "trial=row: in the order of the rows",
    )
    add("--series", **more, metavar="C,..", help="columns that restart the belief")
    add("--scale", default="", metavar="LOW,HIGH[,STEP]", help="of ratings")
    add("--after-outcome", action="store_true", help="ratings follow the outcome")
    add(
        "--judgements",
        **more,
        metavar="J,..",
        help="columns beside the response: confidence, reaction_time",
    )
    add("--bids-task", metavar="LABEL", help="which task of a BIDS folder")
    add("--bids-suffix", metavar="KIND", help="beh or events, where it has both")
    add(
        "--where",
        **more,
        metavar="EXPR",
        help='rows to use: "phase == test and session in (1, 2)"; of several all hold',
    )
    add(
        "--missing",
        **more,
        metavar="C,..",
        help="codes of missing values, in all columns or in one (rt=0); with a minus "
        "sign: --missing=-9,rt=-99",
    )
    add("--units", **more, metavar="A=U,..", help="reaction_time=ms (or s)")
    add(
        "--codes",
        action="append",
        default=[],
        metavar="A=X,Y",
        help="what counts as 0 and as 1: response=left,right; all options of a bandit: "
        "choice=A,B,C; may be repeated",
    )


def check_names_of(arguments: argparse.Namespace, *models: str) -> None:
    """UserError for an unknown task, model, judgement or parameter, before the table is read."""
    from pcmodel.behaviour.models.catalogue import check_names

    check_names(
        arguments.task,
        models,
        judgements=_entries(arguments.judgements),
        formulas=tuple(arguments.formula),
        priors=priors_of(arguments),
    )


def table_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of a plan that name the data and determine how they are read."""
    from pcmodel.behaviour.dataset.tables.pasted import unmarked
    from pcmodel.behaviour.studies.fit import digest

    path, where = Path(arguments.data), _together(arguments.where)
    try:
        data_sha256 = digest(
            path,
            bids_task=arguments.bids_task,
            bids_suffix=arguments.bids_suffix,
            where=where,
        )
    except OSError as error:
        raise UserError(
            f"cannot be read ({error.strerror})", where=shown(path)
        ) from None
    return {
        "data": str(path),
        "data_sha256": data_sha256,
        "columns": _entries(arguments.columns),
        "series_by": tuple(map(unmarked, _entries(arguments.series))),
        "scale": scale_numbers(arguments.scale),
        "after_outcome": arguments.after_outcome,
        "judgements": _entries(arguments.judgements),
        "bids_task": arguments.bids_task,
        "bids_suffix": arguments.bids_suffix,
        "where": where,
        "missing": _entries(arguments.missing),
        "units": _entries(arguments.units),
        "codes": tuple(arguments.codes),
    }


def _entries(texts: Sequence[str]) -> tuple[str, ...]:
    """The entries of all lists that were given, in their order."""
    from pcmodel.behaviour.dataset.tables.pasted import entries

    return tuple(entry for text in texts for entry in entries(text))


def _together(expressions: Sequence[str]) -> str:
    """The conjunction of the expressions."""
    if len(expressions) < 2:
        return "".join(expressions).strip()
    return " and ".join(f"({expression.strip()})" for expression in expressions)


def scale_numbers(text: str) -> tuple[float, ...]:
    """The numbers of a scale; UserError for text that is no scale."""
    return tuple(_number(word) for word in words(text))


def _number(word: str) -> float:
    number = to_finite(word)
    if number is None:
        raise UserError(
            f"is not a number: {word!r}", where="--scale", expected="LOW,HIGH[,STEP]"
        )
    return number
