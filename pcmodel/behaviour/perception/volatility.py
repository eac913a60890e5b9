r"""Five published updates of a volatility level from the level below it.

The level below, $x$, took a random step of variance $v = e^{\kappa y + \omega}$, where
$y$ is the volatility level. The update of $y$ depends on the volatility prediction error

$\delta = (\sigma + (\mu - \hat\mu)^2)\,\hat\pi - 1$

of $x$, weighted by $w = v \hat\pi$, the share of the step in the predicted variance. The
posterior of $y$ is not Gaussian; the updates differ in its Gaussian approximation, and a
result must say which was used. All agree where $\delta$ is small.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Value = Float[Array, "*shape"]


class Child(NamedTuple):
    r"""The level below a volatility level.

    previous_variance: $1 / \pi^{(k-1)}$, before the step.
    predicted_precision: $\hat\pi$, after the step, before the outcome.
    variance: $\sigma = 1 / \pi$, after the outcome.
    error: $\mu - \hat\mu$, posterior minus predicted mean.
    omega: $\omega$, log variance of a step where the volatility level is 0.
    kappa: $\kappa$, coupling to the volatility level.
    volatility: $v$ at the volatility level's previous mean.
    """

    previous_variance: Value
    predicted_precision: Value
    variance: Value
    error: Value
    omega: Value
    kappa: Value
    volatility: Value


class GaussianBelief(NamedTuple):
    """The Gaussian belief about one level.

    mean: of the belief.
    precision: of the belief.
    """

    mean: Value
    precision: Value


_NEWTON_STEPS = 5  # exact up to rounding: after four the error is below 2e-9

VolatilityUpdate = Callable[[GaussianBelief, Child], GaussianBelief]


def _step_share(child: Child) -> tuple[Value, Value]:
    r"""The weight $w$ and the volatility prediction error $\delta$."""
    weight = child.volatility * child.predicted_precision
    surprise = child.variance + child.error**2
    return weight, surprise * child.predicted_precision - 1.0


def _standard_precision(predicted: GaussianBelief, child: Child) -> Value:
    w, delta = _step_share(child)
    return predicted.precision + 0.5 * child.kappa**2 * w * (
        w + (2.0 * w - 1.0) * delta
    )


def standard(predicted: GaussianBelief, child: Child) -> GaussianBelief:
    """The update of Mathys et al. 2011 (Front Hum Neurosci 5:39, eqs 28-29), 2014; TAPAS `hgf`.

    The precision can fall below zero where a step was unexpectedly small.
    """
    w, delta = _step_share(child)
    precision = _standard_precision(predicted, child)
    mean = predicted.mean + 0.5 * child.kappa * w * delta / precision
    return GaussianBelief(mean, precision)


def _early_mean(predicted: GaussianBelief, child: Child) -> Value:
    w, delta = _step_share(child)
    return predicted.mean + 0.5 * child.kappa * w * delta / predicted.precision


def enhanced_tapas(predicted: GaussianBelief, child: Child) -> GaussianBelief:
    """TAPAS `ehgf`: the mean first, then a curvature of at least 0 at the new mean."""
    mean = _early_mean(predicted, child)
    v = jnp.exp(child.kappa * mean + child.omega)
    precision = 1.0 / (child.previous_variance + v)
    w = v * precision
    r = (v - child.previous_variance) * precision
    delta = (child.variance + child.error**2) * precision - 1.0
    curvature = 0.5 * child.kappa**2 * w * (w + r * delta)
    return GaussianBelief(mean, predicted.precision + jnp.maximum(0.0, curvature))


def enhanced_pyhgf(predicted: GaussianBelief, child: Child) -> GaussianBelief:
    """Pyhgf 0.2 `eHGF`: the mean first, then the standard precision, not recomputed."""
    mean = _early_mean(predicted, child)
    return GaussianBelief(mean, _standard_precision(predicted, child))


def unbounded_pyhgf(predicted: GaussianBelief, child: Child) -> GaussianBelief:
    r"""Pyhgf 0.2.12 `unbounded`: the moments of two Gaussians, weighted by their height.

    The log posterior of $y$ is, up to a constant,
    $I(y) = -\tfrac12 \log(a + v) - \tfrac12 b / (a + v) - \tfrac12 \hat\pi (y - \hat\mu)^2$
    with $a$ the child's variance before the step and $b = \sigma + (\mu - \hat\mu)^2$. It
    is expanded at the prediction, and near its mode in the limit of $v$ much larger than
    $a$. Both precisions are positive, and so is that of the mixture. $\kappa$ must not be zero.
    """
    w, delta = _step_share(child)
    return _two_expansions(predicted, child, w, delta)


def unbounded_tapas(predicted: GaussianBelief, child: Child) -> GaussianBelief:
    """HGF Toolbox 8.2.0 `uhgf` (arXiv 2605.00966): the same with the step's variance at the predicted mean.

    Without drift the two are equal. The step's share is a logistic function here, so that it is
    exact where the step's variance leaves the range of the numbers' type.
    """
    w = _share_at(predicted.mean, child)
    return _two_expansions(predicted, child, w, _step_share(child)[1])


def _share_at(y: Value, child: Child) -> Value:
    """The share of the step in the child's predicted variance, were the volatility level at `y`."""
    log_odds = child.kappa * y + child.omega - jnp.log(child.previous_variance)
    return jax.nn.sigmoid(log_odds)


def _two_expansions(
    predicted: GaussianBelief, child: Child, w: Value, delta: Value
) -> GaussianBelief:
    """The moment-matched mixture, given the weight and error of the expansion at the prediction."""
    a, b = child.previous_variance, child.variance + child.error**2
    near_precision = predicted.precision + 0.5 * child.kappa**2 * w * (1.0 - w)
    near_mean = predicted.mean + 0.5 * child.kappa * w * delta / near_precision

    def log_spread(y: Value) -> Value:
        return jnp.logaddexp(jnp.log(a), child.kappa * y + child.omega)

    at = _steep_mode(predicted, child, b)
    w, delta = _share_at(at, child), b * jnp.exp(-log_spread(at)) - 1.0
    half = 0.5 * child.kappa**2 * w
    far_precision = predicted.precision + half * (w + (2.0 * w - 1.0) * delta)
    far_precision = jnp.where(
        far_precision > 0.0, far_precision, predicted.precision + half * (1.0 - w)
    )
    slope = 0.5 * child.kappa * w * delta - predicted.precision * (at - predicted.mean)
    far_mean = at + slope / far_precision

    def height(y: Value) -> Value:
        spread = log_spread(y)
        prior = predicted.precision * (y - predicted.mean) ** 2
        return -0.5 * (spread + b * jnp.exp(-spread) + prior)

    far = jax.nn.sigmoid(height(far_mean) - height(near_mean))
    mean = near_mean + far * (far_mean - near_mean)
    between = far * (1.0 - far) * (far_mean - near_mean) ** 2
    variance = (1.0 - far) / near_precision + far / far_precision + between
    return GaussianBelief(mean, 1.0 / variance)


def _steep_mode(predicted: GaussianBelief, child: Child, b: Value) -> Value:
    """The mode of the log posterior if the variance before the step is negligible."""
    stiffness = predicted.precision / child.kappa**2
    centre = child.kappa * predicted.mean + child.omega
    log_b = jnp.log(b) - jnp.log(2.0 * stiffness)
    u = log_lambert_w(log_b + 0.5 / stiffness - centre)
    # Equal by W's equation: the first cancels where W is great, the second where it is small.
    exponent = jnp.where(
        u > 0.0, log_b - u, centre + jnp.exp(jnp.minimum(u, 0.0)) - 0.5 / stiffness
    )
    return (exponent - child.omega) / child.kappa


def log_lambert_w(log_z: Value) -> Value:
    r"""$\log w$ with $w e^w = z$, by Newton's method for $u + e^u = \log z$, started from the right.

    The function is convex and increasing, so that from there the steps cannot overshoot.
    """
    u = jnp.where(log_z > 1.0, jnp.log(jnp.maximum(log_z, 1.0)), log_z)
    for _ in range(_NEWTON_STEPS):
        u = u - (u + jnp.exp(u) - log_z) / (1.0 + jnp.exp(u))
    return u
