"""What is simulated: the arms of one protocol, the inside of its first dosing session, and every rival account."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pcmodel.neuromodulation.accounts.accounts import ACCOUNTS
from pcmodel.report import NOT_EXAMINED, Examined
from pcmodel.sessions.cohort import Cohort
from pcmodel.sessions.person.traits import Traits
from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.protocol.load import protocol_sha256
from pcmodel.sessions.readouts import improvement

from .._options import at_least
from .perturb import DEFAULT, Asked, account_of, cohort_of, protocol_of, study_of

WHOLE, THERAPY, DRUG, NONE = (
    "drug_and_therapy",
    "therapy_alone",
    "drug_alone",
    "untreated",
)
FURTHER = ("active_placebo", "no_integration", "harmful_setting")


@dataclass(frozen=True)
class Config:
    """protocol: a file, or the name of one that ships.  people: in every arm.  account: of the drug's acute effects.
    rivals: whether every other account is run too.  protocol_sha256: of the file, filled in."""

    protocol: str = "psilocybin_depression"
    people: int = 200
    account: str = DEFAULT
    rivals: bool = True
    protocol_sha256: str = ""

    def __post_init__(self):
        at_least(4, people=self.people)
        protocol_of(self.protocol)
        account_of(self.account)
        digest = protocol_sha256(self.protocol, self.protocol_sha256)
        object.__setattr__(self, "protocol_sha256", digest)

    @classmethod
    def smoke(cls) -> "Config":
        """Few people, and no rival accounts."""
        return cls(people=8, rivals=False)


class Inside(NamedTuple):
    """The events of the first dosing session, means over people in the arm with the drug and that without.

    hours: after its beginning.
    effect: strongest of the drug's effects, share of a full one (drug).
    inferred: mean of the belief while the evidence is present (2 arms).
    validity: probability that a memory says something about the self (2 arms).
    """

    hours: np.ndarray
    effect: np.ndarray
    inferred: np.ndarray
    validity: np.ndarray


class Results(NamedTuple):
    """The cohort as set, and the rivals.

    days: of the readings.  belief, log_precision: (arms, people, days).  event_days: of all events.
    plasticity: factor on the rates of learning, mean over people, (arms, events).
    believed: probability of having had the drug, mean over people at the end, by arm.
    people: traits.  inside: the first dosing session.
    rivals: by account, mean improvement of the four arms whole, therapy, drug, untreated.
    """

    days: np.ndarray
    belief: np.ndarray
    log_precision: np.ndarray
    event_days: np.ndarray
    plasticity: np.ndarray
    believed: np.ndarray
    people: Traits
    inside: Inside
    rivals: dict[str, np.ndarray]
    tested: Examined = NOT_EXAMINED


def arms_of(protocol: Protocol) -> tuple[str, ...]:
    """Four arms that tell drug from therapy, the others that are asked for, and the protocol's own."""
    own = tuple(arm.name for arm in protocol.arms)
    return tuple(dict.fromkeys((WHOLE, THERAPY, DRUG, NONE, *FURTHER, *own)))


def reading_day(protocol: Protocol) -> int:
    """The day on which arms are compared: the last follow-up before an adverse event, or the last of all."""
    days = sorted({*protocol.follow_up_days, protocol.length})
    days = [day for day in days if day <= protocol.length]
    event = protocol.adverse_event
    before = [day for day in days if event is None or day <= event.day]
    return (before or days)[-1]


def asked_of(config: Config, seed: int) -> Asked:
    """The study of the configuration."""
    arms = arms_of(protocol_of(config.protocol))
    return Asked(config.protocol, arms, config.people, seed)


def simulate(config: Config, *, seed: int, progress) -> Results:
    """Follow the people of the protocol, then those of every rival account."""
    asked = asked_of(config, seed)
    study = study_of(asked)
    found = cohort_of(asked, config.account)
    rivals = {}
    for name in progress.track(tuple(ACCOUNTS) if config.rivals else (), "accounts"):
        rivals[name] = gains(asked, name)
    return Results(
        found.days,
        np.asarray(found.belief),
        np.asarray(found.log_precision),
        found.event_days,
        np.asarray(study.treatment.plasticity.mean(axis=1)),
        np.asarray(study.treatment.believed[..., -1].mean(axis=1)),
        study.people,
        inside_session(found, asked),
        rivals,
    )


def gains(asked: Asked, account: str) -> np.ndarray:
    """Mean improvement of the first four arms, symptom points."""
    day = reading_day(protocol_of(asked.protocol))
    return improvement(cohort_of(asked, account), day=day)[:4].mean(axis=1)


def inside_session(found: Cohort, asked: Asked) -> Inside:
    """The first dosing session; empty without one."""
    course, acute = study_of(asked).course, study_of(asked).treatment.acute
    dosing = np.asarray(course.is_session) & (np.asarray(course.phase) == 1)
    days = np.asarray(course.day)
    first = dosing & (days < (days[dosing].min() if dosing.any() else 0) + 1)
    at = np.flatnonzero(first)
    start = days[at].min() // 1 if len(at) else 0.0
    felt = np.maximum(
        np.asarray(acute.effects.effect_2a), np.asarray(acute.effects.nmda_block)
    )
    released = np.asarray(acute.released)
    felt = np.maximum(felt, released / (1 + released))
    return Inside(
        24 * (days[at] - start),
        felt[0][:, at].mean(axis=0),
        np.asarray(found.inferred)[:2][:, :, at].mean(axis=1),
        np.asarray(found.validity)[:2][:, :, at, 1].mean(axis=1),
    )
