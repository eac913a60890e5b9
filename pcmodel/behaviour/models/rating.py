r"""Bounded ratings of a belief about binary outcomes.

The latent rating is linear in the believed log odds, in units of the scale's width: centre
$+$ width $(a + b \hat\mu_2)$; values beyond the ends are rated at the ends. The sign of $b$
is free: trust rises with fair outcomes, suspicion falls. The noise has a lower bound of two
hundredths of the width, about the accuracy with which a slider is placed: without it one
person whose ratings hardly differ would determine all shared parameters.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.binary import score
from pcmodel.behaviour.models.filters import (
    Filter,
    perceived_course,
    perceived_trials,
    response_quantities,
)
from pcmodel.behaviour.models.interface import Course, Parameter, Values
from pcmodel.behaviour.perception import Inputs, make_inputs, perceive
from pcmodel.behaviour.perception.interface import Trace
from pcmodel.behaviour.perception.quantities import Quantities, Quantity
from pcmodel.behaviour.responses import (
    RatingParameters,
    Scale,
    draw_stepped,
    expected_stepped,
    stepped_log_likelihood,
)

FINEST = 0.02  # lower bound of the noise, in widths
LOG_FINEST = math.log(FINEST)
RESPONSE = (
    Parameter(
        "rating_bias",
        0.0,
        0.5,
        0.5,
        about="latent rating at even odds, from the middle, in widths",
        unit="widths of the scale",
    ),
    Parameter(
        "rating_gain",
        0.0,
        0.4,
        0.2,
        about="widths per unit of log odds; negative: ratings fall as 1 is expected",
        unit="widths of the scale / log odds",
    ),
    Parameter(
        "log_rating_noise",
        -2.0,
        0.7,
        0.5,
        about="log noise of a rating, in widths",
        natural="rating_noise",
        transform="exp",
        floor=FINEST,
        unit="widths of the scale",
    ),
)

PREDICTED = Quantity(
    "predicted_response", "response", "of the rating", "expected rating"
)


class RatingData(NamedTuple):
    """The trials of one series.

    inputs: outcomes.
    rating: on the scale.
    scored: whether a rating was given.
    """

    inputs: Inputs
    rating: Float[Array, "*trials"]
    scored: Bool[Array, "*trials"]


@dataclass(frozen=True)
class RatingModel:
    """A filter and a stepped, censored rating as response model.

    Attributes:
        filter: the perceptual model.
        scale: of the ratings.
        after_outcome: whether a trial's rating follows its outcome or precedes it.
    """

    filter: Filter
    scale: Scale
    after_outcome: bool = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (*self.filter.parameters, *RESPONSE)

    def prepare(self, series: Series) -> RatingData:
        rating = series.values["rating"]
        scored = np.isfinite(rating)
        return RatingData(
            make_inputs(series.values["outcome"]),
            jnp.asarray(np.where(scored, rating, self.scale.low)),
            jnp.asarray(scored),
        )

    def _latent(self, values: Values, data: RatingData) -> tuple[Array, Array, Trace]:
        """Centre and log noise of the latent rating on every trial, and the filter's trace."""
        trace = perceive(self.filter.model, self.filter.build(values), data.inputs)
        believed = trace.belief if self.after_outcome else trace.prediction
        leaning = values["rating_gain"] * self._log_odds(believed.mean[0])
        place = 0.5 + values["rating_bias"] + leaning
        width = self.scale.high - self.scale.low
        log_noise = (
            jnp.logaddexp(2.0 * values["log_rating_noise"], 2.0 * LOG_FINEST) / 2.0
        )
        return self.scale.place(place), log_noise + jnp.log(width), trace

    def _log_odds(self, mean: Array) -> Array:
        """The believed log odds; finite for filters whose belief is a probability."""
        if "omega2" in {p.name for p in self.filter.parameters}:
            return mean
        p = jnp.clip(mean, 1e-3, 1.0 - 1e-3)
        return jnp.log(p) - jnp.log1p(-p)

    def log_likelihood(
        self, values: Values, data: RatingData
    ) -> Float[Array, " trials"]:
        mean, log_noise, trace = self._latent(values, data)
        value = stepped_log_likelihood(
            RatingParameters(log_noise), mean, data.rating, scale=self.scale
        )
        return score(value, trace, data.scored)

    def simulate(
        self, key: Key[Array, ""], values: Values, data: RatingData
    ) -> RatingData:
        mean, log_noise, _ = self._latent(values, data)
        drawn = draw_stepped(key, RatingParameters(log_noise), mean, scale=self.scale)
        return data._replace(rating=drawn)

    def course(self, values: Values, data: RatingData) -> Course:
        return perceived_course(self.filter, values, data.inputs)

    def trial_quantities(self, values: Values, data: RatingData) -> Quantities:
        _, told = perceived_trials(self.filter, values, data.inputs)
        mean, log_noise, _ = self._latent(values, data)
        noise = RatingParameters(log_noise)
        given = stepped_log_likelihood(noise, mean, data.rating, scale=self.scale)
        predicted = {PREDICTED: expected_stepped(noise, mean, scale=self.scale)}
        return told | response_quantities(predicted, given, data.scored)

    def responses(self, data: RatingData) -> Float[Array, "*shape"]:
        return jnp.where(data.scored, data.rating, jnp.nan)
