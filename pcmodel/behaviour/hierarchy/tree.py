"""A side of a formula as a tree, read by the formula library's parser, and written again.

Imported where it is needed only: the library need not be there for a model without
conditions.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from formulae import expr
from formulae.parser import Parser
from formulae.scanner import Scanner

from pcmodel.behaviour.hierarchy.functions import (
    GROUP,
    IN_SHELL,
    encodings,
    formula_error,
)
from pcmodel.errors import UserError

MOST_SIGNS = 100  # of one side: the library reads by recursion
DEEPEST = 40  # signs and brackets within each other, in a call
QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")  # names and labels
JOINS = "terms joined by +, -, *, : or /; arithmetic goes into I(...)"


def parsed(side: str, *, with_intercept: bool = False) -> Any:
    """The library's tree of a side; UserError unless it was read to its end.

    with_intercept: with "1 +" in front, as the library has it when it builds terms.
    """
    _check_letters(side)
    try:
        parser = Parser(Scanner(side).scan(with_intercept))
        found = parser.parse()
    except Exception as error:  # its scanner and parser raise many kinds
        raise formula_error(f"cannot be read: {side!r} ({error})", JOINS) from None
    if not parser.at_end():
        before, rest = parser.tokens[parser.current - 1], parser.peek()
        raise formula_error(
            f"cannot be read from {rest.lexeme!r} on, after {before.lexeme!r}: {side!r}",
            f"{JOINS}; a name that is not one word stands in `...`",
        )
    return found


def written(node: Any) -> str:
    """The text of a node: as it was written, but for spaces."""
    match node:
        case expr.Grouping():
            return f"({written(node.expression)})"
        case expr.Binary():
            sign = node.operator.lexeme
            return f"{written(node.left)} {sign} {written(node.right)}"
        case expr.Unary():
            return f"{node.operator.lexeme}{written(node.right)}"
        case expr.Call():
            return f"{callee(node)}({', '.join(map(written, node.args))})"
        case expr.Assign():
            return f"{written(node.name)}={written(node.value)}"
        case expr.Variable():
            return node.name.lexeme
        case expr.QuotedName():
            return node.expression.lexeme
    return node.lexeme or str(node.value)


def _check_letters(side: str) -> None:
    """UserError for text that the library's scanner misreads, quoted or not."""
    bare = QUOTED.sub("", side)
    _check_length(bare)
    _check_gaps(side)
    if "^" in bare:
        raise refused(
            side,
            "there is no sign ^",
            "I(column**2) for a power of numbers, (a + b)**2 to join terms",
        )
    if name := re.search(r"(?<![\w.])_\w*", bare):
        raise refused(
            side, "a name cannot begin with an underscore", f"`{name[0]}` in backticks"
        )
    if number := re.search(r"(?<![\w.])\d+(\.\d*)?[eE][-+]?\d+", bare):
        raise refused(
            side,
            f"{number[0]} is no number here",
            f"{np.format_float_positional(float(number[0]), trim='-')} in full",
        )
    for quoted in QUOTED.findall(side):
        if quoted[0] != "`" and set(quoted[1:-1]) & set("'\""):
            raise refused(
                side,
                f"a quotation mark stands inside the label {quoted}",
                "a table whose labels have none",
            )


def _check_gaps(side: str) -> None:
    """UserError for a sign with nothing before it, where a shell may have removed a name.

    `I(-age)` is a number with a sign; `I( - age)` is a difference without its first term.
    """
    marked = QUOTED.sub("q", side)
    found = re.search(r"(?:^|[(,])\s*(\+)|\(\s+(-)\s", marked)
    if found:
        sign = "plus" if found[1] else "minus"
        raise refused(
            side, f"has a {sign} sign and no term before it", f"a term; {IN_SHELL}"
        )


def _check_length(bare: str) -> None:
    """UserError for a side that is too long for the library's parser, which is recursive."""
    signs = len(re.findall(r"[-+*/:<>!]+", bare))
    if signs > MOST_SIGNS:
        raise formula_error(f"has {signs} signs between terms", f"{MOST_SIGNS} at most")
    deep = np.cumsum([(letter in "([{") - (letter in ")]}") for letter in bare or " "])
    if deep.max() > DEEPEST // 2:
        raise formula_error(
            f"has {deep.max()} brackets within each other", f"{DEEPEST // 2} at most"
        )


def check_name(name: str, side: str) -> None:
    """UserError where a condition of `side` is the column of participants."""
    if name == GROUP:
        raise refused(
            side,
            f"{GROUP} is who differs, and no condition or trait",
            f"(1 | {GROUP}) for a level of each",
        )


def bare(node: Any) -> Any:
    """A node without the parentheses around it."""
    return bare(node.expression) if isinstance(node, expr.Grouping) else node


def is_keyword(node: Any) -> bool:
    """Whether an argument of a call is given by name, as in f(x, y=2)."""
    return isinstance(node, expr.Assign)


def callee(node: Any) -> str:
    """The name of the function that a call calls; "?" where it has none."""
    return getattr(getattr(node.callee, "name", None), "lexeme", "?")


def _children(node: Any) -> list[Any]:
    """The parts of a node; of a call its arguments only, without their keywords."""
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


def inside(node: Any, depth: int = 0) -> Iterator[tuple[Any, int]]:
    """A node and all within it, each with its depth; nothing below `DEEPEST`."""
    yield node, depth
    if depth <= DEEPEST:
        for child in _children(node):
            yield from inside(child, depth + 1)


def names(node: Any) -> Iterator[str]:
    """The names of columns, in order; those of contrasts are left out."""
    if isinstance(node, expr.Variable):
        yield node.name.lexeme
    if isinstance(node, expr.QuotedName):
        yield node.expression.lexeme[1:-1]
    for child in _children(node):
        own = child.value if is_keyword(child) else child
        is_contrast = isinstance(own, expr.Variable) and isinstance(node, expr.Call)
        if not (is_contrast and own.name.lexeme in encodings()):
            yield from names(child)


def refused(side: str, why: str, expected: str) -> UserError:
    """The error about one side of a formula: why it is refused, and what to write instead."""
    return formula_error(f"{side!r}: {why}", expected)
