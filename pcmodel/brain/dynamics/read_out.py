"""Regions read out of a hierarchy's activity."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.brain.dynamics.brain_hierarchy import BrainHierarchy
from pcmodel.brain.dynamics.linear_activity import LinearActivity
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.model.levels import Units
from pcmodel.model.problem import Structure

Kind = Literal["latents", "errors"]


class RegionReadOut(NamedTuple):
    """Linear read-out of regions.

    names: of the regions.
    networks: the network of each region.
    weights: of the process's z, (regions, z); a region is the mean of its units.
    mean: of each region, (regions,).
    held: names of regions that are left out, because a task holds all their units.
    """

    names: tuple[str, ...]
    networks: tuple[str, ...]
    weights: Float[np.ndarray, "regions z"]
    mean: Float[np.ndarray, " regions"]
    held: tuple[str, ...]

    def covariance(self, activity: LinearActivity) -> np.ndarray:
        """Stationary covariance of the regions, (regions, regions)."""
        return self.weights @ activity.covariance @ self.weights.T


@checked_arguments
def read_regions(
    brain: BrainHierarchy, activity: LinearActivity, *, of: Kind = "latents"
) -> RegionReadOut:
    """The mean over each region's free units of latents (as activity), or of prediction errors."""
    names, networks, picked, held = region_means(brain, activity.structure)
    read, mean = (
        (activity.read, activity.activity)
        if of == "latents"
        else (activity.read_errors, activity.errors)
    )
    return RegionReadOut(names, networks, picked @ read, picked @ mean, held)


def region_means(
    brain: BrainHierarchy, structure: Structure
) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray, tuple[str, ...]]:
    """Names, networks and weights (regions, free) of regions with free units; names of those without."""
    kept, held, rows = [], [], []
    for region in brain.regions:
        level = brain.network.names.index(region.network)
        places = structure.free_places(Units(level, region.units))
        if not len(places):
            held.append(region.name)
            continue
        row = np.zeros(structure.num_free)
        row[places] = 1 / len(places)
        rows.append(row)
        kept.append(region)
    if not rows:
        raise UserError("leaves no region free", where="condition")
    return (
        tuple(one.name for one in kept),
        tuple(one.network for one in kept),
        np.stack(rows),
        tuple(held),
    )


@checked_arguments
def as_correlation(covariance: np.ndarray) -> Float[np.ndarray, "regions regions"]:
    """Correlations of a covariance; UserError for a variance that is not above 0."""
    spread = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    if not np.all(spread > 0):
        raise UserError(
            f"of region {int(np.argmin(spread))} is 0",
            where="variance",
            expected="above 0",
        )
    found = covariance / spread[:, None] / spread[None, :]
    found = np.clip((found + found.T) / 2, -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


@checked_arguments
def without_global(covariance: np.ndarray) -> Float[np.ndarray, "regions regions"]:
    """Covariance of the residuals of every region's regression on the regions' mean; exact, no sampling."""
    total = covariance.sum(axis=1)
    whole = total.sum()
    if not whole > 1e-12 * np.abs(covariance).sum():
        raise UserError("is constant", where="global signal", expected="some variance")
    return covariance - np.outer(total, total) / whole
