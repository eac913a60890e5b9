"""What reaches a brain hierarchy while its activity is recorded: nothing, a stimulus, a film, a task."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.brain.dynamics.brain_hierarchy import BrainHierarchy
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import read_numbers
from pcmodel.inputs.ranges import NotNegative, Positive


class Drive(NamedTuple):
    """Input that varies: an Ornstein-Uhlenbeck process around the clamped values.

    levels: names of the driven levels; their units one after another are the rows of the covariance.
    covariance: of the input, (units, units).
    time_constant: of its autocorrelation, seconds.
    """

    levels: tuple[str, ...]
    covariance: Float[np.ndarray, "units units"]
    time_constant: float


class Conditions(NamedTuple):
    """What is clamped, and what of it varies.

    clamp: values by level or part.
    drive: None if nothing varies.
    """

    clamp: Mapping[str, Any]
    drive: Drive | None


@dataclass(frozen=True)
class EyesClosed:
    """No sense is given: what they would report is inferred, as everything else."""

    def conditions(self, brain: BrainHierarchy) -> Conditions:
        """Nothing clamped."""
        return Conditions({}, None)


@checked_arguments
@dataclass(frozen=True)
class FixedStimulus:
    """Every sense is given, and does not change.

    values: by sense; 0, the mean of what taught, for those that are not named.
    """

    values: Mapping[str, Any] = field(default_factory=dict)

    def conditions(self, brain: BrainHierarchy) -> Conditions:
        """All senses clamped; UserError for a level that is no sense, and for values that do not fit."""
        return Conditions(sense_values(brain, self.values), None)


@checked_arguments
@dataclass(frozen=True)
class Film:
    """Every sense is given, and varies in time as an autoregressive process.

    variance: of the input, over that of the streams that taught the hierarchy; 0 is a fixed stimulus.
    time_constant: seconds in which its autocorrelation falls to 1/e.
    values: what it varies around, as in `FixedStimulus`.
    covariance: of all senses' units, (units, units), multiplied by `variance`; None for that of the streams, in
        which what is seen and what is felt share causes.
    """

    variance: NotNegative = 1.0
    time_constant: Positive = 0.5
    values: Mapping[str, Any] = field(default_factory=dict)
    covariance: Any = None

    def conditions(self, brain: BrainHierarchy) -> Conditions:
        """All senses clamped and driven; UserError for what does not fit."""
        clamp = sense_values(brain, self.values)
        if self.variance == 0:
            return Conditions(clamp, None)
        own = brain.sense_covariance
        if self.covariance is not None:
            own = check_covariance(self.covariance, len(own))
        drive = Drive(brain.senses, self.variance * own, self.time_constant)
        return Conditions(clamp, drive)


@checked_arguments
@dataclass(frozen=True)
class Task:
    """Senses as under another condition, and a goal that is held.

    goal: values by level or part, such as {"control/region 1": (1.0, 1.0)}.
    senses: what the senses receive.
    """

    goal: Mapping[str, Any]
    senses: EyesClosed | FixedStimulus | Film = Film()

    def conditions(self, brain: BrainHierarchy) -> Conditions:
        """The senses' conditions with the goal clamped; UserError without a goal, and for one that is a sense's."""
        if not self.goal:
            raise UserError(
                "is empty", where="goal", expected="values of a level or part"
            )
        for name in self.goal:
            if str(name).split("/")[0] in brain.senses:
                raise UserError(f"clamps the sense {name!r}", where="goal")
        base = self.senses.conditions(brain)
        return Conditions({**base.clamp, **self.goal}, base.drive)


Condition = EyesClosed | FixedStimulus | Film | Task


def sense_values(brain: BrainHierarchy, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values of every sense, 0 where none are given."""
    unknown = [name for name in given if name not in brain.senses]
    if unknown:
        raise UserError(
            f"names {unknown[0]!r}",
            where="values",
            expected=f"senses: {', '.join(brain.senses)}",
        )
    widths = dict(zip(brain.network.names, brain.network.widths, strict=True))
    found: dict[str, Any] = {}
    for name in brain.senses:
        value = np.asarray(
            read_numbers(given.get(name, np.zeros(widths[name])), where=name)
        )
        if value.shape != (widths[name],):
            raise UserError(
                f"has the shape {value.shape}",
                where=name,
                expected=f"({widths[name]},): one input for the whole recording",
            )
        found[name] = value
    return found


def check_covariance(given: Any, units: int) -> np.ndarray:
    """The matrix in float64; UserError unless it is one of that many units, symmetric and without negative eigenvalue."""
    matrix = np.asarray(read_numbers(given, where="covariance"), np.float64)
    if matrix.shape != (units, units):
        raise UserError(
            f"has the shape {matrix.shape}",
            where="covariance",
            expected=f"({units}, {units}), the units of all senses",
        )
    size = np.abs(matrix).max()
    if np.abs(matrix - matrix.T).max() > 1e-6 * size:
        raise UserError("is not symmetric", where="covariance")
    if np.linalg.eigvalsh(matrix).min() < -1e-6 * size:
        raise UserError("has a negative eigenvalue", where="covariance")
    return (matrix + matrix.T) / 2


def positions(levels: tuple[str, ...], names: tuple[str, ...]) -> tuple[int, ...]:
    """Indices of levels by name."""
    return tuple(names.index(level) for level in levels)
