"""From a protocol to the events that a simulation scans over.

Events are shared by all arms, and evidence is absent (precision 0) where an arm lacks it, so that the
same person meets the same draws in every arm.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import default_dtype
from pcmodel.neuromodulation.dosing import (
    Bolus,
    Dose,
    Infusion,
    Oral,
    Regimen,
    Route,
)
from pcmodel.sessions.protocol.amounts import Amount
from pcmodel.sessions.protocol.arm import Arm
from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.protocol.events import PHASES, STREAMS, Drug, Session
from pcmodel.sessions.protocol.misplaced import Path


class Timeline(NamedTuple):
    """The events of a protocol in several arms.

    day: of each event, days since the first dosing, ascending; on a dosing day hours / 24.
    until_next: days to the next event; of the last one to the end of the protocol, `length`.
    mean: of each stream's evidence, on the scale of the belief; streams in the order of `STREAMS`.
    sd: of the items around it, drawn for each person.
    precision: of each item, 1 / variance; 0: absent. The therapist's is before suggestibility and alliance.
    replays_belief: whether the mean of the memory stream is the belief itself (rumination).
    chosen: whether the person chooses if the everyday evidence is met (avoidance).
    alliance_building: share of what is missing to a full alliance (1 - alliance) that the event adds.
    is_session: whether it is an event of a session, not of daily life.
    phase: index into `PHASES`; days after the last session are follow_up.
    doses: of each arm, with hours on the same clock (24 x day); () for none.
    masked: whether the person cannot know what was given, whatever is felt.
    told: probability of the drug as the person was told it before the first dosing.
    felt: acute effect that is felt without the drug on dosing days, share of a full one.
    intake: when the first dose is taken, or what stands in its place, days since the first dosing; infinite without a
        dosing session.
    """

    day: Float[Array, " events"]
    until_next: Float[Array, " events"]
    mean: Float[Array, "arms events streams"]
    sd: Float[Array, "arms events streams"]
    precision: Float[Array, "arms events streams"]
    replays_belief: Bool[Array, "arms events"]
    chosen: Bool[Array, " events"]
    alliance_building: Float[Array, "arms events"]
    is_session: Bool[Array, " events"]
    phase: Int[Array, " events"]
    doses: tuple[Regimen, ...]
    masked: Bool[Array, " arms"]
    told: Float[Array, " arms"]
    felt: Float[Array, " arms"]
    intake: Float[Array, " arms"]


class _Event(NamedTuple):
    """One event before the arms are made.

    day: days since the first dosing.
    phase: name of its phase.
    session: whose event it is; None for daily life.
    place: its number among the session's moments.
    adverse: whether everyday evidence is the adverse event's.
    """

    day: float
    phase: str
    session: Session | None
    place: int
    adverse: bool


@checked_arguments
def timeline(
    protocol: Protocol,
    *,
    arms: Sequence[str] | None = None,
    weight: ArrayLike | None = None,
) -> Timeline:
    """The events of a protocol.

    arms: by name; None: those that the protocol names.
    weight: kg, for doses per kilogram; None: the protocol's own. It may be traced.
    Raises UserError for an unknown arm.
    """
    names = tuple(arm.name for arm in protocol.arms) if arms is None else tuple(arms)
    if not names or len(set(names)) < len(names):
        raise UserError(
            f"cannot be {names}", where="arms", expected="one arm or more, each once"
        )
    chosen = [protocol.arm(name) for name in names]
    events = _events(protocol)
    day = np.array([event.day for event in events])
    ends = np.append(day[1:], protocol.length)
    columns = [_arm_arrays(protocol, arm, events) for arm in chosen]
    mean, sd, precision, replays, alliance = (
        np.stack(column) for column in zip(*columns, strict=True)
    )
    is_session = np.array([event.session is not None for event in events])
    adverse = np.array([event.adverse for event in events])
    avoids = protocol.daily_life.avoidance
    told = [protocol.told if arm.told is None else arm.told for arm in chosen]
    return Timeline(
        day=_real(day),
        until_next=_real(ends - day),
        mean=_real(mean),
        sd=_real(sd),
        precision=_real(precision),
        replays_belief=jnp.asarray(replays),
        chosen=jnp.asarray(avoids & ~is_session & ~adverse),
        alliance_building=_real(alliance),
        is_session=jnp.asarray(is_session),
        phase=jnp.asarray([PHASES.index(event.phase) for event in events]),
        doses=tuple(doses_of(protocol, arm, weight=weight) for arm in chosen),
        masked=jnp.asarray([bool(arm.masked) for arm in chosen]),
        told=_real(np.array(told)),
        felt=_real(np.array([arm.felt or 0.0 for arm in chosen])),
        intake=_real(np.array([_first_intake(protocol, arm) for arm in chosen])),
    )


@checked_arguments
def doses_of(
    protocol: Protocol, arm: Arm | str, *, weight: ArrayLike | None = None
) -> Regimen:
    """The doses of one arm, hours since time 0 of the day of the first dosing; () for none."""
    own = protocol.arm(arm) if isinstance(arm, str) else arm
    kg = protocol.weight if weight is None else weight
    return tuple(dose for _, dose in planned_doses(protocol, own, kg))


def planned_doses(
    protocol: Protocol, arm: Arm, weight: ArrayLike
) -> Iterator[tuple[Path, Dose]]:
    """Each dose of an arm, and the path of the session whose own it is, () for others'."""
    drug = protocol.drug
    if drug is None or arm.dose == "none":
        return
    route = route_of(drug if arm.route is None else arm)
    for held in protocol.held():
        if held.phase != "dosing":
            continue
        own, path = held.session.doses, (*held.path, "doses")
        if isinstance(arm.dose, Amount) or not own:
            own = (arm.dose if isinstance(arm.dose, Amount) else drug.dose,)
            path = ()
        for amount in sorted(own, key=lambda each: each.hour):
            at = 24.0 * held.begins + amount.hour
            name = arm.compound or drug.compound
            yield path, Dose(name, amount.mg(weight), at, route)


def _first_intake(protocol: Protocol, arm: Arm) -> float:
    """Days; who gets no drug takes something at the drug's hour."""
    found = []
    for held in protocol.held():
        if held.phase == "dosing":
            usual = () if protocol.drug is None else (protocol.drug.dose,)
            own = held.session.doses or usual
            amounts = (arm.dose,) if isinstance(arm.dose, Amount) else own
            hour = min((amount.hour for amount in amounts), default=0.0)
            found.append(held.begins + hour / 24.0)
    return min(found, default=np.inf)


def route_of(given: Drug | Arm) -> Route:
    """The route that a drug or an arm says."""
    if given.route == "infusion" and given.infusion_hours is not None:
        return Infusion(float(given.infusion_hours))
    return Oral() if given.route == "oral" else Bolus()


def _events(protocol: Protocol) -> list[_Event]:
    """All events in order of time; a session's own come before daily life at the same moment."""
    held = list(protocol.held())
    found = []
    for each in held:
        number = each.session.moments
        for place in range(number):
            share = (place + 0.5) / number
            day = each.begins + share * each.session.hours / 24.0
            found.append(_Event(day, each.phase, each.session, place, False))
    event, life = protocol.adverse_event, protocol.daily_life
    if life.evidence or life.rumination or event is not None:
        for whole in range(protocol.first_day, protocol.length):
            day = whole + life.hour / 24.0
            begun = [h.phase for h in held if h.begins <= day]
            phase = begun[-1] if begun else held[0].phase
            if day > held[-1].ends:
                phase = "follow_up"
            bad = event is not None and event.day <= whole < event.day + event.days
            found.append(_Event(day, phase, None, 0, bad))
    return sorted(found, key=lambda event: event.day)


def _arm_arrays(
    protocol: Protocol, arm: Arm, events: Sequence[_Event]
) -> tuple[np.ndarray, ...]:
    """Mean, sd and precision (events, streams), replays and alliance (events,) of one arm."""
    mean, sd, precision = (np.zeros((len(events), len(STREAMS))) for _ in range(3))
    replays, alliance = np.zeros(len(events), bool), np.zeros(len(events))
    for row, event in enumerate(events):
        if event.session is None:
            items, replays[row] = _daily(protocol, arm, event)
        else:
            items = _in_session(protocol, arm, event)
            if event.phase not in arm.without:
                whole = event.session.alliance
                # n equal shares of what is missing make up the session's own.
                alliance[row] = 1.0 - (1.0 - whole) ** (1.0 / event.session.moments)
        for stream, (own_mean, own_sd, own_precision) in items.items():
            column = STREAMS.index(stream)
            mean[row, column] = own_mean
            sd[row, column] = own_sd
            precision[row, column] = own_precision
    return mean, sd, precision, replays, alliance


_Item = tuple[float, float, float]


def _daily(
    protocol: Protocol, arm: Arm, event: _Event
) -> tuple[dict[str, _Item], bool]:
    """The evidence of one day, (mean, sd, precision) by stream, and whether the belief is replayed."""
    life, changes = protocol.daily_life, {c.stream: c for c in arm.daily_evidence}
    found: dict[str, _Item] = {}
    for evidence in life.evidence:
        change = changes.get(evidence.stream)
        own = evidence if change is None else change.of(evidence)
        found[own.stream] = (own.mean, own.sd, own.precision)
    shift = arm.valence_shift
    if shift is not None and "everyday" in found and event.day > 0:
        mean, sd, precision = found["everyday"]
        mean += shift.size * -np.expm1(-event.day / shift.days)
        found["everyday"] = (mean, sd, precision)
    bad = protocol.adverse_event
    if event.adverse and bad is not None and not arm.spared:
        found["everyday"] = (bad.mean, bad.sd, bad.precision)
    if life.rumination:
        found["memory"] = (0.0, 0.0, life.rumination)
    return found, bool(life.rumination)


def _in_session(protocol: Protocol, arm: Arm, event: _Event) -> dict[str, _Item]:
    """The evidence of one moment of a session, (mean, sd, precision) by stream."""
    session = event.session
    found: dict[str, _Item] = {}
    if session is None or event.phase in arm.without:
        return found
    changes = {
        c.stream: c for c in arm.evidence if not c.phases or event.phase in c.phases
    }
    stance = arm.stance or session.stance
    for evidence in session.evidence:
        if evidence.stream in arm.without:
            continue
        if not _is_present(event.place, evidence.items, session.moments):
            continue
        change = changes.get(evidence.stream)
        own = evidence if change is None else change.of(evidence)
        mean, precision = own.mean, own.precision
        if arm.harmful and event.phase == "dosing":
            mean = -abs(mean)
        if own.stream == "therapist" and stance == "directive":
            precision *= protocol.directive_factor
        found[own.stream] = (mean, own.sd, precision)
    return found


def _is_present(place: int, items: int, moments: int) -> bool:
    """Whether a stream of so many items has one at this moment: they are spread evenly."""
    return (place + 1) * items // moments > place * items // moments


def _real(values: np.ndarray) -> Array:
    return jnp.asarray(values, default_dtype())
