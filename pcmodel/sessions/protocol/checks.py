"""What must hold between the parts of a protocol; each error names the part that is out of place."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from pcmodel.sessions.protocol.arm import Arm
from pcmodel.sessions.protocol.arms import resolved
from pcmodel.sessions.protocol.events import PHASES
from pcmodel.sessions.protocol.misplaced import Misplaced, Path

if TYPE_CHECKING:
    from pcmodel.sessions.protocol.content import Held, Protocol

MOST_EVENTS = 100_000


def check_sessions(protocol: "Protocol") -> None:
    """Misplaced for sessions that overlap, phases out of order, and doses where they cannot be."""
    if not protocol.phases:
        raise Misplaced(("phases",), "is empty", expected="one phase or more")
    held = list(protocol.held())
    check_order(held)
    dosing = [each for each in held if each.phase == "dosing"]
    if dosing and protocol.drug is None:
        raise Misplaced(dosing[0].path, "is a dosing session, and there is no drug")
    if not dosing and protocol.drug is not None:
        raise Misplaced(("drug",), "is given in no session", expected="a dosing phase")
    if dosing and int(dosing[0].begins // 1) != 0:
        raise Misplaced(
            _when(dosing[0]),
            f"is {dosing[0].begins // 1:g} for the first dosing",
            expected="day 0: days are counted from it",
        )
    for each in held:
        if each.session.doses and each.phase != "dosing":
            raise Misplaced(
                (*each.path, "doses"),
                f"is in a session of {each.phase}",
                expected="doses in dosing sessions alone",
            )
        before = not dosing or each.begins < dosing[0].begins
        if dosing and before != (each.phase == "preparation"):
            raise Misplaced(
                _when(each),
                f"is in the phase {each.phase}, {'before' if before else 'after'} the first dosing",
                expected="preparation before it, integration and follow_up after it",
            )
    if sum(each.session.moments for each in held) > MOST_EVENTS:
        raise Misplaced(
            ("phases",), "hold too many items", expected=f"at most {MOST_EVENTS:,}"
        )


def check_order(held: Sequence["Held"]) -> None:
    """Misplaced for a session that begins before the one before it has ended."""
    for before, after in pairwise(held):
        if after.begins < before.ends - 1e-9:
            same = before.path[:2] == after.path[:2]
            what = "session" if same else f"phase ({before.phase})"
            raise Misplaced(
                _when(after),
                f"begins on day {after.begins:.4g}, before the previous {what} ends on day {before.ends:.4g}",
                expected="sessions and phases that do not overlap, in order of time",
            )


def check_days(protocol: "Protocol") -> None:
    """Misplaced for anything before the first day or after the last."""
    first, last = protocol.first_day, protocol.length
    if first > 0:
        raise Misplaced(("start",), f"is day {first}", expected="day 0 or before it")
    for each in protocol.held():
        if each.begins < first:
            raise Misplaced(
                _when(each),
                f"begins on day {each.begins:.4g}",
                expected=f"nothing before the start, day {first}",
            )
        if each.ends > last:
            raise Misplaced(
                _when(each),
                f"ends on day {each.ends:.4g}",
                expected=f"nothing after the length of {last} days",
            )
    days = protocol.follow_up_days
    for place, day in enumerate(days):
        path = ("follow_up_days", place)
        if not first <= day <= last:
            raise Misplaced(path, f"is day {day}", expected=f"{first} to {last}")
        if place and day <= days[place - 1]:
            raise Misplaced(path, f"is day {day}", expected="days in order, each once")
    event = protocol.adverse_event
    if event is not None and not first <= event.day <= last - event.days:
        raise Misplaced(
            ("adverse_event", "day"),
            f"is on day {event.day} for {event.days} days",
            expected=f"within days {first} to {last - 1}",
        )


def check_arms(protocol: "Protocol") -> None:
    """Misplaced for arms that are unknown, named twice, or that would change nothing."""
    names = [arm.name for arm in protocol.arms]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise Misplaced(("arms", place), f"is called {name!r} as another one")
    try:
        resolved(protocol.arms)
    except Misplaced as error:
        raise error.inside("arms") from None
    for place, arm in enumerate(protocol.arms):
        try:
            check_changes(protocol, arm)
        except Misplaced as error:
            raise error.inside("arms", place) from None


def check_changes(protocol: "Protocol", arm: Arm) -> None:
    """Misplaced for an override of what the protocol does not have."""
    for change in arm.evidence:
        phases = change.phases or PHASES
        if not any(
            evidence.stream == change.stream
            for phase in protocol.phases
            if phase.phase in phases
            for session in phase.sessions
            for evidence in session.evidence
        ):
            place = arm.evidence.index(change)
            where = "" if not change.phases else f" of {' or '.join(change.phases)}"
            raise Misplaced(
                ("evidence", place),
                f"changes {change.stream}, and no session{where} has such evidence",
                expected="a stream of the sessions (precision: 0 in them makes it absent)",
            )
    daily = [evidence.stream for evidence in protocol.daily_life.evidence]
    for place, change in enumerate(arm.daily_evidence):
        if change.stream not in daily:
            raise Misplaced(
                ("daily_evidence", place),
                f"changes {change.stream}, and daily life has no such evidence",
            )
    present = [phase.phase for phase in protocol.phases] + [
        evidence.stream
        for phase in protocol.phases
        for session in phase.sessions
        for evidence in session.evidence
    ]
    for place, part in enumerate(arm.without):
        if part not in present:
            raise Misplaced(("without", place), f"is {part}, and no session has it")
    if arm.valence_shift is not None and "everyday" not in daily:
        raise Misplaced(
            ("valence_shift",), "shifts everyday evidence, and there is none"
        )
    for name in ("dose", "compound", "route"):
        if protocol.drug is None and getattr(arm, name) not in (None, "none"):
            raise Misplaced((name,), "is said where there is no drug")


def _when(held: "Held") -> Path:
    return (*held.path, "day" if held.session.day is not None else "days")
