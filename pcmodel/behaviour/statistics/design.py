r"""Design matrices: the columns that a formula means, over series.

The formula library builds the columns from the numbers and labels as they are in the table.
Then columns that come from numbers are centred on the average person, $\bar x = \frac1N
\sum_i \frac1{n_i} \sum_{s \in i} x_s$ over $N$ people with $n_i$ series each, so that an
intercept speaks of that person; every other coefficient is what it was without. Indicators
and contrasts of labels, and numbers that are 0 and 1 only, stay as they are. So does a part
without an intercept, where centring would be another model.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from pcmodel.behaviour.statistics.formula import NOBODY, Formula, variables_of
from pcmodel.behaviour.statistics.functions import library
from pcmodel.errors import UserError, unknown_name

REFERENCES = ("placebo", "control", "baseline", "sham", "none")
INTERCEPT = "Intercept"
OFF_CENTRE = 0.1  # standard deviations that the average person may be off zero
ROUNDING = 1e-12  # of the largest value of a column


class Design(NamedTuple):
    """Design matrices over series; a column of ones is called Intercept.

    common, varying: effects common to all, and those that vary over participants.
    correlated: whether the varying ones are.
    weight: of each series in an average over people: one over the series of its person.
    at_zero_of: of each common effect the numbers at whose zero it is the effect, as they
        change it in an interaction and are not centred; of several columns, the term.
    """

    common: Float[np.ndarray, "series effects"]
    common_names: tuple[str, ...]
    varying: Float[np.ndarray, "series varying"]
    varying_names: tuple[str, ...]
    correlated: bool
    weight: Float[np.ndarray, " series"]
    at_zero_of: tuple[tuple[str, ...], ...]


class Column(NamedTuple):
    """One column as the library built it.

    parts: names of what is multiplied in it; none of the intercept.
    numbers: those of them that are numbers, with their values: of `poly(age, 2)` two columns.
    """

    name: str
    values: Float[np.ndarray, " series"]
    parts: frozenset[str]
    numbers: dict[str, np.ndarray]


def build_design(
    formula: Formula,
    covariates: Mapping[str, np.ndarray],
    participant: Int[np.ndarray, " series"] | None = None,
) -> Design:
    """Both matrices for the series whose covariates are given; UserError for bad ones.

    participant: of each series; without it each series is a person of its own.
    """
    if participant is None:
        participant = np.arange(len(next(iter(covariates.values()))))
    weight = person_weight(participant)
    frame = _frame(formula, covariates, len(participant))
    columns = _columns(formula.common, frame)
    common, names = _matrix(columns, weight)
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
        varying, varying_names = _matrix(own, weight)
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
    )


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
    elif values.dtype.kind in "US" or all(isinstance(v, str) for v in values):
        missing = np.asarray([not str(value).strip() for value in values])
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
        )


def _columns(side: str, frame: Any) -> list[Column]:
    """Of one side; the formula library is there only where there are conditions."""
    if side == "1":
        return [Column(INTERCEPT, np.ones(len(frame)), frozenset(), {})]
    library()
    from pcmodel.behaviour.statistics.building import build_columns

    return build_columns(side, frame)


def _matrix(
    columns: list[Column], weight: Float[np.ndarray, " series"]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The columns of one side, centred where an intercept takes up their mean."""
    centres = any(column.name == INTERCEPT for column in columns)
    found = [
        _centred(column.values, weight)
        if centres and column.numbers and not is_indicator(column.values)
        else column.values
        for column in columns
    ]
    return np.stack(found, axis=1), tuple(column.name for column in columns)


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


def _centred(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Less the average person's; exactly zero where rounding alone is left."""
    found = values - people_mean(values, weight)
    is_constant = np.abs(found).max() <= ROUNDING * np.abs(values).max()
    return np.zeros_like(found) if is_constant else found


def is_indicator(values: np.ndarray) -> bool:
    """Whether all are 0 or 1."""
    return bool(np.all((values == 0.0) | (values == 1.0)))


def _check_rank(what: str, columns: np.ndarray, names: tuple[str, ...]) -> None:
    """Each column must say something that those before it do not."""
    if not names:
        return
    sizes = np.linalg.norm(columns, axis=0)
    scaled = columns / np.where(sizes > 0.0, sizes, 1.0)
    if np.linalg.matrix_rank(scaled) == len(names):
        return
    ranks = [np.linalg.matrix_rank(scaled[:, : i + 1]) for i in range(len(names))]
    place = next(i for i, rank in enumerate(ranks) if rank < i + 1)
    raise UserError(
        f"{what} cannot be told apart in these data ({', '.join(names)}): {names[place]} "
        "follows from those before it, or has no series of its own",
        where="formula",
        expected="fewer effects or interactions",
    )
