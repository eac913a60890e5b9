"""The arms that every protocol has, and what an arm's overrides come to."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pcmodel.errors import unknown_name
from pcmodel.sessions.protocol.arm import Arm
from pcmodel.sessions.protocol.events import ValenceShift
from pcmodel.sessions.protocol.misplaced import Misplaced

WHOLE = "drug_and_therapy"
_DOSE_ALONE = ("preparation", "dosing", "integration", "follow_up")

BUILT_IN: Mapping[str, Arm] = MappingProxyType(
    {
        arm.name: arm
        for arm in (
            Arm(WHOLE, "the whole treatment"),
            Arm("therapy_alone", "the same sessions without the drug", dose="none"),
            Arm("drug_alone", "the drug without any session", without=_DOSE_ALONE),
            Arm(
                "untreated",
                "neither drug nor session",
                dose="none",
                without=_DOSE_ALONE,
            ),
            Arm(
                "active_placebo",
                "the same sessions with a tablet that is felt and does nothing else",
                dose="none",
                felt=0.5,  # assumed: half of a full effect
            ),
            Arm("directive", "every session directive", stance="directive"),
            Arm("non_directive", "no session directive", stance="non_directive"),
            Arm(
                "harmful_setting", "dosing sessions that say the opposite", harmful=True
            ),
            Arm("no_integration", "no integration", without=("integration",)),
            Arm(
                "comparator",
                "an antidepressant that leaves priors alone",
                dose="none",
                # assumed: emotional bias shifts before mood does (Harmer et al. 2009)
                valence_shift=ValenceShift(size=0.3, days=14.0),
            ),
        )
    }
)
"""By name; a protocol's own arm of the same name is on top of it."""


def resolved(arms: Sequence[Arm]) -> dict[str, Arm]:
    """Every arm with all it inherits: the protocol's own and the built-in ones, by name.

    Misplaced for a name that nothing is known of, and for `like` naming no earlier arm.
    """
    found = dict(BUILT_IN)
    for place, arm in enumerate(arms):
        if arm.name in BUILT_IN:
            base = arm.name
            if arm.like is not None:
                raise Misplaced(
                    (place, "like"),
                    f"is said of {arm.name!r}, which every protocol has",
                    expected="another name for an arm that is like another one",
                )
        else:
            base = _base(arm, place, found)
        found[arm.name] = arm.over(found[base])
    return found


def _base(arm: Arm, place: int, found: Mapping[str, Arm]) -> str:
    """The name of the arm that an arm of the protocol's own is like."""
    if not arm.has_overrides:
        error = unknown_name("arm", arm.name, BUILT_IN)
        raise Misplaced(
            (place,), f"is unknown: {error}, or how it differs from the whole treatment"
        )
    base = WHOLE if arm.like is None else arm.like
    if base not in found:
        error = unknown_name("arm", base, found)
        raise Misplaced((place, "like"), f"is unknown: {error}")
    return base
