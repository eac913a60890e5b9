r"""How many people does it take to tell a relaxed prior from raised senses?

Each simulated participant does a baseline and a drug session. The drug lowers the prior
log-precision by a stated amount, or raises the sensory one so that the mean update
matches. Each account has one drug effect $\delta$, shared by all people and free: for
every size on a grid each person's hazard, prior and sensory log-precision are fitted
anew (under the group's distribution), the profile log likelihoods are summed over
people, and the account whose best size reaches the higher sum gets the attribution.
The response parameters and those shared by all are taken as known, and every fit starts
from the person's true parameters: a study's best case.

Fits are Fisher scoring with the per-trial scores' outer product (Berndt et al. 1974),
damped, a fixed number of steps. Optional confidence ratings: after each outcome the
log-precision of the belief, plus an unknown personal offset, plus noise.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from pcmodel.behaviour.change_point.agent import Agent
from pcmodel.behaviour.change_point.participant import ParticipantParameters
from pcmodel.behaviour.change_point.report import report_log_likelihood
from pcmodel.behaviour.change_point.rivals import raise_senses, relax_prior
from pcmodel.behaviour.change_point.task import TASK_SDS, Trials, simulate_task
from pcmodel.behaviour.change_point.unroll import (
    run_participant,
    scored,
    simulate_participant,
)
from pcmodel.behaviour.sampling.map_estimates import QUICK, climb
from pcmodel.behaviour.studies.attribution import best_over_sizes

ACCOUNTS = (relax_prior, raise_senses)
FITTED = ("hazard_logit", "log_scale", "log_process")
_STEPS = 8
_OFFSET_SD = 3.0  # of the personal zero of confidence ratings, log units


class Study(NamedTuple):
    """One simulated participant: who it is, and both sessions on a leading axis."""

    person: ParticipantParameters
    sessions: "Session"


class Session(NamedTuple):
    """One session's trials, those of them that the study has, and the confidence ratings."""

    trials: Trials
    used: Bool[Array, " trials"]
    rating: Float[Array, " trials"]


class Group(NamedTuple):
    """Where participants come from: means and SDs of the nine parameters."""

    mean: Float[Array, " parameters"]
    sd: Float[Array, " parameters"]


class Design(NamedTuple):
    """What is asked of a participant; arrays, so that one compiled program serves every design."""

    num_trials: Int[Array, ""]  # per session, half at each noise level
    rated: Bool[Array, ""]  # whether confidence is asked after each outcome
    rating_sd: Float[Array, ""]  # of one rating, log units


def trials_used(
    num_trials: Int[Array, ""], longest: int, num_blocks: int
) -> Bool[Array, " trials"]:
    """The first trials of each block of a session of `longest`, as many in each."""
    length = -(-longest // num_blocks)
    return jnp.arange(longest) % length < num_trials // num_blocks


def simulate_sessions(
    key: Key[Array, ""],
    group: Group,
    design: Design,
    *,
    effects: Float[Array, " accounts"],
    agent: Agent,
    longest: int,
) -> Study:
    """One participant's baseline and drug session."""
    person_key, *keys = jax.random.split(key, 3)
    normal = jax.random.normal(person_key, group.mean.shape)
    person = ParticipantParameters(*(group.mean + group.sd * normal))
    used = trials_used(design.num_trials, longest, len(TASK_SDS))

    def session(session_key: Array, effects: Array) -> Session:
        task_key, report_key, rating_key = jax.random.split(session_key, 3)
        task = simulate_task(task_key, num_trials=longest)
        trials, run = simulate_participant(
            report_key, drugged(person, effects), task, agent=agent
        )
        noise = design.rating_sd * jax.random.normal(rating_key, (longest,))
        return Session(trials, used, run.confidence + noise)

    both = jnp.stack([jnp.zeros_like(effects), effects])
    return Study(person, jax.vmap(session)(jnp.stack(keys), both))


def drugged(
    person: ParticipantParameters, effects: Float[Array, " accounts"]
) -> ParticipantParameters:
    """The person under each account's effect."""
    for change, effect in zip(ACCOUNTS, effects, strict=True):
        person = change(person, effect)
    return person


def session_log_likelihood(
    parameters: ParticipantParameters,
    offset: Array,
    session: Session,
    design: Design,
    *,
    agent: Agent,
) -> Float[Array, " trials"]:
    """Log likelihood of each trial's report and, where asked, rating; 0 where unused."""
    run = run_participant(parameters, session.trials, agent=agent)
    value = report_log_likelihood(
        parameters,
        predicted=run.predicted_report,
        previous=run.previous_report,
        report=run.report,
    )
    value = jnp.where(scored(session.trials), value, 0.0)
    error = (session.rating - run.confidence - offset) / design.rating_sd
    value = value - jnp.where(design.rated, 0.5 * error**2, 0.0)
    return jnp.where(session.used, value, 0.0)


def profile_log_likelihood(
    study: Study,
    group: Group,
    design: Design,
    effects: Float[Array, " accounts"],
    *,
    agent: Agent,
) -> Array:
    """One participant's penalised log likelihood at one effect, best fit."""
    columns = jnp.asarray([ParticipantParameters._fields.index(n) for n in FITTED])
    centre, spread = group.mean[columns], group.sd[columns]
    truth = jnp.stack(study.person)[columns]
    both = jnp.stack([jnp.zeros_like(effects), effects])

    def terms(vector):
        fitted = centre + spread * vector[: len(FITTED)]
        person = study.person._replace(**dict(zip(FITTED, fitted, strict=True)))
        offset = _OFFSET_SD * vector[-1]

        def one(effects, session):
            return session_log_likelihood(
                drugged(person, effects), offset, session, design, agent=agent
            )

        return jax.vmap(one)(both, study.sessions).ravel()

    start = jnp.append((truth - centre) / spread, 0.0)
    found = climb(terms, start, num_steps=_STEPS)
    return terms(found).sum() - 0.5 * jnp.sum(found**2)


def build_profiles(group: Group, *, agent: Agent, longest: int):
    """A jitted function of many participants' keys.

    (keys, design, effects, grids) -> profile log likelihood, (participants, accounts, sizes);
    `effects` is the true effect under each account, `grids` (accounts, sizes) the sizes tried,
    `longest` the most trials a session of any design has.
    """

    def one(key, design, effects, grids):
        study = simulate_sessions(
            key, group, design, effects=effects, agent=agent, longest=longest
        )
        # (accounts, sizes, accounts): one account's effect at a time.
        tried = grids[:, :, None] * jnp.eye(len(ACCOUNTS))[:, None, :]
        profile = partial(profile_log_likelihood, study, group, design, agent=agent)
        return jax.vmap(jax.vmap(profile))(tried)

    return jax.jit(jax.vmap(one, (0, None, None, None)), compiler_options=QUICK)


def attribution_curve(
    profiles: tuple[Float[np.ndarray, "people accounts sizes"], ...],
    *,
    study_sizes: tuple[int, ...],
    num_studies: int,
    num_pools: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, "3 studysizes"]:
    """Probability of the right account, mean over both truths, with 95 % interval.

    Studies are drawn with replacement from the simulated participants; the interval
    redraws the pool of participants itself (bootstrap), so it carries the simulation's
    own uncertainty. `profiles` holds the pools under each truth.
    """
    num = profiles[0].shape[0]
    pools = [np.arange(num)] + [rng.integers(num, size=num) for _ in range(num_pools)]
    rates = np.empty((len(pools), len(study_sizes)))
    for i, pool in enumerate(pools):
        for j, size in enumerate(study_sizes):
            picks = pool[rng.integers(num, size=(num_studies, size))]
            right = []
            for truth, profile in enumerate(profiles):
                best = best_over_sizes(profile[picks].sum(axis=1))
                right.append(np.mean(best[:, truth] > best[:, 1 - truth]))
            rates[i, j] = np.mean(right)
    low, high = np.quantile(rates[1:], (0.025, 0.975), axis=0)
    return np.stack([rates[0], low, high])
