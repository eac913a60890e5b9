"""What a protocol is made of: blocks of trials, and the time between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count, Finite, NotNegative, Positive, Range
from pcmodel.model.modulation import Modulation

Gain = Annotated[float, Range(0.0, open="least")]
MOST = 100_000
"""Trials of a phase; more is a slip of the keys."""


@checked_arguments
@dataclass(frozen=True)
class Interval:
    """Time in which nothing happens, in units of the clock: a trial takes one."""

    units: NotNegative


@checked_arguments
@dataclass(frozen=True)
class Days:
    """Time in which nothing happens, in days; `Design(units_per_day=...)` says how long one is."""

    days: NotNegative


@checked_arguments
@dataclass(frozen=True)
class Phase:
    """A block of trials; what is one number may be one for each trial.

    trials: how many.
    stimulus: what is shown: a name, or several for a compound; () for none.
    context: where, by name; None for nowhere in particular.
    us: the outcome: its strength, 0 for none; one number, or a schedule.
    every: time from one trial to the next, units.
    at: when the first trial begins, units from the start; None for when the phase before has ended.
    amnesia: share of active memories that an amnestic agent erases in an iteration of learning.
    outcome_gain, learning_gain: factors of a drug on the outcome's precision and on the learning rate.
    modulation: a drug's effect from which both are taken (`pcmodel.memory.drug.gains_of`) instead.
    scored: whether responses are measured.
    """

    trials: Count = 1
    stimulus: str | Sequence[str] = "cs"
    context: str | None = None
    us: Finite | Sequence[Finite] = 0.0
    every: Positive = 1.0
    at: NotNegative | None = None
    amnesia: NotNegative | Sequence[NotNegative] = 0.0
    outcome_gain: Gain | Sequence[Gain] = 1.0
    learning_gain: NotNegative | Sequence[NotNegative] = 1.0
    modulation: Modulation | None = None
    scored: bool = True

    def __post_init__(self):
        if self.trials > MOST:
            raise UserError(
                f"cannot be {self.trials}", where="trials", expected=f"at most {MOST}"
            )
        for name in ("us", "amnesia", "outcome_gain", "learning_gain"):
            given = getattr(self, name)
            if np.ndim(given) and len(given) != self.trials:
                raise UserError(
                    f"has {len(given)} values for {self.trials} trials",
                    where=name,
                    expected="one number, or one for each trial",
                )
        if np.any(np.asarray(self.amnesia) > 1):
            raise UserError(
                "is above 1", where="amnesia", expected="a share from 0 to 1"
            )
        if self.modulation is not None and not (
            np.all(np.asarray(self.outcome_gain) == 1)
            and np.all(np.asarray(self.learning_gain) == 1)
        ):
            raise UserError(
                "gains are given beside it",
                where="modulation",
                expected="either a modulation or gains",
            )

    def shown(self) -> tuple[str, ...]:
        """The names of the stimuli."""
        return (
            (self.stimulus,) if isinstance(self.stimulus, str) else tuple(self.stimulus)
        )

    def each(self, name: str) -> np.ndarray:
        """One number for each trial."""
        return np.broadcast_to(np.asarray(getattr(self, name), float), self.trials)


@checked_arguments
@dataclass(frozen=True)
class Acquisition(Phase):
    """The stimulus is followed by the outcome."""

    us: Finite | Sequence[Finite] = 1.0


@checked_arguments
@dataclass(frozen=True)
class Extinction(Phase):
    """The stimulus is shown and nothing follows."""


@checked_arguments
@dataclass(frozen=True)
class Retrieval(Phase):
    """The stimulus is shown, once as a rule, to remind."""


@checked_arguments
@dataclass(frozen=True)
class Reinstatement(Phase):
    """The outcome comes without a signal; with `stimulus=` it is signalled."""

    stimulus: str | Sequence[str] = ()
    us: Finite | Sequence[Finite] = 1.0


@checked_arguments
@dataclass(frozen=True)
class Test(Phase):
    """The stimulus is shown to see the response to it."""

    __test__ = False  # pytest is not to collect it


Block = Phase | Interval | Days
KINDS: dict[str, Any] = {
    "acquisition": Acquisition,
    "extinction": Extinction,
    "retrieval": Retrieval,
    "reinstatement": Reinstatement,
    "test": Test,
    "phase": Phase,
    "interval": Interval,
    "days": Days,
}
"""By the names that files use."""


def name_of(block: Block) -> str:
    """The name of a block's kind in files."""
    return type(block).__name__.lower()
