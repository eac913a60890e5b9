"""What fMRI shows of a brain hierarchy: networks' coupling in two parcellations, with and without the global signal."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pcmodel.brain.dynamics import (
    BrainHierarchy,
    as_correlation,
    haemodynamic_covariance,
    without_global,
)
from pcmodel.brain.dynamics.linear_activity import LinearActivity
from pcmodel.brain.dynamics.read_out import RegionReadOut, region_means
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
    """Covariances of filtered activity: of regions, and of every unit as a region; with the name and network of each."""

    regions: np.ndarray
    names: tuple[str, ...]
    labels: tuple[str, ...]
    fine: np.ndarray
    fine_names: tuple[str, ...]
    fine_labels: tuple[str, ...]


Noise = Mapping[str, float]
"""Variance of the scanner's noise by region and unit."""


def bold_of(brain: BrainHierarchy, activity: LinearActivity) -> Bold:
    """Exact: no sampling in time.  A region's signal is the mean of its free units'."""
    fine = unit_read_out(brain, activity)
    whole = haemodynamic_covariance(activity, fine.weights)
    names, labels, means, _ = region_means(brain, activity.structure)
    means = means[:, unit_places(brain, activity)]
    return Bold(
        means @ whole @ means.T, names, labels, whole, fine.names, fine.networks
    )


def noise_of(bold: Bold, share: float) -> dict[str, float]:
    """Noise that is this share of every region's and unit's variance in what is recorded."""
    over = share / (1 - share)
    names = (*bold.names, *bold.fine_names)
    signal = np.concatenate([np.diag(bold.regions), np.diag(bold.fine)])
    return dict(zip(names, over * signal, strict=True))


def recorded(bold: Bold, noise: Noise) -> tuple[np.ndarray, np.ndarray]:
    """Covariances of regions and of units with the scanner's noise."""
    added = [[noise[name] for name in own] for own in (bold.names, bold.fine_names)]
    return bold.regions + np.diag(added[0]), bold.fine + np.diag(added[1])


def networks_of(bold: Bold, noise: Noise) -> Networks:
    """Coupling of what is recorded."""
    regions, units = recorded(bold, noise)
    found = coupling(regions, bold.labels)
    fine = coupling(units, bold.fine_labels)
    return Networks._make([*found[:5], *found[6:9], found[5], *fine[:3]])


def pairs_of(bold: Bold, noise: Noise, left_out: str) -> np.ndarray:
    """Fisher z of every pair of regions but one region's."""
    kept = [place for place, name in enumerate(bold.names) if name != left_out]
    matrix = as_correlation(recorded(bold, noise)[0])[np.ix_(kept, kept)]
    return np.arctanh(matrix[np.triu_indices(len(kept), 1)])


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
    names, labels = [], []
    for name in brain.networks:
        for unit in activity.structure.free_units(brain.network.names.index(name)):
            names.append(f"{name} unit {unit + 1}")
            labels.append(name)
    places = unit_places(brain, activity)
    return RegionReadOut(
        tuple(names),
        tuple(labels),
        activity.read[places],
        activity.activity[places],
        (),
    )


def unit_places(brain: BrainHierarchy, activity: LinearActivity) -> np.ndarray:
    """Where the networks' free units stand among all free units, network by network."""
    slices = activity.structure.free_slices()
    own = [slices[brain.network.names.index(name)] for name in brain.networks]
    return np.concatenate([np.arange(one.start, one.stop) for one in own])
