"""Receptor maps: which level of a hierarchy carries how many receptors.

Measured by PET, the maps are nearly flat: 5-HT2A differs between default-mode and somatomotor cortex by a
factor of 1.28.  So a drug that acts where its receptors are does not select the top; selectivity must be
assumed, and is (`pcmodel.neuromodulation.accounts.accounts`).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.neuromodulation.table import builtin, read_table

DENSITIES = {"density_2a": {"ratio"}, "density_1a": {"ratio"}}


@checked_arguments
@dataclass(frozen=True)
class Anatomy:
    """Receptors of each level, bottom first, over the mean of the levels.

    networks: the cortical network each level is taken to be.
    """

    networks: tuple[str, ...]
    density_2a: tuple[float, ...]
    density_1a: tuple[float, ...]

    @property
    def num_levels(self) -> int:
        """Number of levels."""
        return len(self.networks)


@cache
def receptor_map() -> dict[str, dict[str, float]]:
    """Density over the mean of cortex, by network and receptor."""
    found: dict[str, dict[str, float]] = {}
    for row in read_table(builtin("maps.csv"), DENSITIES):
        found.setdefault(row.subject, {})[row.quantity] = row.value
    return found


@checked_arguments
def anatomy(*networks: str) -> Anatomy:
    """Levels as cortical networks, bottom first: `anatomy("sensory", ..., "default")`.

    Raises UserError for an unknown network.
    """
    table = receptor_map()
    for level, network in enumerate(networks):
        if network not in table:
            raise unknown_name("network", network, table, where=f"level {level}")
    if len(networks) < 2:
        raise UserError("an anatomy needs two levels or more.")
    densities = [
        np.asarray([table[network][kind] for network in networks]) for kind in DENSITIES
    ]
    scaled = [tuple(float(d) for d in each / each.mean()) for each in densities]
    return Anatomy(networks, *scaled)


CORTEX = ("sensory", "dorsal attention", "control", "default")
"""Four levels from the senses to the self: the assignment of the experiments."""


def graded(density: tuple[float, ...], selectivity: float) -> np.ndarray:
    """Weights of mean 1 that rise with the level: density x (level / top)^selectivity.

    0 leaves the measured map; 1 spares the lowest level and favours the top in
    proportion; large values leave the top alone.
    """
    depth = np.arange(len(density)) / (len(density) - 1)
    weights = np.asarray(density) * depth**selectivity
    return weights / weights.mean()
