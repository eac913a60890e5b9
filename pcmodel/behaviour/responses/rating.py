r"""Ratings on a bounded scale, which are frequent at its ends.

A latent rating is logistic around the belief. Reported is its nearest step, the end steps for
all values beyond (`stepped`); or, on a scale without steps, the latent value itself, the ends
for all values beyond (`censored`, Gaussian noise); or the category between two cutpoints
(`ordered`, the ordered-logit model; McCullagh 1980). `stepped` is an ordered-logit model with
evenly spaced cutpoints: it has two parameters, the free one as many as the scale has steps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from jaxtyping import Array, Float, Int, Key

from pcmodel.errors import UserError

WHOLE = 1e-9  # relative rounding error of a number of decimal steps (0.1)

Number = Float[Array, "*batch"]
Parameter = Float[Array, "*#batch"]  # one for all trials, or one for each


@dataclass(frozen=True)
class Scale:
    """A bounded scale.

    Attributes:
        low: its lower end.
        high: its upper end.
        step: the difference of neighbouring ratings; 0 where any value may be given.

    Raises UserError for ends that are not finite or not in order, and for a step that does not
    divide the range.
    """

    low: float
    high: float
    step: float = 1.0

    def __post_init__(self) -> None:
        text = f"goes from {self.low:g} to {self.high:g} in steps of {self.step:g}"
        ends = math.isfinite(self.low) and math.isfinite(self.high)
        if not ends or not self.low < self.high or not 0.0 <= self.step < math.inf:
            raise UserError(
                text, where="scale", expected="low < high and a step of 0 or more"
            )
        if self.step:
            steps = (self.high - self.low) / self.step
            if abs(steps - round(steps)) > WHOLE * round(steps):
                raise UserError(
                    f"{text}, of which {steps:.3g} fit",
                    where="scale",
                    expected="a step that divides the range, so that both ends can be given",
                )

    def place(self, probability: Array) -> Array:
        """A share of the range, 0 to 1, as a value on the scale."""
        return self.low + (self.high - self.low) * probability


def read_scale(numbers: Sequence[float]) -> Scale | None:
    """The scale of its ends and perhaps its step; None for no numbers; UserError for another count and as of `Scale`."""
    if not numbers:
        return None
    if len(numbers) not in (2, 3):
        raise UserError(
            f"is {', '.join(f'{number:g}' for number in numbers)}",
            where="scale",
            expected="two numbers or three, LOW,HIGH[,STEP]",
        )
    return Scale(*numbers)


class RatingParameters(NamedTuple):
    """Parameters of a rating on the real line.

    log_noise: log of the scale of the latent noise, in units of the rating.
    """

    log_noise: Parameter


def interval_log_probability(low: Array, high: Array) -> Array:
    r"""$\log(\sigma(high) - \sigma(low))$ without cancellation, for $low < high$."""
    return (
        jax.nn.log_sigmoid(high)
        + jax.nn.log_sigmoid(-low)
        + jnp.log(-jnp.expm1(low - high))
    )


def _check_stepped(scale: Scale) -> None:
    """UserError for a scale without steps."""
    if not scale.step:
        raise UserError(
            "has no steps, so that its ratings have densities, not probabilities",
            where="scale",
            expected="a step above 0, or `censored_log_likelihood`",
        )


def stepped_log_likelihood(
    parameters: RatingParameters, mean: Number, rating: Number, *, scale: Scale
) -> Number:
    """Log probability of each rating, given the mean of the latent rating."""
    _check_stepped(scale)
    noise = jnp.exp(parameters.log_noise)
    low = (rating - 0.5 * scale.step - mean) / noise
    high = (rating + 0.5 * scale.step - mean) / noise
    inside = interval_log_probability(low, high)
    at_high = rating >= scale.high - 0.5 * scale.step
    value = jnp.where(at_high, jax.nn.log_sigmoid(-low), inside)
    at_low = rating <= scale.low + 0.5 * scale.step
    return jnp.where(at_low, jax.nn.log_sigmoid(high), value)


def expected_stepped(
    parameters: RatingParameters, mean: Number, *, scale: Scale
) -> Number:
    """Mean of each rating, given the mean of the latent rating: the low end and a step for each edge below."""
    _check_stepped(scale)
    noise = jnp.exp(parameters.log_noise)
    count = round((scale.high - scale.low) / scale.step)

    def add(total: Array, edge: Array) -> tuple[Array, None]:
        return total + jax.nn.sigmoid((mean - edge) / noise), None

    edges = scale.low + scale.step * (jnp.arange(count, dtype=mean.dtype) + 0.5)
    above = jax.lax.scan(add, jnp.zeros_like(mean + noise), edges)[0]
    return scale.low + scale.step * above


def draw_stepped(
    key: Key[Array, ""], parameters: RatingParameters, mean: Number, *, scale: Scale
) -> Number:
    """Draw a rating for each mean of the latent rating."""
    _check_stepped(scale)
    noise = jnp.exp(parameters.log_noise)
    latent = mean + noise * jax.random.logistic(key, mean.shape, mean.dtype)
    steps = jnp.round((latent - scale.low) / scale.step)
    return jnp.clip(scale.low + scale.step * steps, scale.low, scale.high)


def censored_log_likelihood(
    parameters: RatingParameters, mean: Number, rating: Number, *, scale: Scale
) -> Number:
    """Log density inside the scale, log probability at its ends (Tobin 1958)."""
    noise = jnp.exp(parameters.log_noise)
    inside = norm.logpdf(rating, mean, noise)
    at_high = norm.logcdf((mean - scale.high) / noise)
    at_low = norm.logcdf((scale.low - mean) / noise)
    value = jnp.where(rating >= scale.high, at_high, inside)
    return jnp.where(rating <= scale.low, at_low, value)


def draw_censored(
    key: Key[Array, ""], parameters: RatingParameters, mean: Number, *, scale: Scale
) -> Number:
    """Draw a rating for each mean of the latent rating."""
    noise = jnp.exp(parameters.log_noise)
    latent = mean + noise * jax.random.normal(key, mean.shape, mean.dtype)
    return jnp.clip(latent, scale.low, scale.high)


def expected_censored(
    parameters: RatingParameters, mean: Number, *, scale: Scale
) -> Number:
    """Mean of each rating on a scale without steps, given the mean of the latent rating."""
    noise = jnp.exp(parameters.log_noise)
    low, high = (scale.low - mean) / noise, (scale.high - mean) / noise
    inside = norm.cdf(high) - norm.cdf(low)
    return (
        mean * inside
        + noise * (norm.pdf(low) - norm.pdf(high))
        + scale.low * norm.cdf(low)
        + scale.high * norm.cdf(-high)
    )


def ordered_log_probabilities(
    mean: Number, first: Number, log_gaps: Float[Array, "*batch gaps"]
) -> Float[Array, "*batch categories"]:
    """Log probability of each category; there are two more categories than gaps.

    The cutpoints are `first` and, above it, the cumulative sum of the gaps; the latent noise
    is standard logistic.
    """
    cuts = jnp.concatenate(
        [first[..., None], first[..., None] + jnp.cumsum(jnp.exp(log_gaps), axis=-1)],
        axis=-1,
    )
    edges = cuts - mean[..., None]
    inside = interval_log_probability(edges[..., :-1], edges[..., 1:])
    return jnp.concatenate(
        [
            jax.nn.log_sigmoid(edges[..., :1]),
            inside,
            jax.nn.log_sigmoid(-edges[..., -1:]),
        ],
        axis=-1,
    )


def draw_ordered(
    key: Key[Array, ""],
    mean: Number,
    first: Number,
    log_gaps: Float[Array, "*batch gaps"],
) -> Int[Array, "*batch"]:
    """Draw categories, counted from 0."""
    values = ordered_log_probabilities(mean, first, log_gaps)
    return jax.random.categorical(key, values)
