"""Conditions and traits: one value for each series, a number or a label."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pcmodel.behaviour.dataset.columns import check_suspects
from pcmodel.behaviour.dataset.naming import check_alike
from pcmodel.behaviour.dataset.reading import Reading, same
from pcmodel.behaviour.dataset.tables.cells import is_missing, to_number
from pcmodel.behaviour.dataset.tables.pasted import listed, pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import must_be_known
from pcmodel.behaviour.dataset.trials.ids import as_two, comes_once
from pcmodel.behaviour.dataset.values.missing import is_settled
from pcmodel.behaviour.dataset.values.near_numbers import (
    MOST_LABELS,
    as_labels,
    check_numbers,
    without,
)
from pcmodel.behaviour.dataset.violations import Violations

ALL_LABELS = "no label stands for a missing value"


class _Places(NamedTuple):
    """Where the covariates stand: of each row its series, and the column of ids."""

    series: np.ndarray
    participant: str


def read_covariates(
    raw: RawTable,
    names: Sequence[str],
    places: Mapping[str, str],
    series: np.ndarray,
    reading: Reading,
    problems: Violations,
) -> tuple[dict[str, np.ndarray], list[str]]:
    """By name one value for each series: numbers where all cells are and no labels are listed.

    And the columns that change within a series, one part of its rows after the other.
    """
    at, found = _Places(series, places["participant"]), {}
    changing: list[
        str
    ] = []  # columns that change within a series, for reasons of their own
    for name in names:
        found[name] = _read(raw, name, places[name], at, reading, changing, problems)
    return found, changing


def read_labels(
    raw: RawTable, column: str, problems: Violations, labels: Collection[str] = ()
) -> list[str]:
    """The cells of a column in which none may be missing; `labels` are not, be they NA."""
    cells = [cell.strip() for cell in raw.columns[column]]
    missing = {c for c in set(cells) if is_missing(c) and c not in labels}
    if not missing:
        return cells
    if len(missing) == len(set(cells)):
        file = raw.at(0, column)["file"]
        problems.add("has no value at all, and must be known", file=file, column=column)
        return cells
    for i, cell in enumerate(cells):
        if cell in missing:
            problems.add(must_be_known(column), **raw.at(i, column))
    return cells


def _read(
    raw: RawTable,
    name: str,
    column: str,
    at: _Places,
    reading: Reading,
    changing: list[str],
    problems: Violations,
) -> np.ndarray:
    before = len(problems)
    listed = reading.codes.get(name, ())
    cells = _known(raw, name, column, at.series, listed, problems)
    numbers = {cell: to_number(cell) for cell in set(cells)}
    allowed = listed or raw.levels.get(column)
    numeric = not listed and all(
        n is not None and np.isfinite(n) for n in numbers.values()
    )
    settled = is_settled(reading, name, column)
    if not numeric:
        if not allowed:
            check_numbers(raw, name, column, cells, problems, settled=settled)
        check_alike(raw, column, problems)
    if allowed:
        _check_allowed(raw, name, column, cells, allowed, bool(listed), problems)
    value = _constant(raw, column, cells, at, listed, changing, problems)
    labels = [value[s] for s in sorted(value)]
    if len(problems) == before:
        levels = {numbers[x] if numeric else x for x in labels}
        _check_levels(raw, column, labels[0], len(levels), reading, problems)
    if not numeric:
        return _as_text(labels, listed)
    own = np.asarray([numbers[label] for label in labels], dtype=float)
    if not settled:
        every = np.asarray([numbers[cell] for cell in cells], dtype=float)
        check_suspects(raw, column, every, own, problems)
    return own


def _as_text(labels: Sequence[str], listed: Collection[str]) -> np.ndarray:
    """Labels as an array, of which NA is told to be one where it was listed."""
    found = np.asarray(labels)
    if not any(is_missing(label) and label in listed for label in labels):
        return found
    return found.astype(np.dtype(found.dtype, metadata={ALL_LABELS: True}))


def _check_allowed(
    raw: RawTable,
    name: str,
    column: str,
    cells: Sequence[str],
    allowed: Collection[str],
    is_told: bool,
    problems: Violations,
) -> None:
    """No label but those that were listed, in codes or by a side-car."""
    odd = {
        cell
        for cell in set(cells)
        if not is_missing(cell) and not any(same(cell, a) for a in allowed)
    }
    source = "codes" if is_told else "side-car's"
    problem = f"is none of the {source} {', '.join(allowed)}"
    if odd:
        ways = [] if is_told else as_labels(name, cells)
        problem = ", or ".join([f"{problem}; correct it", *without(column, odd), *ways])
    for i, cell in enumerate(cells):
        if cell in odd:
            problems.add(problem, **raw.at(i, column), value=cell)


def _known(
    raw: RawTable,
    name: str,
    column: str,
    series: np.ndarray,
    labels: Sequence[str],
    problems: Violations,
) -> list[str]:
    """The cells; of a series that has a value in some rows only, those that lack it are named.

    To leave such rows out would be to leave out trials of people of whom the value is known.
    """
    cells = [cell.strip() for cell in raw.columns[column]]
    gone = {c for c in set(cells) if is_missing(c) and c not in labels}
    gaps = [i for i, cell in enumerate(cells) if cell in gone]
    told = {series[i]: cell for i, cell in enumerate(cells) if cell not in gone}
    if not told:
        problems.add(
            "has no value at all; fill it in, or leave it out of the formula",
            file=raw.at(0, column)["file"],
            column=column,
        )
        return cells
    for i in gaps:
        if series[i] in told:
            problems.add(
                "is missing here and known in other rows of the series; write it in every row",
                **raw.at(i, column),
            )
        else:
            said = must_be_known(column) + _as_label(name, cells, cells[i])
            problems.add(said, **raw.at(i, column))
    return cells


def _as_label(name: str, cells: Sequence[str], cell: str) -> str:
    """How to say that NA is a label, such as North America, among other labels."""
    others = sorted({other for other in set(cells) if not is_missing(other)})
    is_number = any(to_number(other) is not None for other in others)
    if not cell.isalpha() or is_number or len(others) >= MOST_LABELS:
        return ""
    if any("," in other for other in others):
        return ""
    codes = pasted("codes", f"{listed(name)}={','.join((*others, cell))}")
    return f", or, if {cell} is a label, list all of them ({codes})"


def _constant(
    raw: RawTable,
    column: str,
    cells: Sequence[str],
    at: _Places,
    labels: Collection[str],
    changing: list[str],
    problems: Violations,
) -> dict[int, str]:
    """The value of each series; a column that changes within one is named."""
    value: dict[int, str] = {}
    odd = [
        i
        for i, cell in enumerate(cells)
        if not same(value.setdefault(int(at.series[i]), cell), cell)
        and not (is_missing(cell) and cell not in labels)
    ]
    if odd:
        advice = _advice(raw, column, cells, at, changing)
        for i in odd:
            problems.add(
                "changes within a series, over which parameters are constant; "
                + advice,
                **raw.at(i, column),
                value=cells[i],
            )
    return value


def _advice(
    raw: RawTable,
    column: str,
    cells: Sequence[str],
    at: _Places,
    changing: list[str],
) -> str:
    """What to say of a column that changes within a series."""
    for other in changing:
        if _follows(cells, raw.columns[other], at.series):
            return f"it does where {other!r} does, of which is said what to do"
    num_parts = len(set(zip(at.series.tolist(), cells, strict=True)))
    if not comes_once(at.series, cells) or len(cells) < 2 * num_parts:
        return "correct it, or, if it changes from trial to trial, leave it out of the formula"
    changing.append(column)
    return (
        f"say so if the belief starts afresh where it changes ({pasted('series', listed(column))}), "
        f"or if two people share an id ({as_two(at.participant, column)})"
    )


def _follows(cells: Sequence[str], others: Sequence[str], series: np.ndarray) -> bool:
    """Whether cells are the same wherever series and the other column are."""
    value: dict[tuple[int, str], str] = {}
    rows = zip(series.tolist(), others, cells, strict=True)
    return all(same(value.setdefault((s, o.strip()), c), c) for s, o, c in rows)


def _check_levels(
    raw: RawTable,
    column: str,
    label: str,
    num_levels: int,
    reading: Reading,
    problems: Violations,
) -> None:
    if num_levels > 1:
        return
    kept = ", or change --where, which keeps rows of one value" if reading.where else ""
    problems.add(
        f"has one value only ({label}), so that nothing can be said of its effect; leave "
        f"it out of the formula{kept}",
        file=raw.at(0, column)["file"],
        column=column,
    )
