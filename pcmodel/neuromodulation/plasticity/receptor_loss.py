r"""5-HT2A receptors over days: lost in the sessions, recovering between them.

The pool of the kinetics, $\dot P = -k\,u(t)\,P + r\,(1 - P)$, is linear in its content: a loss $1 - P_0$ at the
first time of a course adds $(1 - P_0)\, e^{-\int k u - r t}$ to the loss that the course makes of all receptors.  So
courses that were each simulated from rest are joined exactly, where no two of them occupy receptors at once.
"""

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.neuromodulation.plasticity.drive import HOURS_A_DAY, Administrations

Days = Float[Array, " days"]


def receptors_left(courses: tuple[Administrations, ...], days: Days) -> Days:
    """Share of receptors that are left on each day; exactly 1 before the first course.

    courses: of one person, in order of days.
    """
    lost = jnp.zeros_like(days)
    for number, course in enumerate(courses):
        own = _lost_by(course, days)
        for later in courses[number + 1 :]:
            own = own * _surviving(later, days)
        lost = lost + own
    return 1 - lost


def _lost_by(course: Administrations, days: Days) -> Days:
    """Loss that a course alone makes of all receptors; 0 before it."""
    since = jnp.maximum(days - course.day, 0) * HOURS_A_DAY
    hours = jnp.minimum(since, course.hours[-1])
    own = 1 - jnp.interp(hours, course.hours, course.receptors)
    return own * jnp.exp(-course.recovery * (since - hours))


def _surviving(course: Administrations, days: Days) -> Days:
    """Share of an earlier loss that a course leaves, recovery apart."""
    since = jnp.maximum(days - course.day, 0) * HOURS_A_DAY
    return jnp.interp(since, course.hours, course.surviving)
