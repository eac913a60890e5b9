"""Small protocols for tests."""

from pcmodel.sessions.protocol.amounts import Amount
from pcmodel.sessions.protocol.arm import Arm
from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.protocol.events import (
    DailyEvidence,
    DailyLife,
    Drug,
    Evidence,
    Phase,
    Session,
)

ARMS = ("drug_and_therapy", "therapy_alone", "drug_alone", "active_placebo")


def session(day, *, items=2, memory=1.0, said=0.5, hours=6.0, **options):
    """A session with memories and words."""
    return Session(
        day=day,
        hours=hours,
        evidence=(
            Evidence("memory", memory, 2.0, 0.5, items),
            Evidence("therapist", said, 1.0, 0.5, items),
        ),
        **options,
    )


def course(
    arms=ARMS, *, compound="psilocybin", dose="25 mg", days=8, items=2, **options
):
    """Preparation, one dosing, one integration and daily life."""
    route = (
        {"route": "infusion", "infusion_hours": 0.667} if compound == "ketamine" else {}
    )
    whole = {
        # At midnight, when beliefs are read.
        "daily_life": DailyLife(
            hour=0.0,
            rumination=0.5,
            avoidance=True,
            evidence=(
                DailyEvidence("everyday", 0.3, 1.0, 1.0),
                DailyEvidence("expectation", 1.0, 0.05),
            ),
        ),
        **options,
    }
    return Protocol(
        "small",
        "a course for tests",
        "depression",
        Drug(compound, Amount.from_text(dose), **route),
        (
            Phase("preparation", (session(-2, items=items, alliance=0.4),)),
            Phase("dosing", (session(0, items=items, alliance=0.1),)),
            Phase("integration", (session(2, items=items, alliance=0.1),)),
        ),
        arms=tuple(Arm(arm) if isinstance(arm, str) else arm for arm in arms),
        length=days,
        start=-3,
        **whole,
    )
