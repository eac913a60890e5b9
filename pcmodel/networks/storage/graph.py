"""What a file says of a network that is not a plain chain: parents, likelihoods of several ends, shared precisions, parts.

A chain with a likelihood of level 0 alone and without parts needs none of it, and its file has no such entries.
"""

import os
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import short
from pcmodel.model.generative import chain_parents
from pcmodel.model.levels import Part
from pcmodel.model.likelihood import Gaussian, Likelihood
from pcmodel.networks.network import LogPrecision, Network
from pcmodel.networks.pure import tied_precisions
from pcmodel.networks.storage.likelihoods import build_likelihood, describe_likelihood

GRAPH: dict[str, Any] = {
    "parents": list,
    "likelihoods": list,
    "tied_precisions": list,
    "parts": list,
}
"""Optional entries of the metadata, and their types."""


def describe_graph(network: Network) -> dict[str, Any]:
    """The entries of `GRAPH` that a network needs."""
    found: dict[str, Any] = {}
    if network.parents != chain_parents(len(network.widths)):
        found["parents"] = [list(own) for own in network.parents]
    if any(not isinstance(own, Gaussian) for own in network.likelihoods[1:]):
        found["likelihoods"] = [describe_likelihood(own) for own in network.likelihoods]
    if ties := tied_precisions(network):
        found["tied_precisions"] = [list(group) for group in ties]
    if network.parts:
        found["parts"] = [
            [part.name, part.level, list(part.units)] for part in network.parts
        ]
    return found


def build_parts(metadata: dict[str, Any], path: str | os.PathLike) -> list[Part] | None:
    """The parts of levels, as they are stored."""
    described = metadata.get("parts")
    if described is None:
        return None
    try:
        return [Part(name, level, tuple(units)) for name, level, units in described]
    except (TypeError, ValueError):
        raise UserError(
            f"{path} is not a network file: its parts are {short(described)}."
        ) from None


def build_likelihoods(
    metadata: dict[str, Any], first: Likelihood, path: str | os.PathLike
) -> Likelihood | list[Likelihood]:
    """The likelihood of level 0, or those of all levels if the file has them."""
    described = metadata.get("likelihoods")
    if described is None:
        return first
    return [build_likelihood(own, path) for own in described]


def share_precisions(
    precisions: Sequence[Any], metadata: dict[str, Any], path: str | os.PathLike
) -> list[Any]:
    """The log-precisions, one variable for each group of levels that share theirs."""
    shared = list(precisions)
    for group in metadata.get("tied_precisions", []):
        try:
            variable = LogPrecision(jnp.asarray(precisions[group[0]], dtype=float))
            for level in group:
                shared[level] = variable
        except (IndexError, TypeError, ValueError):
            raise UserError(
                f"{path} is not a network file: its tied_precisions are {short(group)}."
            ) from None
    return shared
