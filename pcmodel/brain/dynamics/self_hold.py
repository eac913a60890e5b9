"""Ego dissolution in a hierarchy: how much of the rest the self explains, and what it is coupled to.

That a network's coupling stands for the sense of self is contested; these are numbers of a
model.
"""

from typing import NamedTuple

import numpy as np

from pcmodel.brain.dynamics.brain_hierarchy import BrainHierarchy
from pcmodel.brain.dynamics.linear_activity import LinearActivity
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.model.levels import Units, find_units, indices
from pcmodel.model.problem import Structure


class SelfHold(NamedTuple):
    """The self module's hold on the other modules.

    share: of the others' variance that the self's units explain, 0 to 1: mean over units outside it, senses' input and
        unfree units left out.
    by_network: the same for each network, in their order (the self's own network without the self).
    networks: their names.
    information: mutual information between the self and all others, nats.
    self_body: mutual information between the self's and the body's units, nats.
    self_perception: the same with the visual module.
    """

    share: float
    by_network: np.ndarray
    networks: tuple[str, ...]
    information: float
    self_body: float
    self_perception: float


@checked_arguments
def self_hold(
    brain: BrainHierarchy,
    activity: LinearActivity,
    *,
    self_part: str = "self",
    body: str = "somatomotor",
    perception: str = "visual",
) -> SelfHold:
    """Of stationary activity.

    self_part: part or level that is the self.
    body: level that is the body.
    perception: level that is perception.
    Raises UserError for places that do not exist, hold no free unit or belong to the self.
    """
    structure = activity.structure
    own = free_places(brain, structure, self_part)
    covariance = activity.activity_covariance()
    explained = explained_shares(covariance, own)
    members = {}
    for name in brain.networks:
        level = brain.network.names.index(name)
        everyone = structure.free_places(Units(level))
        members[name] = np.setdiff1d(everyone, own)
    shares = [
        float(explained[places].mean()) if len(places) else np.nan
        for places in members.values()
    ]
    others = np.concatenate(list(members.values()))
    if not len(others):
        raise UserError(
            "is the whole brain", where="self_part", expected="a part of it"
        )
    return SelfHold(
        float(explained[others].mean()),
        np.asarray(shares),
        tuple(members),
        mutual_information(covariance, own, others),
        *(
            mutual_information(
                covariance,
                own,
                np.setdiff1d(free_places(brain, structure, at), own),
            )
            for at in (body, perception)
        ),
    )


def free_places(brain: BrainHierarchy, structure: Structure, name: str) -> np.ndarray:
    """Places of a level's or part's free units; UserError if it has none."""
    units = find_units(name, structure.model)
    own = indices(units, structure.model.widths[units.level])
    places = structure.free_places(Units(units.level, tuple(int(one) for one in own)))
    if not len(places):
        raise UserError(f"{name!r} has no free unit", where="self_hold")
    return places


def explained_shares(covariance: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Of every unit the share of its variance that the source's units explain, 0 to 1."""
    cross = covariance[:, source]
    known = covariance[np.ix_(source, source)]
    gone = np.sum(cross * np.linalg.solve(known, cross.T).T, axis=1)
    return np.clip(gone / np.diag(covariance), 0.0, 1.0)


def mutual_information(
    covariance: np.ndarray, first: np.ndarray, second: np.ndarray
) -> float:
    """Between two groups of units of a Gaussian, nats."""
    size = np.sqrt(np.diag(covariance))
    matrix = covariance / size[:, None] / size[None, :]
    both = np.concatenate([first, second])
    parts = [np.linalg.slogdet(matrix[np.ix_(p, p)])[1] for p in (first, second, both)]
    return max(0.0, 0.5 * (parts[0] + parts[1] - parts[2]))
