"""The columns that the formula library builds of one side of a formula.

Imported where it is needed only: the library need not be there for a model without
conditions. Its terms are named as they were written, brackets included: it would call
`I((x - 3)**2)` and `I(x - 3**2)` the same, and build one of them.
"""

import io
import operator
import warnings
from contextlib import redirect_stdout
from copy import deepcopy
from math import prod
from typing import Any

import numpy as np
from formulae.environment import Environment
from formulae.matrices import DesignMatrices
from formulae.resolver import Resolver
from formulae.terms import Call, Model, Term
from formulae.terms.call_resolver import CallResolver

from pcmodel.behaviour.hierarchy.design import Column
from pcmodel.behaviour.hierarchy.functions import Elementwise, compares, formula_error
from pcmodel.behaviour.hierarchy.tree import parsed, refused, written
from pcmodel.errors import UserError

ARGUMENTS = "arguments as in poly(age, 2), bs(age, df=4), T(drug, 'placebo')"
LARGEST, SMALLEST = 1e30, 1e-30  # of a column: single precision holds it
COMPARED = {
    "EQUAL_EQUAL": compares("eq", operator.eq),
    "BANG_EQUAL": compares("ne", operator.ne),
    "LESS_EQUAL": compares("le", operator.le),
    "LESS": compares("lt", operator.lt),
    "GREATER_EQUAL": compares("ge", operator.ge),
    "GREATER": compares("gt", operator.gt),
}


def model_of(side: str) -> Model:
    """The terms of a side; UserError for those that the library cannot join."""
    try:
        found = parsed(side, with_intercept=True).accept(_Terms(side))
    except UserError:
        raise
    except Exception as error:  # of terms that do not go together, of many kinds
        raise _unusable(side, error) from None
    # a:b is b:a, which the library has as another term.
    once: dict[frozenset[str], Any] = {}
    for term in _terms(found):
        once.setdefault(_parts(term), term)
    model = Model(*once.values())
    _check_names(model, side)
    return model


def build_columns(side: str, frame: Any) -> list[Column]:
    """The columns of a side; UserError for those that cannot be built or are not finite."""
    model = model_of(side)
    _check_size(model, side, frame)
    try:
        # It prints as well as raises, and numpy warns of what is refused below.
        with (
            redirect_stdout(io.StringIO()),
            np.errstate(all="ignore"),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            built = DesignMatrices(model, frame, Environment([{"np": Elementwise()}]))
        terms = [] if built.common is None else list(built.common.terms.values())
        found = [column for term in terms for column in _of_term(term, len(frame))]
    except UserError:
        raise
    except Exception as error:  # what a formula may call raises anything
        raise _unusable(side, error) from None
    if not found:
        raise formula_error(f"{side!r} has no effects", "1, or conditions")
    for column in found:
        _check_finite(column, frame)
    return found


class _Call(Call):
    """A call that is equal to others of its name, which has the brackets as written."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Call) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


class _Arithmetic(CallResolver):
    BINARY_OPERATORS = CallResolver.BINARY_OPERATORS | COMPARED


class _Terms(Resolver):
    """The library's resolver of trees, where a difference may only remove terms that exist."""

    def __init__(self, side: str):
        super().__init__(None)
        self.side = side

    def visitCallExpr(self, expr: Any) -> Term:
        call = _Call(_Arithmetic(expr).resolve())
        call.name = written(expr)
        return Term(call)

    def visitBinaryExpr(self, expr: Any) -> Any:
        if expr.operator.kind != "MINUS":
            return super().visitBinaryExpr(expr)
        right = _terms(expr.right.accept(self))
        if not all(isinstance(term, Term) for term in right):  # - 1, of the intercept
            return super().visitBinaryExpr(expr)
        left = _terms(expr.left.accept(self))
        there = [_parts(term) for term in left]
        for term in right:
            if _parts(term) not in there:
                raise refused(
                    self.side,
                    f"{term.name} is taken away and is not there",
                    f"a term that is, or I(... - {term.name}) for a difference",
                )
        gone = [_parts(term) for term in right]
        return Model(*(term for term in left if _parts(term) not in gone))


def _terms(found: Any) -> list[Any]:
    return found.common_terms if isinstance(found, Model) else [found]


def _parts(term: Any) -> frozenset[str]:
    """The names of the factors of a term; for the intercept its own name."""
    components = getattr(term, "components", (term,))
    return frozenset(component.name for component in components)


def _check_names(model: Model, side: str) -> None:
    """UserError for two terms of one name: a column may be named like a call."""
    known: dict[str, Any] = {}
    for term in model.common_terms:
        if not isinstance(term, Term):
            continue
        parts = [(type(part).__name__, part.name) for part in term.components]
        for name, own in [(term.name, parts), *((part[1], [part]) for part in parts)]:
            if known.setdefault(name, own) != own:
                raise refused(
                    side, f"two terms are called {name!r}", "a column of another name"
                )
    # Terms of `a / b` share parts, and would share the names of their columns.
    for term in model.common_terms:
        if isinstance(term, Term):
            term.components = deepcopy(term.components)


def _unusable(side: str, error: Exception) -> UserError:
    """The error with the library's reason, and advice on the most frequent reasons."""
    reason = str(error.args[0]) if len(error.args) == 1 else str(error)
    helps = {
        "Interaction with": "poly(column, 3) in its place, which may interact",
        "dtype category": "a function of numbers to be taken of numbers, not of labels",
        "not in levels": "a label that the column has",
    }
    advice = [help for words, help in helps.items() if words in reason]
    reason = (reason or type(error).__name__).rstrip(".")
    return formula_error(f"cannot use {side!r} ({reason})", [*advice, ARGUMENTS][0])


def _of_term(term: Any, size: int) -> list[Column]:
    components = getattr(term, "components", ())
    for component in components:
        _write_labels(component)
    values = np.asarray(term.data, dtype=float)
    if len(values) != size:
        raise ValueError(f"{term.name} has {len(values)} values for {size} series")
    parts = frozenset(component.name for component in components)
    numbers = {
        component.name: np.asarray(component.value, dtype=float)
        for component in components
        if component.kind == "numeric"
    }
    columns = values.reshape(size, -1).T
    if not len(columns):
        raise ValueError(f"{term.name} has no columns")
    return [
        Column(str(name), term.name, column, parts, numbers)
        for name, column in zip(term.labels, columns, strict=True)
    ]


def _write_labels(component: Any) -> None:
    """Write levels that are whole numbers without a point: 20, and not 20.0."""
    contrast = getattr(component, "contrast_matrix", None)
    if contrast is None:
        return
    written_as = {
        str(level): str(int(level))
        for level in component.levels
        if isinstance(level, float) and float(level).is_integer()
    }
    contrast.labels = [written_as.get(label, label) for label in contrast.labels]


def _check_size(model: Model, side: str, frame: Any) -> None:
    """UserError for more columns than series, before the library builds them."""
    least = 0
    for term in model.common_terms:
        parts = getattr(term, "components", ())
        least += prod(_num_levels(part, frame) - 1 for part in parts)
    if least > len(frame):
        raise refused(
            side,
            f"it stands for {least} columns or more, and there are {len(frame)} series",
            "fewer effects or interactions",
        )


def _num_levels(part: Any, frame: Any) -> int:
    """The number of levels of labels; 2 for all else, which is one column at least."""
    name, takes_labels = part.name, False
    if isinstance(part, Call) and part.call.callee in ("C", "T", "S"):
        name = getattr(next(iter(part.call.args), None), "name", "")
        takes_labels = True
    if name not in frame.columns or (
        frame[name].dtype.kind == "f" and not takes_labels
    ):
        return 2
    return frame[name].nunique()


def _check_finite(column: Column, frame: Any) -> None:
    """UserError for a column that is not finite, too large or too small."""
    size = np.abs(column.values).max()
    if np.isfinite(size) and size and not SMALLEST <= size <= LARGEST:
        raise formula_error(
            f"the largest value of {column.name} is {size:.3g}",
            f"one between {SMALLEST:g} and {LARGEST:g}, in another unit",
        )
    lost = ~np.isfinite(column.values)
    if not lost.any():
        return
    first = int(np.argmax(lost))
    numbers = {
        name: frame[name].iloc[first]
        for name in frame.columns
        if frame[name].dtype.kind == "f"
    }
    given = ", ".join(f"{name} = {value:g}" for name, value in numbers.items())
    raise formula_error(
        f"{column.name} is not a finite number in {lost.sum()} of {len(lost)} series, the "
        f"first where {given}",
        "a function that is finite at every value of the table",
    )
