"""Receptor maps: the density of receptors at each level of a hierarchy.

Measured by PET, the maps are nearly flat: 5-HT2A differs between default-mode and somatomotor
cortex by a factor of 1.28. So a drug that acts in proportion to its receptors does not select
the top; such selectivity must be assumed (`pcmodel.neuromodulation.accounts.accounts`).
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
    """The receptors of each level, lowest first.

    Attributes:
        networks: the cortical network that each level represents.
        density_2a: of 5-HT2A receptors, over the mean of the levels.
        density_1a: of 5-HT1A receptors, over the mean of the levels.
    """

    networks: tuple[str, ...]
    density_2a: tuple[float, ...]
    density_1a: tuple[float, ...]

    @property
    def num_levels(self) -> int:
        """The number of levels."""
        return len(self.networks)


@cache
def receptor_map() -> dict[str, dict[str, float]]:
    """By network and receptor the density over the mean of cortex."""
    found: dict[str, dict[str, float]] = {}
    for row in read_table(builtin("maps.csv"), DENSITIES):
        found.setdefault(row.subject, {})[row.quantity] = row.value
    return found


@checked_arguments
def anatomy(*networks: str) -> Anatomy:
    """Levels as cortical networks, lowest first: `anatomy("sensory", ..., "default")`.

    UserError for an unknown network, and for fewer than two levels.
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


# The networks of the experiments' four levels.
CORTEX = ("sensory", "dorsal attention", "control", "default")


def graded(density: tuple[float, ...], selectivity: float) -> np.ndarray:
    """Weights of mean 1 that rise with the level: density x (level / top)^selectivity.

    With 0 they follow the measured map; with 1 they rise in proportion to the level, from 0 at
    the lowest; with large values only the top has a weight.
    """
    depth = np.arange(len(density)) / (len(density) - 1)
    weights = np.asarray(density) * depth**selectivity
    return weights / weights.mean()
