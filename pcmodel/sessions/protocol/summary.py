"""A protocol in rows of words: what was understood of a file."""

import numpy as np
from jax.typing import ArrayLike

from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.timeline import doses_of

Rows = list[tuple[str, ...]]


def course(protocol: Protocol) -> Rows:
    """Phase, days, hours, evidence and alliance of every session, and of daily life."""
    rows = []
    for phase in protocol.phases:
        for session in phase.sessions:
            items = ", ".join(
                f"{each.stream} {each.items} x ({each.mean:g}, precision {each.precision:g})"
                for each in session.evidence
            )
            days = ", ".join(map(str, session.on))
            begin = session.hour
            hours = f"{begin:g} to {begin + session.hours:g} h, {session.stance}"
            rows.append((phase.phase, days, hours, items or "no evidence"))
    life = protocol.daily_life
    daily = [
        f"{each.stream} ({each.mean:g}, precision {each.precision:g})"
        for each in life.evidence
    ]
    daily += [f"rumination ({life.rumination:g})"] if life.rumination else []
    every = f"{protocol.first_day} to {protocol.length}"
    rows.append(("daily life", every, f"{life.hour:g} h", ", ".join(daily) or "none"))
    event = protocol.adverse_event
    if event is not None:
        days = f"{event.day} to {event.day + event.days - 1}"
        rows.append(("adverse event", days, "", f"everyday ({event.mean:g})"))
    return rows


def groups(protocol: Protocol) -> Rows:
    """Name, line and doses of every arm."""
    rows = []
    for arm in protocol.arms:
        doses = doses_of(protocol, arm.name)
        said = ", ".join(
            f"{dose.compound} {_number(dose.mg):.4g} mg on day {_number(dose.hours) / 24:.4g}"
            for dose in doses[:4]
        )
        more = f" and {len(doses) - 4} more" if len(doses) > 4 else ""
        own = protocol.arm(arm.name)
        rows.append((arm.name, own.about or "", f"{said}{more}" or "no dose"))
    return rows


def _number(value: ArrayLike) -> float:
    return float(np.asarray(value).item())
