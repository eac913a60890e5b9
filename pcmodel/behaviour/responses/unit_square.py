r"""The unit-square sigmoid of the HGF literature: a binary prediction from a probability.

$P(y = 1) = p^\zeta / (p^\zeta + (1 - p)^\zeta)$, which is a logistic function of
$\zeta$ times the log odds (Mathys et al. 2014, eq. 22; TAPAS `unitsq_sgm`).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

EDGE = 1e-12  # least distance of a probability from 0 and 1


def response_log_odds(
    log_zeta: Float[Array, "*#batch"], probability: Float[Array, "*batch"]
) -> Float[Array, "*batch"]:
    """Log odds of the response 1."""
    p = jnp.clip(probability, EDGE, 1.0 - EDGE)
    return jnp.exp(log_zeta) * (jnp.log(p) - jnp.log1p(-p))


def unit_square_log_likelihood(
    log_zeta: Float[Array, "*#batch"],
    probability: Float[Array, "*batch"],
    response: Float[Array, "*batch"],
) -> Float[Array, "*batch"]:
    """Log probability of each response, 0 or 1."""
    log_odds = response_log_odds(log_zeta, probability)
    return jax.nn.log_sigmoid(jnp.where(response > 0.5, log_odds, -log_odds))


def draw_binary(
    key: Key[Array, ""],
    log_zeta: Float[Array, "*#batch"],
    probability: Float[Array, "*batch"],
) -> Bool[Array, "*batch"]:
    """Draw a response for each probability; true is 1."""
    chance = jax.nn.sigmoid(response_log_odds(log_zeta, probability))
    return jax.random.bernoulli(key, chance)
