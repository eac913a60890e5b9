"""What one side of a formula says, and what it may not say.

The formula library stops reading at a sign that it does not know (`age % group` is `age`
to it), takes `age**2` for `age` and `drug["placebo"]` for `drug`, and gives an offset a
coefficient. Each is refused here, with what to write instead.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from pcmodel.errors import UserError

NAMESPACE = {"np": np}  # what a formula may call beside the library's own functions
# Not columns with a coefficient of their own.
NO_EFFECTS = ("offset", "proportion", "prop", "p")
COMPARISONS = (
    "EQUAL_EQUAL",
    "BANG_EQUAL",
    "LESS_EQUAL",
    "LESS",
    "GREATER_EQUAL",
    "GREATER",
)


def library() -> Any:
    """The formula library; UserError where it is not installed."""
    try:
        import formulae
    except ImportError:
        raise UserError(
            "formulas with conditions need another package",
            where="formula",
            expected="`pip install formulae`",
        ) from None
    return formulae


def check_side(side: str) -> None:
    """UserError for what would be read as something else than it says."""
    if side == "1":
        return
    _check_term(_parsed(side), side)


def columns_of(side: str) -> set[str]:
    """Names of the columns that a side needs."""
    if side in ("0", "1"):
        return set()
    return {name for name in _names(_parsed(side)) if name not in _encodings()}


def _parsed(side: str) -> Any:
    """The library's tree of a side; UserError unless it was read to its end."""
    library()
    from formulae.parser import Parser
    from formulae.scanner import Scanner

    try:
        parser = Parser(Scanner(side).scan(add_intercept=False))
        found = parser.parse()
    except Exception as error:  # its scanner and parser raise many kinds
        raise UserError(
            f"cannot be read: {side!r} ({error})", where="formula"
        ) from None
    if not parser.at_end():
        raise UserError(
            f"cannot be read from {parser.peek().lexeme!r} on: {side!r}",
            where="formula",
            expected="terms joined by +, -, *, : or /; arithmetic goes into I(...)",
        )
    return found


def _check_term(node: Any, side: str) -> None:
    """One node of what is outside calls, where signs join terms and do not compute."""
    from formulae import expr

    match node:
        case expr.Grouping():
            _check_term(node.expression, side)
        case expr.Binary():
            _check_join(node, side)
        case expr.Unary():
            _check_term(node.right, side)
        case expr.Call():
            _check_call(node, side)
        case expr.Variable():
            if node.level is not None:
                raise _refused(
                    side, "a level in brackets means nothing", "T(column, 'reference')"
                )
        case expr.QuotedName():
            pass
        case expr.Literal():
            if isinstance(node.value, bool | str) or node.value not in (0, 1):
                raise _refused(
                    side,
                    f"{node.value!r} is no term",
                    "columns; arithmetic goes into I(...)",
                )
        case _:
            raise _refused(side, "it assigns", "terms joined by +, -, *, : or /")


def _check_join(node: Any, side: str) -> None:
    """Two terms and the sign between them."""
    from formulae import expr

    kind, sign = node.operator.kind, node.operator.lexeme
    if kind in COMPARISONS:
        raise _refused(
            side, f"{sign!r} compares outside of a call", f"I(... {sign} ...)"
        )
    if kind in ("TILDE", "PIPE"):
        raise _refused(side, f"{sign!r} stands where it means nothing", "one ~ only")
    if kind == "STAR_STAR":
        joins = isinstance(node.left, expr.Grouping) and isinstance(
            node.left.expression, expr.Binary
        )
        power = getattr(node.right, "value", None)
        if not joins or isinstance(power, bool) or power not in (1, 2, 3, 4, 5, 6):
            raise _refused(
                side,
                "outside of a call a power joins terms, as in (a + b)**2",
                "I(column**2) or poly(column, 2) for a power of numbers",
            )
        _check_term(node.left, side)
        return
    if kind in ("STAR", "COLON", "SLASH") and _bare(node.left) == _bare(node.right):
        raise _refused(
            side, "a term with itself is that term alone", "I(column**2) for a square"
        )
    _check_term(node.left, side)
    _check_term(node.right, side)


def _bare(node: Any) -> Any:
    """A node without the parentheses around it."""
    from formulae import expr

    return _bare(node.expression) if isinstance(node, expr.Grouping) else node


def _check_call(node: Any, side: str) -> None:
    """A function that exists, and that makes columns."""
    for call in _calls(node):
        name = getattr(getattr(call.callee, "name", None), "lexeme", "?")
        if name in NO_EFFECTS:
            raise _refused(side, f"{name}() is no effect", "columns with effects")
        if not _exists(name):
            raise _refused(
                side,
                f"there is no function {name}()",
                f"np.{name}(...)"
                if callable(getattr(np, name, None))
                else "numpy's functions as np.log(...), or " + ", ".join(_functions()),
            )


def _exists(name: str) -> bool:
    module, *path = name.split(".")
    if not path:
        return name in _functions()
    found = NAMESPACE.get(module)
    for part in path:
        found = getattr(found, part, None)
    return callable(found)


def _functions() -> tuple[str, ...]:
    """The library's own."""
    from formulae.transforms import TRANSFORMS

    return tuple(sorted({*TRANSFORMS, *_encodings()} - set(NO_EFFECTS)))


def _encodings() -> tuple[str, ...]:
    """Contrasts, named as an argument of C()."""
    library()
    from formulae.categorical import ENCODINGS

    return tuple(ENCODINGS)


def _children(node: Any) -> list[Any]:
    """The parts of a node; of a call its arguments only."""
    from formulae import expr

    match node:
        case expr.Grouping():
            return [node.expression]
        case expr.Binary():
            return [node.left, node.right]
        case expr.Unary():
            return [node.right]
        case expr.Call():
            return list(node.args)
        case expr.Assign():
            return [node.value]
    return []


def _calls(node: Any) -> Iterator[Any]:
    from formulae import expr

    if isinstance(node, expr.Call):
        yield node
    for child in _children(node):
        yield from _calls(child)


def _names(node: Any) -> Iterator[str]:
    from formulae import expr

    if isinstance(node, expr.Variable):
        yield node.name.lexeme
    if isinstance(node, expr.QuotedName):
        yield node.expression.lexeme[1:-1]
    for child in _children(node):
        yield from _names(child)


def _refused(side: str, why: str, expected: str) -> UserError:
    return UserError(f"{side!r}: {why}", where="formula", expected=expected)
