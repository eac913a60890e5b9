"""A whole protocol, and what must hold between its parts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from typing import Annotated, Literal, NamedTuple

from pcmodel.errors import unknown_name
from pcmodel.inputs.arguments import checked_options, short
from pcmodel.inputs.ranges import Range, Share
from pcmodel.sessions.protocol.arm import Arm
from pcmodel.sessions.protocol.arms import resolved
from pcmodel.sessions.protocol.checks import check_arms, check_days, check_sessions
from pcmodel.sessions.protocol.events import (
    LAST_DAY,
    AdverseEvent,
    DailyLife,
    Day,
    Drug,
    Keyed,
    Phase,
    Session,
)
from pcmodel.sessions.protocol.misplaced import Misplaced, Path

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")


class Held(NamedTuple):
    """One session on one of its days.

    phase: name of its phase.
    session: what it holds.
    begins: days since the first dosing.
    ends: the same.
    path: where it stands in the protocol.
    """

    phase: str
    session: Session
    begins: float
    ends: float
    path: Path


@checked_options()
@dataclass(frozen=True)
class Protocol:
    """One course of treatment, in several arms.

    name: letters, digits, - and _.
    about: the question, one line.
    condition: which people: "depression", "trauma" or "healthy".
    drug: the compound under study; None for a course without one.
    phases: blocks of sessions in order of time; a kind may occur again (dosing, integration, dosing, ...).
    daily_life: what every day brings.
    arms: the arms that are compared; others that every protocol has can be asked for by name.
    length: the last day, days since the first dosing.
    follow_up_days: days on which the belief is read, in order.
    start: the first day; None: that of the first session.
    weight: of the typical person, kg, for doses per kilogram.
    told: probability of the drug as everybody was told it before the first dosing.
    directive_factor: by which a directive stance multiplies the precision of the therapist's evidence.
    adverse_event: bad news later on.
    """

    name: str
    about: str
    condition: Literal["depression", "trauma", "healthy"]
    drug: Drug | None
    phases: tuple[Phase, ...]
    daily_life: DailyLife
    arms: Annotated[tuple[Arm, ...], Keyed("name")]
    length: Annotated[int, Range(1, LAST_DAY)]
    follow_up_days: tuple[Day, ...] = ()
    start: Day | None = None
    weight: Annotated[float, Range(1.0, 500.0)] = 70.0
    told: Share = 0.5
    directive_factor: Annotated[float, Range(1.0, 1e4)] = 4.0
    adverse_event: AdverseEvent | None = None

    def __post_init__(self) -> None:
        check_name(self.name, ("name",))
        for place, arm in enumerate(self.arms):
            check_name(arm.name, ("arms", place))
        if not self.about.strip() or len(self.about.splitlines()) > 1:
            raise Misplaced(("about",), f"is {short(self.about)}", expected="one line")
        if not self.arms:
            raise Misplaced(("arms",), "is empty", expected="one arm or more")
        check_sessions(self)
        check_days(self)
        check_arms(self)

    @property
    def first_day(self) -> int:
        """The first day, days since the first dosing."""
        if self.start is not None:
            return self.start
        return min(floor(held.begins) for held in self.held())

    def held(self) -> Iterator[Held]:
        """Every session on each of its days, phase by phase in order of time."""
        for i, phase in enumerate(self.phases):
            block = [
                Held(
                    phase.phase,
                    session,
                    day + session.hour / 24.0,
                    day + (session.hour + session.hours) / 24.0,
                    ("phases", i, "sessions", j),
                )
                for j, session in enumerate(phase.sessions)
                for day in session.on
            ]
            yield from sorted(block, key=lambda held: held.begins)

    def arm(self, name: str) -> Arm:
        """An arm with all it inherits, by name; UserError for an unknown one."""
        arms = resolved(self.arms)
        if name not in arms:
            raise unknown_name("arm", name, arms, where=self.name)
        return arms[name]


def check_name(name: str, path: Path) -> None:
    """Misplaced for a name that cannot be typed as one word."""
    if not NAME.fullmatch(name):
        raise Misplaced(
            path,
            f"is called {short(name)}",
            expected="a letter, then letters, digits, - or _ (60 at most)",
        )
