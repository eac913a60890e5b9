"""Formulas that name a column without the backticks that its name needs: `BDI-II`, `age (years)`."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from pcmodel.behaviour.dataset import Reading, read_raw
from pcmodel.behaviour.dataset.tables.pasted import with_backticks
from pcmodel.behaviour.hierarchy.formula import parse_formula, variables_of
from pcmodel.errors import UserError


def check_bare_names(
    formulas: Sequence[str], path: Path, *, bids_task: str | None, reading: Reading
) -> None:
    """UserError with the correct formula, where one fails for lack of backticks.

    Formulas whose names are all columns, and tables that cannot be read, are not checked.
    """
    try:
        columns = read_raw(
            path,
            task_label=bids_task,
            suffix=reading.bids_suffix,
            where=reading.where,
        ).columns
    except UserError:
        return
    for text in formulas:
        better, names = with_backticks(text, columns)
        if names and not _names_columns(text, columns):
            raise UserError(
                f"{names[0]!r} is the name of a column, and not one word",
                where="formula",
                expected=f"it in backticks: --formula {quote(better)}",
            )


def _names_columns(text: str, columns: dict[str, list[str]]) -> bool:
    """Whether a formula can be read and all its names are columns."""
    try:
        return set(variables_of(parse_formula(text))) <= set(columns)
    except UserError:
        return False
