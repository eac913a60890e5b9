r"""5-HT2A receptors over days: lost in the sessions, recovering between them.

The pool of the kinetics, $\dot P = -k\,u(t)\,P + r\,(1 - P)$, is linear in its content: a loss $1 - P_0$ at the
first time of a course adds $(1 - P_0)\, e^{-\int k u - r t}$ to the loss that the course makes of all receptors.  So
courses that were each simulated from rest are joined exactly.
"""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.neuromodulation.plasticity.drive import HOURS_A_DAY, Administrations


def receptors_left(
    courses: tuple[Administrations, ...], days: Float[Array, " days"]
) -> Float[Array, " days"]:
    """Share of receptors that are left on each day; exactly 1 before the first course.

    courses: of one person, in order of days.
    """
    left, loss = jnp.ones_like(days), jnp.zeros_like(days[0])
    for number, course in enumerate(courses):
        since = jnp.maximum(days - course.day, 0) * HOURS_A_DAY
        left = jnp.where(days >= course.day, _within(course, since, loss), left)
        for later in courses[number + 1 : number + 2]:
            gap = (later.day - course.day) * HOURS_A_DAY
            loss = 1 - _within(course, gap, loss)
    return left


def _within(course: Administrations, since: Array, loss: Array) -> Array:
    """Receptors left some hours after a course began, of which a share was lost before."""
    hours = jnp.minimum(since, course.hours[-1])
    own = 1 - jnp.interp(hours, course.hours, course.receptors)
    kept = jnp.interp(hours, course.hours, course.surviving)
    own = own * jnp.exp(-course.recovery * (since - hours))
    return 1 - own - loss * kept * jnp.exp(-course.recovery * since)
