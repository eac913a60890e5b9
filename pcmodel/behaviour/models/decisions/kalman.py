"""Kalman filters of several options, whose variances count in units of an outcome's noise.

Choices tell ratios of variances only, so that the noise of an outcome is the unit.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from pcmodel.behaviour.models.filters import RESCORLA_WAGNER, Filter
from pcmodel.behaviour.models.interface import Parameter, Values
from pcmodel.behaviour.perception import IndependentArms
from pcmodel.behaviour.perception.decaying_kalman import (
    DecayingKalman,
    DecayingKalmanParameters,
)

FIRST_VALUE = replace(
    RESCORLA_WAGNER[1],
    about="value before the first trial, from the least outcome to the greatest",
    published="hBayesDM `mu0`, of 0 to 100 (bandit4arm2_kalman_filter)",
)
STEP = Parameter(
    "log_step_variance",
    -2.0,
    1.5,
    0.8,
    about="log variance of a value's step a trial over that of an outcome's noise",
    natural="step_variance",
    transform="exp",
    unit="variance of an outcome a trial",
    published="sigma_D^2 / sigma_O^2; hBayesDM `sD`^2 / 16",
)
FIRST = Parameter(
    "log_first_variance",
    1.0,
    1.0,
    free=False,
    about="log variance of the first belief over that of an outcome's noise",
    natural="first_variance",
    transform="exp",
    unit="variance of an outcome",
    published="sigma_0^2 / sigma_O^2; hBayesDM `s0`^2 / 16",
)
DECAY = Parameter(
    "decay_logit",
    2.5,
    1.0,
    0.7,
    about="logit of the share of a value that remains from trial to trial",
    natural="decay",
    transform="logistic",
    unit="share a trial",
    published="lambda (Daw et al. 2006); hBayesDM `lambda`",
)
CENTRE = Parameter(
    "decay_centre",
    0.5,
    0.3,
    0.2,
    about="to which values drift back, from the least outcome (0) to the greatest (1)",
    published="theta (Daw et al. 2006); hBayesDM `theta`, of 0 to 100",
)
STEADY = (STEP, FIRST, FIRST_VALUE)
DECAYING = (STEP, FIRST, DECAY, CENTRE, FIRST_VALUE)


def _build(values: Values) -> DecayingKalmanParameters:
    one = jnp.ones_like(values["log_step_variance"])
    decay = one
    if "decay_logit" in values:
        decay = jax.nn.sigmoid(values["decay_logit"])
    return DecayingKalmanParameters(
        initial_mean=values["initial_value"],
        initial_variance=jnp.exp(values["log_first_variance"]),
        step_variance=jnp.exp(values["log_step_variance"]),
        outcome_variance=one,
        decay=decay,
        centre=values.get("decay_centre", one),
    )


def kalman(num_arms: int, *, decaying: bool = False) -> Filter:
    """A Kalman filter of each option; with decay values drift back to a centre."""
    model = IndependentArms(DecayingKalman(), num_arms)
    return Filter(model, DECAYING if decaying else STEADY, _build)
