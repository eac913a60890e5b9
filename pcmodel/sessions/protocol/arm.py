"""An arm: how the course of one group differs from the protocol's.

A field that is None changes nothing. `without` takes away the evidence of sessions, never a dose.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.ranges import Share
from pcmodel.sessions.protocol.amounts import Amount
from pcmodel.sessions.protocol.events import (
    InfusionHours,
    Keyed,
    Mean,
    PhaseName,
    Precision,
    Spread,
    Stance,
    Stream,
    ValenceShift,
    check_route,
)
from pcmodel.sessions.protocol.misplaced import Misplaced

Part = Literal[
    "preparation",
    "dosing",
    "integration",
    "follow_up",
    "everyday",
    "memory",
    "body",
    "therapist",
    "expectation",
]


@checked_options()
@dataclass(frozen=True)
class Change:
    """A change of the evidence of one stream in the sessions that have it.

    stream: whose evidence.
    mean, sd, precision: in place of the session's own; None: as it is.
    phases: in which phases' sessions; none named: in all.
    """

    stream: Stream
    mean: Mean | None = None
    sd: Spread | None = None
    precision: Precision | None = None
    phases: tuple[PhaseName, ...] = ()

    def __post_init__(self) -> None:
        if self.mean is None and self.sd is None and self.precision is None:
            raise Misplaced((), "changes nothing", expected="mean, sd or precision")

    def of(self, evidence: Any) -> Any:
        """The evidence, changed."""
        own = {name: getattr(self, name) for name in ("mean", "sd", "precision")}
        return replace(
            evidence, **{name: each for name, each in own.items() if each is not None}
        )


@checked_options()
@dataclass(frozen=True)
class DailyChange:
    """The same for the evidence of daily life."""

    stream: Stream
    mean: Mean | None = None
    sd: Spread | None = None
    precision: Precision | None = None

    def __post_init__(self) -> None:
        if self.mean is None and self.sd is None and self.precision is None:
            raise Misplaced((), "changes nothing", expected="mean, sd or precision")

    def of(self, evidence: Any) -> Any:
        """The evidence, changed."""
        return Change.of(self, evidence)  # type: ignore[arg-type]


@checked_options()
@dataclass(frozen=True)
class Arm:
    """One group of people.

    name: of the arm.
    about: what it is, one line.
    like: the arm whose differences it has as well; None: the whole treatment.
    dose: in place of every dose of the dosing sessions; "none": no dose at all.
    compound: in place of the protocol's.
    route: in place of the protocol's.
    infusion_hours: of an infusion, h.
    told: probability of the drug as the person was told it before the first dosing.
    masked: whether the person cannot know what was given, whatever is felt: the belief stays at `told`.
    felt: an acute effect that is felt without the drug (an active placebo), share of a full one.
    stance: in all sessions.
    harmful: in dosing sessions every mean says the opposite, minus its size.
    spared: without the adverse event.
    without: phases whose sessions bring no evidence, and streams that bring none in any session.
    evidence: changes by stream, in sessions.
    daily_evidence: changes by stream, in daily life.
    valence_shift: of everyday evidence.
    """

    name: str
    about: str | None = None
    like: str | None = None
    dose: Amount | Literal["none"] | None = None
    compound: str | None = None
    route: Literal["oral", "bolus", "infusion"] | None = None
    infusion_hours: InfusionHours | None = None
    told: Share | None = None
    masked: bool | None = None
    felt: Share | None = None
    stance: Stance | None = None
    harmful: bool | None = None
    spared: bool | None = None
    without: tuple[Part, ...] = ()
    evidence: Annotated[tuple[Change, ...], Keyed("stream")] = ()
    daily_evidence: Annotated[tuple[DailyChange, ...], Keyed("stream")] = ()
    valence_shift: ValenceShift | None = None

    def __post_init__(self) -> None:
        check_route(self.route, self.infusion_hours)
        if self.compound is not None and not isinstance(self.dose, Amount):
            raise Misplaced(
                ("compound",), "has no dose", expected="the dose of this compound"
            )

    @property
    def has_overrides(self) -> bool:
        """Whether anything but its name and its line is said."""
        return replace(self, about=None) != Arm(self.name)

    def over(self, base: "Arm") -> "Arm":
        """This arm's differences on top of another's."""
        own: dict[str, Any] = {}
        for name in SCALARS:
            mine, its = getattr(self, name), getattr(base, name)
            own[name] = its if mine is None else mine
        for name in ("evidence", "daily_evidence"):
            changed = {c.stream: c for c in getattr(base, name)}
            for change in getattr(self, name):
                changed[change.stream] = change
            own[name] = tuple(changed.values())
        if self.route is not None:  # a route and its duration are one choice
            own["infusion_hours"] = self.infusion_hours
        both = dict.fromkeys((*base.without, *self.without))
        return replace(self, like=None, without=tuple(both), **own)


SCALARS = (
    *("about", "dose", "compound", "route", "infusion_hours", "told", "masked"),
    *("felt", "stance", "harmful", "spared", "valence_shift"),
)
