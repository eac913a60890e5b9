r"""Predictions of continuous outcomes: any filter, with Gaussian noise and repeats of the last prediction.

Everything is computed in SDs of all outcomes of the data set, from their mean; log likelihoods are densities in the
table's unit. A series' first prediction that precedes all outcomes is taken for the first belief and not scored: it tells
where the person started, not how they learn. Without one the first belief is the mean of all outcomes.
The noise has a lower bound of a hundredth of the outcomes' SD.
"""

import math
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
from pcmodel.behaviour.perception import Inputs, Trace, make_inputs, perceive
from pcmodel.behaviour.responses import (
    PredictionParameters,
    draw_prediction,
    prediction_log_likelihood,
)

FINEST = 0.01  # lower bound of the noise, in SDs of all outcomes
LOG_FINEST = math.log(FINEST)
ROUNDING = 1e-12  # of the greatest number: a spread below it is rounding
RESPONSE = (
    Parameter(
        "log_prediction_noise",
        -1.2,
        0.7,
        0.5,
        about="log SD of a prediction around the belief, in SDs of all outcomes",
        natural="prediction_noise",
        transform="exp",
        floor=FINEST,
        unit="SDs of all outcomes",
        published="the root of TAPAS `ze` of gaussian_obs, there a variance in units of the response",
    ),
    Parameter(
        "stay_logit",
        -1.0,
        1.5,
        1.0,
        about="logit of repeating the last prediction where no update is due",
        natural="stay",
        transform="logistic",
        unit="probability",
    ),
    Parameter(
        "log_stay_decay",
        1.0,
        1.0,
        about="log fall of that logit per SD of update; stay_logit / the decay is the threshold",
        natural="stay_decay",
        transform="exp",
        unit="log odds / SD of all outcomes",
    ),
)


class PredictionData(NamedTuple):
    """The trials of one series; outcomes and predictions in SDs of all outcomes, from their mean.

    inputs: outcomes.
    prediction: given before the outcome of its trial.
    previous: the last prediction before each trial; 0 where there is none.
    made: whether a prediction was made.
    can_stay: whether there is a last prediction.
    scored: whether a prediction is scored: made, and not taken for the first belief.
    initial: the first belief.
    centre: mean of all outcomes, in the table's unit.
    width: SD of all outcomes, in the table's unit.
    """

    inputs: Inputs
    prediction: Float[Array, "*trials"]
    previous: Float[Array, "*trials"]
    made: Bool[Array, "*trials"]
    can_stay: Bool[Array, "*trials"]
    scored: Bool[Array, "*trials"]
    initial: Float[Array, "*one"]
    centre: Float[Array, "*one"]
    width: Float[Array, "*one"]


@dataclass(frozen=True)
class PredictionModel:
    """A filter of continuous outcomes and its noisy, sticky prediction.

    Attributes:
        filter: the perceptual model; its `build` is given the first belief as `initial_mean`.
    """

    filter: Filter

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (*self.filter.parameters, *RESPONSE)

    def prepare(self, series: Series) -> PredictionData:
        centre, width = standard_units(series)
        outcome = (series.values["outcome"] - centre) / width
        prediction = (series.values["prediction"] - centre) / width
        made = np.isfinite(prediction) & series.present
        prediction = np.where(made, prediction, 0.0)
        starts = _starts(made, np.isfinite(outcome) & series.present)
        initial = np.where(starts, prediction, 0.0).sum(axis=1)
        previous, can_stay = _last(prediction, made)
        num = len(outcome)
        return PredictionData(
            make_inputs(np.where(series.present, outcome, np.nan)),
            *map(jnp.asarray, (prediction, previous, made, can_stay, made & ~starts)),
            *map(jnp.asarray, (initial, np.full(num, centre), np.full(num, width))),
        )

    def _trace(self, values: Values, data: PredictionData) -> Trace:
        parameters = self.filter.build({**values, "initial_mean": data.initial})
        return perceive(self.filter.model, parameters, data.inputs)

    def log_likelihood(
        self, values: Values, data: PredictionData
    ) -> Float[Array, " trials"]:
        trace = self._trace(values, data)
        value = prediction_log_likelihood(
            _response(values),
            mean=trace.prediction.mean[0],
            previous=data.previous,
            can_stay=data.can_stay,
            prediction=data.prediction,
        )
        repeated = data.can_stay & (data.prediction == data.previous)
        value = value - jnp.where(repeated, 0.0, jnp.log(data.width))
        return score(value, trace, data.scored)

    def simulate(
        self, key: Key[Array, ""], values: Values, data: PredictionData
    ) -> PredictionData:
        """The data with simulated predictions; one that is not scored is kept."""
        mean = self._trace(values, data).prediction.mean[0]
        parameters = _response(values)

        def step(last, trial):
            trial_key, mean, made, scored, can_stay, own = trial
            drawn = draw_prediction(
                trial_key, parameters, mean=mean, previous=last, can_stay=can_stay
            )
            prediction = jnp.where(scored, drawn, own)
            return jnp.where(made, prediction, last), (prediction, last)

        keys = jax.random.split(key, data.scored.shape[0])
        trials = (keys, mean, data.made, data.scored, data.can_stay, data.prediction)
        start = jnp.zeros_like(data.prediction[0])
        drawn, previous = jax.lax.scan(step, start, trials)[1]
        return data._replace(prediction=drawn, previous=previous)

    def course(self, values: Values, data: PredictionData) -> Course:
        """The lowest level in the table's unit; those above where outcomes have an SD of 1."""
        found = perceived_course(
            self.filter, {**values, "initial_mean": data.initial}, data.inputs
        )
        mean = (found.mean[0] * data.width + data.centre, *found.mean[1:])
        if not found.log_precision:
            return Course(mean, ())
        lowest = found.log_precision[0] - 2.0 * jnp.log(data.width)
        return Course(mean, (lowest, *found.log_precision[1:]))

    def responses(self, data: PredictionData) -> Float[Array, "*shape"]:
        """The predictions that are scored, in the table's unit."""
        own = data.prediction * data.width[..., None] + data.centre[..., None]
        return jnp.where(data.scored, own, jnp.nan)


def standard_units(series: Series) -> tuple[float, float]:
    """Mean and SD of all outcomes; the SD of predictions where outcomes do not differ, and else 1."""
    columns = [
        values[series.present & np.isfinite(values)]
        for values in (series.values["outcome"], series.values["prediction"])
    ]
    greatest = max((np.abs(own).max() for own in columns if own.size), default=0.0)
    if greatest == 0.0:
        return 0.0, 1.0
    seen = [own / greatest for own in columns if own.size]
    centre = float(seen[0].mean())
    spreads = [math.sqrt(float(((own - centre) ** 2).mean())) for own in seen]
    width = next((spread for spread in spreads if spread > ROUNDING), None)
    return centre * greatest, 1.0 if width is None else width * greatest


def _starts(made: np.ndarray, seen: np.ndarray) -> Bool[np.ndarray, "series trials"]:
    """The first prediction of each series, where no outcome came before it."""
    before = np.cumsum(seen, axis=1) - seen
    return made & (np.cumsum(made, axis=1) == 1) & (before == 0)


def _last(
    prediction: np.ndarray, made: np.ndarray
) -> tuple[Float[np.ndarray, "series trials"], Bool[np.ndarray, "series trials"]]:
    """The last prediction before each trial, and whether there is one."""
    last, known = np.zeros_like(prediction), np.zeros_like(made)
    for t in range(1, prediction.shape[1]):
        last[:, t] = np.where(made[:, t - 1], prediction[:, t - 1], last[:, t - 1])
        known[:, t] = made[:, t - 1] | known[:, t - 1]
    return last, known


def _response(values: Values) -> PredictionParameters:
    noise = 0.5 * jnp.logaddexp(2.0 * values["log_prediction_noise"], 2.0 * LOG_FINEST)
    return PredictionParameters(noise, values["stay_logit"], values["log_stay_decay"])
