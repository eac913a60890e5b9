"""What is remembered of a trial's cause: the best one alone, or the whole posterior.

Both are functions from the log posterior of a trial's last iteration to the log counts that later trials see.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

IMPOSSIBLE = -1e35
"""Log of zero that float32 holds, differences of two of them included; its gradients are numbers."""


@dataclass(frozen=True)
class Map:
    """The most probable cause, for good: the "local MAP" of the paper. The first of several equal ones.

    Results are piecewise smooth functions of the parameters, with jumps where an assignment changes.
    """

    def log_counts(self, log_posterior: Float[Array, " causes"]) -> Array:
        best = jax.nn.one_hot(jnp.argmax(log_posterior), log_posterior.size)
        return jnp.where(best > 0, 0.0, jnp.asarray(IMPOSSIBLE, log_posterior.dtype))


@dataclass(frozen=True)
class Soft:
    """Every cause to the share of its probability (assumed-density filtering): differentiable, for fits.

    Equal to `Map` where posteriors are certain. A cause counts as new with the probability that no trial was its.
    """

    def log_counts(self, log_posterior: Float[Array, " causes"]) -> Array:
        return log_posterior
