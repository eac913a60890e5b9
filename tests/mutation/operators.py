"""What a sabotage does to one node of the syntax tree: each is a mistake that someone could make."""

import ast
import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from mutation.signatures import Signature, Signatures


class Change(NamedTuple):
    """`node` becomes `after` (source text)."""

    kind: str
    node: ast.AST
    after: str


OPERATORS = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
COMPARISONS = {
    ast.Lt: (ast.GtE, ast.Gt),
    ast.LtE: (ast.Gt, ast.GtE),
    ast.Gt: (ast.LtE, ast.Lt),
    ast.GtE: (ast.Lt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
EXCHANGED = {
    "sum": "mean",
    "mean": "sum",
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "all": "any",
    "any": "all",
    "argmin": "argmax",
    "argmax": "argmin",
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "triu": "tril",
    "tril": "triu",
}
DROPPED = frozenset(
    "exp log sqrt square abs tanh expm1 log1p softplus sigmoid expit logit cumsum cumprod transpose "
    "reversed sorted stop_gradient flip diff clip norm logsumexp softmax log_softmax swapaxes".split()
)
ORDERED = frozenset(
    {"subtract", "divide", "power", "outer", "matmul", "dot", "arctan2"}
)
"""Functions of the array library whose first two arguments are arrays and not alike."""
NUMERIC_OPTIONS = frozenset({"axis", "keepdims", "ddof", "initial", "where"})


def changes(node: ast.AST, signatures: Signatures) -> Iterator[Change]:
    """Every sabotage of one node, not of those below it."""
    match node:
        case ast.BinOp() if not _is_type(node):
            yield from _binary(node)
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()):
            yield Change("operator dropped", node, _text(node.operand))
        case ast.Compare() if len(node.ops) == 1:
            yield from _comparison(node)
        case ast.Compare():
            yield from _chained(node)
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield _changed("and / or exchanged", node, op=other)
        case ast.IfExp():
            yield _changed(
                "branches exchanged", node, body=node.orelse, orelse=node.body
            )
        case ast.Constant(value=bool() | int() | float()):
            yield from _number(node)
        case ast.Attribute(attr="T" | "mT", ctx=ast.Load()):
            yield Change("transpose dropped", node, _text(node.value))
        case ast.Call():
            yield from _call(node, signatures)
        case ast.Subscript(ctx=ast.Load()):
            yield from _subscript(node)
        case ast.AugAssign():
            for kind in OPERATORS.get(type(node.op), ()):
                yield _changed("operator exchanged", node, op=kind())
        case ast.If() | ast.While():
            yield Change("condition negated", node.test, f"not {_text(node.test)}")
        case ast.FunctionDef():
            yield from _early_return(node)


def _is_type(node: ast.BinOp) -> bool:
    """`First | Second` of classes."""
    right = node.right
    return (
        isinstance(right, ast.Name) and right.id[0].isupper() and not right.id.isupper()
    )


def _binary(node: ast.BinOp) -> Iterator[Change]:
    for kind in OPERATORS.get(type(node.op), ()):
        yield _changed("operator exchanged", node, op=kind())
    if isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
        yield Change("term dropped", node, _text(node.left))
    if isinstance(node.op, ast.Add | ast.Mult):
        yield Change("term dropped", node, _text(node.right))
    if isinstance(node.op, ast.Pow):
        yield Change("power dropped", node, _text(node.left))


def _comparison(node: ast.Compare) -> Iterator[Change]:
    for kind in COMPARISONS[type(node.ops[0])]:
        yield _changed("comparison flipped", node, ops=[kind()])


def _chained(node: ast.Compare) -> Iterator[Change]:
    for index in range(len(node.ops)):
        ops = list(node.ops)
        ops[index] = COMPARISONS[type(ops[index])][0]()
        yield _changed("comparison flipped", node, ops=ops)


def _number(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        others: list = [not value]
    elif isinstance(value, int):
        others = [value + 1, value - 1, 0, 2 * value]
    else:
        others = [2 * value, value / 2, 0.0, value + 1]
    for other in dict.fromkeys(map(repr, others)):
        if other != repr(value):
            yield Change("constant changed", node, other)


def _call(node: ast.Call, signatures: Signatures) -> Iterator[Change]:
    name = _name(node.func)
    if name in EXCHANGED:
        yield Change("function exchanged", node, _text(_renamed(node, EXCHANGED[name])))
    if name in DROPPED and (node.args or isinstance(node.func, ast.Attribute)):
        inner = node.args[0] if node.args else node.func.value  # type: ignore[union-attr]
        yield Change("function dropped", node, _text(inner))
    if name == "where" and len(node.args) == 3:
        condition, yes, no = node.args
        yield _changed("branches exchanged", node, args=[condition, no, yes])
    signature = signatures.get(name, Signature((), frozenset()))
    if _is_library(node.func):
        same = ("array", "array") if name in ORDERED else ()
        signature = Signature(same, frozenset())
    yield from _exchanged(node, signature.positional)
    optional = signature.optional | NUMERIC_OPTIONS
    for keyword in node.keywords:
        if keyword.arg in optional:
            left = [each for each in node.keywords if each is not keyword]
            yield _changed("argument left out", node, keywords=left)
        if keyword.arg == "axis" and _text(keyword.value) in ("0", "1", "(-1)", "(1)"):
            other = 0 if _text(keyword.value) != "0" else -1
            moved = [
                ast.keyword("axis", ast.Constant(other)) if each is keyword else each
                for each in node.keywords
            ]
            yield _changed("axis changed", node, keywords=moved)


def _exchanged(node: ast.Call, types: tuple[str, ...]) -> Iterator[Change]:
    """Two neighbouring arguments of one type in each other's place."""
    if any(isinstance(arg, ast.Starred) for arg in node.args):
        return
    known = types[: len(node.args)]
    for index, (first, second) in enumerate(pairwise(known)):
        here, there = node.args[index : index + 2]
        if first and first == second and ast.dump(here) != ast.dump(there):
            args = [*node.args[:index], there, here, *node.args[index + 2 :]]
            yield _changed("arguments exchanged", node, args=args)


def _subscript(node: ast.Subscript) -> Iterator[Change]:
    if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
        return  # the first axis of a vector is its last
    match node.slice:
        case ast.Constant(value=0):
            yield _changed(
                "first / last exchanged", node, slice=ast.UnaryOp(ast.USub(), _one())
            )
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)):
            yield _changed("first / last exchanged", node, slice=ast.Constant(0))
        case ast.Slice():
            for piece in _slices(node.slice):
                yield _changed("slice off by one", node, slice=piece)
        case ast.Tuple(elts=elements):
            for index, element in enumerate(elements):
                if not isinstance(element, ast.Slice):
                    continue
                for piece in _slices(element):
                    parts = [*elements[:index], piece, *elements[index + 1 :]]
                    yield _changed(
                        "slice off by one", node, slice=ast.Tuple(parts, ast.Load())
                    )


def _slices(piece: ast.Slice) -> Iterator[ast.Slice]:
    """A bound forgotten, and one moved."""
    for side in ("lower", "upper"):
        bound = getattr(piece, side)
        if bound is None:
            continue
        for value in (None, ast.BinOp(bound, ast.Add(), _one())):
            other = copy.copy(piece)
            setattr(other, side, value)
            yield other


def _early_return(node: ast.FunctionDef) -> Iterator[Change]:
    """The first argument handed back where it is of the type of the result."""
    last = node.body[-1]
    if not isinstance(last, ast.Return) or last.value is None or node.returns is None:
        return
    wanted = ast.unparse(node.returns)
    for arg in (*node.args.args, *node.args.kwonlyargs):
        if arg.annotation is not None and ast.unparse(arg.annotation) == wanted:
            if ast.unparse(last.value) != arg.arg:
                yield Change("argument returned", last.value, arg.arg)
            return


def _one() -> ast.Constant:
    return ast.Constant(1)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_library(function: ast.expr) -> bool:
    """Whether it is a function of numpy or jax."""
    return ast.unparse(function).split(".")[0] in ("np", "jnp", "jax")


def _renamed(node: ast.Call, name: str) -> ast.Call:
    other = copy.deepcopy(node)
    if isinstance(other.func, ast.Attribute):
        other.func.attr = name
    else:
        other.func = ast.Name(name, ast.Load())
    return other


def _changed(kind: str, node: ast.AST, **fields) -> Change:
    other = copy.copy(node)
    for field, value in fields.items():
        setattr(other, field, value)
    return Change(kind, node, _text(other))


def _text(node: ast.AST) -> str:
    """Source of a node that can stand anywhere an expression can."""
    text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(node)))
    plain = isinstance(
        node, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant
    )
    return text if plain or not isinstance(node, ast.expr) else f"({text})"
