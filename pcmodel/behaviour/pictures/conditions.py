"""Words of conditions: the labels of a table's columns that a fit's formulas name."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.formula import parse_formula, variables_of

MOST_LABELS, MOST_CONDITIONS = 6, 6
EVERYBODY = "everybody"


class Conditions(NamedTuple):
    """Which series are of which condition.

    words: of each condition, such as "drug, patient".
    place: of each series, the condition's place in `words`.
    """

    words: tuple[str, ...]
    place: Int[np.ndarray, " series"]


def find_conditions(series: Series, formulas: Sequence[str]) -> Conditions:
    """The conditions that formulas name by columns of a few labels; numbers of many values are no conditions."""
    names = dict.fromkeys(
        v for text in formulas for v in variables_of(parse_formula(text))
    )
    columns = []
    for name in names:
        values = series.covariates.get(name)
        if values is None:
            continue
        labels = [_word(name, value) for value in values]
        if 1 < len(set(labels)) <= MOST_LABELS:
            columns.append(labels)
    joined = [", ".join(own) for own in zip(*columns, strict=True)] if columns else []
    words = tuple(dict.fromkeys(joined))
    if not words or len(words) > MOST_CONDITIONS:
        return Conditions((EVERYBODY,), np.zeros(len(series.participant), int))
    return Conditions(words, np.asarray([words.index(own) for own in joined]))


def _word(column: str, value: object) -> str:
    """A label as it is; a number with its column's name."""
    if isinstance(value, str | np.str_):
        return str(value)
    return f"{column} {float(value):g}"  # pyright: ignore[reportArgumentType]
