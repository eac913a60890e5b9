"""Three causes of larger updates, matched in size: lower prior precision, higher sensory precision, noisier reports.

All three agents see the same outcomes with the same random numbers. The shift of the prior precision
is given; the other two are found by bisection until the mean absolute update
of the *reports* agrees.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from pcmodel.behaviour.change_point.agent import Agent, Switches
from pcmodel.behaviour.change_point.model_free import updates_of
from pcmodel.behaviour.change_point.participant import ParticipantParameters
from pcmodel.behaviour.change_point.task import Trials, simulate_task
from pcmodel.behaviour.change_point.unroll import (
    Trajectory,
    scored,
    simulate_participant,
)

RIVALS = ("baseline", "prior relaxed", "senses raised", "responses noisier")
_BISECTIONS = 14
_WIDEST = 6.0  # log units searched for a match


class Rival(NamedTuple):
    """One agent's simulated reports and beliefs.

    shift: log units: of prior precision, sensory precision or report SD.
    mean_update: mean |update| of the reports, screen units.
    trials: with the reports.
    trajectory: the beliefs.
    """

    shift: float
    mean_update: float
    trials: Trials
    trajectory: Trajectory


def relax_prior(parameters: ParticipantParameters, shift) -> ParticipantParameters:
    """Lower the prior log-precision by `shift`."""
    return parameters._replace(log_process=parameters.log_process + shift)


def raise_senses(parameters: ParticipantParameters, shift) -> ParticipantParameters:
    """Raise the sensory log-precision by `shift`."""
    return parameters._replace(log_scale=parameters.log_scale - shift)


def add_noise(parameters: ParticipantParameters, shift) -> ParticipantParameters:
    """Raise the log SD of reports by `shift`, in the constant and the proportional part."""
    return parameters._replace(
        log_report_sd=parameters.log_report_sd + shift,
        log_report_slope=parameters.log_report_slope + shift,
    )


def simulate_rivals(
    key: Key[Array, ""],
    parameters: ParticipantParameters,
    *,
    agent: Agent,
    shift: float,
    num_participants: int,
    num_trials: int,
) -> dict[str, Rival]:
    """The baseline agent and the three rivals, matched in mean absolute update, by name."""
    task_key, report_key = jax.random.split(key)
    task = _tasks(jax.random.split(task_key, num_participants), num_trials)
    keys = jax.random.split(report_key, num_participants)

    def rival(change, size: float) -> Rival:
        changed = change(parameters, jnp.asarray(size))
        trials, trajectory = simulate_group(keys, changed, task, agent.switches())
        return Rival(size, updates_of(trials).mean_size, trials, trajectory)

    relaxed = rival(relax_prior, shift)
    matched = [
        _match(partial(rival, c), relaxed.mean_update)
        for c in (raise_senses, add_noise)
    ]
    return dict(zip(RIVALS, (rival(relax_prior, 0.0), relaxed, *matched), strict=True))


@partial(jax.jit, static_argnums=1)
def _tasks(keys: Array, num_trials: int) -> Trials:
    return jax.vmap(partial(simulate_task, num_trials=num_trials))(keys)


@jax.jit
def simulate_group(
    keys: Key[Array, " participants"],
    parameters: ParticipantParameters,
    task: Trials,
    switches: Switches,
) -> tuple[Trials, Trajectory]:
    """Simulated participants with the same parameters, one for each task (leading axis)."""

    def one(key, task):
        return simulate_participant(key, parameters, task, agent=switches)

    return jax.vmap(one)(keys, task)


def _match(rival, target: float) -> Rival:
    """The rival whose mean update is the target, with a shift between 0 and `_WIDEST`."""
    low, high = 0.0, _WIDEST
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if rival(middle).mean_update < target:
            low = middle
        else:
            high = middle
    return rival(0.5 * (low + high))


def mean_confidence(
    rival: Rival, *, noise_sd: float
) -> Float[np.ndarray, " participants"]:
    """Each participant's mean log-precision of belief at one noise level."""
    confidence = np.asarray(-jnp.log(rival.trajectory.belief_variance))
    mask = np.asarray(scored(rival.trials) & (rival.trials.noise_sd == noise_sd))
    return np.where(mask, confidence, 0.0).sum(axis=1) / mask.sum(axis=1)
