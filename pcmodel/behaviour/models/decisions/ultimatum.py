r"""The ultimatum game: offers are accepted by their utility, in shares of the sum that is divided.

For an offer $x$ (share of the sum), with envy $\alpha$ and guilt $\beta$ and, of an offer that is rejected, a utility of 0:

- Fehr-Schmidt (1999, Q J Econ 114:817): $u = x - \alpha \max(1 - 2x, 0) - \beta \max(2x - 1, 0)$: inequity of what the two
  people have;
- a norm $m$ in place of the equal split: $u = x - \alpha \max(m - x, 0) - \beta \max(x - m, 0)$. The ideal observer (Xiang
  et al. 2013, J Neurosci 33:1099) takes for it the mean of all offers, the present one included, with a prior worth $k_0$
  offers: its learning rate is $1 / (k_t + 1)$, where $k_t$ is the precision of the belief in units of an offer's. The delta rule
  (Gu et al. 2015, J Neurosci 35:467) has a constant rate, takes the norm before the offer, and has no guilt.

As hBayesDM's `ug_bayes` and `ug_delta`, whose offers are of 20: its inverse temperatures are a twentieth of these.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.decisions.outcomes import refuse_where
from pcmodel.behaviour.models.decisions.parameters import (
    LAPSE,
    inverse_temperature,
    learning_rate,
)
from pcmodel.behaviour.models.interface import Course, Parameter, Values
from pcmodel.behaviour.responses.two_options import (
    draw_of_two,
    two_options_log_likelihood,
)

Norm = Literal["equal", "bayes", "delta"]
ENVY = Parameter(
    "log_envy",
    0.0,
    0.8,
    0.6,
    about="log loss of utility for each unit that one has less, or an offer falls short of the norm",
    natural="envy",
    transform="exp",
    published="alpha (Fehr & Schmidt 1999); hBayesDM `alpha`",
)
GUILT = Parameter(
    "log_guilt",
    -1.0,
    0.8,
    0.6,
    about="log loss of utility for each unit that one has more, or an offer exceeds the norm",
    natural="guilt",
    transform="exp",
    published="beta (Fehr & Schmidt 1999); hBayesDM `beta` (ug_bayes)",
)
BETA = inverse_temperature(
    "beta",
    2.5,
    "of acceptance",
    "1 / sum divided",
    "20 times hBayesDM `tau`, whose offers are of 20",
)
FIRST_NORM = Parameter(
    "norm_logit",
    0.0,
    0.5,
    free=False,
    about="logit of the norm before the first offer, a share of the sum",
    natural="first_norm",
    transform="logistic",
    unit="share of the sum",
    published="mu_0 (Xiang et al. 2013), 10 of 20 in hBayesDM",
)
WORTH = Parameter(
    "log_prior_offers",
    1.3862943611198906,
    0.7,
    free=False,
    about="log precision of the first norm, in units of an offer's: how many offers it is worth",
    natural="prior_offers",
    transform="exp",
    unit="offers",
    published="k_0 (Xiang et al. 2013), 4 in hBayesDM",
)
RATE = learning_rate("norm_rate", "of the norm", "epsilon; hBayesDM `ep` (ug_delta)")


class UltimatumData(NamedTuple):
    """The trials of one series.

    offer: share of the sum; 0 where none is known.
    seen: whether an offer is known.
    response: 1 where it was accepted.
    scored: whether it was answered.
    """

    offer: Float[Array, "*trials"]
    seen: Bool[Array, "*trials"]
    response: Float[Array, "*trials"]
    scored: Bool[Array, "*trials"]


@dataclass(frozen=True)
class UltimatumModel:
    """The utility of offers and a logistic choice.

    Attributes:
        norm: "equal", the equal split (Fehr & Schmidt); "bayes" or "delta", learned from the offers.
    """

    norm: Norm = "equal"

    @property
    def has_precision(self) -> bool:
        """Whether the model has a belief's precision."""
        return self.norm == "bayes"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        if self.norm == "bayes":
            return (ENVY, GUILT, BETA, FIRST_NORM, WORTH, LAPSE)
        if self.norm == "delta":
            return (ENVY, RATE, BETA, FIRST_NORM, LAPSE)
        return (ENVY, GUILT, BETA, LAPSE)

    def prepare(self, series: Series) -> UltimatumData:
        """The data of each series; UserError for an offer above its sum."""
        offer, total = series.values["offer"], series.values["total"]
        refuse_where(
            offer > total,
            "is more than the sum that is divided",
            where="offer",
            expected="at most the sum, which a column total gives (20 without one)",
        )
        seen = np.isfinite(offer) & np.isfinite(total)
        scored = np.isfinite(series.values["accept"]) & seen
        share = np.where(seen, offer, 0.0) / np.where(seen, total, 1.0)
        return UltimatumData(
            jnp.asarray(share),
            jnp.asarray(seen),
            jnp.asarray(np.where(scored, series.values["accept"], 0.0)),
            jnp.asarray(scored),
        )

    def norms(self, values: Values, data: UltimatumData) -> tuple[Array, Array, Array]:
        """The norm that each offer is compared with, that after it, and its log precision in offers."""
        start = jax.nn.sigmoid(values["norm_logit"])
        prior = jnp.exp(values.get("log_prior_offers", jnp.zeros_like(start)))
        rate = jax.nn.sigmoid(values.get("norm_rate_logit", jnp.zeros_like(start)))

        def step(carry: tuple[Array, Array], trial: UltimatumData):
            before, worth = carry
            share = 1.0 / (worth + 1.0) if self.norm == "bayes" else rate
            moved = before + share * (trial.offer - before)
            after = jnp.where(trial.seen, moved, before)
            worth = worth + trial.seen
            used = after if self.norm == "bayes" else before
            return (after, worth), (used, after, jnp.log(worth))

        return jax.lax.scan(step, (start, prior), data)[1]

    def utility(self, values: Values, data: UltimatumData) -> Array:
        """Of accepting each offer, in units of the sum."""
        offer = data.offer
        if self.norm == "equal":
            short = 1.0 - 2.0 * offer
        else:
            short = self.norms(values, data)[0] - offer
        value = offer - jnp.exp(values["log_envy"]) * jnp.maximum(short, 0.0)
        if "log_guilt" in values:
            value = value - jnp.exp(values["log_guilt"]) * jnp.maximum(-short, 0.0)
        return value

    def _log_odds(self, values: Values, data: UltimatumData) -> Array:
        return jnp.exp(values["log_beta"]) * self.utility(values, data)

    def log_likelihood(
        self, values: Values, data: UltimatumData
    ) -> Float[Array, " trials"]:
        own = two_options_log_likelihood(
            self._log_odds(values, data), values["lapse_logit"], data.response
        )
        return jnp.where(data.scored, own, 0.0)

    def simulate(
        self, key: Key[Array, ""], values: Values, data: UltimatumData
    ) -> UltimatumData:
        drawn = draw_of_two(key, self._log_odds(values, data), values["lapse_logit"])
        return data._replace(response=drawn.astype(data.response.dtype))

    def course(self, values: Values, data: UltimatumData) -> Course:
        """The norm after each offer, a share of the sum; of the equal split the utility of each offer."""
        if self.norm == "equal":
            return Course((self.utility(values, data),), ())
        _, norm, log_worth = self.norms(values, data)
        return Course((norm,), (log_worth,) if self.has_precision else ())

    def shown(self, data: UltimatumData) -> Float[Array, "*shape"]:
        """The offers, shares of the sum."""
        return jnp.where(data.seen, data.offer, jnp.nan)

    def responses(self, data: UltimatumData) -> Float[Array, "*shape"]:
        return jnp.where(data.scored, data.response, jnp.nan)
