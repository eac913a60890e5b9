r"""Design matrices: the columns that a formula means, over series.

The formula library builds the columns from the numbers and labels as they are in the table.
Then columns that come from numbers are centred on the average person, $\bar x = \frac1N
\sum_i \frac1{n_i} \sum_{s \in i} x_s$ over $N$ people with $n_i$ series each, so that an
intercept speaks of that person; every other coefficient is what it was without. Indicators
and contrasts of labels, and numbers that are 0 and 1 only, stay as they are. So does a part
without an intercept, where centring would be another model.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from pcmodel.behaviour.dataset.covariates import ALL_LABELS
from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.behaviour.hierarchy.formula import NOBODY, Formula, variables_of
from pcmodel.behaviour.hierarchy.functions import library
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments

REFERENCES = ("placebo", "control", "baseline", "sham", "none")
INTERCEPT = "Intercept"
OFF_CENTRE = 0.1  # standard deviations that the average person may be off zero
ROUNDING = 1e-12  # of the largest value of a column
MOST_TOLD = 5  # columns that an error names


class TermColumns(NamedTuple):
    """What became of one term of a formula.

    centre: of each column what was taken from it, 0 where it stays as it is.
    varies: whether it varies over participants, and is not common to all.
    """

    name: str
    columns: tuple[str, ...]
    centre: tuple[float, ...]
    varies: bool


class Design(NamedTuple):
    """Design matrices over series; a column of ones is called Intercept.

    common, varying: effects common to all, and those that vary over participants.
    correlated: whether the varying ones are.
    weight: of each series in an average over people: one over the series of its person.
    at_zero_of: of each common effect the numbers at whose zero it is the effect, as they
        change it in an interaction and are not centred; of several columns, the term.
    terms: what the columns are of, in their order, the common ones first.
    """

    common: Float[np.ndarray, "series effects"]
    common_names: tuple[str, ...]
    varying: Float[np.ndarray, "series varying"]
    varying_names: tuple[str, ...]
    correlated: bool
    weight: Float[np.ndarray, " series"]
    at_zero_of: tuple[tuple[str, ...], ...]
    terms: tuple[TermColumns, ...]


class Column(NamedTuple):
    """One column as the library built it.

    term: that it is of.
    parts: names of what is multiplied in it; none of the intercept.
    numbers: those of them that are numbers, with their values: of `poly(age, 2)` two columns.
    """

    name: str
    term: str
    values: Float[np.ndarray, " series"]
    parts: frozenset[str]
    numbers: dict[str, np.ndarray]


@checked_arguments
def build_design(
    formula: Formula,
    covariates: Mapping[str, np.ndarray],
    participant: Int[np.ndarray, " series"] | None = None,
) -> Design:
    """Both matrices for the series whose covariates are given; UserError for bad ones.

    participant: of each series; without it each series is a person of its own.
    """
    participant = _people(covariates, participant)
    weight = person_weight(participant)
    frame = _frame(formula, covariates, len(participant))
    columns = _columns(formula.common, frame)
    common, names, terms = _matrix(columns, weight)
    if INTERCEPT not in names:
        # The parameter's prior is the intercept's: without one it would be around zero.
        raise UserError(
            f"the effects of {formula.parameter!r} have no intercept",
            where="formula",
            expected="effects as differences from the reference, without 0 or -1",
        )
    varying, varying_names = np.zeros((len(weight), 0)), ()
    if formula.varying not in (None, NOBODY):
        own = _columns(formula.varying, frame)
        varying, varying_names, more = _matrix(own, weight)
        terms += tuple(term._replace(varies=True) for term in more)
    what = f"the effects of {formula.parameter!r}"
    _check_rank(what, common, names)
    _check_rank(f"{what} that vary over participants", varying, varying_names)
    return Design(
        common,
        names,
        varying,
        varying_names,
        formula.correlated,
        weight,
        tuple(_zeros(column, columns, weight) for column in columns),
        terms,
    )


def _people(
    covariates: Mapping[str, np.ndarray], participant: np.ndarray | None
) -> np.ndarray:
    """The person of each series; UserError where nobody can say how many series there are."""
    if participant is None:
        sizes = [np.size(values) for values in covariates.values()]
        participant = np.arange(sizes[0] if sizes else 0)
    if not len(participant):
        raise UserError("there are no series to build columns for", where="formula")
    return participant


def person_weight(
    participant: Int[np.ndarray, " series"],
) -> Float[np.ndarray, " series"]:
    """One over the number of series of its person, for each series."""
    _, place, counts = np.unique(participant, return_inverse=True, return_counts=True)
    return 1.0 / counts[place]


def people_mean(
    columns: Float[np.ndarray, "series *columns"], weight: Float[np.ndarray, " series"]
) -> Float[np.ndarray, "*columns"]:
    """The average person's: over people, of each one's average."""
    return np.asarray(weight @ columns / weight.sum())


def order_levels(values: np.ndarray) -> list[str]:
    """Labels with the reference first.

    >>> order_levels(np.array(["haloperidol", "placebo", "levodopa"]))
    ['placebo', 'haloperidol', 'levodopa']
    """
    labels = sorted({str(value) for value in values})
    return sorted(labels, key=lambda label: label.lower() not in REFERENCES)


def _frame(formula: Formula, covariates: Mapping[str, np.ndarray], size: int) -> Any:
    """Numbers as numbers, labels as ordered categories, nothing missing."""
    import pandas

    columns = {}
    for name in variables_of(formula):
        if name not in covariates:
            raise unknown_name(
                "column of conditions", name, covariates, where="formula"
            )
        values = np.asarray(covariates[name])
        _check_variable(name, values, size)
        if values.dtype.kind in "biuf":
            columns[name] = values.astype(float)
        else:
            labels = values.astype(str)
            columns[name] = pandas.Categorical(
                labels, order_levels(labels), ordered=True
            )
    return pandas.DataFrame(columns, index=range(size))


def _check_variable(name: str, values: np.ndarray, size: int) -> None:
    if name == INTERCEPT:
        raise UserError(
            f"a column is called {INTERCEPT!r}, as the intercept is",
            where="formula",
            expected="another name",
        )
    if values.shape != (size,):
        raise UserError(
            f"has shape {values.shape}",
            where=name,
            expected=f"one value for {size} series",
        )
    if values.dtype.kind in "biuf":
        missing = ~np.isfinite(values.astype(float))
    elif values.dtype.kind in "US" or all(_is_label(value) for value in values):
        is_told = ALL_LABELS in (values.dtype.metadata or {})
        missing = np.asarray(
            [not is_told and is_missing(str(value or "")) for value in values]
        )
    else:
        raise UserError(
            f"holds {values.dtype} ({values[0]!r})",
            where=name,
            expected="numbers, or labels as text",
        )
    if missing.any():
        raise UserError(
            f"is missing or not finite in {missing.sum()} of {size} series, the first "
            f"being series {int(np.argmax(missing))}",
            where=name,
            expected="a value for every series",
        )
    if len(np.unique(values)) < 2:
        raise UserError(
            f"has one value only ({values[0]}), so that nothing can be said of its effect",
            where=name,
            expected="a formula without it",
        )


def _is_label(value: object) -> bool:
    """Text, or what stands for none where text is read: None and NaN."""
    is_nan = isinstance(value, float) and bool(np.isnan(value))
    return isinstance(value, str) or value is None or is_nan


def _columns(side: str, frame: Any) -> list[Column]:
    """Of one side; the formula library is there only where there are conditions."""
    if side == "1":
        return [Column(INTERCEPT, INTERCEPT, np.ones(len(frame)), frozenset(), {})]
    library()
    from pcmodel.behaviour.hierarchy.building import build_columns

    return build_columns(side, frame)


def _matrix(
    columns: list[Column], weight: Float[np.ndarray, " series"]
) -> tuple[np.ndarray, tuple[str, ...], tuple[TermColumns, ...]]:
    """The columns of one side, centred where an intercept takes up their mean."""
    centres = any(column.name == INTERCEPT for column in columns)
    names = tuple(column.name for column in columns)
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(
            f"two columns are called {twice[0]!r}",
            where="formula",
            expected="a column of the table, or a label, of another name",
        )
    centre = [
        without_noise(float(people_mean(own.values, weight)), own.values)
        if centres and own.numbers and not is_indicator(own.values)
        else 0.0
        for own in columns
    ]
    found = [_less(own.values, at) for own, at in zip(columns, centre, strict=True)]
    return np.stack(found, axis=1), names, _terms(columns, centre)


def _terms(columns: list[Column], centre: list[float]) -> tuple[TermColumns, ...]:
    found = []
    for name in dict.fromkeys(column.term for column in columns):
        places = [i for i, column in enumerate(columns) if column.term == name]
        own = tuple(columns[i].name for i in places)
        found.append(TermColumns(name, own, tuple(centre[i] for i in places), False))
    return tuple(found)


def _zeros(
    column: Column, columns: list[Column], weight: np.ndarray
) -> tuple[str, ...]:
    """Numbers far from zero on average that a column's effect changes with."""
    found: dict[str, None] = {}
    for other in columns:
        if not column.parts or not column.parts < other.parts:
            continue
        for name in other.parts - column.parts:
            values = other.numbers.get(name)
            if values is not None and _is_off_zero(values, weight):
                found[name] = None
    return tuple(found)


def _is_off_zero(values: np.ndarray, weight: np.ndarray) -> bool:
    """Whether numbers, of one column or of several, average zero neither over people nor series.

    Over series, as those do that the library centred itself: `center(age)`, `poly(age, 2)`.
    """
    columns = values.reshape(len(values), -1)
    if is_indicator(columns):
        return False
    limits = OFF_CENTRE * columns.std(axis=0)
    means = (people_mean(columns, weight), columns.mean(axis=0))
    return all(bool((np.abs(mean) > limits).any()) for mean in means)


def _less(values: np.ndarray, centre: float) -> np.ndarray:
    """Centred; exactly zero where rounding alone is left."""
    if centre == 0.0:
        return values
    found = values - centre
    is_constant = np.abs(found).max() <= ROUNDING * np.abs(values).max()
    return np.zeros_like(found) if is_constant else found


def without_noise(mean: float, values: np.ndarray) -> float:
    """A mean of values, 0 where it is what rounding left of them.

    >>> without_noise(-9e-18, np.array([-0.1, 0.1]))
    0.0
    """
    largest = np.abs(values).max() if np.size(values) else 0.0
    return 0.0 if abs(mean) <= ROUNDING * largest else mean


def is_indicator(values: np.ndarray) -> bool:
    """Whether all are 0 or 1."""
    return bool(np.all((values == 0.0) | (values == 1.0)))


def _check_rank(what: str, columns: np.ndarray, names: tuple[str, ...]) -> None:
    """Each column must say something that those before it do not."""
    if not names:
        return
    if len(names) > len(columns):
        raise UserError(
            f"{what} are {len(names)}, and there are {len(columns)} series",
            where="formula",
            expected="fewer effects or interactions",
        )
    sizes = np.abs(columns).max(axis=0)
    scaled = columns / np.where(sizes > 0.0, sizes, 1.0)
    if _is_full(scaled):
        return
    # Of a first column that adds nothing, all that go on from it add nothing either.
    places = range(1, len(names) + 1)
    place = bisect_left(places, True, key=lambda size: not _is_full(scaled[:, :size]))
    raise UserError(
        f"{what} cannot be told apart in these data: "
        f"{names[place]} {_follows(scaled[:, : place + 1], names)}",
        where="formula",
        expected="fewer effects or interactions",
    )


def _is_full(columns: np.ndarray) -> bool:
    unit = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    return int(np.linalg.matrix_rank(unit)) == columns.shape[1]


def _follows(columns: np.ndarray, names: tuple[str, ...]) -> str:
    """Of what the last column is a sum, or that it is nothing."""
    *_, last = columns.T
    if not last.any():
        return "is the same in all series, or differs by rounding alone"
    found = np.linalg.lstsq(columns[:, :-1], last, rcond=None)[0]
    used = np.flatnonzero(np.abs(found) > 1e-6 * np.abs(found).max())
    told = [names[i] for i in used[:MOST_TOLD]]
    rest = f" and {len(used) - len(told)} more" if len(used) > len(told) else ""
    return f"follows from {', '.join(told)}{rest}"
