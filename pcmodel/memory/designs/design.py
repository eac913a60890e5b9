"""A design: blocks in order, what the names of stimuli and contexts mean, and the trials that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Finite, Positive
from pcmodel.memory.designs.phases import Block, Days, Interval, Phase, name_of
from pcmodel.memory.drug import gains_of
from pcmodel.memory.trials import Trials, make_trials

Features = Mapping[str, Finite]


def _alone() -> Mapping[str, Features]:
    return {"cs": {"cs": 1.0}}


@checked_arguments
@dataclass(frozen=True)
class Design:
    """An experiment on one animal.

    phases: blocks of trials and the time between them, in order.
    stimuli: features of each stimulus, by its name; features not named are 0. A compound has the sum.
    contexts: features of each context, added to those of the stimuli there.
    units_per_day: of the clock, for `Days`.

    Raises UserError for no trials, names that mean nothing, phases that overlap, outcomes in no phase, and days
    of unknown length.
    """

    phases: Sequence[Phase | Interval | Days]
    stimuli: Mapping[str, Features] = field(default_factory=_alone)
    contexts: Mapping[str, Features] = field(default_factory=dict)
    units_per_day: Positive | None = None

    def __post_init__(self):
        blocks = [b for b in self.phases if isinstance(b, Phase)]
        if not blocks:
            raise UserError(
                "has no trials", where="design", expected="at least one phase"
            )
        for number, block in enumerate(self.phases):
            if isinstance(block, Phase):
                self._check_names(block, place(number, block))
            elif isinstance(block, Days) and self.units_per_day is None:
                raise UserError(
                    "has days of unknown length",
                    where=place(number, block),
                    expected="units_per_day",
                )
        if not any(np.any(block.each("us")) for block in blocks):
            raise UserError(
                "no phase has an outcome",
                where="design",
                expected="us other than 0 in one phase at least (acquisition has 1)",
            )
        _ = self._times  # overlaps are told at once

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the trials' stimuli, in the order in which they are first named."""
        named = [*self.stimuli.values(), *self.contexts.values()]
        return tuple(dict.fromkeys(name for one in named for name in one)) or ("none",)

    @cached_property
    def trials(self) -> Trials:
        """What `learn_causes` takes."""
        blocks = [b for b in self.phases if isinstance(b, Phase)]
        gains = [self._gains(block) for block in blocks]

        def joined(rows: list[np.ndarray]) -> np.ndarray:
            return np.concatenate(rows)

        return make_trials(
            joined(self._times),
            joined([block.each("us") for block in blocks]),
            joined([np.tile(self._row(b), (b.trials, 1)) for b in blocks]),
            scored=joined([np.full(b.trials, b.scored) for b in blocks]),
            outcome_gain=joined([outcome for outcome, _ in gains]),
            learning_gain=joined([learning for _, learning in gains]),
            amnesia=joined([block.each("amnesia") for block in blocks]),
        )

    def index(self, kind: str, occurrence: int = 1) -> np.ndarray:
        """Which trials belong to a kind of phase ("extinction"), its first occurrence or another one.

        Raises UserError where the design has no such phase.
        """
        blocks = [b for b in self.phases if isinstance(b, Phase)]
        starts = np.cumsum([0, *(b.trials for b in blocks)])
        found = [i for i, block in enumerate(blocks) if name_of(block) == kind]
        if not found:
            raise unknown_name(
                "phase of this design", kind, dict.fromkeys(map(name_of, blocks))
            )
        if not 1 <= occurrence <= len(found):
            raise UserError(
                f"there is no {kind} {occurrence}", expected=f"1 to {len(found)}"
            )
        i = found[occurrence - 1]
        return np.arange(starts[i], starts[i + 1])

    @cached_property
    def _times(self) -> list[np.ndarray]:
        """When the trials of each block begin."""
        now, found = 0.0, []
        for number, block in enumerate(self.phases):
            if isinstance(block, Phase):
                start = now if block.at is None else block.at
                if start < now:
                    raise UserError(
                        f"begins at {start:g} and the block before ends at {now:g}",
                        where=place(number, block),
                        expected="phases that do not overlap",
                    )
                found.append(start + block.every * np.arange(block.trials))
                now = start + block.every * block.trials
            elif isinstance(block, Days):
                now += block.days * (self.units_per_day or 0.0)
            else:
                now += block.units
        return found

    def _row(self, block: Phase) -> np.ndarray:
        parts = [self.stimuli[name] for name in block.shown()]
        if block.context is not None:
            parts.append(self.contexts[block.context])
        return np.array(
            [sum(float(part.get(f, 0.0)) for part in parts) for f in self.features]
        )

    def _gains(self, block: Phase) -> tuple[np.ndarray, np.ndarray]:
        if block.modulation is None:
            return block.each("outcome_gain"), block.each("learning_gain")
        gains = gains_of(block.modulation)
        return np.full(block.trials, gains.outcome), np.full(
            block.trials, gains.learning
        )

    def _check_names(self, block: Phase, where: str) -> None:
        for name in block.shown():
            if name not in self.stimuli:
                raise unknown_name("stimulus", name, self.stimuli, where=where)
        if block.context is not None and block.context not in self.contexts:
            if not self.contexts:
                raise UserError(
                    f"takes place in {block.context!r}",
                    where=where,
                    expected="contexts= to say what that is",
                )
            raise unknown_name("context", block.context, self.contexts, where=where)


def place(number: int, block: Block) -> str:
    """Where a block stands, for messages: "phase 3 (extinction)"."""
    return f"phase {number + 1} ({name_of(block)})"
