r"""A rival with one cause and honest uncertainty: the Kalman filter of the weights (Kakade & Dayan 2002; Gershman 2015).

Weights drift between trials, $w \sim N(w, \delta\, \Delta\tau\, I)$, and outcomes scatter with the variance
$1 / (g_r \Pi_r)$. Here the outcome's precision acts as a learning rate, and only as one: with one cause there is nothing
else for it to decide.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Range
from pcmodel.memory.rescorla_wagner import ValueHistory, checked_numbers, history_of
from pcmodel.memory.trials import Trials, check_one_animal


class SingleCauseParameters(NamedTuple):
    """Parameters of one animal.

    initial_weight: mean of every feature's weight before the first trial.
    initial_variance: of every weight before the first trial.
    drift: variance that every weight gains in a unit of time.
    outcome_log_precision: of the outcome around its prediction.
    response_threshold: prediction at which the response is one half.
    response_scale: standard deviation of the response's threshold.
    """

    initial_weight: Any = 0.0
    initial_variance: Any = 1.0
    drift: Any = 0.001
    outcome_log_precision: Any = -float(np.log(0.4))
    response_threshold: Any = 0.02
    response_scale: Any = 0.01


RANGES = {
    "initial_weight": Range(),
    "initial_variance": Range(0.0),
    "drift": Range(0.0),
    "outcome_log_precision": Range(-80.0, 80.0),
    "response_threshold": Range(),
    "response_scale": Range(0.0, open="least"),
}
PLAIN = SingleCauseParameters()


@checked_arguments
def learn_single_cause(
    trials: Trials, parameters: SingleCauseParameters = PLAIN
) -> ValueHistory:
    """What one animal expects; the learning gain multiplies the Kalman gain, an amnestic agent the mean after it.

    Raises UserError for parameters out of range, and for trials of several animals.
    """
    check_one_animal(trials)
    return _learn(trials, checked_numbers(parameters, RANGES, trials))


@jax.jit
def _learn(trials: Trials, parameters: SingleCauseParameters) -> ValueHistory:
    features, dtype = trials.stimuli.shape[1], trials.time.dtype
    unit = jnp.eye(features, dtype=dtype)

    def trial(carry: tuple[Array, Array, Array], at: Trials) -> tuple[Any, Any]:
        mean, covariance, last = carry
        gap = jnp.where(jnp.isfinite(last), at.time - last, 0.0)
        wide = covariance + parameters.drift * gap * unit
        x = at.stimuli
        noise = jnp.exp(-parameters.outcome_log_precision) / at.outcome_gain
        gain = wide @ x / (x @ wide @ x + noise)
        value = x @ mean
        gain = at.learning_gain * gain
        moved = mean + gain * (at.outcome - value)
        moved = moved * (1.0 - at.amnesia)
        # Joseph's form stays positive under rounding and holds for any gain.
        kept = unit - gain[:, None] * x[None]
        narrow = kept @ wide @ kept.T + noise * gain[:, None] * gain[None]
        new = (moved, narrow, at.time)
        carry = jax.tree.map(lambda a, b: jnp.where(at.present, a, b), new, carry)
        return carry, (
            jnp.where(at.present, value, 0.0),
            carry[0],
            jnp.diagonal(carry[1]),
        )

    mean = jnp.broadcast_to(parameters.initial_weight, (features,))
    start = (mean, parameters.initial_variance * unit, jnp.asarray(-jnp.inf, dtype))
    _, (value, weights, variances) = jax.lax.scan(trial, start, trials)
    return history_of(value, weights, variances, trials, parameters)
