"""What an account of a drug does to the modules of a brain hierarchy."""

import numpy as np
from jax.typing import ArrayLike

from pcmodel.brain.dynamics.brain_hierarchy import BrainHierarchy
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import NotNegative
from pcmodel.model.levels import LevelName
from pcmodel.model.modulation import Levels, Modulation
from pcmodel.neuromodulation.accounts.accounts import Account, Effects
from pcmodel.neuromodulation.accounts.maps import Anatomy, receptor_map


@checked_arguments
def brain_anatomy(brain: BrainHierarchy, *, selectivity: NotNegative = 0.0) -> Anatomy:
    """The receptors of the senses (one level, the lowest) and of every network, lowest first.

    selectivity: 0 follows the measured map, which is nearly flat; above 0, densities are multiplied by
        (height above the senses / height of the top)^selectivity: an assumption.
    """
    table, highest = receptor_map(), max(brain.ranks.values())
    heights = [0, *(brain.ranks[name] for name in brain.networks)]
    rows = ["sensory", *(brain.modules[name].network for name in brain.networks)]
    weights = np.asarray([(height / highest) ** selectivity for height in heights])
    densities = []
    for kind in ("density_2a", "density_1a"):
        own = np.asarray([table[row][kind] for row in rows]) * weights
        densities.append(tuple(float(one) for one in own / own.mean()))
    return Anatomy(tuple(rows), *densities)


@checked_arguments
def brain_modulation(
    brain: BrainHierarchy,
    account: Account,
    effects: Effects,
    *,
    selectivity: NotNegative = 0.0,
) -> Modulation:
    """An account's modulation of every module: that of its lowest level acts on all senses.

    selectivity: as in `brain_anatomy`; an account with a selectivity of its own adds to it.
    """
    anatomy = brain_anatomy(brain, selectivity=selectivity)
    given = account.modulate(effects, anatomy)

    def named(factors: Levels) -> dict[LevelName, ArrayLike]:
        found: dict[LevelName, ArrayLike] = {}
        for level, factor in factors.items():
            names = brain.senses if level == 0 else (brain.networks[int(level) - 1],)
            found.update(dict.fromkeys(names, factor))
        return found

    return Modulation(
        named(given.gains),
        named(given.slopes),
        {
            name: factor
            for name, factor in named(given.error_transmission).items()
            if brain.modules[str(name)].parents  # a top sends no errors up
        },
        given.top_down,
        given.temperature,
        given.plasticity,
    )
