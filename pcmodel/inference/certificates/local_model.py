"""Whether the quadratic model at a result agrees with energy and gradient nearby: otherwise no distance is certified.

A certificate derives a distance from a quadratic model.  That model is invalid, or valid only in a small region, for
predictions with sharp bends (corners of a mixture of units, a power that is flat at a point) or with modified
derivatives (`stop_gradient`, straight-through rounding).  If the operations of a network or likelihood do not exclude
this, gradients and energies are compared at two points as far from the result as the mode may be.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from pcmodel.inference.certificates.kinks import energy_programs, operations
from pcmodel.inference.certificates.newton_decrement import probing, squared_length
from pcmodel.inference.linear.conjugate_gradient import Precondition
from pcmodel.inference.solvers.sufficient_decrease import (
    Point,
    energy_change,
    energy_rounding,
    gradient_rounding,
    point_at,
)
from pcmodel.inference.whitened import Linearisation, linearise
from pcmodel.model.problem import Problem

SHARE = 0.5
"""Largest deviation of a gradient from the quadratic model, relative to the distance of the point."""
SEED, DIRECTIONS = 4, 8
"""Seed of the direction of comparison, and number of directions where derivatives are modified."""
TOLD = 0.1
"""Slope, in posterior standard deviations, that energies must resolve where derivatives are modified."""


def nearest(dtype: jnp.dtype) -> float:
    """Smallest distance of comparison, in posterior standard deviations per dimension."""
    return 1e-7 if dtype == jnp.float64 else 1e-4


def stops_gradients(problem: Problem) -> bool:
    """Whether a prediction or likelihood has derivatives modified by `stop_gradient`."""
    return any(
        each.primitive.name == "stop_gradient"
        for traced in energy_programs(problem)
        for each in operations(traced.program)
    )


class Ground(NamedTuple):
    """A point with its expansion.

    point: the point.
    linear: gradient, and products with S there.
    precondition: linear map close to the inverse of the Gauss-Newton Hessian.
    """

    point: Point
    linear: Linearisation
    precondition: Precondition


def agrees_nearby(problem: Problem, ground: Ground) -> Bool[Array, ""]:
    """Whether gradients and energies near a point z agree with a quadratic, within `SHARE` of the distance |d|.

    g(z + d) + g(z - 2 d) / 2 - 3 g(z) / 2 vanishes for every quadratic, whatever its Hessian, and the change of
    energy is d (g(z) + g(z + d)) / 2.  Where derivatives are modified, energies are compared in several directions.
    """
    linear, point = ground.linear, ground.point
    noise = energy_rounding(problem, point)
    least = nearest(noise.dtype) * point.whitened.shape[0] ** 0.5
    away = length_by_posterior(linear, ground.precondition, linear.gradient)
    radius = jnp.maximum(jnp.maximum(least, 4 * away), 10 * gradient_rounding(noise))
    if not stops_gradients(problem):
        return _agrees_along(problem, ground, radius, SEED)
    visible = 2 * jnp.sqrt(
        noise
    )  # distance r of the best resolution of a slope, min noise / r + r / 4
    radius = jnp.maximum(radius, jnp.minimum(visible, TOLD))
    agree = visible <= TOLD
    for seed in range(SEED, SEED + DIRECTIONS):
        agree &= _agrees_along(problem, ground, radius, seed)
    return agree


def _agrees_along(
    problem: Problem, ground: Ground, radius: Array, seed: int
) -> Bool[Array, ""]:
    linear, point = ground.linear, ground.point
    noise = energy_rounding(problem, point)
    direction = ground.precondition(probing(linear, seed=seed))
    step = direction * radius / jnp.sqrt(squared_length(linear, direction))
    near = linearise(problem, point.whitened + step).gradient
    far = linearise(problem, point.whitened - 2 * step).gradient
    strange = near + 0.5 * far - 1.5 * linear.gradient
    bent = length_by_posterior(linear, ground.precondition, strange)
    change = energy_change(problem, point, point_at(problem, point.whitened + step))
    promised = 0.5 * jnp.sum(step * (linear.gradient + near))
    unlike = jnp.abs(change - promised)
    # Written so that a NaN does not agree.
    return (bent <= SHARE * radius) & (unlike <= SHARE * radius**2 + 2 * noise)


def length_by_posterior(
    linear: Linearisation, precondition: Precondition, gradient: Float[Array, " free"]
) -> Float[Array, ""]:
    """Bound on sqrt(g' H^-1 g), tight if `precondition` is close to H^-1
    (`pcmodel.inference.certificates.newton_decrement`).
    """
    pushed = linear.push(precondition(gradient))
    bound2 = jnp.sum((gradient - linear.pull(pushed)) ** 2) + jnp.sum(pushed**2)
    return jnp.sqrt(jnp.minimum(jnp.sum(gradient**2), bound2))
