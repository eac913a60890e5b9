"""A point where the gradient vanishes need not be a mode: it is looked at from around.

Products with the *true* Hessian, preconditioned by Gauss-Newton's, ask for a direction without positive curvature
(a saddle) and tell how much less than Gauss-Newton's the curvature is elsewhere; where predictions have corners the
point is also seen from their other sides (`pcmodel.inference.certificates.kinks`).
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
"""Negative curvature that cannot be told from none: in units of the Gauss-Newton Hessian's, and of the root of its
rounding.
"""
REACH = 32.0
"""Posterior standard deviations at which a way down is first looked for: within one the energy may fall by less than
its rounding.
"""


class Around(NamedTuple):
    """What was found around a point.

    leaving: whether there is a way down, `step`.  certain: whether it is more than curvature that cannot be told from
    none.  widening: factor on a residual told in Gauss-Newton's standard deviations.
    """

    step: Float[Array, " free"]
    leaving: Bool[Array, ""]
    certain: Bool[Array, ""]
    widening: Float[Array, ""]
    products: Int[Array, ""]


def look_around(problem: Problem, ground: Ground, wanted: Bool[Array, ""]) -> Around:
    """Ask the true Hessian and the corners; costs nothing where not wanted."""
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
    """The same; nothing is known where the energy beside the point is another than its curvature tells."""
    known = agrees_nearby(problem, ground) | ~wanted
    nothing = widening(jnp.zeros_like(around.widening))
    return around._replace(widening=jnp.where(known, around.widening, nothing))


def curvature_around(
    problem: Problem, ground: Ground, wanted: Bool[Array, ""]
) -> Around:
    """Ask the true Hessian alone."""
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
    # What the products did not explain may hide a direction of negative curvature: nothing is known then.
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
    """`REACH` posterior standard deviations along a direction, downhill."""
    size2 = squared_length(linear, direction)
    length = jnp.where(size2 > 0, REACH / jnp.sqrt(jnp.where(size2 > 0, size2, 1)), 0)
    unit = length * direction
    sign = jnp.where(jnp.sum(linear.gradient * unit) > 0, -1, 1)
    return sign * unit
