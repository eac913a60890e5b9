r"""Conditioned responses as a share of time (freezing while a tone sounds), from what an animal expects.

The share is normal around

$b + (1 - b)\, c\, \Phi((V - \theta) / \lambda)$,

with $b$ the share without any expectation, $c$ that of the rest which a certain outcome adds, and the threshold's
standard deviation $\lambda$; shares beyond 0 and 1 are given as 0 and 1 (Tobin 1958). Without a stimulus $V = 0$. The
noise has a lower bound of two hundredths, about one second of a tone, and $\lambda$ one of a thousandth of the outcome's unit.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Bool, Float, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.dataset.values.timed import STIMULI
from pcmodel.behaviour.models.interface import Course, Parameter, Values
from pcmodel.behaviour.models.learners import Learner
from pcmodel.behaviour.perception.quantities import Quantities, Quantity
from pcmodel.behaviour.responses import (
    RatingParameters,
    Scale,
    censored_log_likelihood,
    draw_censored,
    expected_censored,
)
from pcmodel.errors import UserError
from pcmodel.memory import Trials, make_trials, stack_trials

SHARE = Scale(0.0, 1.0, 0.0)
FINEST = 0.02  # lower bound of the noise, a share
SHARPEST = 1e-3  # lower bound of the threshold's SD, in units of the outcome
LOG_FINEST = math.log(FINEST)
LOG_SHARPEST = math.log(SHARPEST)
RESPONSE = (
    Parameter(
        "response_threshold",
        0.3,
        0.2,
        0.1,
        about="expected outcome at which half of the response is given",
        unit="of the outcome",
        published="theta (Gershman et al. 2017)",
    ),
    Parameter(
        "log_response_scale",
        -2.0,
        0.7,
        0.3,
        about="log SD of the threshold, in units of the outcome",
        natural="response_scale",
        transform="exp",
        floor=SHARPEST,
        unit="of the outcome",
        published="lambda (Gershman et al. 2017)",
    ),
    Parameter(
        "baseline_logit",
        -1.5,
        0.7,
        0.5,
        about="logit of the share of time with the response where nothing is expected",
        natural="baseline",
        transform="logistic",
        unit="share of time, without what the threshold's spread adds",
    ),
    Parameter(
        "ceiling_logit",
        1.0,
        0.7,
        0.5,
        about="logit of the share of the rest that a certain outcome adds",
        natural="ceiling",
        transform="logistic",
        unit="share of the rest of the time",
    ),
    Parameter(
        "log_response_noise",
        -1.7,
        0.5,
        0.2,
        about="log SD of a response, a share",
        natural="response_noise",
        transform="exp",
        floor=FINEST,
        unit="share of time",
    ),
)

TOLD = (
    Quantity(
        "predicted_outcome",
        "outcome",
        "of the outcome",
        "outcome expected before it was seen",
    ),
    Quantity(
        "prediction_error",
        "outcome",
        "of the outcome",
        "outcome minus predicted outcome",
    ),
    Quantity("predicted_response", "response", "share of time", "expected response"),
)


class ConditioningData(NamedTuple):
    """The trials of one series.

    trials: what the animal met; rows without an outcome are not present.
    response: share of time, 0 to 1.
    scored: whether a response was measured.
    """

    trials: Trials
    response: Float[Array, "*trials"]
    scored: Bool[Array, "*trials"]


@dataclass(frozen=True)
class ConditioningModel:
    """A learner and a censored share of time as response.

    Attributes:
        learner: what is expected of stimuli.
        minutes: the time of one iteration of learning.
    """

    learner: Learner
    minutes: float = 3.0

    def __post_init__(self) -> None:
        if not 0.0 < self.minutes < math.inf:
            raise UserError(
                f"is {self.minutes:g}", where="minutes", expected="above 0, and finite"
            )

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (*self.learner.parameters, *RESPONSE)

    def prepare(self, series: Series) -> ConditioningData:
        """The data of each series; UserError for times that the numbers' type cannot tell apart."""
        response = series.values["response"]
        scored = np.isfinite(response) & series.present
        features = features_of(series)
        rows = [
            self._trials(series, features[i], i) for i in range(len(series.present))
        ]
        return ConditioningData(
            stack_trials(rows),
            jnp.asarray(np.where(scored, response, 0.0)),
            jnp.asarray(scored),
        )

    def _trials(self, series: Series, features: np.ndarray, i: int) -> Trials:
        """One series' trials, counted in iterations from the first."""
        outcome = series.values["outcome"][i]
        happened = np.isfinite(outcome) & series.present[i]
        if not happened.any():
            raise UserError(
                "has no trial with a known outcome", where=f"series {i + 1}"
            )
        hours = series.values["time"][i]
        hours = np.where(happened, hours - hours[happened][0], 0.0)
        return make_trials(
            hours * 60.0 / self.minutes,
            np.where(happened, outcome, 0.0),
            np.where(happened[:, None], features, 0.0),
            present=happened,
        )

    def expected(self, values: Values, data: ConditioningData) -> Array:
        """The outcome expected before each trial, in its unit."""
        return self.learner.expect(dict(values), data.trials)

    def mean_response(self, values: Values, data: ConditioningData) -> Array:
        """Centre of the latent share on every trial."""
        scale = _bounded(values["log_response_scale"], LOG_SHARPEST)
        distance = self.expected(values, data) - values["response_threshold"]
        base = jax.nn.sigmoid(values["baseline_logit"])
        reach = jax.nn.sigmoid(values["ceiling_logit"])
        return base + (1.0 - base) * reach * ndtr(distance * jnp.exp(-scale))

    def log_likelihood(
        self, values: Values, data: ConditioningData
    ) -> Float[Array, " trials"]:
        return self.score(values, self.mean_response(values, data), data)

    def score(
        self, values: Values, mean: Array, data: ConditioningData
    ) -> Float[Array, " trials"]:
        """Log likelihood (nats) of each response about these means; animals of one design share them."""
        value = censored_log_likelihood(
            _noise(values), mean, data.response, scale=SHARE
        )
        return jnp.where(data.scored, value, 0.0)

    def simulate(
        self, key: Key[Array, ""], values: Values, data: ConditioningData
    ) -> ConditioningData:
        mean = self.mean_response(values, data)
        drawn = draw_censored(key, _noise(values), mean, scale=SHARE)
        return data._replace(response=jnp.where(data.scored, drawn, 0.0))

    def course(self, values: Values, data: ConditioningData) -> Course:
        """The outcome expected *before* each trial, as no one stimulus comes after all of them."""
        return Course((self.expected(values, data),), ())

    def trial_quantities(self, values: Values, data: ConditioningData) -> Quantities:
        expected = self.expected(values, data)
        error = data.trials.outcome - expected
        latent = self.mean_response(values, data)
        share = expected_censored(_noise(values), latent, scale=SHARE)
        pairs = zip(TOLD, (expected, error, share), strict=True)
        met = data.trials.present
        return {name: jnp.where(met, value, jnp.nan) for name, value in pairs}

    def responses(self, data: ConditioningData) -> Float[Array, "*shape"]:
        return jnp.where(data.scored, data.response, jnp.nan)


def features_of(series: Series) -> Float[np.ndarray, "series trials features"]:
    """The stimuli that are columns of the table, and one indicator for each context if there are several."""
    shape = series.present.shape
    found = [series.values.get(STIMULI[0], np.ones(shape))]
    others = (series.values.get(name) for name in STIMULI[1:])
    found += [v for v in others if v is not None and np.isfinite(v).any()]
    context = series.values.get("context", np.full(shape, np.nan))
    places = np.unique(context[np.isfinite(context)])
    found += [(context == place).astype(float) for place in places if len(places) > 1]
    return np.nan_to_num(np.stack(found, axis=-1))


def _noise(values: Values) -> RatingParameters:
    return RatingParameters(_bounded(values["log_response_noise"], LOG_FINEST))


def _bounded(log_value: Array, log_least: float) -> Array:
    """Log of a number with a smooth lower bound: squares add."""
    return 0.5 * jnp.logaddexp(2.0 * log_value, 2.0 * log_least)
