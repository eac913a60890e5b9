"""What fMRI shows of a brain hierarchy: networks' coupling in two parcellations, with and without the global signal."""

from typing import NamedTuple

import numpy as np

from pcmodel.brain.dynamics import (
    BrainHierarchy,
    as_correlation,
    haemodynamic_covariance,
    read_regions,
    without_global,
)
from pcmodel.brain.dynamics.linear_activity import LinearActivity
from pcmodel.brain.dynamics.read_out import RegionReadOut
from pcmodel.brain.measures import eigenspectrum_entropy, network_coupling

SCANNER = 0.5
"""Share of a region's variance in fMRI that is noise of its own (undrugged, eyes closed); with the world's constants, set from placebo alone."""


class Networks(NamedTuple):
    """Mean Fisher z of fMRI within and between networks, and the eigenspectrum's entropy.

    With the global signal, and after its regression.  default_within, default_between: of the default network.
    between_size: mean absolute Fisher z between networks, with the global signal.
    fine_*: with every unit as a region of its own.
    """

    within: float
    between: float
    entropy: float
    default_within: float
    default_between: float
    within_regressed: float
    between_regressed: float
    entropy_regressed: float
    between_size: float
    fine_within: float
    fine_between: float
    fine_entropy: float


class Bold(NamedTuple):
    """Covariances of filtered activity: of regions, and of every unit as a region; with the networks of each."""

    regions: np.ndarray
    labels: tuple[str, ...]
    fine: np.ndarray
    fine_labels: tuple[str, ...]


def bold_of(brain: BrainHierarchy, activity: LinearActivity) -> Bold:
    """Exact: no sampling in time.  A region's signal is the mean of its units'."""
    fine = unit_read_out(brain, activity)
    whole = haemodynamic_covariance(activity, fine.weights)
    read, units = read_regions(brain, activity), brain.plan.units
    means = np.kron(np.eye(len(read.names)), np.full((1, units), 1 / units))
    return Bold(means @ whole @ means.T, read.networks, whole, fine.networks)


def networks_of(
    brain: BrainHierarchy,
    activity: LinearActivity,
    noise: tuple[np.ndarray, np.ndarray] | None,
) -> Networks:
    """noise: variances of regions and of units that are added; None for the share SCANNER of the signal, whatever its size."""
    bold = bold_of(brain, activity)
    share = SCANNER / (1 - SCANNER)
    own = noise or (share * np.diag(bold.regions), share * np.diag(bold.fine))
    found = coupling(bold.regions + np.diag(own[0]), bold.labels)
    fine = coupling(bold.fine + np.diag(own[1]), bold.fine_labels)
    return Networks._make([*found[:5], *found[6:9], found[5], *fine[:3]])


def coupling(covariance: np.ndarray, labels: tuple[str, ...]) -> list[float]:
    """Within, between, entropy, default's within and between, size between; the same again after regression."""
    told: list[float] = []
    apart = np.asarray(labels)[:, None] != np.asarray(labels)[None, :]
    for own in (covariance, without_global(covariance)):
        matrix = as_correlation(own)
        found = network_coupling(matrix, labels)
        told += [found.within, found.between, eigenspectrum_entropy(matrix).value]
        row = found.by_network[found.names.index("default")]
        others = np.arange(len(row)) != found.names.index("default")
        told += [float(row[~others][0]), float(row[others].mean())]
        told.append(float(np.abs(np.arctanh(matrix[apart])).mean()))
    return told


def unit_read_out(brain: BrainHierarchy, activity: LinearActivity) -> RegionReadOut:
    """Every free unit of a network as a region: a finer parcellation."""
    names, labels, rows = [], [], []
    size = activity.structure.num_free
    for name in brain.networks:
        level = brain.network.names.index(name)
        places = activity.structure.free_slices()[level]
        for place in range(places.start, places.stop):
            names.append(f"{name} {place}")
            labels.append(name)
            rows.append(np.eye(size)[place])
    picked = np.stack(rows)
    return RegionReadOut(
        tuple(names),
        tuple(labels),
        picked @ activity.read,
        picked @ activity.activity,
        (),
    )
