"""A training state as named arrays with a checksum each, and back.

An array's name is its path in the tree (`.weights['layers'][0]['bias']`), so that a message can
name it.  Typed random keys are stored as their words; arrays without elements, which the file
format cannot hold, by their shape alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.hashes import hash_array


class Leaf(NamedTuple):
    """Description of one array.

    name: its path in the tree.
    shape: of the array.
    dtype: of the array, as text.
    key: the generator of a typed random key; None for other arrays.
    sha256: checksum of the content, hexadecimal.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    key: str | None
    sha256: str


class NamedArrays(NamedTuple):
    """The leaves of a tree, in its order.

    leaves: their descriptions.
    arrays: their contents, on the host.
    """

    leaves: tuple[Leaf, ...]
    arrays: tuple[np.ndarray, ...]


def name_arrays(state: Any) -> NamedArrays:
    """The leaves of a state with names and checksums; arrays are copied to the host."""
    leaves, arrays = [], []
    for path, value in jax.tree_util.tree_leaves_with_path(state):
        kind = key_kind(value)
        array = np.asarray(value if kind is None else jax.random.key_data(value))
        name = jax.tree_util.keystr(path)
        leaves.append(
            Leaf(name, array.shape, str(array.dtype), kind, hash_array(array))
        )
        arrays.append(array)
    return NamedArrays(tuple(leaves), tuple(arrays))


def key_kind(value: Any) -> str | None:
    """The generator of a typed random key; None for any other array."""
    dtype = getattr(value, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jax.dtypes.prng_key):
        return None
    return str(jax.random.key_impl(value))


def rebuild(template: Any, arrays: Sequence[np.ndarray]) -> Any:
    """A state like `template` (checked with `check_leaves`) with these contents.

    An array is placed on the same devices as the template's.
    """
    leaves, tree = jax.tree.flatten(template)
    return jax.tree.unflatten(
        tree, [place(old, new) for old, new in zip(leaves, arrays, strict=True)]
    )


def place(old: Any, new: np.ndarray) -> Any:
    """The content `new` as an array of the same kind, and on the same devices, as `old`."""
    kind = key_kind(old)
    if kind is not None:
        return jax.random.wrap_key_data(jnp.asarray(new), impl=kind)
    if isinstance(old, jax.Array):
        return jax.device_put(new, old.sharding)
    return new


def check_leaves(template: Any, found: Sequence[Leaf], *, where: str) -> None:
    """Raise UserError naming the first leaf in which two states differ."""
    expected = {leaf.name: leaf for leaf in describe(template)}
    stored = {leaf.name: leaf for leaf in found}
    for name in [*expected, *stored]:
        if name not in stored:
            raise UserError(f"holds no array {name}", where=where, expected=_SAME)
        if name not in expected:
            raise UserError(
                f"holds an array {name} that this network or its learning has not",
                where=where,
                expected=_SAME,
            )
        if _kind(stored[name]) != _kind(expected[name]):
            raise UserError(
                f"its array {name} is {_described(stored[name])}",
                where=where,
                expected=f"{_described(expected[name])}, as this network and its learning have it",
            )


_SAME = "a checkpoint of the same network and learning"


def describe(template: Any) -> list[Leaf]:
    """The leaves of a state without their checksums."""
    leaves = []
    for path, value in jax.tree_util.tree_leaves_with_path(template):
        kind = key_kind(value)
        like = value if kind is None else jax.eval_shape(jax.random.key_data, value)
        name, shape = jax.tree_util.keystr(path), tuple(np.shape(like))
        leaves.append(Leaf(name, shape, str(jnp.result_type(like)), kind, ""))
    return leaves


def _kind(leaf: Leaf) -> tuple[Any, ...]:
    return leaf.shape, leaf.dtype, leaf.key


def _described(leaf: Leaf) -> str:
    what = f"{leaf.dtype} of shape {leaf.shape}"
    return f"a {leaf.key} random key" if leaf.key else what


def from_json(record: Mapping[str, Any]) -> Leaf:
    """A description from its JSON record."""
    return Leaf(
        record["name"],
        tuple(record["shape"]),
        record["dtype"],
        record["key"],
        record["sha256"],
    )
