r"""Attribution: whether an experience says something about the self, or is an exception.

A person who is sure that nobody likes them can explain a kindness away ("she had to"). An item of evidence y is
either *valid*, drawn from the predictive distribution of its stream under the present belief, or an *exception*, drawn
from a much wider one,

$$ r = p(\text{valid} \mid y) = \Big[ 1 + \frac{1 - v}{v}\, \frac{N(y; \mu, s^2 + w^2)}{N(y; \mu, s^2)} \Big]^{-1}, $$

and counts with r times its precision. The predictive variance s^2 includes the belief's own, so that a sharp belief
dismisses more, and a relaxed one less: cognitive immunisation (Kube et al. 2020, Neurosci Biobehav Rev 118:569) from
the belief's precision. It is the idea of a new latent cause, and makes the update largest for moderate surprises.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.inference.whitened import unroll
from pcmodel.model.energy import predict_latent
from pcmodel.model.problem import Problem
from pcmodel.sessions.person.hierarchy import STREAMS


class Predictive(NamedTuple):
    """What the belief predicts of each stream before the evidence, gains included, error transmission not.

    mean: belief units.
    surprise: (y - mean) / standard deviation of the prediction.
    width: variance of the prediction over that of the item alone, 1 or more.
    """

    mean: Float[Array, " streams"]
    surprise: Float[Array, " streams"]
    width: Float[Array, " streams"]


def predictive(problem: Problem) -> Predictive:
    """The prediction of each stream from the hierarchy without data."""
    start = jnp.zeros((problem.structure.num_free,), problem.inputs.gains[0].dtype)

    def rows(whitened: Array) -> Array:
        # Whitened errors of the ends come from the last to the first.
        return unroll(problem, whitened).rows[::-1]

    error = rows(start)
    width = 1 + jnp.sum(jax.jacfwd(rows)(start) ** 2, axis=1)
    return Predictive(predicted_means(problem), error / jnp.sqrt(width), width)


def predicted_means(problem: Problem) -> Float[Array, " streams"]:
    """The mean that the belief predicts of each stream; the data do not matter."""
    latents: dict[int, Array] = {}
    for level in reversed(range(len(problem.structure.model.names))):
        latents[level] = predict_latent(problem, level, latents)
    return jnp.concatenate([latents[end] for end in range(len(STREAMS))])


def log_validity(
    told: Predictive,
    item_sd: Float[Array, " streams"],
    *,
    prior_log_odds: Float[Array, " streams"],
    exception_sd: Float[Array, ""],
) -> Float[Array, " streams"]:
    """log r of each stream, at most 0.

    told: the prediction.
    item_sd: standard deviation of each item alone (1 / root of its precision, gain included).
    prior_log_odds: log (v / (1 - v)), v the prior probability that an item is valid.
    exception_sd: w, standard deviation that exceptions have beyond it, belief units.
    """
    # Variance of exceptions over that of the prediction; as logarithms, which no precision overflows.
    log_wider = 2 * (jnp.log(exception_sd) - jnp.log(item_sd)) - jnp.log(told.width)
    log_ratio = jnp.logaddexp(0.0, log_wider)
    shrink = jnp.exp(-log_ratio)
    log_odds = 0.5 * log_ratio - 0.5 * told.surprise**2 * (1 - shrink)
    return jax.nn.log_sigmoid(prior_log_odds + log_odds)
