"""What a person meets: evidence by stream, sessions in phases, daily life, an adverse event.

The belief about oneself is measured on a scale on which 0 is neutral and negative is bad; every mean
here is on that scale, and every precision is 1 / variance in its units.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pcmodel.inputs.arguments import checked_options
from pcmodel.inputs.ranges import Range, Share
from pcmodel.sessions.protocol.amounts import Amount
from pcmodel.sessions.protocol.misplaced import Misplaced

STREAMS = ("everyday", "memory", "body", "therapist", "expectation")
PHASES = ("preparation", "dosing", "integration", "follow_up")
Stream = Literal["everyday", "memory", "body", "therapist", "expectation"]
PhaseName = Literal["preparation", "dosing", "integration", "follow_up"]
Stance = Literal["directive", "non_directive"]

FARTHEST = 1e4
LARGEST = 1e8
MOST_ITEMS = 1000
LAST_DAY = 3650
Mean = Annotated[float, Range(-FARTHEST, FARTHEST)]
Spread = Annotated[float, Range(0.0, FARTHEST)]
Precision = Annotated[float, Range(0.0, LARGEST)]
Items = Annotated[int, Range(1, MOST_ITEMS)]
Day = Annotated[int, Range(-LAST_DAY, LAST_DAY)]
Hour = Annotated[float, Range(0.0, 24.0, open="most")]
Hours = Annotated[float, Range(0.0, 24.0)]
InfusionHours = Annotated[float, Range(0.0, 24.0, open="least")]


@dataclass(frozen=True)
class Keyed:
    """In a file, the objects of this sequence stand in a mapping whose keys are this field."""

    field: str


@checked_options()
@dataclass(frozen=True)
class Evidence:
    """Evidence of one stream.

    stream: one of `STREAMS`.
    mean: of what it says, on the scale of the belief.
    precision: of each item, 1 / variance on that scale; 0: absent.
    sd: of the items around the mean, drawn for each person.
    items: in one session, spread evenly over it.
    """

    stream: Stream
    mean: Mean
    precision: Precision
    sd: Spread = 0.0
    items: Items = 1


@checked_options()
@dataclass(frozen=True)
class DailyEvidence:
    """Evidence of one stream met once a day; fields as in `Evidence`."""

    stream: Stream
    mean: Mean
    precision: Precision
    sd: Spread = 0.0


@checked_options()
@dataclass(frozen=True)
class Session:
    """One session, on one day or on several.

    day: days since the first dosing, 0 on its day; negative before it.
    days: the same for a session that is held on several days, in place of `day`.
    hour: when it begins, h after that day's time 0 (the intake of a dosing day).
    hours: its length, h.
    stance: "directive" multiplies the precision of the therapist's evidence by `directive_factor`.
    alliance: share of what is missing to a full alliance that the session adds.
    doses: taken in it; none stands for the protocol's own dose in a dosing session.
    evidence: by stream.
    """

    day: Day | None = None
    days: tuple[Day, ...] = ()
    hour: Hour = 0.0
    hours: Hours = 1.0
    stance: Stance = "non_directive"
    alliance: Share = 0.0
    doses: tuple[Amount, ...] = ()
    evidence: Annotated[tuple[Evidence, ...], Keyed("stream")] = ()

    def __post_init__(self) -> None:
        if (self.day is None) == (not self.days):
            raise Misplaced(
                (), "has both day and days or neither", expected="one of the two"
            )
        if any(b <= a for a, b in zip(self.days, self.days[1:], strict=False)):
            raise Misplaced(("days",), "do not ascend", expected="each day once")
        if self.hour + self.hours > 24.0:
            raise Misplaced(
                ("hours",),
                f"ends {self.hour + self.hours:g} h after the day's beginning",
                expected="at most 24 h",
            )
        late = [i for i, dose in enumerate(self.doses) if dose.hour > self.hours]
        if late:
            raise Misplaced(
                ("doses", late[0]),
                f"is at {self.doses[late[0]].hour:g} h",
                expected=f"a time within the session of {self.hours:g} h",
            )
        check_once(self.evidence, ("evidence",))

    @property
    def on(self) -> tuple[int, ...]:
        """The days on which it is held."""
        return self.days if self.day is None else (self.day,)

    @property
    def moments(self) -> int:
        """Events in one session: the largest number of items of a stream, 1 without evidence."""
        return max((each.items for each in self.evidence), default=1)


@checked_options()
@dataclass(frozen=True)
class Phase:
    """Sessions of one phase; a course may have several of a kind, as where it has three dosing sessions.

    phase: one of `PHASES`.
    sessions: in order of time.
    """

    phase: PhaseName
    sessions: tuple[Session, ...]

    def __post_init__(self) -> None:
        if not self.sessions:
            raise Misplaced(("sessions",), "is empty", expected="one session or more")


@checked_options()
@dataclass(frozen=True)
class DailyLife:
    """One event on every day from the first to the last.

    hour: when, h after the day's time 0.
    rumination: precision with which the belief itself is replayed as evidence of memory; 0: not.
    avoidance: whether the person chooses if the everyday evidence is met (how often is a trait).
    evidence: by stream.
    """

    hour: Hour = 12.0
    rumination: Precision = 0.0
    avoidance: bool = False
    evidence: Annotated[tuple[DailyEvidence, ...], Keyed("stream")] = ()

    def __post_init__(self) -> None:
        check_once(self.evidence, ("evidence",))
        names = [each.stream for each in self.evidence]
        if self.rumination and "memory" in names:
            raise Misplaced(
                ("evidence", names.index("memory")),
                "is there beside rumination, which is evidence of memory as well",
                expected="one of the two",
            )


@checked_options()
@dataclass(frozen=True)
class AdverseEvent:
    """Bad news that cannot be avoided, in place of the everyday evidence of its days.

    day: the first, days since the first dosing.
    days: how many.
    mean: of what it says, on the scale of the belief.
    precision: of each day's item.
    sd: of the items around the mean.
    """

    day: Day
    mean: Mean
    precision: Annotated[float, Range(0.0, LARGEST, open="least")]
    sd: Spread = 0.0
    days: Annotated[int, Range(1, LAST_DAY)] = 1


@checked_options()
@dataclass(frozen=True)
class Drug:
    """The compound under study.

    compound: its name in the library of compounds.
    dose: at the beginning of every dosing session that has no doses of its own.
    route: "oral", "bolus" or "infusion".
    infusion_hours: duration of an infusion, h.
    """

    compound: str
    dose: Amount
    route: Literal["oral", "bolus", "infusion"] = "oral"
    infusion_hours: InfusionHours | None = None

    def __post_init__(self) -> None:
        check_route(self.route, self.infusion_hours)


def check_route(route: str | None, hours: float | None) -> None:
    """Misplaced unless an infusion, and nothing else, has a duration."""
    if (route == "infusion") != (hours is not None):
        raise Misplaced(
            ("infusion_hours",) if hours is not None else ("route",),
            "is an infusion without infusion_hours"
            if hours is None
            else "belongs to an infusion alone",
            expected="route: infusion together with infusion_hours",
        )


@checked_options()
@dataclass(frozen=True)
class ValenceShift:
    """A slow shift of everyday evidence, as an antidepressant's (Harmer 2009): a named assumption.

    size: added to the mean of everyday evidence in the end.
    days: its time constant from the first dosing on: size x (1 - exp(-day / days)).
    """

    size: Mean
    days: Annotated[float, Range(0.0, LAST_DAY, open="least")]


def check_once(evidence: tuple, path: tuple) -> None:
    """Misplaced for a stream that occurs twice."""
    names = [each.stream for each in evidence]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise Misplaced((*path, place), f"has {name!r} twice", expected="it once")
