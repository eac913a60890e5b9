r"""A choice of one of two options by the log odds of the second, with lapses.

$P(1) = (1 - \epsilon)\,\sigma(\ell) + \epsilon / 2$.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

Number = Float[Array, "*batch"]
Parameter = Float[Array, "*#batch"]  # one for all trials, or one for each


def two_options_log_likelihood(
    log_odds: Number, lapse_logit: Parameter, response: Number
) -> Number:
    r"""Log probability of each response, 0 or 1.

    log_odds: $\ell$, of the response 1 without lapses.
    lapse_logit: logit of $\epsilon$; minus infinity for no lapses.
    """
    own = jnp.where(response > 0.5, log_odds, -log_odds)
    return jnp.logaddexp(
        jax.nn.log_sigmoid(-lapse_logit) + jax.nn.log_sigmoid(own),
        jax.nn.log_sigmoid(lapse_logit) - jnp.log(2.0),
    )


def draw_of_two(
    key: Key[Array, ""], log_odds: Number, lapse_logit: Parameter
) -> Bool[Array, "*batch"]:
    """Draw a response for each log odds; true is 1."""
    lapse = jax.nn.sigmoid(lapse_logit)
    chance = (1.0 - lapse) * jax.nn.sigmoid(log_odds) + 0.5 * lapse
    return jax.random.bernoulli(key, chance)
