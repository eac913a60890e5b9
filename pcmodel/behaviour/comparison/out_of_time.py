r"""Later trials predicted from earlier ones.

The parameters are fitted to the first trials of every series, and the beliefs are filtered through all of them: each later
response has the density $\frac1S \sum_s p(y_t \mid y_{<t}, \theta_s)$ over draws $\theta_s$ of the posterior of the early trials.
It is computed, not approximated by reweighting a fit of all trials.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key
from scipy.special import logsumexp

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.hierarchical_model import Hierarchy, with_held
from pcmodel.behaviour.models.interface import (
    Course,
    Parameter,
    ParticipantModel,
    Values,
)
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.left_out import average_density
from pcmodel.behaviour.posterior.predictive import series_values, thin
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.ranges import Count, Range


class EarlyData(NamedTuple):
    """Trials of one series, of which the first are scored.

    own: as the model takes them.
    early: whether the trial is scored.
    """

    own: Any
    early: Bool[Array, "*trials"]


@dataclass(frozen=True)
class EarlyModel:
    """A participant model of which only the early responses are scored; beliefs go on over all trials.

    Attributes:
        model: of all trials.
    """

    model: ParticipantModel

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.model.parameters

    def prepare(self, series: Series) -> EarlyData:
        """All trials as early; `early_trials` says which are."""
        return EarlyData(self.model.prepare(series), jnp.asarray(series.present))

    def log_likelihood(
        self, values: Values, data: EarlyData
    ) -> Float[Array, " trials"]:
        return jnp.where(data.early, self.model.log_likelihood(values, data.own), 0.0)

    def simulate(
        self, key: Key[Array, ""], values: Values, data: EarlyData
    ) -> EarlyData:
        return data._replace(own=self.model.simulate(key, values, data.own))

    def course(self, values: Values, data: EarlyData) -> Course:
        return self.model.course(values, data.own)

    def responses(self, data: EarlyData) -> Float[Array, "*shape"]:
        return jnp.where(data.early, self.model.responses(data.own), jnp.nan)


class LaterTrials(NamedTuple):
    """How well later trials are predicted from earlier ones.

    pointwise: log density of each later response given all before it, parameters from the early trials (nats); NaN elsewhere.
    log_density: of all later responses of a series together, as if the parameters were learned further, nats.
    effective_draws: that log_density rests on; where they are few it is uncertain and most often too low.
    num_later: later responses, over all series.
    """

    pointwise: Float[np.ndarray, "series trials"]
    log_density: Float[np.ndarray, " series"]
    effective_draws: Float[np.ndarray, " series"]
    num_later: int

    @property
    def total(self) -> float:
        """Log density summed over later responses (nats)."""
        return float(np.nansum(self.pointwise))


@checked_arguments
def early_trials(
    hierarchy: Hierarchy, *, share: Annotated[float, Range(0.0, 1.0)] = 0.5
) -> Hierarchy:
    """The hierarchy of which only the first `share` of each series' responses is fitted.

    UserError where no response is left to be fitted, or none to be predicted.
    """
    responses = np.asarray(hierarchy.model.responses(hierarchy.data))
    scored = np.isfinite(responses)
    wanted = np.ceil(share * scored.sum(axis=1) - 1e-9)
    early = np.cumsum(scored, axis=1) <= wanted[:, None]
    # Trials without a response before the first later one are early or late alike.
    if not (scored & early).any() or not (scored & ~early).any():
        raise UserError(
            f"of {share:g} leaves no response to be "
            + ("fitted" if not (scored & early).any() else "predicted"),
            where="share",
            expected="more responses, or a share between 0 and 1",
        )
    return hierarchy._replace(
        model=EarlyModel(hierarchy.model),
        data=EarlyData(hierarchy.data, jnp.asarray(early)),
    )


@checked_arguments
def predict_later(posterior: Posterior, *, num_draws: Count = 400) -> LaterTrials:
    """The later trials of a fit of `early_trials`; UserError for another fit."""
    hierarchy = posterior.hierarchy
    if not isinstance(hierarchy.model, EarlyModel):
        raise UserError(
            "was fitted to all trials",
            where="posterior",
            expected="a fit of what early_trials() gives",
        )
    model, data = hierarchy.model.model, hierarchy.data
    values = series_values(hierarchy, thin(posterior, num_draws))

    def one(own: dict[str, Array]) -> Array:
        return jax.vmap(model.log_likelihood)(with_held(hierarchy, own), data.own)

    terms = np.asarray(jax.jit(partial(jax.lax.map, one))(values), dtype=np.float64)
    scored = np.isfinite(np.asarray(model.responses(data.own)))
    later = scored & ~np.asarray(data.early)
    each = logsumexp(terms, axis=0) - np.log(len(terms))
    together = average_density(np.where(later, terms, 0.0).sum(axis=2))
    return LaterTrials(
        np.where(later, each, np.nan),
        together.log_density,
        together.effective_draws,
        int(later.sum()),
    )
