r"""The coordinate of a standard deviation over people: the standard normal it is a quantile of.

A spread $\sigma$ with a half-normal prior of scale 1 is $\sigma = \Phi^{-1}((1 + \Phi(z)) / 2)$ of a standard
normal $z$. In its logarithm, the usual coordinate, the posterior of a spread that the data cannot tell from
zero has a long exponential tail to the left, which chains wander slowly; in $z$ that tail is the prior's own
normal one. With $\phi$ the normal density, $d\sigma / dz = \phi(z) / (2 \phi(\sigma))$.
"""

import jax
import jax.numpy as jnp
from jax.scipy.special import erfinv, log_ndtr, ndtr, ndtri
from jaxtyping import Array, Float

# Left of it the quantile is proportional to the probability, to 1e-13.
LINEAR = -5.0
SLOPE = 0.22579135264472744  # log of sqrt(pi / 2): of that proportion


@jax.custom_jvp
def log_spread(normal: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Log of the spread, from its standard normal."""
    # Each branch is computed where it is exact: a probability near 1 or 1/2 has lost its small part.
    tail = SLOPE + log_ndtr(normal)
    low = jnp.log(jnp.sqrt(2.0) * erfinv(ndtr(jnp.clip(normal, LINEAR, 0.0))))
    high = jnp.log(-ndtri(0.5 * ndtr(-jnp.maximum(normal, 0.0))))
    return jnp.where(normal < LINEAR, tail, jnp.where(normal < 0.0, low, high))


@log_spread.defjvp
def _slope(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (normal,), (along,) = primals, tangents
    found = log_spread(normal)
    return found, jnp.exp(log_slope(normal, found)) * along


def log_slope(
    normal: Float[Array, "*shape"], found: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    r"""Log of $d \log\sigma / dz$.

    normal: $z$.
    found: `log_spread(normal)`.
    """
    return 0.5 * (jnp.exp(2.0 * found) - normal**2) - found - jnp.log(2.0)


def normal_of(spread: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The standard normal of a spread above zero: the inverse of `log_spread`."""
    # From the upper tail where the spread is large, from the lower where it is small.
    upper = -ndtri(2.0 * ndtr(-spread))
    lower = ndtri(jax.scipy.special.erf(spread / jnp.sqrt(2.0)))
    return jnp.where(spread > 0.6744897501960817, upper, lower)
