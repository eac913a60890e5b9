r"""Design matrices: the columns that a formula stands for, over series.

The formula library builds the columns from the numbers and labels as they are in the table.
Then columns that come from numbers are centred on the average person, $\bar x = \frac1N
\sum_i \frac1{n_i} \sum_{s \in i} x_s$ over $N$ people with $n_i$ series each, so that the
intercept is that person's value; centring changes no other coefficient. Indicators and
contrasts of labels, and numbers that are 0 and 1 only, stay as they are. So does a part
without an intercept, where centring would change the model.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from pcmodel.behaviour.dataset.covariates import ALL_LABELS
from pcmodel.behaviour.dataset.tables.cells import is_missing
from pcmodel.behaviour.hierarchy.formula import NOBODY, Formula, variables_of
from pcmodel.behaviour.hierarchy.functions import formula_error, library
from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments

REFERENCES = ("placebo", "control", "baseline", "sham", "none")
FEWER = "fewer effects or interactions"
INTERCEPT = "Intercept"
OFF_CENTRE = 0.1  # SDs that the average person may differ from zero
ROUNDING = 1e-12  # of the largest value of a column
MOST_NAMED = 5  # columns in a message


class TermColumns(NamedTuple):
    """The columns of one term of a formula.

    name: of the term.
    columns: their names.
    centre: what was subtracted from each column; 0 where it was not centred.
    varies: whether the term varies over participants, and is not common to all.
    """

    name: str
    columns: tuple[str, ...]
    centre: tuple[float, ...]
    varies: bool


class Design(NamedTuple):
    """Design matrices over series; a column of ones is called Intercept.

    common: the columns of effects common to all participants.
    common_names: of these columns.
    varying: the columns of effects that vary over participants.
    varying_names: of these columns.
    correlated: whether the varying effects are correlated.
    weight: of each series in an average over people: one over the number of series of its
        person.
    at_zero_of: for each common effect the numbers that change it in an interaction and are
        not centred; the effect is that at their zero. Of several columns, the term.
    terms: the terms of the columns, in order, the common ones first.
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

    name: of the column.
    term: the name of its term.
    values: of each series.
    parts: the names of its factors; none for the intercept.
    numbers: by name the values of those factors that are numbers; `poly(age, 2)` has two
        columns.
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
    """The design matrices for series with these covariates.

    covariates: by name the number or label of each series.
    participant: of each series; without it each series is a person of its own.
    UserError for a column that does not exist or has missing or constant values, for effects
    without an intercept, and for effects that these series do not determine.
    """
    participant = _people(covariates, participant)
    weight = person_weight(participant)
    frame = _frame(formula, covariates, len(participant))
    columns = _columns(formula.common, frame)
    common, names, terms = _matrix(columns, weight)
    if INTERCEPT not in names:
        # The parameter's prior is the intercept's: without one it would be around zero.
        raise formula_error(
            f"the effects of {formula.parameter!r} have no intercept",
            "effects as differences from the reference, without 0 or -1",
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
    """The person of each series; UserError where there are no series."""
    if participant is None:
        sizes = [np.size(values) for values in covariates.values()]
        participant = np.arange(sizes[0] if sizes else 0)
    if not len(participant):
        raise formula_error("there are no series to build columns for")
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
    """The mean over people of each one's mean over series."""
    return np.asarray(weight @ columns / weight.sum())


def order_levels(values: np.ndarray) -> list[str]:
    """The distinct labels with the reference first: a placebo or control, else the first.

    >>> order_levels(np.array(["haloperidol", "placebo", "levodopa"]))
    ['placebo', 'haloperidol', 'levodopa']
    """
    labels = sorted({str(value) for value in values})
    return sorted(labels, key=lambda label: label.lower() not in REFERENCES)


def _frame(formula: Formula, covariates: Mapping[str, np.ndarray], size: int) -> Any:
    """A pandas data frame of a formula's columns: numbers, and labels as ordered categories."""
    import pandas

    columns = {}
    for name in variables_of(formula):
        if name not in covariates:
            kind = "column of conditions"
            raise unknown_name(kind, name, covariates, where="formula")
        values = np.asarray(covariates[name])
        _check_variable(name, values, size)
        if values.dtype.kind in "biuf":
            columns[name] = values.astype(float)
        else:
            labels = values.astype(str)
            levels = order_levels(labels)
            columns[name] = pandas.Categorical(labels, levels, ordered=True)
    return pandas.DataFrame(columns, index=range(size))


def _check_variable(name: str, values: np.ndarray, size: int) -> None:
    """UserError for a column that is missing, constant or neither numbers nor labels."""
    if name == INTERCEPT:
        raise formula_error(
            f"a column is called {INTERCEPT!r}, as the intercept is", "another name"
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
        are_labels = ALL_LABELS in (values.dtype.metadata or {})
        missing = np.asarray(
            [not are_labels and is_missing(str(value or "")) for value in values]
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
    """Whether a value is text, or a missing value among text: None or NaN."""
    is_nan = isinstance(value, float) and bool(np.isnan(value))
    return isinstance(value, str) or value is None or is_nan


def _columns(side: str, frame: Any) -> list[Column]:
    """The columns of one side; the formula library is needed for conditions only."""
    if side == "1":
        return [Column(INTERCEPT, INTERCEPT, np.ones(len(frame)), frozenset(), {})]
    library()
    from pcmodel.behaviour.hierarchy.building import build_columns

    return build_columns(side, frame)


def _matrix(
    columns: list[Column], weight: Float[np.ndarray, " series"]
) -> tuple[np.ndarray, tuple[str, ...], tuple[TermColumns, ...]]:
    """Matrix, names and terms of one side, centred where there is an intercept."""
    centres = any(column.name == INTERCEPT for column in columns)
    names = tuple(column.name for column in columns)
    if twice := [name for name in names if names.count(name) > 1]:
        raise formula_error(
            f"two columns are called {twice[0]!r}",
            "a column of the table, or a label, of another name",
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
    """The numbers, far from zero on average, with which a column's effect changes."""
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
    """Whether the mean of numbers, in one column or several, is far from zero.

    It is not where the mean over people is near zero, or the mean over series, on which the
    library centres `center(age)` and `poly(age, 2)`.
    """
    columns = values.reshape(len(values), -1)
    if is_indicator(columns):
        return False
    limits = OFF_CENTRE * columns.std(axis=0)
    means = (people_mean(columns, weight), columns.mean(axis=0))
    return all(bool((np.abs(mean) > limits).any()) for mean in means)


def _less(values: np.ndarray, centre: float) -> np.ndarray:
    """Values minus a centre; exactly zero where only rounding errors are left."""
    if centre == 0.0:
        return values
    found = values - centre
    is_constant = np.abs(found).max() <= ROUNDING * np.abs(values).max()
    return np.zeros_like(found) if is_constant else found


def without_noise(mean: float, values: np.ndarray) -> float:
    """A mean of values; 0 where it is a rounding error.

    >>> without_noise(-9e-18, np.array([-0.1, 0.1]))
    0.0
    """
    largest = np.abs(values).max() if np.size(values) else 0.0
    return 0.0 if abs(mean) <= ROUNDING * largest else mean


def is_indicator(values: np.ndarray) -> bool:
    """Whether all are 0 or 1."""
    return bool(np.all((values == 0.0) | (values == 1.0)))


def _check_rank(what: str, columns: np.ndarray, names: tuple[str, ...]) -> None:
    """UserError for a column that is a linear combination of those before it."""
    if not names:
        return
    if len(names) > len(columns):
        raise formula_error(
            f"{what} are {len(names)}, and there are {len(columns)} series", FEWER
        )
    sizes = np.abs(columns).max(axis=0)
    scaled = columns / np.where(sizes > 0.0, sizes, 1.0)
    if _is_full(scaled):
        return
    # The rank is deficient from the first dependent column on, which bisection finds.
    places = range(1, len(names) + 1)
    place = bisect_left(places, True, key=lambda size: not _is_full(scaled[:, :size]))
    raise formula_error(
        f"{what} cannot be told apart in these data: "
        f"{names[place]} {_follows(scaled[:, : place + 1], names)}",
        FEWER,
    )


def _is_full(columns: np.ndarray) -> bool:
    unit = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    return int(np.linalg.matrix_rank(unit)) == columns.shape[1]


def _follows(columns: np.ndarray, names: tuple[str, ...]) -> str:
    """Of which columns the last is a combination, in words, or that it is constant."""
    *_, last = columns.T
    if not last.any():
        return "is the same in all series, or differs by rounding alone"
    found = np.linalg.lstsq(columns[:, :-1], last, rcond=None)[0]
    used = np.flatnonzero(np.abs(found) > 1e-6 * np.abs(found).max())
    shown = [names[i] for i in used[:MOST_NAMED]]
    rest = f" and {len(used) - len(shown)} more" if len(used) > len(shown) else ""
    return f"follows from {', '.join(shown)}{rest}"
