"""The graph of positive correlations: modularity and participation.

Weights are correlations with negative ones and the diagonal set to 0.
"""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from pcmodel.brain.measures.connectivity import check_correlation
from pcmodel.brain.measures.random_numbers import generator
from pcmodel.brain.measures.series import Networks, network_codes
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count, Positive

NO_EDGE = "no correlation is positive"


class Modularity(NamedTuple):
    """Newman's modularity of a partition.

    value: -0.5 to 1; NaN without a positive correlation.
    communities: community of each region, from 0, (regions,).
    undefined: why it is NaN; "" where it is not.
    """

    value: float
    communities: Int[np.ndarray, " regions"]
    undefined: str = ""


class Participation(NamedTuple):
    """How evenly each region's weights are spread over networks.

    value: of each region, 0 (all in one network) to 1 - 1 / number of networks, (regions,); NaN without a
        positive correlation.
    mean: over the regions that have one.
    undefined: which regions have none; "" where all have one.
    """

    value: Float[np.ndarray, " regions"]
    mean: float
    undefined: str = ""


def positive_weights(correlation: Any) -> Float[np.ndarray, "regions regions"]:
    """The correlations with negative ones and the diagonal set to 0."""
    weights = np.maximum(check_correlation(correlation), 0.0)
    np.fill_diagonal(weights, 0.0)
    return weights


@checked_arguments
def modularity(
    correlation: Any,
    *,
    key: Array,
    num_starts: Count = 3,
    resolution: Positive = 1.0,
) -> Modularity:
    """The best of several Louvain partitions (Blondel et al. 2008), by networkx.

    key: of the orders in which regions are visited.
    num_starts: number of partitions, of which the most modular is given.
    resolution: above 1 favours smaller communities.
    """
    weights = positive_weights(correlation)
    nobody = np.zeros(len(weights), int)
    if not weights.any():
        return Modularity(np.nan, nobody, NO_EDGE)
    # Relative to the largest, so that weights of 1e-8 fall under no threshold.
    graph = nx.from_numpy_array(weights / weights.max())
    seeds = generator(key).integers(2**32, size=num_starts)
    best = Modularity(-np.inf, nobody)
    for seed in seeds:
        parts = nx.community.louvain_communities(
            graph, seed=int(seed), resolution=resolution
        )
        found = nobody.copy()
        for place, part in enumerate(sorted(parts, key=min)):
            found[list(part)] = place
        value = _newman(weights, found, resolution)
        if value > best.value:
            best = Modularity(value, found)
    return best


@checked_arguments
def modularity_of(
    correlation: Any,
    networks: Sequence[Hashable] | Networks,
    *,
    resolution: Positive = 1.0,
) -> Modularity:
    """The modularity of given networks, one label a region."""
    weights = positive_weights(correlation)
    codes = network_codes(networks, len(weights)).codes
    if not weights.any():
        return Modularity(np.nan, codes, NO_EDGE)
    return Modularity(_newman(weights, codes, resolution), codes)


def _newman(weights: np.ndarray, codes: np.ndarray, resolution: float) -> float:
    """Q = sum over communities of (weight inside) / 2m - resolution (strength / 2m)^2 (Newman 2004)."""
    member = np.eye(int(codes.max()) + 1)[codes]
    total = weights.sum()
    inside = np.einsum("ic,ij,jc->c", member, weights, member, optimize=True) / total
    strength = member.T @ weights.sum(axis=1) / total
    return float(np.sum(inside - resolution * strength**2))


def participation(
    correlation: Any, networks: Sequence[Hashable] | Networks
) -> Participation:
    """P_i = 1 - sum over networks of (k_is / k_i)^2 (Guimera & Amaral 2005)."""
    weights = positive_weights(correlation)
    found = network_codes(networks, len(weights))
    member = np.eye(len(found.names))[found.codes]
    strength = weights.sum(axis=1)
    has = strength > 0
    shares = (weights @ member) / np.where(has, strength, 1.0)[:, None]
    value = np.where(has, 1.0 - np.sum(shares**2, axis=1), np.nan)
    alone = int((~has).sum())
    return Participation(
        value,
        float(value[has].mean()) if has.any() else np.nan,
        f"{alone} regions have no positive correlation" if alone else "",
    )
