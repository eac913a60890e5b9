"""A side of a formula as a tree, read by the formula library's parser, and written again."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from pcmodel.behaviour.hierarchy.functions import encodings, library
from pcmodel.errors import UserError

MOST_SIGNS = 100  # of one side: the library reads by recursion
DEEPEST = 40  # signs and brackets within each other, in a call
GROUP = "participant"
IN_SHELL = (
    "a formula with names in backticks stands in single quotation marks, as a shell "
    "takes them out of double ones"
)
QUOTED = re.compile(r"`[^`]*`|'[^']*'|\"[^\"]*\"")  # names and labels
JOINS = "terms joined by +, -, *, : or /; arithmetic goes into I(...)"


def parsed(side: str, *, with_intercept: bool = False) -> Any:
    """The library's tree of a side; UserError unless it was read to its end.

    with_intercept: "1 +" in front, as the library puts it before it builds terms.
    """
    _check_letters(side)
    library()
    from formulae.parser import Parser
    from formulae.scanner import Scanner

    try:
        parser = Parser(Scanner(side).scan(with_intercept))
        found = parser.parse()
    except Exception as error:  # its scanner and parser raise many kinds
        raise UserError(
            f"cannot be read: {side!r} ({error})", where="formula", expected=JOINS
        ) from None
    if not parser.at_end():
        before, rest = parser.tokens[parser.current - 1], parser.peek()
        raise UserError(
            f"cannot be read from {rest.lexeme!r} on, after {before.lexeme!r}: {side!r}",
            where="formula",
            expected=f"{JOINS}; a name that is not one word stands in `...`",
        )
    return found


def written(node: Any) -> str:
    """A part as its label says it: as it was written, but for spaces."""
    from formulae import expr

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
    """What the library's scanner takes amiss, outside of quotation marks and within."""
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
    """A sign with nothing before it: what stood there in backticks, a shell took away.

    `I(-age)` is a number with a sign; of `I( - age)`, written as a difference is, one side lacks.
    """
    marked = QUOTED.sub("q", side)
    found = re.search(r"(?:^|[(,])\s*(\+)|\(\s+(-)\s", marked)
    if found:
        sign = "plus" if found[1] else "minus"
        raise refused(
            side, f"has a {sign} sign and no term before it", f"a term; {IN_SHELL}"
        )


def _check_length(bare: str) -> None:
    """What is too long for the library's parser, which calls itself for each sign."""
    signs = len(re.findall(r"[-+*/:<>!]+", bare))
    if signs > MOST_SIGNS:
        raise UserError(
            f"has {signs} signs between terms",
            where="formula",
            expected=f"{MOST_SIGNS} at most",
        )
    deep = np.cumsum([(letter in "([{") - (letter in ")]}") for letter in bare or " "])
    if deep.max() > DEEPEST // 2:
        raise UserError(
            f"has {deep.max()} brackets within each other",
            where="formula",
            expected=f"{DEEPEST // 2} at most",
        )


def check_name(name: str, side: str) -> None:
    """Raise a UserError where the participants stand as a condition; `side` is the formula's text."""
    if name == GROUP:
        raise refused(
            side,
            f"{GROUP} is who differs, and no condition or trait",
            f"(1 | {GROUP}) for a level of each",
        )


def bare(node: Any) -> Any:
    """A node without the parentheses around it."""
    from formulae import expr

    return bare(node.expression) if isinstance(node, expr.Grouping) else node


def is_keyword(node: Any) -> bool:
    """Whether an argument of a call is given by name, as in f(x, y=2)."""
    from formulae import expr

    return isinstance(node, expr.Assign)


def callee(node: Any) -> str:
    """The name of the function that a call calls; "?" where it has none."""
    return getattr(getattr(node.callee, "name", None), "lexeme", "?")


def _children(node: Any) -> list[Any]:
    """The parts of a node; of a call its arguments only, without their keywords."""
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


def inside(node: Any, depth: int = 0) -> Iterator[tuple[Any, int]]:
    """A node and all within it, with how deep each stands; not below what is too deep."""
    yield node, depth
    if depth <= DEEPEST:
        for child in _children(node):
            yield from inside(child, depth + 1)


def names(node: Any) -> Iterator[str]:
    """Columns in the order in which they stand; contrasts are none."""
    from formulae import expr

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
    """The error about one side of a formula, to be raised: what is wrong with it, and what to write."""
    return UserError(f"{side!r}: {why}", where="formula", expected=expected)
