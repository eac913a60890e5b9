r"""Conditioned hallucinations: a cue after which a faint stimulus is often there, and at times is not.

The belief that the stimulus follows its cue is a filter's, and its outcomes are the person's own percepts: a hallucinated
tone counts as one heard (Powers, Mathys & Corlett 2017, Science 357:596; TAPAS `condhalluc_obs2` takes the responses as
inputs in the same way). Within a trial the prediction is weighed against the senses by
`pcmodel.behaviour.responses.detection`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.binary import score
from pcmodel.behaviour.models.filters import Filter, perceived_course
from pcmodel.behaviour.models.interface import Course, Parameter, Values
from pcmodel.behaviour.perception import Inputs, make_inputs, perceive
from pcmodel.behaviour.responses import (
    DetectionParameters,
    detection_log_likelihood,
    draw_detection,
)

RESPONSE = (
    Parameter(
        "log_prior_weight",
        0.0,
        1.0,
        0.7,
        about="log precision of the prior over that of the senses; 0: both weigh the same",
        names=("log_nu",),
        natural="nu",
        transform="exp",
        published="nu, the prior weighting (Powers et al. 2017); TAPAS `nu` of condhalluc_obs2",
    ),
    Parameter(
        "log_decision_precision",
        2.0,
        1.0,
        0.5,
        about="log inverse temperature of the decision between yes and no",
        names=("log_beta",),
        natural="inverse_temperature",
        transform="exp",
        unit="1 / probability",
        published="beta, decision noise (Powers et al. 2017); TAPAS `be` of condhalluc_obs2, of prior median 48",
    ),
)


class DetectionData(NamedTuple):
    """The trials of one series.

    inputs: percepts, which are the responses.
    sensed: probability with which a stimulus of this intensity is detected; 0 without one.
    scored: whether a response was given.
    """

    inputs: Inputs
    sensed: Float[Array, "*trials"]
    scored: Bool[Array, "*trials"]


@dataclass(frozen=True)
class DetectionModel:
    """A binary filter of the person's own percepts, and prior against senses in each.

    Attributes:
        filter: the perceptual model.
    """

    filter: Filter

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (*self.filter.parameters, *RESPONSE)

    def prepare(self, series: Series) -> DetectionData:
        response, sensed = series.values["response"], series.values["detection_rate"]
        scored = np.isfinite(response) & np.isfinite(sensed) & series.present
        heard = np.where(series.present, response, np.nan)
        return DetectionData(
            make_inputs(heard),
            jnp.asarray(np.where(scored, sensed, 0.0)),
            jnp.asarray(scored),
        )

    def log_likelihood(
        self, values: Values, data: DetectionData
    ) -> Float[Array, " trials"]:
        trace = perceive(self.filter.model, self.filter.build(values), data.inputs)
        value = detection_log_likelihood(
            _response(values),
            trace.prediction.outcome,
            data.sensed,
            data.inputs.outcome,
        )
        return score(value, trace, data.scored)

    def simulate(
        self, key: Key[Array, ""], values: Values, data: DetectionData
    ) -> DetectionData:
        """The data with simulated percepts, each of which is learned from before the next."""
        parameters, model = self.filter.build(values), self.filter.model
        response = _response(values)

        def step(beliefs, trial):
            trial_key, own, sensed, scored = trial
            prediction = model.predict(parameters, beliefs)
            drawn = draw_detection(trial_key, response, prediction.outcome, sensed)
            heard = jnp.where(scored, drawn.astype(own.outcome.dtype), own.outcome)
            own = own._replace(outcome=heard)
            return model.update(parameters, beliefs, prediction, own), own

        keys = jax.random.split(key, data.scored.shape[0])
        trials = (keys, data.inputs, data.sensed, data.scored)
        inputs = jax.lax.scan(step, model.init(parameters), trials)[1]
        return data._replace(inputs=inputs)

    def course(self, values: Values, data: DetectionData) -> Course:
        return perceived_course(self.filter, values, data.inputs)

    def responses(self, data: DetectionData) -> Float[Array, "*shape"]:
        return jnp.where(data.scored, data.inputs.outcome, jnp.nan)


def _response(values: Values) -> DetectionParameters:
    return DetectionParameters(
        values["log_prior_weight"], values["log_decision_precision"]
    )
