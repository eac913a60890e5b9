"""Levels and parts in results, by name."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import Array

from pcmodel.api.mechanics.by_level import ByLevel
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.model.generative import GenerativeModel
from pcmodel.model.levels import (
    LevelName,
    Units,
    address,
    as_levels,
    find_units,
    indices,
    parts_of,
    told,
)
from pcmodel.model.problem import Structure
from pcmodel.networks.level_arrays import level_arrays
from pcmodel.networks.network import Network


@checked_arguments
def by_name(network: Network, arrays: Sequence[Any] | ByLevel) -> dict[str, Array]:
    """Results by the names of levels and the addresses of parts, {"hidden": ..., "hidden/self": ...}, bottom first.

    arrays: one per level, (..., width), bottom first: latents, means, variances, draws.

    Raises UserError for another number of levels or another width.
    """
    entries = arrays.entries if isinstance(arrays, ByLevel) else arrays
    checked = level_arrays(network, entries, where="by_name: arrays")
    names, found = network.names, {}
    for level, (name, array) in enumerate(zip(names, checked, strict=True)):
        found[name] = array
        for part in parts_of(network):
            if part.level == level:
                found[address(part, names)] = array[..., np.asarray(part.units)]
    return found


def chosen_block(whole: Any, rows: Units, columns: Units) -> Any:
    """The block of some units, ([batch,] rows, columns), of a matrix between two levels."""
    if rows.units is not None:
        whole = whole[..., np.asarray(rows.units), :]
    if columns.units is not None:
        whole = whole[..., np.asarray(columns.units)]
    return whole


def sorted_places(
    levels: Sequence[LevelName], model: GenerativeModel
) -> tuple[Units, ...]:
    """Levels and parts ascending, each once; raises UserError for a unit that two of them have."""
    found = {find_units(one, model) for place in levels for one in as_levels(place)}
    places = tuple(sorted(found, key=lambda place: (place.level, place.units or ())))
    seen: set[tuple[int, int]] = set()
    for place in places:
        own = indices(place, model.widths[place.level]).tolist()
        units = {(place.level, unit) for unit in own}
        if units & seen:
            raise UserError(
                f"{told(place, model)} and what else is named have units in common."
            )
        seen |= units
    return places


def check_all_free(places: Sequence[Units], structure: Structure) -> None:
    """Raise a UserError for clamped units, and for discrete levels, which have no Gaussian belief."""
    model = structure.model
    for place in places:
        if place.level in structure.discrete_levels:
            raise UserError(
                f"{told(place, model)} is discrete: it has probabilities, not a belief."
            )
        own = set(indices(place, model.widths[place.level]).tolist())
        if own & set(structure.clamped[place.level]):
            raise UserError(
                f"{told(place, model)} is clamped: it has a value, not a belief."
            )


def check_any_free(places: Sequence[Units], structure: Structure) -> None:
    """Raise a UserError for places without free Gaussian units."""
    for place in places:
        own = indices(place, structure.model.widths[place.level])
        if not len(np.intersect1d(own, structure.free_units(place.level))):
            raise UserError(
                f"{told(place, structure.model)} has no free units: there is no belief of it to revise."
            )


def called_as(place: Units, model: GenerativeModel) -> LevelName:
    """A level's index, or a part's address."""
    for part in parts_of(model):
        if (part.level, part.units) == place:
            return address(part, model.names)
    return place.level
