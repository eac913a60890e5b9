"""What the package's own functions take, read from their source."""

import ast
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Signature(NamedTuple):
    """positional: annotation of each positional parameter.  optional: names of those with a default."""

    positional: tuple[str, ...]
    optional: frozenset[str]


Signatures = Mapping[str, Signature]


def signatures_of(sources: Iterable[str]) -> dict[str, Signature]:
    """By name of a function or class; of several of one name the types must agree to be kept."""
    found: dict[str, Signature] = {}
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            own = _signature(node)
            known = found.get(node.name, own)
            same = known.positional == own.positional
            found[node.name] = Signature(
                own.positional if same else (), own.optional | known.optional
            )
    return found


def _signature(node: ast.FunctionDef | ast.ClassDef) -> Signature:
    if isinstance(node, ast.FunctionDef):
        args = [*node.args.posonlyargs, *node.args.args]
        optional = [arg.arg for arg in args[len(args) - len(node.args.defaults) :]]
        optional += [
            arg.arg
            for arg, default in zip(
                node.args.kwonlyargs, node.args.kw_defaults, strict=True
            )
            if default is not None
        ]
        given = [arg.annotation for arg in args if arg.arg not in ("self", "cls")]
    else:
        fields = [field for field in node.body if isinstance(field, ast.AnnAssign)]
        optional = [ast.unparse(field.target) for field in fields if field.value]
        given = [field.annotation for field in fields]
    types = tuple("" if each is None else _kind(ast.unparse(each)) for each in given)
    return Signature(types, frozenset(optional))


def _kind(annotation: str) -> str:
    """Arrays of all shapes are alike, and so are numbers."""
    if annotation in ("int", "float"):
        return "number"
    return (
        "array" if "Array" in annotation and "tuple" not in annotation else annotation
    )
