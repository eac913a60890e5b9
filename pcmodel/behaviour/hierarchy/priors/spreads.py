r"""The coordinate of a standard deviation over people: the standard normal it is a quantile of.

A spread $\sigma$ with a half-normal prior of scale 1 is $\sigma = \Phi^{-1}((1 + \Phi(z)) / 2)$ of a standard
normal $z$. In its logarithm, the usual coordinate, the posterior of a spread that the data cannot tell from
zero has a long exponential tail to the left, which chains wander slowly; in $z$ that tail is the prior's own
normal one. With $\phi$ the normal density, $d\sigma / dz = \phi(z) / (2 \phi(\sigma))$. The map is defined, and smooth, on the
whole line, so that it serves any other prior of a spread as well, also one with wide tails: there the logarithm of
$2 \Phi(-\sigma) = \Phi(-z)$ is solved, whose two sides have no digits of their own left.
"""

import jax
import jax.numpy as jnp
from jax.scipy.special import erfinv, log_ndtr, ndtr, ndtri
from jaxtyping import Array, Float

# Left of it the quantile is proportional to the probability, to 1e-13.
LINEAR = -5.0
FAR = 10.0  # right of it the tail's logarithm is solved: single precision has no tail beyond 13
TERMS = 12  # of the continued fraction of the hazard
STEPS = 3  # of Newton's method, from log(2) / z beyond the normal
SLOPE = 0.22579135264472744  # log of sqrt(pi / 2): of that proportion


@jax.custom_jvp
def log_spread(normal: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Log of the spread, from its standard normal."""
    # Each branch is computed where it is exact: a probability near 1 or 1/2 has lost its small part.
    tail = SLOPE + log_ndtr(normal)
    low = jnp.log(jnp.sqrt(2.0) * erfinv(ndtr(jnp.clip(normal, LINEAR, 0.0))))
    high = jnp.log(-ndtri(0.5 * ndtr(-jnp.clip(normal, 0.0, FAR))))
    near = jnp.where(normal < LINEAR, tail, jnp.where(normal < 0.0, low, high))
    return jnp.where(normal > FAR, _far(jnp.maximum(normal, FAR)), near)


def _far(normal: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Log of the spread for a normal far to the right."""
    # In the difference d of the two: log Phi(-z) is -z^2 / 2 - log h(z) up to a constant, with h the hazard.
    gap = jnp.log(2.0) / normal
    for _ in range(STEPS):
        spread = normal + gap
        # Of 2 Phi(-s) = Phi(-z), divided so that no squares of large numbers are subtracted.
        off = (
            jnp.log(2.0)
            - gap * (normal + 0.5 * gap)
            - jnp.log(_hazard(spread) / _hazard(normal))
        )
        gap = gap + off / _hazard(spread)
    return jnp.log(normal + gap)


def _hazard(value: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    r"""$\phi(x) / \Phi(-x)$ for $x$ of 10 or more, to 1e-12: Laplace's continued fraction."""
    found = value
    for term in range(TERMS, 0, -1):
        found = value + term / found
    return found


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
    near = jnp.minimum(normal, FAR)
    square = jnp.where(normal > FAR, 0.0, jnp.exp(2.0 * found))
    plain = 0.5 * (square - near**2) - jnp.log(2.0)
    far = jnp.maximum(normal, FAR)
    tails = jnp.log(
        _hazard(far) / _hazard(jnp.where(normal > FAR, jnp.exp(found), FAR))
    )
    return jnp.where(normal > FAR, tails, plain) - found


def normal_of(spread: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The standard normal of a spread above zero: the inverse of `log_spread`."""
    # From the upper tail where the spread is large, from the lower where it is small.
    upper = -ndtri(2.0 * ndtr(-spread))
    lower = ndtri(jax.scipy.special.erf(spread / jnp.sqrt(2.0)))
    return jnp.where(spread > 0.6744897501960817, upper, lower)
