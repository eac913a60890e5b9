"""Checks of one side of a formula.

The formula library stops reading at a sign that it does not know (`age % group` is `age`
to it), takes `age**2` for `age` and `drug["placebo"]` for `drug`, and gives an offset a
coefficient. Within a call it reads `-x**2` as the square of minus x, `2**3**x` from the
left, and `x > z > 0` as whether a truth is greater than 0. Each is refused here, with what
to write instead.

Imported where it is needed only: the library need not be there for a model without
conditions.
"""

from math import comb
from typing import Any

from formulae import expr

from pcmodel.behaviour.hierarchy.building import model_of
from pcmodel.behaviour.hierarchy.calls import COMPARISONS, check_call
from pcmodel.behaviour.hierarchy.tree import (
    JOINS,
    bare,
    check_name,
    names,
    parsed,
    refused,
    written,
)

MOST_TERMS = 1000  # of one side


def check_side(side: str) -> None:
    """UserError for what the library would read otherwise than it is written."""
    tree = parsed(side)
    terms, numbers = _summands(tree)
    if len(numbers) > 1:
        raise refused(side, "0 and 1 stand in it more than once", "one of them, once")
    for term in terms:
        _check_term(term, side)
    if (size := sum(_count(term) for term in terms)) > MOST_TERMS:
        raise refused(side, f"it stands for {size} terms", f"{MOST_TERMS} at most")
    model_of(side)


def columns_of(side: str) -> set[str]:
    """The names of the columns of a side."""
    return set(names(parsed(side)))


def _summands(node: Any) -> tuple[list[Any], list[Any]]:
    """The terms added and subtracted outside of brackets, and the numbers 0 and 1 there."""
    terms, numbers, waiting = [], [], [node]
    while waiting:
        own = waiting.pop()
        if isinstance(own, expr.Binary) and own.operator.kind in ("PLUS", "MINUS"):
            is_less_0 = own.operator.kind == "MINUS" and _is_whole(own.right, 0)
            (terms if is_less_0 else waiting).append(own.right)
            waiting.append(own.left)
        elif _is_whole(own, 0, 1) or (
            isinstance(own, expr.Unary) and _is_whole(own.right, 1)
        ):
            numbers.append(own)
        else:
            terms.append(own)
    return terms, numbers


def _is_whole(node: Any, *numbers: int) -> bool:
    """Whether a node is one of these whole numbers."""
    return (
        isinstance(node, expr.Literal)
        and type(node.value) is int
        and node.value in numbers
    )


def _check_term(node: Any, side: str) -> None:
    """UserError for a node outside of calls, where signs join terms, that is no term."""
    match node:
        case expr.Grouping():
            _check_term(node.expression, side)
        case expr.Binary():
            _check_join(node, side)
        case expr.Unary() if node.operator.kind == "PLUS":
            _check_term(node.right, side)
        case expr.Unary():
            own = written(node.right)
            raise refused(
                side,
                f"-{own} takes nothing away: a minus stands between terms, or as -1 once",
                f"I(-{own})",
            )
        case expr.Call():
            check_call(node, side)
        case expr.Variable():
            if node.level is not None:
                raise refused(
                    side, "a level in brackets means nothing", "T(column, 'reference')"
                )
            check_name(node.name.lexeme, side)
        case expr.QuotedName():
            check_name(node.expression.lexeme[1:-1], side)
        case expr.Literal():
            raise refused(
                side,
                f"{written(node)} is no term",
                "0 or 1 beside the terms, outside of brackets, and arithmetic in I(...)",
            )
        case _:
            raise refused(side, "it assigns", JOINS)


def _check_join(node: Any, side: str) -> None:
    """UserError for two terms that the sign between them cannot join."""
    kind, sign = node.operator.kind, node.operator.lexeme
    if kind in COMPARISONS:
        raise refused(
            side, f"{sign!r} compares outside of a call", f"I(... {sign} ...)"
        )
    if kind in ("TILDE", "PIPE"):
        raise refused(side, f"{sign!r} stands where it means nothing", "one ~ only")
    if kind == "STAR_STAR":
        joins = isinstance(node.left, expr.Grouping) and _count(node.left) > 1
        if not joins or not _is_whole(node.right, 1, 2, 3, 4, 5, 6):
            raise refused(
                side,
                "outside of a call a power joins terms, as in (a + b)**2",
                "I(column**2) or poly(column, 2) for a power of numbers",
            )
        _check_term(node.left, side)
        return
    if kind in ("STAR", "COLON", "SLASH") and bare(node.left) == bare(node.right):
        raise refused(
            side, "a term with itself is that term alone", "I(column**2) for a square"
        )
    _check_term(node.left, side)
    _check_term(node.right, side)


def _count(node: Any) -> int:
    """The number of terms of a node, at most."""
    if not isinstance(node, expr.Binary):
        inside = getattr(node, "expression", None)
        return _count(inside) if isinstance(node, expr.Grouping) else 1
    left, right = _count(node.left), _count(node.right)
    match node.operator.kind:
        case "STAR":
            return left + right + left * right
        case "COLON":
            return left * right
        case "SLASH":
            return left + left * right
        case "STAR_STAR":
            return sum(comb(left, order) for order in range(1, node.right.value + 1))
    return left + right
