"""Shared parameters of layers as JSON."""

from collections.abc import Sequence
from typing import Any

from flax import nnx

from pcmodel.errors import UserError
from pcmodel.networks.network import Network
from pcmodel.networks.splitting import find_shared, split_layers

Described = list[list[Any]]


def describe_ties(network: Network) -> Described:
    """[layer, path, owner, source] of every shared parameter, which is stored at `source` of layer `owner`."""
    ties = find_shared(split_layers(list(network.layers))).ties
    return [
        [number, list(tie.path), tie.owner, list(tie.source)]
        for number, own in enumerate(ties)
        for tie in own
    ]


def tie_layers(
    layers: Sequence[nnx.Module], descriptions: Sequence[Any], ties: Described
) -> list[nnx.Module]:
    """The layers with parameters shared as described; a layer that shares all parameters becomes the same object.

    Raises UserError for ties that do not fit the layers.
    """
    tied = list(layers)
    try:
        for number, layer in enumerate(layers):
            own = [tie for tie in ties if tie[0] == number]
            paths = {
                path
                for path, value in nnx.iter_graph(layer)
                if isinstance(value, nnx.Param)
            }
            owners = {owner for _, _, owner, _ in own}
            alike = all(path == source for _, path, _, source in own)
            whole = {tuple(path) for _, path, _, _ in own} == paths
            if own and whole and alike and len(owners) == 1:
                (owner,) = owners
                if descriptions[owner] == descriptions[number]:
                    tied[number] = tied[owner]
                    continue
            for _, path, owner, source in own:
                *way, last = path
                shared = follow(tied[owner], source)
                if not isinstance(shared, nnx.Param):
                    raise TypeError
                setattr(follow(layer, way), last, shared)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise UserError(
            "the file names shared parameters that its layers have not."
        ) from None
    return tied


def follow(node: Any, path: Sequence[Any]) -> Any:
    """The object at a path inside a layer."""
    for entry in path:
        node = node[entry] if isinstance(entry, int) else getattr(node, entry)
    return node
