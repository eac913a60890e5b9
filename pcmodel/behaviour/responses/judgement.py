r"""Confidence and reaction time beside a response: linear in a predictor from the belief.

Confidence is Gaussian around $a + b\,x$ with $x$ the log precision of the belief; the log of
a reaction time is Gaussian around $a + b\,x$ with $x$ a predictor of slowing (the surprise of
the last outcome, the uncertainty of the choice). $a$ and $b$ describe a person's use of the
scale, so that only changes of precision within a person matter.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from jaxtyping import Array, Float, Key

Number = Float[Array, "*batch"]
Parameter = Float[Array, "*#batch"]  # one for all trials, or one for each


class JudgementParameters(NamedTuple):
    """Parameters of a judgement on the real line.

    intercept: $a$, in units of the rating, or log seconds.
    slope: $b$, in the same unit per unit of the predictor.
    log_sd: log of the SD, in the same unit.
    """

    intercept: Parameter
    slope: Parameter
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
    """Draw a rating for each value of the predictor."""
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
    """Draw a time in seconds for each value of the predictor."""
    return jnp.exp(draw_confidence(key, parameters, predictor))
