"""Conditions and traits: one value for each series, a number or a label."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from pcmodel.behaviour.dataset.columns import check_suspects
from pcmodel.behaviour.dataset.naming import check_alike
from pcmodel.behaviour.dataset.reading import same
from pcmodel.behaviour.dataset.schema import PARTICIPANT
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import as_codes, as_series, must_be_known
from pcmodel.behaviour.dataset.task_table import TaskTable, Trials
from pcmodel.behaviour.dataset.trials.ids import as_two, comes_once
from pcmodel.behaviour.dataset.values.missing import is_settled
from pcmodel.behaviour.dataset.values.near_numbers import (
    MOST_LABELS,
    as_labels,
    check_numbers,
    without,
)

ALL_LABELS = "no label stands for a missing value"


class _Covariate(NamedTuple):
    """A condition or trait.

    name: in the formula.
    column: of the file.
    cells: of each row, without spaces around them.
    listed: the labels that the user listed; none where they are not listed.
    """

    name: str
    column: str
    cells: list[str]
    listed: Collection[str]

    def is_gap(self, cell: str) -> bool:
        """Whether a cell is missing, and not a label such as NA that the user listed."""
        return is_missing(cell) and cell not in self.listed


def read_covariates(
    trials: Trials, names: Sequence[str]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """By name one value for each series, and the columns that change within a series.

    Values are numbers where all cells are and no labels are listed, else labels. Of the
    columns that change, those are named whose values follow one after the other, and for
    reasons of their own.
    """
    found: dict[str, np.ndarray] = {}
    changing: list[str] = []
    for name in names:
        column, listed = trials.places[name], trials.reading.codes.get(name, ())
        covariate = _Covariate(name, column, trials.cells(column), listed)
        found[name] = _read(trials, covariate, changing)
    return found, changing


def read_labels(
    table: TaskTable, column: str, labels: Collection[str] = ()
) -> list[str]:
    """The cells of a column, of which none may be missing; `labels` such as NA are not."""
    cells = table.cells(column)
    missing = {c for c in set(cells) if is_missing(c) and c not in labels}
    if missing and len(missing) == len(set(cells)):
        table.column(column).refuse("has no value at all, and must be known")
        return cells
    for i, cell in enumerate(cells):
        if cell in missing:
            table.row(column, i).refuse(must_be_known(column))
    return cells


def _read(trials: Trials, covariate: _Covariate, changing: list[str]) -> np.ndarray:
    name, column, cells, listed = covariate
    before = len(trials.problems)
    _check_known(trials, covariate)
    numbers = {cell: to_number(cell) for cell in set(cells)}
    allowed = listed or trials.raw.levels.get(column)
    numeric = not listed and all(
        n is not None and np.isfinite(n) for n in numbers.values()
    )
    settled = is_settled(trials.reading, name, column)
    if not numeric:
        if not allowed:
            check_numbers(trials, name, column, settled=settled)
        check_alike(trials, column)
    if allowed:
        _check_allowed(trials, covariate, allowed)
    value = _constant(trials, covariate, changing)
    labels = [value[s] for s in sorted(value)]
    if len(trials.problems) == before:
        if len({numbers[x] if numeric else x for x in labels}) == 1:
            _refuse_one_level(trials, column, labels[0])
    if not numeric:
        return _as_text(labels, listed)
    own = np.asarray([numbers[label] for label in labels], dtype=float)
    if not settled:
        every = np.asarray([numbers[cell] for cell in cells], dtype=float)
        check_suspects(trials, column, every, own)
    return own


def _as_text(labels: Sequence[str], listed: Collection[str]) -> np.ndarray:
    """Labels as an array, whose type notes if NA is a label because it was listed."""
    found = np.asarray(labels)
    if not any(is_missing(label) and label in listed for label in labels):
        return found
    return found.astype(np.dtype(found.dtype, metadata={ALL_LABELS: True}))


def _check_allowed(
    table: TaskTable, covariate: _Covariate, allowed: Collection[str]
) -> None:
    """Refuse labels that are not among those listed, by the user or by a side-car."""
    name, column, cells, listed = covariate
    odd = {
        cell
        for cell in set(cells)
        if not is_missing(cell) and not any(same(cell, a) for a in allowed)
    }
    if not odd:
        return
    source, ways = ("codes", []) if listed else ("side-car's", as_labels(name, cells))
    problem = f"is none of the {source} {', '.join(allowed)}; correct it"
    problem = ", or ".join([problem, *without(column, odd), *ways])
    for i, cell in enumerate(cells):
        if cell in odd:
            table.cell(column, i).refuse(problem)


def _check_known(trials: Trials, covariate: _Covariate) -> None:
    """Refuse missing cells.

    Where a series has a value in other rows, the advice is not to leave the row out, which
    would leave out a trial of somebody whose value is known.
    """
    _, column, cells, _ = covariate
    gaps = [i for i, cell in enumerate(cells) if covariate.is_gap(cell)]
    known = set(np.delete(trials.series, gaps).tolist())
    if not known:
        trials.column(column).refuse(
            "has no value at all; fill it in, or leave it out of the formula"
        )
        return
    for i in gaps:
        problem = "is missing here and known in other rows of the series; write it in every row"
        if trials.series[i] not in known:
            problem = must_be_known(column) + _as_label(covariate, cells[i])
        trials.row(column, i).refuse(problem)


def _as_label(covariate: _Covariate, cell: str) -> str:
    """Advice to say that NA is a label, such as North America, among other labels."""
    others = sorted({other for other in covariate.cells if not is_missing(other)})
    is_number = any(to_number(other) is not None for other in others)
    if not cell.isalpha() or is_number or len(others) >= MOST_LABELS:
        return ""
    if any("," in other for other in others):
        return ""
    codes = as_codes(covariate.name, (*others, cell))
    return f", or, if {cell} is a label, list all of them ({codes})"


def _constant(
    trials: Trials, covariate: _Covariate, changing: list[str]
) -> dict[int, str]:
    """By series the first value; a column that changes within a series is refused."""
    value: dict[int, str] = {}
    odd = [
        i
        for i, cell in enumerate(covariate.cells)
        if not same(value.setdefault(int(trials.series[i]), cell), cell)
        and not covariate.is_gap(cell)
    ]
    advice = _advice(trials, covariate, changing) if odd else ""
    for i in odd:
        trials.cell(covariate.column, i).refuse(
            f"changes within a series, over which parameters are constant; {advice}"
        )
    return value


def _advice(trials: Trials, covariate: _Covariate, changing: list[str]) -> str:
    """Advice on a column that changes within a series, which is added to those `changing`."""
    _, column, cells, _ = covariate
    for other in changing:
        if _follows(cells, trials.cells(other), trials.series):
            return f"it does where {other!r} does, of which is said what to do"
    num_parts = len(set(zip(trials.series.tolist(), cells, strict=True)))
    if not comes_once(trials.series, cells) or len(cells) < 2 * num_parts:
        return "correct it, or, if it changes from trial to trial, leave it out of the formula"
    changing.append(column)
    two = as_two(trials.places[PARTICIPANT], column)
    return (
        f"say so if the belief starts afresh where it changes ({as_series(column)}), "
        f"or if two people share an id ({two})"
    )


def _follows(cells: Sequence[str], others: Sequence[str], series: np.ndarray) -> bool:
    """Whether a column has one value for each value of the other in each series."""
    value: dict[tuple[int, str], str] = {}
    rows = zip(series.tolist(), others, cells, strict=True)
    return all(same(value.setdefault((s, o), c), c) for s, o, c in rows)


def _refuse_one_level(table: TaskTable, column: str, label: str) -> None:
    other = ", or change --where, which keeps rows of one value"
    table.column(column).refuse(
        f"has one value only ({label}), so that nothing can be said of its effect; leave "
        f"it out of the formula{other if table.reading.where else ''}"
    )
