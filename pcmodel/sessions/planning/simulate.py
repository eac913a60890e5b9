"""The people of `pcmodel.sessions.cohort` as the outcome of a study, with parts of the treatment made stronger or left out."""

from collections.abc import MutableMapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pcmodel.errors import unknown_name
from pcmodel.neuromodulation.accounts.accounts import ACCOUNTS, Account
from pcmodel.sessions.cohort import Study, follow, prepare
from pcmodel.sessions.planning.explanations import Strengths
from pcmodel.sessions.planning.options import StudyPlan
from pcmodel.sessions.planning.outcome import Outcome
from pcmodel.sessions.planning.power import PowerResults, run_power
from pcmodel.sessions.planning.rivals import Rivals
from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.protocol.events import STREAMS
from pcmodel.sessions.protocol.load import load_protocol, protocol_sha256
from pcmodel.sessions.readouts import symptoms
from pcmodel.sessions.treatment import DEFAULT_ACCOUNT

DEFAULT = "default"
MOST_BLOCKED = 0.99
"""Share of channels that can be blocked: without any, nothing is passed on, and there is nothing to infer."""


class CohortStudies:
    """Simulates studies with the people of `simulate_cohort`; what the arms do to them is computed once.

    account: of the drug's acute effects, by name.
    options: of `prepare` (phenotype, window, library, ...).
    """

    def __init__(self, account: str = DEFAULT, **options: Any):
        self._account = find_account(account)
        self._options = options
        self._prepared: dict[tuple, Study] = {}

    def __call__(
        self,
        protocol: Protocol,
        *,
        arms: tuple[str, ...],
        days: tuple[int, ...],
        num_people: int,
        seed: int,
        strengths: Strengths,
    ) -> Outcome:
        """The outcome of each person in each arm."""
        name = (protocol, arms, num_people, seed)
        if name not in self._prepared:
            self._prepared[name] = prepare(
                protocol,
                num_people=num_people,
                key=jax.random.key(seed),
                arms=arms,
                **self._options,
            )
        study = self._prepared[name]
        cohort = follow(with_strengths(study, strengths), account=self._account)
        places = [0, *np.searchsorted(cohort.days, days)]
        return Outcome(
            symptoms(cohort)[..., places],
            np.asarray(study.treatment.believed[..., -1], float),
        )


def find_account(name: str) -> Account:
    """The account of this name; UserError for an unknown one."""
    if name == DEFAULT:
        return DEFAULT_ACCOUNT
    if name not in ACCOUNTS:
        raise unknown_name("account", name, [DEFAULT, *ACCOUNTS])
    made: Any = ACCOUNTS[name]
    return made() if isinstance(made, type) else made


def with_strengths(study: Study, strengths: Strengths) -> Study:
    """A study in which parts of the treatment are stronger or left out; what is felt and believed stays.

    Acute effects are multiplied (a share of blocked channels stays below 1), the rise of the rates of learning above 1 is,
    and the precision of the evidence of expectation is.
    """
    treatment, course = study.treatment, study.course
    acute = treatment.acute
    effects = jax.tree.map(lambda each: strengths.relaxation * each, acute.effects)
    effects = effects._replace(nmda_block=jnp.minimum(effects.nmda_block, MOST_BLOCKED))
    acute = acute._replace(
        effects=effects, released=strengths.relaxation * acute.released
    )
    rise = treatment.plasticity - 1.0
    factor = jnp.ones(len(STREAMS)).at[STREAMS.index("expectation")]
    factor = factor.set(strengths.expectation)
    return study._replace(
        course=course._replace(precision=course.precision * factor[None, None]),
        treatment=treatment._replace(
            acute=acute, plasticity=1.0 + strengths.window * rise
        ),
    )


def run_study(
    plan: StudyPlan,
    *,
    seed: int,
    progress: Any = None,
    stored: MutableMapping[int, Rivals] | None = None,
) -> PowerResults:
    """The computation of `pcmodel power`: `run_power` with these people.

    UserError for a file that has changed since the plan was made.
    """
    protocol_sha256(plan.protocol, plan.protocol_sha256)
    return run_power(
        plan,
        load_protocol(plan.protocol),
        seed=seed,
        simulate=CohortStudies(plan.account),
        progress=progress,
        stored=stored,
    )
