"""Tests whether a point with a small gradient is a mode or a saddle.

Products with the *true* Hessian, preconditioned by Gauss-Newton's, search for a direction without positive curvature
(a saddle) and estimate the least curvature relative to Gauss-Newton's; where predictions have corners the gradients on
their other sides are checked too (`pcmodel.inference.certificates.kinks`).
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int

from pcmodel.inference.certificates.kinks import has_kinks, way_down
from pcmodel.inference.certificates.local_model import Ground, agrees_nearby
from pcmodel.inference.certificates.newton_decrement import (
    PROBES,
    UNSEEN,
    linearised_hessian,
    probing,
    squared_length,
    widening,
)
from pcmodel.inference.certificates.smooth_operations import is_smooth
from pcmodel.inference.linear.conjugate_gradient import conjugate_gradient
from pcmodel.inference.whitened import Linearisation
from pcmodel.model.problem import Problem

DEGENERATE = 1 / 3
"""Largest insignificant negative curvature, relative to the Gauss-Newton Hessian and to the root of machine epsilon."""
REACH = 32.0
"""First length of a step along negative curvature, in posterior standard deviations: within one the energy may fall by
less than its rounding.
"""


class Around(NamedTuple):
    """Curvature and descent directions around a point.

    step: proposed change of the whitened errors, if `leaving`.
    leaving: whether there is a direction of descent or negative curvature.
    certain: whether this is significant beyond rounding.
    widening: factor on a residual from Gauss-Newton's to the true Hessian's standard deviations.
    products: number of products with the true Hessian.
    """

    step: Float[Array, " free"]
    leaving: Bool[Array, ""]
    certain: Bool[Array, ""]
    widening: Float[Array, ""]
    products: Int[Array, ""]


def look_around(problem: Problem, ground: Ground, wanted: Bool[Array, ""]) -> Around:
    """Check the true Hessian, the quadratic model and corners at a point; no cost where not `wanted`."""
    found = curvature_around(problem, ground, wanted)
    if not is_smooth(problem):
        found = doubted(problem, ground, found, wanted)
    if not has_kinks(problem):
        return found
    settled = wanted & ~found.leaving
    kink = way_down(problem, ground.point, ground.precondition, settled)
    return found._replace(
        step=jnp.where(kink.lower, kink.step, found.step),
        leaving=found.leaving | kink.lower,
        certain=found.certain | kink.lower,
    )


def doubted(
    problem: Problem, ground: Ground, around: Around, wanted: Bool[Array, ""]
) -> Around:
    """`around` with the curvature unknown if the energy near the point disagrees with the quadratic model."""
    known = agrees_nearby(problem, ground) | ~wanted
    nothing = widening(jnp.zeros_like(around.widening))
    return around._replace(widening=jnp.where(known, around.widening, nothing))


def curvature_around(
    problem: Problem, ground: Ground, wanted: Bool[Array, ""]
) -> Around:
    """Check the true Hessian alone."""
    linear = ground.linear
    found = conjugate_gradient(
        linearised_hessian(problem, ground.point.whitened),
        probing(linear),
        0.0,
        jnp.where(wanted, PROBES, 0),
        precondition=ground.precondition,
        share=UNSEEN,
        metric=lambda vector: squared_length(linear, vector),
    )
    # An unexplained remainder may hide a direction of negative curvature: curvature is then unknown.
    seen = found.negative | (found.left <= UNSEEN)
    flat = DEGENERATE * float(jnp.finfo(linear.gradient.dtype).eps) ** 0.5
    return Around(
        escape(linear, found.direction),
        leaving=found.negative,
        certain=found.negative & (found.least < -flat),
        widening=widening(jnp.where(seen | ~wanted, found.least, 0)),
        products=found.products,
    )


def escape(linear: Linearisation, direction: Float[Array, " free"]) -> Array:
    """A step of `REACH` posterior standard deviations along a direction, downhill."""
    size2 = squared_length(linear, direction)
    length = jnp.where(size2 > 0, REACH / jnp.sqrt(jnp.where(size2 > 0, size2, 1)), 0)
    unit = length * direction
    sign = jnp.where(jnp.sum(linear.gradient * unit) > 0, -1, 1)
    return sign * unit
