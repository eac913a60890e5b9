"""A tree of results as one .npz file: the name of an array is its path in the tree.

`Results(belief=Belief(mean=m), curves=(a, b))` becomes the arrays `belief.mean`,
`curves.0` and `curves.1`. Nothing is pickled, so reading a file runs no code.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.files import UNREADABLE_ARCHIVE, read_bytes, why_unreadable


def flatten_arrays(tree: Any) -> dict[str, np.ndarray]:
    """Name every leaf of a tree of named tuples, dataclasses, mappings, sequences.

    None is left out. Raises TypeError for a leaf that is not numbers, booleans or text.
    """
    return {name or "value": leaf for name, leaf in _leaves(tree, "")}


def _leaves(node: Any, name: str) -> Iterator[tuple[str, np.ndarray]]:
    if node is None:
        return
    children = _children(node)
    if children is None:
        yield name, _leaf(node, name)
        return
    for key, child in children:
        yield from _leaves(child, f"{name}.{key}" if name else str(key))


def _children(node: Any) -> list[tuple[Any, Any]] | None:
    if isinstance(node, tuple) and hasattr(node, "_asdict"):
        return list(node._asdict().items())  # pyright: ignore[reportAttributeAccessIssue]
    if is_dataclass(node) and not isinstance(node, type):
        return [(field.name, getattr(node, field.name)) for field in fields(node)]
    if isinstance(node, Mapping):
        return list(node.items())
    if isinstance(node, list | tuple):
        return list(enumerate(node))
    return None


def _leaf(value: Any, name: str) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind == "V" and not array.dtype.fields:  # bfloat16 and similar types
        array = array.astype(np.float32)
    if array.dtype.kind not in "biufcU":
        raise TypeError(
            f"results field {name or 'value'!r} is a {type(value).__name__}, "
            "and only arrays of numbers, booleans or text can be saved"
        )
    return array


def rebuild(kind: Any, arrays: Mapping[str, np.ndarray], name: str = "") -> Any:
    """The inverse of `flatten_arrays`, for a tree of this type.

    kind: the type of the tree, as in annotations: a named tuple, dataclass, tuple, mapping or leaf.
    Raises KeyError naming a missing array.
    """
    origin, inner = get_origin(kind), get_args(kind)
    below = {key for key in arrays if key == name or key.startswith(f"{name}.")}
    if origin in (Union, UnionType):
        options = [option for option in inner if option is not NoneType]
        if not below:
            return None
        return rebuild(_fitting(options, _below(arrays, name)), arrays, name)
    if origin is tuple:
        parts = sorted(_below(arrays, name), key=int)
        return tuple(rebuild(inner[0], arrays, _join(name, part)) for part in parts)
    if origin in (dict, Mapping):
        keys = _below(arrays, name)
        return {key: rebuild(inner[1], arrays, _join(name, key)) for key in keys}
    names = _fields(kind)
    if names is not None:
        hints = get_type_hints(kind)
        return kind(**{n: rebuild(hints[n], arrays, _join(name, n)) for n in names})
    leaf = arrays[name]
    return kind(leaf.item()) if kind in (str, int, float, bool) else leaf


def _fitting(options: list[Any], names: list[str]) -> Any:
    """The option whose fields are those that were stored."""
    for option in options:
        if len(options) == 1 or set(names) <= set(_fields(option) or ()):
            return option
    raise KeyError(names)


def _fields(kind: Any) -> tuple[str, ...] | None:
    if is_dataclass(kind):
        return tuple(field.name for field in fields(kind))
    return getattr(kind, "_fields", None)


def _join(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part


def _below(arrays: Mapping[str, np.ndarray], name: str) -> list[str]:
    """The names of the next level, in order."""
    start = f"{name}." if name else ""
    parts = (key[len(start) :].split(".")[0] for key in arrays if key.startswith(start))
    return list(dict.fromkeys(parts))


@checked_arguments
def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of a run. Refuses pickled objects."""
    content = read_bytes(path)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except UNREADABLE_ARCHIVE as error:
        raise UserError(
            f"not a readable array file ({why_unreadable(error)})",
            where=str(path),
            expected="an arrays.npz written by a run",
        ) from error
