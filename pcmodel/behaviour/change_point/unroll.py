"""A participant's trials in order: one scan for fitting and for simulating.

On each trial a report is made from the belief before the outcome, then the belief is
revised. Fitting passes the recorded reports; simulating passes a function that
draws them, so that both use the same model.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from pcmodel.behaviour.change_point.agent import Agent, Switches
from pcmodel.behaviour.change_point.participant import (
    ParticipantParameters,
    PositionBelief,
    Scalar,
    Senses,
    assumed_precisions,
    log_evidence_of,
    revise,
    sense,
)
from pcmodel.behaviour.change_point.report import draw_report, report_log_likelihood
from pcmodel.behaviour.change_point.task import (
    RANGE_CENTRE,
    RANGE_HIGH,
    RANGE_LOW,
    RANGE_WIDTH,
    Trials,
)
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import one_number, read_numbers
from pcmodel.inputs.random_keys import check_key


class Trajectory(NamedTuple):
    """A participant's beliefs and reports, one entry per trial; screen units."""

    predicted_report: Float[Array, " trials"]  # belief mean before the outcome
    previous_report: Float[Array, " trials"]
    report: Float[Array, " trials"]
    prior_mean: Float[Array, " trials"]  # where the update starts: belief or report
    prior_variance: Float[Array, " trials"]
    belief_mean: Float[Array, " trials"]  # after the outcome
    belief_variance: Float[Array, " trials"]
    prediction_error: Float[Array, " trials"]  # outcome minus prior mean
    learning_rate: Float[Array, " trials"]  # weight of the outcome, 0 to 1
    change_probability: Float[Array, " trials"]
    log_evidence: Float[Array, " trials"]

    @property
    def confidence(self) -> Float[Array, " trials"]:
        """Log-precision of the belief after the outcome."""
        return -jnp.log(self.belief_variance)


class _Carry(NamedTuple):
    belief: PositionBelief
    report: Scalar


class _Step(NamedTuple):
    """Values that depend on earlier trials; the rest of a `Trajectory` is computed from them."""

    predicted: Scalar
    previous: Scalar
    report: Scalar
    prior: PositionBelief
    belief: PositionBelief
    change_probability: Scalar
    log_odds: Scalar


Respond = Callable[[Scalar, Scalar, Trials, Array], Scalar]


def _unroll(
    parameters: ParticipantParameters,
    trials: Trials,
    switches: Switches,
    respond: Respond,
    keys: Array,
) -> Trajectory:
    process = jnp.where(switches.drift, jnp.exp(parameters.log_process), 0.0)
    precisions = assumed_precisions(parameters, trials.noise_sd)
    senses = jax.vmap(sense)(trials, precisions)

    def step(carry: _Carry, inputs: tuple[Trials, Senses, Array]):
        trial, sensed, key = inputs
        centre = jnp.full_like(carry.report, RANGE_CENTRE)
        predicted = jnp.where(trial.block_start, centre, carry.belief.mean)
        previous = jnp.where(trial.block_start, centre, carry.report)
        report = respond(predicted, previous, trial, key)
        anchored = switches.report_anchored & trial.reported
        prior = PositionBelief(
            mean=jnp.where(anchored, report, predicted),
            variance=carry.belief.variance + process,
        )
        revision = revise(
            parameters.hazard_logit, prior, trial, sensed, switches=switches
        )
        kept_report = jnp.where(trial.reported, report, previous)
        step = _Step(predicted, previous, report, prior, *revision)
        return _Carry(revision.belief, kept_report), step

    zero = 0.0 * process
    start = _Carry(
        PositionBelief(RANGE_CENTRE + zero, RANGE_WIDTH**2 / 12.0 + zero),
        RANGE_CENTRE + zero,
    )
    # Rematerialised: a step is cheaper to recompute than to store for the reverse pass.
    step = jax.checkpoint(step, prevent_cse=False)
    steps = jax.lax.scan(step, start, (trials, senses, keys))[1]
    evidence = log_evidence_of(
        parameters, trials, senses, steps.log_odds, switches=switches
    )
    return _trajectory(steps, trials, jnp.exp(-precisions.outcome), evidence)


def _trajectory(
    steps: _Step, trials: Trials, outcome_variance: Array, log_evidence: Array
) -> Trajectory:
    """The trajectory of all trials at once, from the steps."""
    prior, change = steps.prior, steps.change_probability
    gain = prior.variance / (prior.variance + outcome_variance)
    return Trajectory(
        predicted_report=steps.predicted,
        previous_report=steps.previous,
        report=steps.report,
        prior_mean=prior.mean,
        prior_variance=prior.variance,
        belief_mean=steps.belief.mean,
        belief_variance=steps.belief.variance,
        prediction_error=trials.outcome - prior.mean,
        learning_rate=jnp.where(
            trials.outcome_seen, change + (1.0 - change) * gain, 0.0
        ),
        change_probability=change,
        log_evidence=log_evidence,
    )


@checked_arguments
def run_participant(
    parameters: ParticipantParameters, trials: Trials, *, agent: Agent | Switches
) -> Trajectory:
    """The trajectory implied by the reports in `trials`."""
    return _unroll(
        parameters,
        trials,
        _switches(agent),
        lambda predicted, previous, trial, key: trial.report,
        jnp.zeros(trials.outcome.shape),
    )


def pushed(
    predicted: Float[Array, "*trials"],
    previous: Float[Array, "*trials"],
    push: Float[Array, "*trials"],
    start_weight: Scalar | float | np.ndarray,
) -> tuple[Float[Array, "*trials"], Float[Array, "*trials"]]:
    """The aim of the next report and the position of its mark, after the mark was moved.

    predicted: mean of the belief, screen units.
    previous: the last report, screen units.
    push: displacement of the mark, screen units.
    start_weight: share of the push that the aim follows; 0 for a participant whose report does not
        depend on the mark's position (Bruckner et al.: anchoring).
    """
    aim = jnp.clip(predicted + start_weight * push, RANGE_LOW, RANGE_HIGH)
    return aim, previous + push


@checked_arguments
def log_likelihood(
    parameters: ParticipantParameters,
    trials: Trials,
    *,
    agent: Agent | Switches,
    start_weight: Scalar | float = 0.0,
) -> Float[Array, " trials"]:
    """Log probability of each report, nats; 0 where none is scored. See `pushed`."""
    weight = one_number(start_weight, where="start_weight")
    run = run_participant(parameters, trials, agent=agent)
    aim, stand = pushed(run.predicted_report, run.previous_report, trials.push, weight)
    value = report_log_likelihood(
        parameters, predicted=aim, previous=stand, report=run.report
    )
    return jnp.where(scored(trials), value, 0.0)


def scored(trials: Trials) -> Bool[Array, "*shape"]:
    """Which reports are scored: those that were made, except at the start of a block."""
    return trials.reported & ~trials.block_start


@checked_arguments
def simulate_participant(
    key: Key[Array, ""],
    parameters: ParticipantParameters,
    trials: Trials,
    *,
    agent: Agent | Switches,
    start_weight: Scalar | float = 0.0,
    reported: Bool[Array, "*trials"] | None = None,
) -> tuple[Trials, Trajectory]:
    """Simulate reports for the outcomes in `trials`; each block starts at the centre.

    reported: on which trials a report is made, all if None; a report that is not made anchors no later one.
    """

    def respond(predicted, previous, trial, trial_key):
        aim, stand = pushed(predicted, previous, trial.push, weight)
        stand = jnp.clip(stand, RANGE_LOW, RANGE_HIGH)
        drawn = draw_report(trial_key, parameters, predicted=aim, previous=stand)
        return jnp.where(trial.block_start, RANGE_CENTRE, drawn)

    key, weight = check_key(key), one_number(start_weight, where="start_weight")
    every = jnp.ones_like(trials.reported)
    made = every if reported is None else _made(reported, trials)
    trials = trials._replace(reported=made)
    keys = jax.random.split(key, trials.outcome.shape[-1])
    run = _unroll(parameters, trials, _switches(agent), respond, keys)
    return trials._replace(report=run.report), run


def _made(reported: Any, trials: Trials) -> Bool[Array, "*trials"]:
    """On which trials a report is made; UserError for an invalid mask."""
    flags = read_numbers(reported, where="reported")
    if flags.dtype != bool or flags.shape not in ((), trials.reported.shape):
        raise UserError(
            f"is {flags.dtype} of shape {flags.shape}",
            where="reported",
            expected=f"booleans of shape {trials.reported.shape}",
        )
    return jnp.broadcast_to(jnp.asarray(flags), trials.reported.shape)


def _switches(agent: Agent | Switches) -> Switches:
    return agent.switches() if isinstance(agent, Agent) else agent
