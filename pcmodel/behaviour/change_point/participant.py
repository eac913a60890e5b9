r"""One participant of a change-point task, as a hierarchy unrolled over trials.

Level 0 is the outcome, level 1 the hidden position, and above both is a binary
cause: has the position changed?

    level 0     $y_t \sim N(x_t, r_t)$,  $r_t = k s_0^2 (\sigma_t / s_0)^{2b}$
    level 1     $x_t \sim N(m, V_{t-1} + q)$     the last belief, widened
    cause       with probability $h$, $x_t$ is anywhere in the known range instead

$\sigma_t$ is the task's outcome SD and $s_0$ a reference SD (the geometric mean of the
task's SDs), so that $k$ has no dimension: at $k = b = 1$ the assumed noise is the
task's. Two log-precisions describe the participant: **prior**
$\lambda_{prior} = -\log q$ (how little the belief widens between trials) and
**sensory** $\lambda_{sensory} = -\log(k s_0^2)$, both in log(1 / screen units squared).

Under each cause the package's own inference (`pcmodel.inference`: the energy, the `Exact`
solver, its posterior and evidence) revises the hierarchy of levels 0 and 1; the causes
are weighted by Bayes' rule with the hazard, and their mixture is matched in mean and variance
to give the next prior (the reduced Bayesian model of Nassar et al. 2010, J Neurosci
30:12366; Adams & MacKay 2007, arXiv:0710.3742, with the run lengths reduced to one
Gaussian).

The observations are combined first. A position that may be anywhere in the range has no
precision: after a change the posterior is that of the observations alone (the outcome's
Gaussian, combined with the helicopter where it was seen) and the evidence 1 / range width
(edge effects, below 1 % further than 2.5 SD from an edge, are neglected). Without a
change the belief is combined with that same Gaussian as one observation, which is exact: the order
of two independent observations does not matter. Only this second step depends on
the previous trial.
"""

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from pcmodel.behaviour.change_point.agent import Switches
from pcmodel.behaviour.change_point.task import RANGE_WIDTH, REFERENCE_SD, Trials
from pcmodel.inference.solvers.exact import Exact
from pcmodel.model.belief import Belief
from pcmodel.model.generative import LinearModel
from pcmodel.model.problem import Inputs, Problem, Structure

Scalar = Float[Array, ""]
LOG_WIDTH = math.log(RANGE_WIDTH)
HIERARCHY = Structure(
    LinearModel(widths=(1, 1), names=("observation", "position")),
    clamped=((0,), ()),
    beliefs=((1,),),
)
"""Level 0 is an observation, clamped; level 1 the position, with a belief."""


class ParticipantParameters(NamedTuple):
    """A participant's parameters; every field is unconstrained (a real number)."""

    hazard_logit: Scalar  # logit of h, the probability of a change per trial
    log_scale: Scalar  # log k: assumed / true outcome variance at the reference SD
    noise_exponent: Scalar  # b: 1 = assumed variance follows the task's, 0 = ignores it
    log_process: Scalar  # log q, screen units squared
    log_sighting: Scalar  # log of a seen helicopter's variance / an outcome's
    log_report_sd: Scalar  # log of the constant part of the report SD, screen units
    log_report_slope: Scalar  # log of report SD per unit of predicted update
    stay_logit: Scalar  # logit of repeating the report when no update is due
    log_stay_decay: Scalar  # log of the fall of that logit per screen unit of update


class PositionBelief(NamedTuple):
    """A Gaussian belief about the position.

    mean: screen units.
    variance: screen units squared.
    """

    mean: Scalar
    variance: Scalar


class Assimilation(NamedTuple):
    """A Gaussian belief after an observation.

    mean: screen units.
    variance: screen units squared.
    log_evidence: of the observation, nats.
    """

    mean: Scalar
    variance: Scalar
    log_evidence: Scalar


def prior_log_precision(parameters: ParticipantParameters) -> Scalar:
    r"""$\lambda_{prior} = -\log q$."""
    return -parameters.log_process


def sensory_log_precision(parameters: ParticipantParameters) -> Scalar:
    r"""$\lambda_{sensory} = -\log(k s_0^2)$, at the reference SD."""
    return -parameters.log_scale - 2.0 * jnp.log(REFERENCE_SD)


class AssumedPrecisions(NamedTuple):
    """Log-precisions that a participant assumes for observations (1 / screen units squared)."""

    outcome: Float[Array, "*trials"]
    sighting: Float[Array, "*trials"]  # of a visible helicopter (catch trials)


def assumed_precisions(
    parameters: ParticipantParameters, noise_sd: Float[Array, "*trials"]
) -> AssumedPrecisions:
    r"""$-\log r$ with $r = k s_0^2 (\sigma / s_0)^{2b}$; the sighting's is relative to $k s_0^2$."""
    reference = sensory_log_precision(parameters)
    log_ratio = jnp.log(noise_sd / REFERENCE_SD)
    outcome = reference - 2.0 * parameters.noise_exponent * log_ratio
    sighting = reference - parameters.log_sighting
    return AssumedPrecisions(outcome, jnp.broadcast_to(sighting, noise_sd.shape))


def pose_observation(
    *, mean: Scalar, log_precision: Scalar, observation: Scalar, sensory: Scalar
) -> Problem:
    """The two-level inference problem of one belief and one observation.

    mean: of the belief, screen units.
    log_precision: of the belief.
    observation: screen units.
    sensory: log-precision of the observation.
    """
    one, zero = jnp.ones((), mean.dtype), jnp.zeros((), mean.dtype)
    weights = {"layers": ((one.reshape(1, 1), zero[None]),), "prior_mean": zero[None]}
    return Problem(
        HIERARCHY,
        Inputs(
            weights=weights,
            log_precisions=(sensory, zero),
            gains=(one, one),
            values=(observation[None], zero[None][:0]),
            beliefs=(Belief(mean[None], log_precision, ("position",)),),
        ),
    )


# Compiled inline; with `jit` it is traced once, not at every use.
@partial(jax.jit, inline=True)
def assimilate(
    *, mean: Scalar, log_precision: Scalar, observation: Scalar, sensory: Scalar
) -> Assimilation:
    """Posterior and log evidence of `pose_observation`, by the package's inference."""
    problem = pose_observation(
        mean=mean,
        log_precision=log_precision,
        observation=observation,
        sensory=sensory,
    )
    found = Exact().posterior(problem)
    return Assimilation(
        mean=found.mean[1][0],
        variance=found.variances[1][0],
        log_evidence=found.log_evidence,
    )


class Senses(NamedTuple):
    """The position's posterior from one trial's observations alone, without a prior.

    mean: screen units.
    variance: screen units squared.
    log_precision: -log of the variance.
    log_evidence: nats, for a position that may be anywhere in the range.
    """

    mean: Scalar
    variance: Scalar
    log_precision: Scalar
    log_evidence: Scalar


def sense(trial: Trials, precisions: AssumedPrecisions) -> Senses:
    """The outcome's Gaussian, combined with the helicopter's position where it was seen."""
    seen = assimilate(
        mean=trial.outcome,
        log_precision=precisions.outcome,
        observation=trial.helicopter,
        sensory=precisions.sighting,
    )
    shown = trial.helicopter_seen
    variance = jnp.where(shown, seen.variance, jnp.exp(-precisions.outcome))
    return Senses(
        mean=jnp.where(shown, seen.mean, trial.outcome),
        variance=variance,
        log_precision=-jnp.log(variance),
        log_evidence=jnp.where(shown, seen.log_evidence, 0.0) - LOG_WIDTH,
    )


class Revision(NamedTuple):
    """The belief after a trial.

    belief: the mixture over both causes, matched in mean and variance.
    change_probability: posterior probability of a change.
    log_odds: of a change, before `switches` and block starts are applied.
    """

    belief: PositionBelief
    change_probability: Scalar
    log_odds: Scalar


def revise(
    hazard_logit: Scalar,
    prior: PositionBelief,
    trial: Trials,
    senses: Senses,
    *,
    switches: Switches,
) -> Revision:
    """The belief after one trial, from the prior and the trial's observations.

    A block start is a change known to the participant; after a missing outcome the belief is the
    widened prior.
    """
    unchanged = assimilate(
        mean=prior.mean,
        log_precision=-jnp.log(prior.variance),
        observation=senses.mean,
        sensory=senses.log_precision,
    )
    log_odds = hazard_logit - LOG_WIDTH - unchanged.log_evidence
    change = jnp.where(switches.change_points, jax.nn.sigmoid(log_odds), 0.0)
    change = jnp.where(trial.block_start, 1.0, change)
    stay = 1.0 - change
    revised = PositionBelief(
        mean=change * senses.mean + stay * unchanged.mean,
        variance=change * senses.variance
        + stay * unchanged.variance
        + change * stay * (senses.mean - unchanged.mean) ** 2,
    )
    belief = jax.tree.map(
        lambda new, old: jnp.where(trial.outcome_seen, new, old), revised, prior
    )
    return Revision(belief, jnp.where(trial.outcome_seen, change, 0.0), log_odds)


def log_evidence_of(
    parameters: ParticipantParameters,
    trials: Trials,
    senses: Senses,
    log_odds: Float[Array, " trials"],
    *,
    switches: Switches,
) -> Float[Array, " trials"]:
    """Log evidence of each trial over both causes, from the log odds of a change."""
    change = jax.nn.log_sigmoid(parameters.hazard_logit) + senses.log_evidence
    both = jnp.where(
        switches.change_points,
        change + jax.nn.softplus(-log_odds),
        senses.log_evidence + parameters.hazard_logit - log_odds,
    )
    both = jnp.where(trials.block_start, senses.log_evidence, both)
    return jnp.where(trials.outcome_seen, both, 0.0)
