r"""One participant of a change-point task, as a hierarchy unrolled over trials.

Level 0 is the outcome, level 1 the hidden position, and above both stands a binary
cause: has the position changed?

    level 0     $y_t \sim N(x_t, r_t)$,  $r_t = k s_0^2 (\sigma_t / s_0)^{2b}$
    level 1     $x_t \sim N(m, V_{t-1} + q)$     the last belief, widened
    cause       with probability $h$, $x_t$ is anywhere in the known range instead

$\sigma_t$ is the task's outcome SD and $s_0$ a reference SD (the geometric mean of the
task's SDs), so that $k$ has no dimension: $k = b = 1$ is a participant who takes the
task's noise as it is. Two log-precisions describe the participant: **prior**
$\lambda_{prior} = -\log q$ (how stiff the belief is from trial to trial) and
**sensory** $\lambda_{sensory} = -\log(k s_0^2)$, both in log(1 / screen units squared).

Under each cause the hierarchy's Gaussian inference gives a posterior and a log
evidence; the causes are weighed by Bayes with the hazard, and their mixture is matched
in mean and variance to give the next prior (the reduced Bayesian model of Nassar et
al. 2010, J Neurosci 30:12366; Adams & MacKay 2007, arXiv:0710.3742, with the run
lengths collapsed to one Gaussian). A position that may be anywhere in the range carries
no precision: its posterior is the outcome's own Gaussian and its evidence 1 / range
width (edge effects, below 1 % further than 2.5 SD from an edge, are neglected).
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pcmodel.behaviour.agent import Switches
from pcmodel.behaviour.task import RANGE_WIDTH, REFERENCE_SD, Trials

Scalar = Float[Array, ""]
LOG_WIDTH = math.log(RANGE_WIDTH)


class ParticipantParameters(NamedTuple):
    """What one participant is; every field is unconstrained (a real number)."""

    hazard_logit: Scalar  # logit of h, the probability of a change per trial
    log_scale: Scalar  # log k: assumed over true outcome variance at the reference SD
    noise_exponent: Scalar  # b: 1 = assumed variance follows the task's, 0 = ignores it
    log_process: Scalar  # log q, screen units squared
    log_sighting: Scalar  # log variance of a seen helicopter over that of an outcome
    log_report_sd: Scalar  # log of the constant part of the report SD, screen units
    log_report_slope: Scalar  # log of report SD per unit of predicted update
    stay_logit: Scalar  # logit of repeating the report when no update is due
    log_stay_decay: Scalar  # log of the fall of that logit per screen unit of update


class PositionBelief(NamedTuple):
    """A Gaussian belief about the position (screen units, screen units squared)."""

    mean: Scalar
    variance: Scalar


class Assimilation(NamedTuple):
    """What one observation does to a Gaussian belief."""

    mean: Scalar
    variance: Scalar
    log_evidence: Scalar


def prior_log_precision(parameters: ParticipantParameters) -> Scalar:
    r"""$\lambda_{prior} = -\log q$."""
    return -parameters.log_process


def sensory_log_precision(parameters: ParticipantParameters) -> Scalar:
    r"""$\lambda_{sensory} = -\log(k s_0^2)$, at the reference SD."""
    return -parameters.log_scale - 2.0 * jnp.log(REFERENCE_SD)


class AssumedVariances(NamedTuple):
    """The variances a participant grants to what is seen (screen units squared)."""

    outcome: Float[Array, "*trials"]
    sighting: Float[Array, "*trials"]  # of a visible helicopter (catch trials)


def assumed_variances(
    parameters: ParticipantParameters, noise_sd: Float[Array, "*trials"]
) -> AssumedVariances:
    r"""$r = k s_0^2 (\sigma / s_0)^{2b}$, and the sighting's share of $k s_0^2$."""
    reference = jnp.exp(-sensory_log_precision(parameters))
    log_ratio = jnp.log(noise_sd / REFERENCE_SD)
    outcome = reference * jnp.exp(2.0 * parameters.noise_exponent * log_ratio)
    sighting = reference * jnp.exp(parameters.log_sighting)
    return AssumedVariances(outcome, jnp.broadcast_to(sighting, noise_sd.shape))


def assimilate(
    *, mean: Scalar, variance: Scalar, observation: Scalar, observation_variance: Scalar
) -> Assimilation:
    """Posterior and log evidence of a two-level Gaussian hierarchy, one observation."""
    total = variance + observation_variance
    gain = variance / total
    error = observation - mean
    return Assimilation(
        mean=mean + gain * error,
        variance=gain * observation_variance,
        log_evidence=-0.5 * (error**2 / total + jnp.log(2.0 * jnp.pi * total)),
    )


def sight(cause: Assimilation, trial: Trials, variance: Scalar) -> Assimilation:
    """Add the helicopter's position to a cause's posterior where it was visible."""
    seen = assimilate(
        mean=cause.mean,
        variance=cause.variance,
        observation=trial.helicopter,
        observation_variance=variance,
    )
    seen = seen._replace(log_evidence=cause.log_evidence + seen.log_evidence)
    return jax.tree.map(
        lambda yes, no: jnp.where(trial.helicopter_seen, yes, no), seen, cause
    )


class Revision(NamedTuple):
    """The belief after a trial, and how it came about."""

    belief: PositionBelief
    change_probability: Scalar
    learning_rate: Scalar
    log_evidence: Scalar


def revise(
    parameters: ParticipantParameters,
    prior: PositionBelief,
    trial: Trials,
    *,
    variances: AssumedVariances,
    switches: Switches,
) -> Revision:
    """One trial's belief revision from the prior in force and what was seen.

    A block start is a change the participant knows of; a missing outcome leaves the
    prior, already widened, as the belief. On catch trials the sighting counts in every
    cause's posterior and evidence; the learning rate stays the outcome's own.
    """
    variance = variances.outcome
    kept = assimilate(
        mean=prior.mean,
        variance=prior.variance,
        observation=trial.outcome,
        observation_variance=variance,
    )
    gain = prior.variance / (prior.variance + variance)
    moved = Assimilation(trial.outcome, variance, jnp.full_like(variance, -LOG_WIDTH))
    sighting = variances.sighting
    kept, moved = sight(kept, trial, sighting), sight(moved, trial, sighting)
    change, log_evidence = weigh(parameters, kept, moved, trial, switches)
    revised = PositionBelief(
        mean=change * moved.mean + (1.0 - change) * kept.mean,
        variance=change * moved.variance
        + (1.0 - change) * kept.variance
        + change * (1.0 - change) * (moved.mean - kept.mean) ** 2,
    )
    unseen = Revision(prior, *(jnp.zeros_like(change),) * 3)
    seen = Revision(revised, change, change + (1.0 - change) * gain, log_evidence)
    return jax.tree.map(
        lambda new, old: jnp.where(trial.outcome_seen, new, old), seen, unseen
    )


def weigh(
    parameters: ParticipantParameters,
    kept: Assimilation,
    moved: Assimilation,
    trial: Trials,
    switches: Switches,
) -> tuple[Scalar, Scalar]:
    """Posterior probability of a change, and the log evidence over both causes."""
    log_moved = jax.nn.log_sigmoid(parameters.hazard_logit) + moved.log_evidence
    log_kept = jax.nn.log_sigmoid(-parameters.hazard_logit) + kept.log_evidence
    change = jax.nn.sigmoid(log_moved - log_kept)
    change = jnp.where(switches.change_points, change, 0.0)
    both = jnp.logaddexp(log_moved, log_kept)
    both = jnp.where(switches.change_points, both, kept.log_evidence)
    start = trial.block_start
    return jnp.where(start, 1.0, change), jnp.where(start, moved.log_evidence, both)
