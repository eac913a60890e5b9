"""The functions that a formula may call: numpy's of single values, and the library's own.

A function of the order of rows, of chance or of files has no meaning for series, which have
no order; one that writes into its arguments changes other columns. So the functions that are
allowed are listed: elementwise `np.` functions, and the transforms and encodings of
`formulae`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from pcmodel.behaviour.dataset.tables.pasted import in_formula
from pcmodel.errors import UserError, unknown_name

NO_EFFECTS = ("offset", "proportion", "prop", "p")  # of the library: no coefficient
SEVERAL_COLUMNS = ("poly", "bs", "cr", "cc", "tp")
GROUP = "participant"
IN_SHELL = (
    "a formula with names in backticks stands in single quotation marks, as a shell "
    "takes them out of double ones"
)
KNOWN = ("np.log", "np.log1p", "np.exp", "np.sqrt", "np.abs", "np.minimum")


def formula_error(problem: str, expected: str | None = None) -> UserError:
    """The error about a formula, to be raised."""
    return UserError(problem, where="formula", expected=expected)


def library() -> Any:
    """The formula library; UserError where it is not installed."""
    try:
        import formulae
    except ImportError:
        raise formula_error(
            "formulas with conditions need another package", "`pip install formulae`"
        ) from None
    return formulae


def elementwise(name: str) -> np.ufunc | None:
    """numpy's function of single values by its name in a formula; None for any other.

    >>> elementwise("np.log").__name__
    'log'
    >>> elementwise("np.cumsum") is None
    True
    """
    module, _, own = name.partition(".")
    found = getattr(np, own, None) if module == "np" else None
    is_one = isinstance(found, np.ufunc) and found.nout == 1 and not found.signature
    return found if is_one else None


def encodings() -> tuple[str, ...]:
    """The names of contrasts, which are arguments of C()."""
    library()
    from formulae.categorical import ENCODINGS

    return tuple(ENCODINGS)


def transforms() -> tuple[str, ...]:
    """The names of the library's own functions and contrasts."""
    library()
    from formulae.transforms import TRANSFORMS

    return tuple(sorted({*TRANSFORMS, *encodings()} - set(NO_EFFECTS)))


def allowed() -> str:
    """A list, for a message, of the functions that may be called."""
    own = ", ".join(transforms())
    return f"numpy's elementwise functions ({', '.join(KNOWN)}, ...), or {own}"


class Elementwise:
    """Numpy as `np` of a formula: its functions of single values only."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = elementwise(f"np.{name}")
        if function is None:
            raise AttributeError(name)

        def call(*values: Any) -> Any:
            return _number(function(*(_number(value) for value in values)))

        return call


def compares(name: str, operator: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """A comparison that yields 0 and 1, so that a sum counts what is true.

    It raises UserError where labels are compared by size.
    """

    def compare(left: Any, right: Any) -> Any:
        for values, other in ((left, right), (right, left)):
            _check_comparison(name, values, other)
        return _number(operator(left, right))

    compare.__name__ = name
    return compare


def _check_comparison(name: str, values: Any, other: Any) -> None:
    if not _is_labels(values):
        if isinstance(other, str) and not isinstance(values, str):
            raise formula_error(
                f"numbers are compared with the label {other!r}",
                "a number, without quotation marks",
            )
        return
    if name not in ("eq", "ne"):
        raise formula_error(
            f"labels of {values.name} are compared by size, and have none", "== or !="
        )
    levels = [str(level) for level in values.dtype.categories]
    if isinstance(other, str) and other not in levels:
        raise unknown_name(f"label of {values.name}", other, levels, where="formula")


def _is_labels(values: Any) -> bool:
    return hasattr(getattr(values, "dtype", None), "categories")


def _number(values: Any) -> Any:
    """Truth values as 0 and 1; UserError for labels, of which there is no function."""
    if _is_labels(values):
        name = in_formula(values.name)
        raise formula_error(
            f"{values.name} holds labels, and a function of numbers is taken of it",
            f"{name} by itself, or C({name})",
        )
    is_truth = getattr(getattr(values, "dtype", None), "kind", "") == "b"
    return values.astype(float) if is_truth else values
