"""Splitting of layers into a static description, learned arrays and fixed arrays.

Only `nnx.Param` is learned.  All other arrays of a layer (masks, running statistics, plain arrays) are part of its
prediction and do not change.  A parameter shared by several layers is stored once, in the first of them; the others
refer to it by a `Tie`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from pcmodel.errors import UserError

Path = tuple[Any, ...]


class Tie(NamedTuple):
    """An array of a layer that is stored in another entry.

    path: path of the array in its layer.
    owner: index of the entry that stores it.
    source: its path there.
    """

    path: Path
    owner: int
    source: Path


class LayerParts(NamedTuple):
    """The parts of one layer.

    graphdef: static description.
    learned: nested dicts of the learned arrays.
    fixed: nested dicts of all other arrays.
    parameters: path and identity of every `nnx.Param`.
    """

    graphdef: Any
    learned: dict[Any, Any]
    fixed: dict[Any, Any]
    parameters: tuple[tuple[Path, int], ...]


def split_layers(layers: Sequence[Any]) -> list[LayerParts]:
    """The parts of every layer; a layer that occurs twice has the same parts twice.

    Raises UserError for a layer that draws random numbers.
    """
    known: dict[int, LayerParts] = {}
    for number, layer in enumerate(layers):
        if id(layer) not in known:
            known[id(layer)] = split_layer(layer, number)
    return [known[id(layer)] for layer in layers]


def split_layer(layer: Any, number: int) -> LayerParts:
    """The parts of one layer; `number` is used in error messages."""
    if not isinstance(layer, nnx.Pytree):
        raise UserError(
            f"layer {number} is a {type(layer).__name__}: a layer is a flax nnx.Module (a function "
            "is called from the __call__ of one)."
        )
    parameters = []
    for path, value in nnx.iter_graph(layer):
        if isinstance(value, nnx.RngState):
            raise UserError(
                f"layer {number} holds the state of a random generator at {told(path)} (dropout, or rngs "
                "kept by a layer): a prediction must be the same whenever it is asked for. Leave it out, "
                "or make it deterministic and without rngs."
            )
        if isinstance(value, nnx.Param):
            parameters.append((path, id(value)))
    graphdef, learned, fixed = nnx.split(layer, nnx.Param, ...)
    return LayerParts(
        graphdef,
        arrays_of(learned, number, learns=True),
        arrays_of(fixed, number, learns=False),
        tuple(parameters),
    )


def arrays_of(state: Any, number: int, *, learns: bool) -> dict[Any, Any]:
    """A state as nested dicts of arrays; raises UserError for anything that is not numeric."""

    def checked(path: Path, value: Any) -> Array:
        if isinstance(value, Array) and not learns:
            return value
        where = told(tuple(getattr(entry, "key", entry) for entry in path))
        try:
            array = value if isinstance(value, Array) else jnp.asarray(value)
        except (TypeError, ValueError):
            raise UserError(
                f"layer {number} holds {value!r} at {where}: variables of a layer are arrays of numbers."
            ) from None
        if learns and not jnp.issubdtype(array.dtype, jnp.floating):
            raise UserError(
                f"layer {number} has a parameter of {array.dtype} at {where}, which no gradient can move: "
                "keep it as nnx.Variable, or as floating-point numbers."
            )
        return array

    return jax.tree_util.tree_map_with_path(checked, nnx.to_pure_dict(state))


def told(path: Path) -> str:
    """A path in Python syntax."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)


class Shared(NamedTuple):
    """Which parameters belong to more than one layer.

    twice: identities of those parameters.
    ties: for each layer, the arrays that are stored in an earlier one (whose number is the `owner`).
    """

    twice: frozenset[int]
    ties: tuple[tuple[Tie, ...], ...]


def find_shared(parts: Sequence[LayerParts]) -> Shared:
    """The parameters that layers share, by identity."""
    counts = Counter(one for part in parts for one in {i for _, i in part.parameters})
    twice = frozenset(one for one, count in counts.items() if count > 1)
    first: dict[int, tuple[int, Path]] = {}
    ties = []
    for number, part in enumerate(parts):
        own = []
        for path, one in part.parameters:
            if one in first:
                own.append(Tie(path, *first[one]))
        for path, one in part.parameters:
            first.setdefault(one, (number, path))
        ties.append(tuple(own))
    return Shared(twice, tuple(ties))


def at(tree: Any, path: Path) -> Any:
    """The entry at a path of nested dicts."""
    for entry in path:
        tree = tree[entry]
    return tree


def without(tree: Mapping[Any, Any], paths: Sequence[Path]) -> dict[Any, Any]:
    """Nested dicts without the entries at these paths, and without dicts that become empty."""
    kept = {}
    for key, value in tree.items():
        if any(path == (key,) for path in paths):
            continue
        inner = [path[1:] for path in paths if path[0] == key]
        if inner:
            value = without(value, inner)
            if not value:
                continue
        kept[key] = value
    return kept


def with_entry(tree: Mapping[Any, Any], path: Path, value: Any) -> dict[Any, Any]:
    """Nested dicts with an additional entry at a path."""
    key, *rest = path
    inner = with_entry(tree.get(key, {}), tuple(rest), value) if rest else value
    return {**tree, key: inner}


def joined(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> dict[Any, Any]:
    """The union of two nested dicts with different leaves."""
    result = dict(one)
    for key, value in other.items():
        result[key] = joined(result[key], value) if key in result else value
    return result


def prediction_shape(parts: LayerParts, *above: jax.ShapeDtypeStruct) -> Any:
    """Shape and dtype of a layer's prediction, without computing it.

    Raises UserError for a layer that changes its own arrays when called.
    """
    changed: list[Path] = []

    def call(arrays: Any, *above: Array) -> Any:
        module = nnx.merge(parts.graphdef, arrays)
        predicted = module(*above)
        for path, value in nnx.iter_graph(module):
            if isinstance(value, nnx.Variable) and path in given:
                if value.get_raw_value() is not at(arrays, path):
                    changed.append(path)
        return predicted

    whole = joined(parts.learned, parts.fixed)
    given = {
        path
        for path, value in nnx.iter_graph(nnx.merge(parts.graphdef, whole))
        if isinstance(value, nnx.Variable)
    }
    shape = jax.eval_shape(call, whole, *above)
    if changed:
        raise UserError(
            f"it changes its own variable {told(changed[0])} when called (batch normalisation in training?), but "
            "a prediction must depend on the level above alone: use running averages that stay as they are"
        )
    return shape


def merged(graphdef: Any, arrays: Any) -> Callable[..., Array]:
    """The layer as a function of the parents' latents."""
    layer: Any = nnx.merge(graphdef, arrays)
    return layer


def functions_of(layers: Iterable[nnx.Pytree]) -> tuple[Any, ...]:
    """The classes of all layers and of the modules inside them, and the functions in their attributes."""
    found = []
    for layer in layers:
        parts = [vars(layer)[name] for name in sorted(vars(layer))]
        inside = [part for part in parts if isinstance(part, nnx.Pytree)]
        held = (nnx.Pytree, nnx.Variable)
        own = [part for part in parts if callable(part) and not isinstance(part, held)]
        found += [type(layer), *own, *functions_of(inside)]
    return tuple(found)
