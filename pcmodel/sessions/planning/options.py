"""The options of a plan of a study."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.ranges import Count, Positive, Range
from pcmodel.sessions.protocol.arms import WHOLE
from pcmodel.sessions.protocol.content import Protocol

QuestionName = Literal["therapy", "unblinding", "window"]
THIRD = "active_placebo"
"""Arm that is added where no arms are named: one that is felt and does nothing tells what is felt from the drug."""


@checked_options()
@dataclass(frozen=True)
class StudyPlan:
    """A study of a protocol: which questions, arms and sizes; every field is recorded with the run.

    protocol: name of a shipped one, or a file.
    protocol_sha256: digest and name of the file; "" before it is read.
    questions: "therapy": does the treated arm improve more than the control? "unblinding": is it the drug, or
        expectation in those who have noticed what they were given? "window": is it relaxed beliefs, or a plasticity
        window alone?
    arms: the first is treated, the second its control; none named: the protocol's first two and an active placebo.
    participants: people in each arm.
    days: of follow-up that are measured; none named: the protocol's own after the first dosing.
    guess: whether people are also asked what they believe to have been given.
    noise: standard deviation of one reading, symptom points; assumed.
    pool: simulated people that studies are drawn from.
    studies: that are drawn.
    sizes: of each explanation, on a grid from 0 to 2.
    account: of the drug's acute effects, by name; "default" as in `simulate_cohort`.
    """

    protocol: str
    protocol_sha256: str = ""
    questions: tuple[QuestionName, ...] = ("therapy", "unblinding", "window")
    arms: tuple[str, ...] = ()
    participants: tuple[Count, ...] = (25, 50, 100, 200)
    days: tuple[int, ...] = ()
    guess: bool = False
    noise: Positive = 3.0
    pool: Annotated[int, Range(10)] = 500
    studies: Annotated[int, Range(10)] = 400
    sizes: Annotated[int, Range(5)] = 9
    account: str = "default"

    def __post_init__(self) -> None:
        if self.sizes % 2 == 0:
            raise UserError("must be odd, so that size 1 is among them", where="sizes")
        for name in ("questions", "participants"):
            given = getattr(self, name)
            if not given or len(set(given)) < len(given):
                raise UserError(
                    f"cannot be {list(given)}",
                    where=name,
                    expected="one or more, each once",
                )
        if max(self.participants) > self.pool:
            raise UserError(
                f"studies of {max(self.participants)} in each arm cannot be drawn from {self.pool} people",
                where="pool",
                expected="as many as the largest study, better twice as many",
            )


def arms_of(plan: StudyPlan, protocol: Protocol) -> tuple[str, ...]:
    """The arms of a study, treated first; UserError for unknown ones and fewer than two."""
    names = plan.arms
    if not names:
        own = [arm.name for arm in protocol.arms] or [WHOLE]
        names = tuple(dict.fromkeys([*own[:2], THIRD]))
    for name in names:
        protocol.arm(name)
    if len(names) < 2 or len(set(names)) < len(names):
        raise UserError(
            f"cannot be {', '.join(names)}",
            where="arms",
            expected="two or more, each once: the treated one, then its control",
        )
    return names


def days_of(plan: StudyPlan, protocol: Protocol) -> tuple[int, ...]:
    """The days of follow-up that are measured; UserError where there is none after the first dosing."""
    days = plan.days or tuple(day for day in protocol.follow_up_days if day > 0)
    days = days or (protocol.length,)
    for day, before in zip(days, (0, *days), strict=False):
        if not before < day <= protocol.length:
            raise UserError(
                f"cannot be {list(days)}",
                where="days",
                expected=f"days in order, 1 to {protocol.length}, each once",
            )
    return days
