"""The problem that one example poses to inference: what is free, and every array.

Levels that follow one another, are wholly free and whose layers are one stack are a *run*: everything that goes through a
hierarchy level by level treats a run as one (levels, width) array.
"""

import itertools
from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.belief import Belief
from pcmodel.likelihood import Discrete, Gaussian
from pcmodel.model import GenerativeModel, stacks_of
from pcmodel.types import LogPrecisions, Weights


@dataclass(frozen=True)
class Structure:
    """The static part of a problem.

    clamped: for each level the indices of the units whose value is given.
    beliefs: for each `Belief` the indices of its levels, ascending.
    """

    model: GenerativeModel
    clamped: tuple[tuple[int, ...], ...]
    beliefs: tuple[tuple[int, ...], ...]

    @property
    def top(self) -> int:
        """Index of the last level."""
        return len(self.model.widths) - 1

    @property
    def is_discrete(self) -> bool:
        """Whether level 0 has a likelihood instead of errors."""
        return not isinstance(self.model.likelihood, Gaussian)

    @property
    def discrete(self) -> Discrete:
        """The likelihood of a discrete level 0."""
        likelihood = self.model.likelihood
        if isinstance(likelihood, Gaussian):
            raise TypeError("a Gaussian level 0 has errors, not a discrete likelihood")
        return likelihood

    @property
    def first_level(self) -> int:
        """Lowest level with Gaussian errors."""
        return 1 if self.is_discrete else 0

    def clamped_units(self, level: int) -> np.ndarray:
        """Indices of the level's clamped units."""
        return np.asarray(self.clamped[level], dtype=int)

    def free_units(self, level: int) -> np.ndarray:
        """Indices of the level's free Gaussian units (none in a discrete level 0)."""
        if level < self.first_level:
            return np.zeros(0, dtype=int)
        return np.setdiff1d(
            np.arange(self.model.widths[level]), self.clamped_units(level)
        )

    def free_slices(self) -> tuple[slice, ...]:
        """Where each level's free units lie in a flat state, bottom first."""
        ends = np.cumsum(
            [0] + [len(self.free_units(level)) for level in range(self.top + 1)]
        )
        return tuple(slice(int(a), int(b)) for a, b in itertools.pairwise(ends))

    @property
    def num_free(self) -> int:
        """Number of free units in all."""
        return self.free_slices()[-1].stop

    def belief_slices(self, belief: int) -> dict[int, slice]:
        """Where each level lies in the concatenated mean of one belief."""
        widths = [self.model.widths[level] for level in self.beliefs[belief]]
        ends = np.cumsum([0, *widths])
        return {
            level: slice(int(a), int(b))
            for level, a, b in zip(self.beliefs[belief], ends, ends[1:], strict=False)
        }

    def top_belief(self) -> int | None:
        """Index of the belief that replaces the network's top prior, if any."""
        owners = [i for i, levels in enumerate(self.beliefs) if self.top in levels]
        return owners[0] if owners else None


class Inputs(NamedTuple):
    """The arrays of a problem, for one example.

    values: for each level the values of its clamped units.
    gains: for each level (), or (width,).
    """

    weights: Weights
    log_precisions: LogPrecisions
    gains: tuple[Array, ...]
    values: tuple[Array, ...]
    beliefs: tuple[Belief, ...]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Problem:
    """One inference problem: static structure and arrays."""

    structure: Structure = field(metadata={"static": True})
    inputs: Inputs


def own_precision(inputs: Inputs, level: int) -> Array:
    """A level's stored log-precision; only a discrete level 0 has none."""
    value = inputs.log_precisions[level]
    if value is None:
        raise TypeError(f"level {level} has no precision")
    return value


class Run(NamedTuple):
    """Levels first .. end - 1: a single one, or a stack of free ones."""

    first: int
    end: int

    @property
    def is_stack(self) -> bool:
        """Whether the levels are one array."""
        return self.end - self.first > 1


def level_runs(problem: Problem) -> tuple[Run, ...]:
    """The levels with Gaussian errors, bottom first, in runs.

    A stack of layers makes a run where precisions and gains are of one shape and no unit is clamped;
    otherwise its levels stand alone.
    """
    structure = problem.structure
    stacks = {
        max(first, structure.first_level): end
        for first, end in stacks_of(structure.model)
    }
    runs, level = [], structure.first_level
    while level <= structure.top:
        end = stacks.get(level, level + 1)
        if end - level > 1 and is_uniform(problem, level, end):
            runs.append(Run(level, end))
            level = end
        else:
            runs += [Run(one, one + 1) for one in range(level, end)]
            level = end
    return tuple(runs)


def is_uniform(problem: Problem, first: int, end: int) -> bool:
    """Whether levels are wholly free, with precisions and gains of one shape."""
    structure, inputs = problem.structure, problem.inputs
    levels = range(first, end)
    shapes = {
        (own_precision(inputs, level).shape, inputs.gains[level].shape)
        for level in levels
    }
    return len(shapes) == 1 and not any(structure.clamped[level] for level in levels)


def split_runs(
    structure: Structure, runs: tuple[Run, ...], state: Float[Array, " free"]
) -> list[Array]:
    """Each run's free units of a flat state: (units,), or (levels, width) of a stack.

    One split, whose transpose is one concatenation: of a slice it is a padded copy of the
    whole state, and as many of them as levels make deep networks quadratic in their depth.
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
