r"""Any participant model with confidence or reaction times beside the responses.

Confidence and the log of the reaction time are linear in $x_t$, the log precision of the
belief on which the response of trial $t$ is based (`pcmodel.behaviour.responses.judgement`),
minus the mean of $x$ at the prior's centre. Confidence is in SDs of all ratings of the data
set, so that one prior suits any scale. Missing ones, and those of trials without a scored
response, are masked.

Responses determine the precision of one level relative to another. Confidence determines the
precision of the belief itself, up to each person's own zero of the scale.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.interface import (
    Course,
    Parameter,
    ParticipantModel,
    Values,
    WithTrialQuantities,
)
from pcmodel.behaviour.models.rating import RatingModel
from pcmodel.behaviour.perception.quantities import Quantities, Quantity
from pcmodel.behaviour.responses import (
    JudgementParameters,
    confidence_log_likelihood,
    draw_confidence,
    draw_reaction_time,
    reaction_time_log_likelihood,
)
from pcmodel.errors import UserError

CONFIDENCE = (
    Parameter(
        "confidence_intercept",
        0.0,
        1.0,
        0.7,
        about="confidence at the usual precision, SDs of all ratings",
        unit="SDs of all ratings, from their mean",
    ),
    Parameter(
        "confidence_slope",
        0.5,
        0.5,
        0.3,
        about="confidence per log unit of precision, SDs of all ratings",
        unit="SDs of all ratings / log precision",
    ),
    Parameter(
        "log_confidence_sd",
        -0.5,
        0.7,
        0.4,
        about="log SD of a rating, the same",
        natural="confidence_sd",
        transform="exp",
        unit="SDs of all ratings",
    ),
)
REACTION_TIME = (
    Parameter(
        "time_intercept",
        0.0,
        1.0,
        0.5,
        about="log seconds at the usual precision",
        natural="usual_time",
        transform="exp",
        unit="s, the median",
    ),
    Parameter(
        "time_slope",
        0.0,
        0.3,
        0.2,
        about="log seconds per log unit of precision",
        unit="log seconds / log precision",
    ),
    Parameter(
        "log_time_sd",
        -0.7,
        0.7,
        0.4,
        about="log SD of log seconds",
        natural="time_sd",
        transform="exp",
        unit="log seconds",
    ),
)
INTERCEPTS = ("confidence_intercept",)
CERTAINTY = Quantity(
    "response_log_precision",
    "response",
    "log precision",
    "log precision of the belief on which the response is based",
)
PREDICTED_CONFIDENCE = Quantity(
    "predicted_confidence",
    "response",
    "SDs of all ratings, from their mean",
    "expected confidence",
)
PREDICTED_TIME = Quantity(
    "predicted_reaction_time", "response", "s", "median of the predicted reaction time"
)


class JudgedData(NamedTuple):
    """The trials of one series, with judgements.

    own: the data of the model of the responses.
    usual: the log precision that counts as zero.
    confidence: ratings, in SDs of all ratings from their mean.
    rated: whether a rating is scored.
    seconds: reaction times, in s.
    timed: whether a reaction time is scored.
    """

    own: Any
    usual: Float[Array, "*one"]
    confidence: Float[Array, "*trials"]
    rated: Bool[Array, "*trials"]
    seconds: Float[Array, "*trials"]
    timed: Bool[Array, "*trials"]


@dataclass(frozen=True)
class JudgedModel:
    """A participant model whose belief's precision determines confidence or reaction time.

    Attributes:
        model: of the responses.
        confidence: whether confidence is modelled.
        reaction_time: whether reaction times are modelled.
    """

    model: ParticipantModel
    confidence: bool = True
    reaction_time: bool = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        asked = {"confidence": self.confidence, "reaction_time": self.reaction_time}
        names = [name for name, is_asked in asked.items() if is_asked]
        return (*self.model.parameters, *judgement_parameters(names))

    def prepare(self, series: Series) -> JudgedData:
        own = self.model.prepare(series)
        scored = np.isfinite(np.asarray(self.model.responses(own)))
        if not self._is_after:
            scored = scored & (np.arange(scored.shape[1]) > 0)
        nothing = np.full(scored.shape, np.nan)
        rating = series.values["confidence"] if self.confidence else nothing
        seconds = series.values["reaction_time"] if self.reaction_time else nothing
        rated, timed = scored & np.isfinite(rating), scored & np.isfinite(seconds)
        return JudgedData(
            own,
            jnp.full(len(scored), self._usual(own, scored)),
            jnp.asarray(np.where(rated, _standard(rating), 0.0)),
            jnp.asarray(rated),
            jnp.asarray(np.where(timed, seconds, 1.0)),
            jnp.asarray(timed),
        )

    def _usual(self, own: Any, scored: np.ndarray) -> float:
        """The mean log precision at the prior's centre, a constant of the data set."""
        values = {p.name: jnp.asarray(float(p.mean)) for p in self.model.parameters}
        level = jax.vmap(lambda data: self._certainty(values, data))
        found = np.asarray(jax.jit(level)(own))
        return float(found[scored].mean()) if scored.any() else 0.0

    @property
    def _is_after(self) -> bool:
        return isinstance(self.model, RatingModel) and self.model.after_outcome

    def _certainty(self, values: Values, own: Any) -> Float[Array, " trials"]:
        """Log precision of the belief on which each response is based; 0 on a first trial."""
        level = self.model.course(values, own).log_precision[0]
        if not self._is_after:
            level = jnp.concatenate([jnp.zeros_like(level[:1]), level[:-1]])
        if level.ndim > 1:  # an axis of options: that of the chosen one
            level = jnp.take_along_axis(level, own.inputs.arm[:, None], axis=1)[:, 0]
        return jnp.where(jnp.isfinite(level), level, 0.0)

    def log_likelihood(
        self, values: Values, data: JudgedData
    ) -> Float[Array, " trials"]:
        total = self.model.log_likelihood(values, data.own)
        level = self._certainty(values, data.own) - data.usual
        if self.confidence:
            rating = confidence_log_likelihood(
                _confidence(values), level, data.confidence
            )
            total = total + jnp.where(data.rated, rating, 0.0)
        if self.reaction_time:
            time = reaction_time_log_likelihood(_time(values), level, data.seconds)
            total = total + jnp.where(data.timed, time, 0.0)
        return total

    def simulate(
        self, key: Key[Array, ""], values: Values, data: JudgedData
    ) -> JudgedData:
        own_key, rating_key, time_key = jax.random.split(key, 3)
        own = self.model.simulate(own_key, values, data.own)
        level = self._certainty(values, own) - data.usual
        drawn = data._replace(own=own)
        if self.confidence:
            rating = draw_confidence(rating_key, _confidence(values), level)
            drawn = drawn._replace(confidence=jnp.where(data.rated, rating, 0.0))
        if self.reaction_time:
            seconds = draw_reaction_time(time_key, _time(values), level)
            drawn = drawn._replace(seconds=jnp.where(data.timed, seconds, 1.0))
        return drawn

    def course(self, values: Values, data: JudgedData) -> Course:
        return self.model.course(values, data.own)

    def trial_quantities(self, values: Values, data: JudgedData) -> Quantities:
        told = {}
        if isinstance(self.model, WithTrialQuantities):
            told = self.model.trial_quantities(values, data.own)
        level = self._certainty(values, data.own)
        is_known = (jnp.arange(len(level)) > 0) | self._is_after
        level = jnp.where(is_known, level, jnp.nan)
        told = told | {CERTAINTY: level}
        if self.confidence:
            own = _confidence(values)
            rating = own.intercept + own.slope * (level - data.usual)
            told = told | {PREDICTED_CONFIDENCE: rating}
        if self.reaction_time:
            own = _time(values)
            time = jnp.exp(own.intercept + own.slope * (level - data.usual))
            told = told | {PREDICTED_TIME: time}
        return told

    def responses(self, data: JudgedData) -> Float[Array, "*shape"]:
        return self.model.responses(data.own)


def judged(model: ParticipantModel, names: Sequence[str]) -> ParticipantModel:
    """The model with these judgements; UserError for a model without a precision."""
    if not names:
        return model
    if not has_precision(model):
        raise UserError(
            "the model has no precision that could be judged, as a Rescorla-Wagner learner has none",
            where="judgements",
            expected="a filter (hgf2, ehgf3) or an agent of the helicopter task",
        )
    return JudgedModel(model, "confidence" in names, "reaction_time" in names)


def has_precision(model: ParticipantModel) -> bool:
    """Whether the model's beliefs have a precision: as it says itself, as its filter's have, or as learners have none."""
    said = getattr(model, "has_precision", None)
    if said is not None:
        return bool(said)
    if own_filter := getattr(model, "filter", None):
        means = {p.name: jnp.asarray(float(p.mean)) for p in own_filter.parameters}
        # What a filter takes from the data does not decide it.
        start = defaultdict(lambda: jnp.zeros(()), means)
        first = jax.eval_shape(lambda: own_filter.model.init(own_filter.build(start)))
        return bool(first.precision)
    learner = {"learning_rate_logit", "reward_rate_logit"}
    return not learner & {p.name for p in model.parameters}


def judgement_parameters(names: Sequence[str]) -> tuple[Parameter, ...]:
    """The parameters that these judgements add to any model."""
    own = {"confidence": CONFIDENCE, "reaction_time": REACTION_TIME}
    return tuple(
        p for name, parameters in own.items() if name in names for p in parameters
    )


def _confidence(values: Values) -> JudgementParameters:
    names = ("confidence_intercept", "confidence_slope", "log_confidence_sd")
    return JudgementParameters(*(values[name] for name in names))


def _time(values: Values) -> JudgementParameters:
    names = ("time_intercept", "time_slope", "log_time_sd")
    return JudgementParameters(*(values[name] for name in names))


def _standard(rating: np.ndarray) -> np.ndarray:
    """Ratings in SDs from their mean; unchanged where they do not differ."""
    seen = rating[np.isfinite(rating)]
    if not seen.size or seen.std() == 0.0:
        return rating
    return (rating - seen.mean()) / seen.std()


def shown_outcomes(
    model: ParticipantModel, data: Any, series: Series
) -> Float[np.ndarray, "series trials"]:
    """What was seen, in the unit of the beliefs of `course`: the table's outcomes, unless the model has a unit of its own.

    A model says otherwise by `shown(data)`, NaN where nothing was seen that beliefs could be compared with.
    """
    if isinstance(model, JudgedModel):
        return shown_outcomes(model.model, data.own, series)
    own = getattr(model, "shown", None)
    if own is not None:
        return np.asarray(own(data))
    nothing = np.full(series.present.shape, np.nan)
    return series.values.get("outcome", nothing)
