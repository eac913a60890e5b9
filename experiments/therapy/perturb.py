"""Studies that are prepared once, and followed with one parameter halved or doubled."""

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.errors import unknown_name
from pcmodel.neuromodulation.accounts.accounts import ACCOUNTS, Account
from pcmodel.report import Parameter, Perturbation
from pcmodel.sessions.cohort import Cohort, Study, follow, prepare
from pcmodel.sessions.person.dynamics import Dynamics
from pcmodel.sessions.person.traits import SHARES
from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.protocol.events import STREAMS
from pcmodel.sessions.protocol.load import load_protocol
from pcmodel.sessions.treatment.treat import DEFAULT_ACCOUNT

DEFAULT = "default"
"""The account of relaxed priors for psychedelics, and of blocked transmission for ketamine."""
LEARNING = (
    Parameter("rate of learning, mean", "dynamics.mean_rate"),
    Parameter("rate of learning, precision", "dynamics.precision_rate"),
    Parameter("precision of feelings", "dynamics.feeling_precision"),
    Parameter("width of exceptions", "dynamics.exception_sd"),
    Parameter("days that learning is labile", "dynamics.labile_days"),
    Parameter("share that is consolidated", "dynamics.consolidation"),
    Parameter("forgetting", "dynamics.forgetting"),
)
DRUG = (
    Parameter("strength of the acute effect", "drug.effect"),
    Parameter("rise of learning rates in the window", "drug.window"),
)
PEOPLE = (
    Parameter("precision of the belief", "people.precision"),
    Parameter("suggestibility", "people.suggestibility"),
    Parameter("avoidance", "people.avoidance"),
    Parameter("rumination", "people.rumination"),
    Parameter("prior that experience is valid", "people.validity"),
)
EVIDENCE = tuple(
    Parameter(f"precision of {name} evidence", f"evidence.{name}") for name in STREAMS
)
ALL = (*LEARNING, *DRUG, *PEOPLE, *EVIDENCE)


class Asked(NamedTuple):
    """A study by what determines it."""

    protocol: str
    arms: tuple[str, ...]
    people: int
    seed: int


@lru_cache(maxsize=16)
def protocol_of(name: str) -> Protocol:
    """The protocol in a file, or of a name."""
    return load_protocol(name)


@lru_cache(maxsize=16)
def study_of(asked: Asked) -> Study:
    """The prepared study."""
    return prepare(
        protocol_of(asked.protocol),
        num_people=asked.people,
        key=jax.random.key(asked.seed),
        arms=asked.arms,
    )


@lru_cache(maxsize=128)
def cohort_of(
    asked: Asked, account: str = DEFAULT, *perturbations: Perturbation
) -> Cohort:
    """What becomes of its people, with all of the perturbations."""
    study, dynamics = study_of(asked), Dynamics()
    for perturbation in perturbations:
        study = perturbed(study, perturbation)
        part, _, name = perturbation.path.partition(".")
        if part == "dynamics":
            dynamics = dynamics.scaled(name, perturbation.factor)
    found = follow(study, dynamics=dynamics, account=account_of(account))
    return jax.tree.map(
        lambda leaf: leaf if isinstance(leaf, str) else np.asarray(leaf), found
    )


def account_of(name: str) -> Account:
    """An account by name."""
    if name == DEFAULT:
        return DEFAULT_ACCOUNT
    if name not in ACCOUNTS:
        raise unknown_name("account", name, (DEFAULT, *ACCOUNTS))
    return ACCOUNTS[name]()


def perturbed(study: Study, perturbation: Perturbation) -> Study:
    """A study with one parameter of its people, drugs or evidence multiplied."""
    part, _, name = perturbation.path.partition(".")
    factor = perturbation.factor
    if part == "people":
        return study._replace(people=_people(study.people, name, factor))
    if part == "evidence":
        column = STREAMS.index(name)
        precision = study.course.precision.at[..., column].multiply(factor)
        return study._replace(course=study.course._replace(precision=precision))
    if part == "drug":
        return study._replace(treatment=_drug(study.treatment, name, factor))
    return study


def _people(people, name: str, factor: float):
    if name == "precision":
        moved = people.log_precision + np.log(factor)
        return people._replace(log_precision=moved)
    value = getattr(people, name) * factor
    if name in SHARES:
        value = jnp.minimum(value, 1.0)
    return people._replace(**{name: value})


def _drug(treatment, name: str, factor: float):
    if name == "window":
        rise = factor * (treatment.plasticity - 1)
        return treatment._replace(plasticity=1 + rise)
    acute = treatment.acute
    # A strength multiplies an effect wherever it appears, so scaling the effect is the same.
    effects = jax.tree.map(lambda each: each * factor, acute.effects)
    effects = effects._replace(nmda_block=_share(acute.effects.nmda_block, factor))
    acute = acute._replace(effects=effects, released=acute.released * factor)
    return treatment._replace(acute=acute)


def _share(block, factor: float):
    """A share of channels with its odds multiplied, as another dose would do: it never reaches one."""
    return factor * block / (1 + (factor - 1) * block)
