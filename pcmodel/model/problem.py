"""The problem that one example poses to inference: what is free, and every array.

Levels that follow one another, are wholly free and whose layers are one stack are a *run*: everything that goes through a
hierarchy level by level treats a run as one (levels, width) array.
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
from pcmodel.model.generative import GenerativeModel, stacks_of
from pcmodel.model.likelihood import Discrete, Gaussian
from pcmodel.model.types import LogPrecisions, Weights


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

    def top_belief(self) -> int | None:
        """Index of the belief that replaces the network's top prior, if any."""
        owners = [i for i, levels in enumerate(self.beliefs) if self.top in levels]
        return owners[0] if owners else None


class Pins(NamedTuple):
    """Free units held at given values while inference is under way; the others are sought.

    mask: which of the free units.  values: where.  Only units whose level has a diagonal precision can be held.
    """

    mask: Bool[Array, " free"]
    values: Float[Array, " free"]


class Inputs(NamedTuple):
    """The arrays of a problem, for one example.

    values: for each level the values of its clamped units.
    gains: for each level (), or (width,).
    pins: None but inside inference at corners (`pcmodel.inference.certificates.corners`).
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

    Levels that a stack of layers predicts make a run as long as no unit is clamped and precisions and
    gains are of one shape; any other level stands alone.
    """
    structure = problem.structure
    stack_of = {
        level: number
        for number, (first, end) in enumerate(stacks_of(structure.model))
        for level in range(first, end)
    }

    def kind(level: int) -> Any:
        if level not in stack_of or structure.clamped[level]:
            return level  # like no other
        shape = own_precision(problem.inputs, level).shape
        return stack_of[level], shape, problem.inputs.gains[level].shape

    runs: list[Run] = []
    levels = range(structure.first_level, structure.top + 1)
    for _, same in itertools.groupby(levels, key=kind):
        members = list(same)
        runs.append(Run(members[0], members[-1] + 1))
    return tuple(runs)


def split_runs(
    structure: Structure, runs: tuple[Run, ...], state: Shaped[Array, " free"]
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
