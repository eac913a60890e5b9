r"""From belief to report: a mixture of repeating the last report and a noisy update.

With $\Delta$ the predicted update (belief minus last report), a participant repeats the
last report exactly with probability $\mathrm{logit}^{-1}(a - c|\Delta|)$; otherwise the
report is $N(\text{belief},\; s_0 + s_1 |\Delta|)$ confined to the range and rounded to
whole screen units. In people, too, repeats become rare as the predicted update
grows, and large updates are less precise (Bruckner et al. use the same two parts).
"""

import jax
import jax.numpy as jnp
from jax.scipy.special import log_ndtr
from jaxtyping import Array, Float, Key

from pcmodel.behaviour.change_point.participant import ParticipantParameters
from pcmodel.behaviour.change_point.task import RANGE_HIGH, RANGE_LOW

HALF_UNIT = 0.5


def update_size(update: Array) -> Array:
    r"""$|\Delta|$, smoothed below one screen unit so that its gradient is continuous."""
    return jnp.sqrt(update**2 + 1.0) - 1.0


def report_sd(parameters: ParticipantParameters, update: Array) -> Array:
    """SD of a report that is no repeat, given the predicted update (screen units)."""
    constant = jnp.exp(parameters.log_report_sd)
    return constant + jnp.exp(parameters.log_report_slope) * update_size(update)


def stay_logit(parameters: ParticipantParameters, update: Array) -> Array:
    """Logit of the probability of repeating the last report exactly."""
    decay = jnp.exp(parameters.log_stay_decay)
    return parameters.stay_logit - decay * update_size(update)


def report_log_likelihood(
    parameters: ParticipantParameters,
    *,
    predicted: Float[Array, "*shape"],
    previous: Float[Array, "*shape"],
    report: Float[Array, "*shape"],
) -> Float[Array, "*shape"]:
    """Log probability of each whole-unit report, nats.

    predicted: mean of the belief, screen units.
    previous: the last report, screen units.
    report: screen units.
    The probability of a unit is the mass between its edges, so that the probabilities sum to one however
    small the SD, and rounded draws follow them.
    """
    update = predicted - previous
    logit = stay_logit(parameters, update)
    moves = _confined_normal(report, predicted, report_sd(parameters, update))
    log_move = jax.nn.log_sigmoid(-logit) + moves
    log_repeat = jnp.logaddexp(jax.nn.log_sigmoid(logit), log_move)
    return jnp.where(report == previous, log_repeat, log_move)


def _confined_normal(report: Array, mean: Array, sd: Array) -> Array:
    """Log probability of a unit within the range; means lie inside it, so the range's mass is never small."""
    wide = jnp.sqrt(2.0) * sd
    high = jax.lax.erf((RANGE_HIGH + HALF_UNIT - mean) / wide)
    low = jax.lax.erf((RANGE_LOW - HALF_UNIT - mean) / wide)
    unit = _log_mass((report - HALF_UNIT - mean) / sd, (report + HALF_UNIT - mean) / sd)
    return unit - jnp.log(0.5 * (high - low))


def _log_mass(low: Array, high: Array) -> Array:
    r"""$\log(\Phi(high) - \Phi(low))$, computed in the lower tail, where no digits cancel."""
    is_above = low + high > 0.0
    end = log_ndtr(jnp.where(is_above, -low, high))
    start = log_ndtr(jnp.where(is_above, -high, low))
    return end + jnp.log(-jnp.expm1(start - end))


def draw_report(
    key: Key[Array, ""],
    parameters: ParticipantParameters,
    *,
    predicted: Float[Array, ""],
    previous: Float[Array, ""],
) -> Float[Array, ""]:
    """Draw one whole-unit report."""
    stay_key, move_key = jax.random.split(key)
    update = predicted - previous
    sd = report_sd(parameters, update)
    low = (RANGE_LOW - HALF_UNIT - predicted) / sd
    high = (RANGE_HIGH + HALF_UNIT - predicted) / sd
    noise = jax.random.truncated_normal(move_key, low, high)
    moved = jnp.clip(jnp.round(predicted + sd * noise), RANGE_LOW, RANGE_HIGH)
    probability = jax.nn.sigmoid(stay_logit(parameters, update))
    return jnp.where(jax.random.bernoulli(stay_key, probability), previous, moved)
