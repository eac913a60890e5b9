"""Learners of binary outcomes whose learning rate changes: by surprise (Pearce & Hall), or by precision, with decay."""

from dataclasses import replace

import jax
import jax.numpy as jnp

from pcmodel.behaviour.models.filters import RESCORLA_WAGNER, Filter
from pcmodel.behaviour.models.interface import Parameter, Values
from pcmodel.behaviour.perception import (
    DecayingKalman,
    DecayingKalmanParameters,
    IndependentArms,
    PearceHall,
    PearceHallParameters,
    PerceptualModel,
)

PEARCE_HALL = (
    replace(
        RESCORLA_WAGNER[0],
        about="logit of the learning rate at an associability of 1",
        published="kappa (Li et al. 2011); TAPAS `S` of ph_binary",
    ),
    Parameter(
        "associability_rate_logit",
        0.0,
        1.5,
        0.7,
        about="logit of the weight of the last error's size in the associability; 1: it alone (Pearce & Hall 1980)",
        natural="associability_rate",
        transform="logistic",
        published="eta (Li et al. 2011); 1 - gamma (Pearce & Hall 1980)",
    ),
    RESCORLA_WAGNER[1],
    Parameter(
        "initial_associability_logit",
        2.0,
        1.0,
        free=False,
        about="logit of the associability before the first trial",
        natural="initial_associability",
        transform="logistic",
        published="alpha_0 (Li et al. 2011); TAPAS `al_0` of ph_binary",
    ),
)
DECAYING = (
    Parameter(
        "prior_log_precision",
        2.0,
        1.5,
        0.7,
        about="log precision of a value's step, over that of an outcome; with the belief's own it makes the learning rate",
        names=("prior_precision",),
        natural="step_precision",
        transform="exp",
        unit="precisions of an outcome",
        published="sigma_o^2 / sigma_d^2 (Daw et al. 2006)",
    ),
    Parameter(
        "retention_logit",
        3.0,
        1.5,
        0.7,
        about="logit of the share of a value's distance from its centre that remains after a trial",
        natural="retention",
        transform="logistic",
        unit="share a trial",
        published="lambda (Daw et al. 2006); 1 - the forgetting rate",
    ),
    Parameter(
        "value_centre",
        0.5,
        0.25,
        free=False,
        about="value to which an option falls back that is not seen, and with which it begins",
        unit="probability",
        published="theta (Daw et al. 2006)",
    ),
    Parameter(
        "initial_log_precision",
        0.0,
        1.0,
        free=False,
        about="log precision of the first belief, over that of an outcome",
        natural="first_precision",
        transform="exp",
        unit="precisions of an outcome",
        published="sigma_o^2 / sigma_0^2 (Daw et al. 2006)",
    ),
)


def _pearce_hall(values: Values) -> PearceHallParameters:
    return PearceHallParameters(
        values["initial_value"],
        jax.nn.sigmoid(values["initial_associability_logit"]),
        values["learning_rate_logit"],
        values["associability_rate_logit"],
    )


def _decaying(values: Values) -> DecayingKalmanParameters:
    """In precisions of an outcome: behaviour tells ratios of precisions alone."""
    centre = values["value_centre"]
    return DecayingKalmanParameters(
        initial_mean=centre,
        initial_variance=jnp.exp(-values["initial_log_precision"]),
        step_variance=jnp.exp(-values["prior_log_precision"]),
        outcome_variance=jnp.ones_like(centre),
        decay=jax.nn.sigmoid(values["retention_logit"]),
        centre=centre,
    )


def _arms(one: PerceptualModel, num_arms: int | None) -> PerceptualModel:
    return one if num_arms is None else IndependentArms(one, num_arms)


def pearce_hall(num_arms: int | None = None) -> Filter:
    """A learner whose rate follows the size of past errors, of one value or of one for each option."""
    return Filter(_arms(PearceHall(), num_arms), PEARCE_HALL, _pearce_hall)


def weighted_decay(num_arms: int | None = None) -> Filter:
    """A learner whose rate is the precision of the outcome over that of the belief; values fall back to a centre."""
    return Filter(_arms(DecayingKalman(), num_arms), DECAYING, _decaying)
