r"""Delay discounting: what an amount is worth that comes later.

Subjective values are amounts times a discount factor of the delay $d$:

- hyperbolic $1 / (1 + k d)$ (Mazur 1987),
- exponential $e^{-k d}$ (Samuelson 1937),
- quasi-hyperbolic $1$ at once, $\beta\,e^{-k d}$ later (Laibson 1997, Q J Econ 112:443),
- constant sensitivity $e^{-(k d)^s}$ (Ebert & Prelec 2007, Manage Sci 53:1423).

The later amount is chosen by a logistic function of the difference of the two values. Amounts are in units of the mean size
of the data set's later amounts, so that one prior of the inverse temperature suits any currency.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.models.decisions.outcomes import largest
from pcmodel.behaviour.models.decisions.parameters import LAPSE, inverse_temperature
from pcmodel.behaviour.models.interface import Course, Parameter, Values
from pcmodel.behaviour.responses.two_options import (
    draw_of_two,
    two_options_log_likelihood,
)

Form = Literal["hyperbolic", "exponential", "quasi_hyperbolic", "constant_sensitivity"]
FARTHEST = 50.0  # log of k d, or of its power, beyond which nothing is left
RATE = Parameter(
    "log_discount",
    -4.5,
    1.5,
    1.0,
    about="log discount rate",
    natural="discount_rate",
    transform="exp",
    unit="1 / day",
    published="k (Mazur 1987); hBayesDM `k` (dd_hyperbolic), `r` (dd_exp, dd_cs)",
)
PRESENT = Parameter(
    "present_logit",
    1.5,
    1.0,
    0.7,
    about="logit of what remains of an amount as soon as it does not come at once",
    natural="present_bias",
    transform="logistic",
    unit="share",
    published="beta (Laibson 1997)",
)
SENSITIVITY = Parameter(
    "log_sensitivity",
    -0.3,
    0.5,
    0.4,
    about="log exponent of the delay: below 1 on the natural scale far delays differ less",
    natural="time_sensitivity",
    transform="exp",
    published="b (Ebert & Prelec 2007); hBayesDM `s` (dd_cs)",
)
BETA = inverse_temperature(
    "beta",
    1.8,
    "of the choice",
    "1 / mean later amount",
    "hBayesDM `beta` times the mean later amount",
)


class DiscountingData(NamedTuple):
    """The trials of one series; amounts in units of the mean size of the later ones.

    later: the later amount.
    sooner: the sooner amount.
    later_delay: in days.
    sooner_delay: in days.
    response: 1 where the later amount was chosen.
    scored: whether a choice was made.
    """

    later: Float[Array, "*trials"]
    sooner: Float[Array, "*trials"]
    later_delay: Float[Array, "*trials"]
    sooner_delay: Float[Array, "*trials"]
    response: Float[Array, "*trials"]
    scored: Bool[Array, "*trials"]


@dataclass(frozen=True)
class DiscountingModel:
    """Discounted amounts and a logistic choice between them.

    Attributes:
        form: of the discount factor.
    """

    form: Form = "hyperbolic"
    has_precision = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        own = {
            "quasi_hyperbolic": (PRESENT,),
            "constant_sensitivity": (SENSITIVITY,),
        }
        return (RATE, *own.get(self.form, ()), BETA, LAPSE)

    def prepare(self, series: Series) -> DiscountingData:
        """The data of each series; UserError for infinite numbers."""
        names = ("amount_later", "amount_sooner", "delay_later", "delay_sooner")
        for name in names:
            largest(series.values[name], where=name)
        unit = mean_size(series.values["amount_later"])
        scored = np.isfinite(series.values["choice"])
        later, sooner, far, near = (np.nan_to_num(series.values[n]) for n in names)
        return DiscountingData(
            jnp.asarray(later / unit),
            jnp.asarray(sooner / unit),
            jnp.asarray(far),
            jnp.asarray(near),
            jnp.asarray(np.where(scored, series.values["choice"], 0.0)),
            jnp.asarray(scored),
        )

    def log_factor(self, values: Values, delay: Array) -> Array:
        """Log of the share of an amount that is left after a delay, 0 at once."""
        is_later = delay > 0.0
        log_delay = jnp.log(jnp.where(is_later, delay, 1.0))
        far = values["log_discount"] + log_delay
        if self.form == "hyperbolic":
            return jnp.where(is_later, jax.nn.log_sigmoid(-far), 0.0)
        if self.form == "constant_sensitivity":
            far = far * jnp.exp(values["log_sensitivity"])
        left = -jnp.exp(jnp.minimum(far, FARTHEST))
        if self.form == "quasi_hyperbolic":
            left = left + jax.nn.log_sigmoid(values["present_logit"])
        return jnp.where(is_later, left, 0.0)

    def advantage(self, values: Values, data: DiscountingData) -> Array:
        """The value of the later amount less that of the sooner, in units of the mean later amount."""
        later = data.later * jnp.exp(self.log_factor(values, data.later_delay))
        return later - data.sooner * jnp.exp(self.log_factor(values, data.sooner_delay))

    def _log_odds(self, values: Values, data: DiscountingData) -> Array:
        return jnp.exp(values["log_beta"]) * self.advantage(values, data)

    def log_likelihood(
        self, values: Values, data: DiscountingData
    ) -> Float[Array, " trials"]:
        log_odds = self._log_odds(values, data)
        own = two_options_log_likelihood(log_odds, values["lapse_logit"], data.response)
        return jnp.where(data.scored, own, 0.0)

    def simulate(
        self, key: Key[Array, ""], values: Values, data: DiscountingData
    ) -> DiscountingData:
        drawn = draw_of_two(key, self._log_odds(values, data), values["lapse_logit"])
        return data._replace(response=drawn.astype(data.response.dtype))

    def course(self, values: Values, data: DiscountingData) -> Course:
        """The later amount's advantage in each trial; nothing is learned."""
        return Course((self.advantage(values, data),), ())

    def shown(self, data: DiscountingData) -> Float[Array, "*shape"]:
        """Nothing: amounts are no outcomes of what is valued."""
        return jnp.full_like(data.later, jnp.nan)

    def responses(self, data: DiscountingData) -> Float[Array, "*shape"]:
        return jnp.where(data.scored, data.response, jnp.nan)


def mean_size(amounts: Float[np.ndarray, "*shape"]) -> float:
    """Mean absolute amount of a data set; 1 where all are 0 or missing."""
    seen = np.abs(amounts[np.isfinite(amounts)])
    # Divided first: a sum of amounts of 1e308 would overflow.
    mean = float((seen / max(seen.size, 1)).sum())
    return mean if mean > 0.0 else 1.0
