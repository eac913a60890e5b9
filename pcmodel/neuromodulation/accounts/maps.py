"""Receptor maps: the density of receptors at each level of a hierarchy.

Measured by PET, the maps are nearly flat: 5-HT2A differs between default-mode and somatomotor
cortex by a factor of 1.28. So a drug that acts in proportion to its receptors does not select
the top; such selectivity must be assumed (`pcmodel.neuromodulation.accounts.accounts`).
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments, short
from pcmodel.neuromodulation.table import builtin, read_table

DENSITIES = {"density_2a": {"ratio"}, "density_1a": {"ratio"}}


@checked_arguments
@dataclass(frozen=True)
class Anatomy:
    """The receptors of each level, lowest first, and which levels meet the world.

    Attributes:
        networks: the cortical network that each level represents.
        density_2a: of 5-HT2A receptors, over the mean of the levels; several ends count as one level.
        density_1a: of 5-HT1A receptors, as `density_2a`.
        parents: of each level, as a network has them (`pcmodel.hierarchy`); None for a chain. `believe` and
            `modulation_at` take those of the network.

    Raises UserError for densities that are not one a level, finite and 0 or more, for none above the senses, and for
    parents that are no hierarchy.
    """

    networks: tuple[str, ...]
    density_2a: tuple[float, ...]
    density_1a: tuple[float, ...]
    parents: tuple[tuple[int, ...], ...] | None = None

    def __post_init__(self):
        if self.parents is not None:
            check_parents(self.parents, self.num_levels)
        for kind in DENSITIES:
            own = getattr(self, kind)
            if len(own) != self.num_levels or not all(0 <= x < np.inf for x in own):
                raise UserError(
                    f"{kind} is {short(own)}",
                    where="anatomy",
                    expected=f"one number, 0 or more, for each of the {self.num_levels} levels",
                )
            if not any(np.asarray(own)[np.asarray(self.heights) > 0]):
                raise UserError(
                    f"{kind} is 0 at every level above the senses",
                    where="anatomy",
                    expected="receptors at one of them",
                )

    @property
    def num_levels(self) -> int:
        """The number of levels."""
        return len(self.networks)

    @property
    def heights(self) -> tuple[int, ...]:
        """Steps down the longest path from each level to an end, 0 for an end; in a chain the level's index."""
        if self.parents is None:
            return tuple(range(self.num_levels))
        heights = [0] * self.num_levels
        for level, own in enumerate(self.parents):
            for parent in own:  # of a higher index: the level's own height is known
                heights[parent] = max(heights[parent], heights[level] + 1)
        return tuple(heights)

    @property
    def ends(self) -> tuple[int, ...]:
        """The levels that are nobody's parent, the senses: level 0, and in a hierarchy that is no chain maybe others."""
        return tuple(level for level, height in enumerate(self.heights) if not height)

    @property
    def senders(self) -> tuple[int, ...]:
        """The levels that have parents, to which they send errors."""
        if self.parents is None:
            return tuple(range(self.num_levels - 1))
        return tuple(level for level, own in enumerate(self.parents) if own)

    def of(self, parents: tuple[tuple[int, ...], ...]) -> "Anatomy":
        """The same receptors in a hierarchy of these parents.

        With several ends densities are over a mean to which all ends together contribute one level, so that a further
        stream of evidence does not change what a drug does to the levels above.
        """
        placed = replace(self, parents=parents)
        if len(placed.ends) == 1:
            return placed
        ends = placed.ends
        return replace(
            placed,
            density_2a=_over_mean(self.density_2a, ends),
            density_1a=_over_mean(self.density_1a, ends),
        )


def check_parents(parents: tuple[tuple[int, ...], ...], num_levels: int) -> None:
    """UserError unless there is one entry a level, of levels above it."""
    whole = len(parents) == num_levels
    if not whole or not all(
        level < parent < num_levels
        for level, own in enumerate(parents)
        for parent in own
    ):
        raise UserError(
            f"parents are {short(parents)}",
            where="anatomy",
            expected=f"for each of the {num_levels} levels the indices of its parents, which are higher than its own",
        )


def _over_mean(values: tuple[float, ...], ends: tuple[int, ...]) -> tuple[float, ...]:
    each = np.asarray(values)
    return tuple(float(value) for value in each / mean_of_levels(each, ends))


def mean_of_levels(values: np.ndarray, ends: tuple[int, ...]) -> float:
    """The mean over levels, all ends together counted as one."""
    if len(ends) == 1:
        return values.mean()
    above = np.delete(values, list(ends))
    return np.append(above, values[list(ends)].mean()).mean()


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
    density_2a, density_1a = scaled
    return Anatomy(networks, density_2a, density_1a)


# The networks of the experiments' four levels.
CORTEX = ("sensory", "dorsal attention", "control", "default")


def graded(
    density: tuple[float, ...],
    selectivity: float,
    heights: tuple[int, ...] | None = None,
) -> np.ndarray:
    """Weights of mean 1 that rise with the height of a level: density x (height / highest)^selectivity.

    With 0 they follow the measured map; with 1 they rise in proportion to the height, from 0 at
    the ends; with large values only the top has a weight.

    density: of each level.
    selectivity: 0 or more.
    heights: of each level (`Anatomy.heights`); by default those of a chain. Several ends count as one level in the mean.
    """
    tall = np.asarray(range(len(density)) if heights is None else heights)
    depth = tall / max(tall.max(), 1)
    weights = np.asarray(density) * depth**selectivity
    return weights / mean_of_levels(weights, tuple(map(int, np.flatnonzero(tall == 0))))
