r"""Confidence and reaction time beside a response: linear in what the belief offers.

Confidence is Gaussian around $a + b\,x$ with $x$ the log-precision of the belief; the
log of a reaction time is Gaussian around $a + b\,x$ with $x$ what is thought to slow it
(the surprise of the last outcome, the uncertainty of the choice). $a$ and $b$ are a
person's own use of the scale, so that only changes of precision within a person count.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from jaxtyping import Array, Float, Key

Number = Float[Array, "*batch"]
Parameter = Float[Array, "*#batch"]  # one for all trials, or one for each


class JudgementParameters(NamedTuple):
    """Unconstrained."""

    intercept: Parameter  # units of the rating, or log seconds
    slope: Parameter  # the same per unit of the predictor
    log_sd: Parameter


def _mean_and_sd(
    parameters: JudgementParameters, predictor: Number
) -> tuple[Number, Parameter]:
    mean = parameters.intercept + parameters.slope * predictor
    return mean, jnp.exp(parameters.log_sd)


def confidence_log_likelihood(
    parameters: JudgementParameters, predictor: Number, rating: Number
) -> Number:
    """Log density of each rating."""
    return norm.logpdf(rating, *_mean_and_sd(parameters, predictor))


def draw_confidence(
    key: Key[Array, ""], parameters: JudgementParameters, predictor: Number
) -> Number:
    """Draw ratings."""
    mean, sd = _mean_and_sd(parameters, predictor)
    return mean + sd * jax.random.normal(key, mean.shape, mean.dtype)


def reaction_time_log_likelihood(
    parameters: JudgementParameters, predictor: Number, seconds: Number
) -> Number:
    """Log density of each time in seconds (lognormal); times must be positive."""
    log_time = jnp.log(seconds)
    return norm.logpdf(log_time, *_mean_and_sd(parameters, predictor)) - log_time


def draw_reaction_time(
    key: Key[Array, ""], parameters: JudgementParameters, predictor: Number
) -> Number:
    """Draw times in seconds."""
    return jnp.exp(draw_confidence(key, parameters, predictor))
