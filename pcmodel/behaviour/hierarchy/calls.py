"""Checks of calls in a formula, within which signs are arithmetic."""

from typing import Any

from formulae import expr

from pcmodel.behaviour.hierarchy.functions import (
    NO_EFFECTS,
    SEVERAL_COLUMNS,
    allowed,
    elementwise,
    encodings,
    formula_error,
    transforms,
)
from pcmodel.behaviour.hierarchy.tree import (
    DEEPEST,
    callee,
    check_name,
    inside,
    is_keyword,
    names,
    refused,
    written,
)

COMPARISONS = ("EQUAL_EQUAL", "BANG_EQUAL", "LESS_EQUAL", "LESS")
COMPARISONS += ("GREATER_EQUAL", "GREATER")
INSTEAD = {
    "mean": "center(column), less its average over series",
    "std": "scale(column), in standard deviations over series",
    "round": "np.rint(column)",
    "clip": "np.minimum(column, highest) and np.maximum(column, lowest)",
    "where": "a comparison, which is 1 or 0: I((column > 3) * 10)",
}
ARITHMETIC = ("PLUS", "MINUS", "STAR", "SLASH", "STAR_STAR")


def check_call(node: Any, side: str) -> None:
    """UserError for functions that make no columns, and for ambiguous signs."""
    if callee(node) in encodings():
        raise refused(
            side, f"{callee(node)}() makes no columns", f"C(column, {callee(node)})"
        )
    for own, depth in inside(node):
        if depth > DEEPEST:
            raise formula_error(
                f"has more than {DEEPEST} signs and brackets within each other",
                "shorter calls",
            )
        if isinstance(own, expr.Call):
            _check_function(own, side)
            if own is not node and callee(own) in SEVERAL_COLUMNS:
                raise refused(
                    side,
                    f"{written(own)} is several columns, of which {callee(node)}() makes "
                    "one",
                    f"{written(own)} by itself",
                )
        elif isinstance(own, expr.Binary | expr.Unary):
            _check_sign(own, side)
        elif isinstance(own, expr.Variable | expr.QuotedName):
            for name in names(own):
                check_name(name, side)
    if not any(True for _ in names(node)):
        raise refused(
            side, f"no column stands in {written(node)}", "the name of a column in it"
        )


def _check_function(node: Any, side: str) -> None:
    """UserError for a function that may not be called, or has the wrong arguments."""
    name, call = callee(node), written(node)
    if name in NO_EFFECTS:
        raise refused(side, f"{name}() is no effect", "columns with effects")
    if name in ("binary", "B") and len(node.args) < 2:
        raise refused(
            side,
            f"{call} does not say which level counts as 1",
            f"the level as a second argument, {call[:-1]}, 'LEVEL'), or the column itself",
        )
    function = elementwise(name)
    if function is None and name not in transforms():
        if elementwise(f"np.{name}"):
            raise refused(side, f"there is no function {name}()", f"np.{name}(...)")
        if name.startswith("np."):
            instead = INSTEAD.get(name.removeprefix("np."), allowed())
            raise refused(side, f"{name}() may not be called in a formula", instead)
        raise refused(side, f"there is no function {name}()", allowed())
    if function and any(is_keyword(arg) for arg in node.args):
        raise refused(
            side, f"{call} has keywords", f"{name}() of columns and numbers alone"
        )
    if function and len(node.args) != function.nin:
        raise refused(
            side,
            f"{call} has {len(node.args)} arguments",
            f"{function.nin}, as {name}() takes",
        )
    if name == "I" and any(is_keyword(arg) for arg in node.args):
        raise refused(side, f"{call} assigns", "== where two are compared")


def _check_sign(node: Any, side: str) -> None:
    """UserError for a sign where the library's precedence is not that of algebra."""
    kind, sign = node.operator.kind, node.operator.lexeme
    if isinstance(node, expr.Unary):
        return
    if kind not in (*COMPARISONS, *ARITHMETIC):
        raise refused(
            side, f"{sign!r} means nothing in a call", "+, -, *, /, ** or a comparison"
        )
    left, right, whole = written(node.left), written(node.right), written(node)
    if kind == "STAR_STAR" and isinstance(node.left, expr.Unary):
        sign, own = node.left.operator.lexeme, written(node.left.right)
        raise refused(
            side,
            f"{whole} would be ({left})**{right} to the formula library",
            f"brackets: {sign}({own}**{right}) or ({left})**{right}",
        )
    if not isinstance(node.left, expr.Binary):
        return
    inner = node.left.operator.kind
    if kind == inner == "STAR_STAR":
        first, second = written(node.left.left), written(node.left.right)
        raise refused(
            side,
            f"{whole} would be ({left})**{right} to the formula library",
            f"brackets: {first}**({second}**{right}) or ({left})**{right}",
        )
    if kind in COMPARISONS and inner in COMPARISONS:
        middle = written(node.left.right)
        raise refused(
            side,
            f"{whole} would compare a truth to the formula library",
            f"two comparisons: ({left}) * ({middle} {sign} {right})",
        )
