"""The inference problem of one example: its static structure and its arrays.

Successive levels without clamped units whose layers form a stack are a *run*: computations that traverse the hierarchy
treat a run as one (levels, width) array.
"""

import itertools
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float, Shaped

from pcmodel.model.belief import Belief
from pcmodel.model.generative import GenerativeModel, stacks_of, tops_of
from pcmodel.model.levels import Units, indices
from pcmodel.model.likelihood import Discrete, Gaussian
from pcmodel.model.types import LogPrecisions, Weights


@dataclass(frozen=True)
class Structure:
    """The static part of a problem.

    model: generative model.
    clamped: for each level the indices of its clamped units.
    beliefs: for each `Belief` the indices of its levels, ascending.
    believed: for each `Belief` and each of its levels the indices of the units that it is about, None for the whole
        level (tops are whole); () if all beliefs are about whole levels.
    """

    model: GenerativeModel
    clamped: tuple[tuple[int, ...], ...]
    beliefs: tuple[tuple[int, ...], ...]
    believed: tuple[tuple[tuple[int, ...] | None, ...], ...] = ()

    @property
    def top(self) -> int:
        """Index of the last level, the only top of a chain."""
        return len(self.model.widths) - 1

    @property
    def tops(self) -> tuple[int, ...]:
        """Levels without parents, ascending; they come last."""
        return tops_of(self.model)

    @property
    def is_discrete(self) -> bool:
        """Whether any level has a likelihood instead of errors."""
        return bool(self.discrete_levels)

    @property
    def discrete_levels(self) -> tuple[int, ...]:
        """Levels with a likelihood instead of errors, ascending."""
        return tuple(
            level
            for level, own in enumerate(self.model.likelihoods)
            if not isinstance(own, Gaussian)
        )

    @property
    def gaussian_levels(self) -> tuple[int, ...]:
        """Levels with Gaussian errors, ascending."""
        return tuple(
            level
            for level, own in enumerate(self.model.likelihoods)
            if isinstance(own, Gaussian)
        )

    def likelihood(self, level: int) -> Discrete:
        """The likelihood of a discrete level."""
        likelihood = self.model.likelihoods[level]
        if isinstance(likelihood, Gaussian):
            raise TypeError("a Gaussian level has errors, not a discrete likelihood")
        return likelihood

    def clamped_units(self, level: int) -> np.ndarray:
        """Indices of the level's clamped units."""
        return np.asarray(self.clamped[level], dtype=int)

    def free_units(self, level: int) -> np.ndarray:
        """Indices of the level's free Gaussian units (none in a discrete level)."""
        if not isinstance(self.model.likelihoods[level], Gaussian):
            return np.zeros(0, dtype=int)
        return np.setdiff1d(
            np.arange(self.model.widths[level]), self.clamped_units(level)
        )

    def free_slices(self) -> tuple[slice, ...]:
        """The slice of each level's free units in a flat state, bottom first."""
        ends = np.cumsum(
            [0] + [len(self.free_units(level)) for level in range(self.top + 1)]
        )
        return tuple(slice(int(a), int(b)) for a, b in itertools.pairwise(ends))

    def free_places(self, place: Units) -> np.ndarray:
        """Where the free ones of some units of a level stand in a flat state, in their order."""
        own, free = (
            indices(place, self.model.widths[place.level]),
            self.free_units(place.level),
        )
        kept = own[np.isin(own, free)]
        return self.free_slices()[place.level].start + np.searchsorted(free, kept)

    @property
    def num_free(self) -> int:
        """Total number of free units."""
        return self.free_slices()[-1].stop

    def owner(self, level: int) -> int | None:
        """Index of the belief that replaces the network's prior of a top; None without one, and for other levels."""
        if self.model.parents[level]:
            return None
        owners = [i for i, levels in enumerate(self.beliefs) if level in levels]
        return owners[0] if owners else None

    def believed_units(self, index: int) -> dict[int, np.ndarray]:
        """For each level of a belief the indices of the units that it is about, in the belief's order."""
        levels, widths = self.beliefs[index], self.model.widths
        some = self.believed[index] if self.believed else (None,) * len(levels)
        return {
            level: np.asarray(range(widths[level]) if units is None else units, int)
            for level, units in zip(levels, some, strict=True)
        }

    def belief_slices(self, index: int) -> dict[int, slice]:
        """The slice of each level of a belief in its concatenated units."""
        units = self.believed_units(index)
        ends = np.cumsum([0, *map(len, units.values())])
        parts = [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]
        return dict(zip(units, parts, strict=True))

    def below_tops(self, index: int) -> int:
        """Number of units of a belief in levels that are not tops; they come first."""
        believed = self.believed_units(index).items()
        return sum(len(units) for level, units in believed if self.model.parents[level])


class Pins(NamedTuple):
    """Free units that are fixed temporarily during inference; their levels must have diagonal precisions.

    mask: whether each free unit is pinned.
    values: their values (ignored for other units).
    """

    mask: Bool[Array, " free"]
    values: Float[Array, " free"]


class Inputs(NamedTuple):
    """The arrays of a problem, for one example.

    weights: weights of the network.
    log_precisions: log-precision of each level; None for a discrete level.
    gains: factor on the precision of each level, () or (width,).
    values: values of the clamped units of each level.
    beliefs: prior beliefs.
    pins: temporarily fixed units, used only by inference at corners (`pcmodel.inference.certificates.corners`).
    """

    weights: Weights
    log_precisions: LogPrecisions
    gains: tuple[Array, ...]
    values: tuple[Array, ...]
    beliefs: tuple[Belief, ...]
    pins: Pins | None = None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Problem:
    """One inference problem: static structure and arrays."""

    structure: Structure = field(metadata={"static": True})
    inputs: Inputs


def own_precision(inputs: Inputs, level: int) -> Array:
    """A level's log-precision; raises TypeError for a discrete level, which has none."""
    value = inputs.log_precisions[level]
    if value is None:
        raise TypeError(f"level {level} has no precision")
    return value


class Run(NamedTuple):
    """Levels first .. end - 1, treated together: a single level, or levels of one stack.

    distance: from each level to its only parent: 1 in a loop down the hierarchy, whose levels have no clamped units;
        more in a bank, whose levels are predicted at once and have the same clamped units.
    """

    first: int
    end: int
    distance: int = 1

    @property
    def is_bank(self) -> bool:
        """Whether the run has several levels, whose parents are outside of it."""
        return self.is_stack and self.distance > 1

    @property
    def levels(self) -> range:
        """Its levels."""
        return range(self.first, self.end)

    @property
    def parents(self) -> range:
        """Their parents."""
        return range(self.first + self.distance, self.end + self.distance)

    @property
    def is_stack(self) -> bool:
        """Whether the run has several levels, treated as one (levels, width) array."""
        return self.end - self.first > 1


def level_runs(problem: Problem) -> tuple[Run, ...]:
    """The levels with Gaussian errors, bottom first, grouped into runs.

    Levels predicted by one stack of layers form a run if they have no clamped units (in a bank, the same ones) and
    precisions and gains of equal shape; any other level is a run of its own.
    """
    structure = problem.structure
    stack_of = {
        level: number
        for number, (first, end) in enumerate(stacks_of(structure.model))
        for level in range(first, end)
    }

    parents = structure.model.parents

    def kind(numbered: tuple[int, int]) -> Any:
        number, level = numbered
        clamped = structure.clamped[level]
        if level not in stack_of or (clamped and parents[level] == (level + 1,)):
            return level  # a run of its own
        shape = own_precision(problem.inputs, level).shape
        gain = problem.inputs.gains[level].shape
        # Without a gap: a discrete level between two ends a run.
        return stack_of[level], level - number, clamped, shape, gain

    runs: list[Run] = []
    for _, same in itertools.groupby(enumerate(structure.gaussian_levels), key=kind):
        members = [level for _, level in same]
        above = parents[members[0]] or (members[0] + 1,)
        runs.append(Run(members[0], members[-1] + 1, above[0] - members[0]))
    return tuple(runs)


def split_runs(
    structure: Structure, runs: tuple[Run, ...], state: Shaped[Array, " free"]
) -> list[Array]:
    """The free units of each run from a flat state: (units,), or (levels, width) for a stack.

    A single split is used because its transpose is one concatenation; the transpose of a slice is a padded copy of the
    whole state, and one per level would make the cost quadratic in depth.
    """
    slices = structure.free_slices()
    parts = jnp.split(state, [slices[run.end - 1].stop for run in runs[:-1]])
    return [
        part.reshape(run.end - run.first, -1) if run.is_stack else part
        for run, part in zip(runs, parts, strict=True)
    ]


def unstack(stack: Float[Array, "levels width"]) -> list[Float[Array, " width"]]:
    """The levels of a stack, by one split (see `split_runs`)."""
    return [level[0] for level in jnp.split(stack, stack.shape[0])]
