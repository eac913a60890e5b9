"""Binary predictions of binary outcomes: any filter with the unit-square response."""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.filters import (
    Filter,
    perceived_course,
    perceived_trials,
    response_quantities,
)
from pcmodel.behaviour.models.interface import Course, Parameter, Values
from pcmodel.behaviour.perception import Inputs, Trace, make_inputs, perceive
from pcmodel.behaviour.perception.quantities import Quantities, Quantity
from pcmodel.behaviour.responses import draw_binary, unit_square_log_likelihood

RESPONSE = (
    Parameter(
        "log_zeta",
        1.0,
        1.0,
        0.7,
        about="log inverse noise of the predictions: 1 on the natural scale matches probabilities",
        natural="zeta",
        transform="exp",
        published="zeta (Mathys et al. 2014, eq. 22); TAPAS `ze` of unitsq_sgm",
    ),
)
PREDICTED = Quantity(
    "predicted_response",
    "response",
    "probability",
    "probability of the response 1",
)
INVALID = -1e6  # log likelihood of a response after the filter's approximation failed


class BinaryData(NamedTuple):
    """The trials of one series.

    inputs: outcomes.
    response: 0 or 1, given before the outcome of its trial.
    scored: whether a response was given.
    """

    inputs: Inputs
    response: Float[Array, "*trials"]
    scored: Bool[Array, "*trials"]


@dataclass(frozen=True)
class BinaryModel:
    """A filter and the unit-square sigmoid as response model.

    Attributes:
        filter: the perceptual model.
    """

    filter: Filter

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (*self.filter.parameters, *RESPONSE)

    def prepare(self, series: Series) -> BinaryData:
        response = series.values["response"]
        scored = np.isfinite(response)
        return BinaryData(
            make_inputs(series.values["outcome"]),
            jnp.asarray(np.where(scored, response, 0.0)),
            jnp.asarray(scored),
        )

    def log_likelihood(
        self, values: Values, data: BinaryData
    ) -> Float[Array, " trials"]:
        trace = perceive(self.filter.model, self.filter.build(values), data.inputs)
        value = unit_square_log_likelihood(
            values["log_zeta"], trace.prediction.outcome, data.response
        )
        return score(value, trace, data.scored)

    def simulate(
        self, key: Key[Array, ""], values: Values, data: BinaryData
    ) -> BinaryData:
        trace = perceive(self.filter.model, self.filter.build(values), data.inputs)
        drawn = draw_binary(key, values["log_zeta"], trace.prediction.outcome)
        return data._replace(response=drawn.astype(data.response.dtype))

    def course(self, values: Values, data: BinaryData) -> Course:
        return perceived_course(self.filter, values, data.inputs)

    def trial_quantities(self, values: Values, data: BinaryData) -> Quantities:
        trace, told = perceived_trials(self.filter, values, data.inputs)
        chance = trace.prediction.outcome

        def log_probability(response: Array) -> Array:
            return unit_square_log_likelihood(values["log_zeta"], chance, response)

        predicted = {PREDICTED: jnp.exp(log_probability(jnp.ones_like(chance)))}
        given = log_probability(data.response)
        return told | response_quantities(predicted, given, data.scored)

    def responses(self, data: BinaryData) -> Float[Array, "*shape"]:
        return jnp.where(data.scored, data.response, jnp.nan)


def score(
    value: Float[Array, " trials"], trace: Trace, scored: Bool[Array, " trials"]
) -> Float[Array, " trials"]:
    """Log likelihoods; 0 where no response is scored, `INVALID` where the filter failed."""
    valid = trace.belief.valid
    valid = valid.all(axis=-1) if valid.ndim > 1 else valid  # an axis of options
    value = jnp.where(valid, value, INVALID)
    return jnp.where(scored, value, 0.0)
