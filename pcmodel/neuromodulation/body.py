"""Blood pressure and heart rate: driven by the effect, and habituating.

The rise is proportional to its drive minus a habituation that follows it, $\\Delta = S (u - h)$,
$\\dot h = k (u - h)$. The drive of a 5-HT2A agonist is its share of the effect after the second
stage (occupancy outlasts the pressor effect; the share of released serotonin counts as release),
that of a releaser the amount released, and that of a channel blocker the share of channels blocked.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.neuromodulation.checking import as_hours, check_times
from pcmodel.neuromodulation.course import Course, Curve
from pcmodel.neuromodulation.participant import Participant, check_one
from pcmodel.neuromodulation.pharmacology.pools import lagged


class Signs(NamedTuple):
    """Vital signs over time.

    systolic: blood pressure, mmHg.
    diastolic: blood pressure, mmHg.
    heart_rate: beats per minute.
    """

    systolic: Curve
    diastolic: Curve
    heart_rate: Curve


def drives(course: Course, person: Participant) -> Float[Array, "compounds times"]:
    """The drive of vital signs by each compound, 0 at rest."""
    ligands = person.ligands
    agonism = ligands.efficacy_2a[:, None] * course.occupancy_2a
    total = jnp.sum(agonism, axis=0) + serotonin_agonism(course, person)
    part = agonism / jnp.where(total > 0, total, 1.0)[None]
    reversal = course.effect_site / ligands.release_ec50[:, None]
    released = reversal / (1 + jnp.sum(reversal, axis=0))[None] * course.store[None]
    block = course.effect_site / ligands.nmda_ic50[:, None]
    blocked = block / (1 + jnp.sum(block, axis=0))[None]
    return part * course.effect_2a[None] + released + blocked


def serotonin_agonism(course: Course, person: Participant) -> Curve:
    """Stimulus at 5-HT2A of released serotonin: its efficacy tau times its occupancy."""
    body = person.physiology
    released, tone = (x / body.serotonin_k_2a for x in (course.serotonin, body.tone))
    vacant = (1 - jnp.sum(course.occupancy_2a, axis=0)) / (1 + tone + released)
    return body.serotonin_efficacy_2a * released * vacant


@checked_arguments
def vital_signs(course: Course, times: ArrayLike, person: Participant) -> Signs:
    """Vital signs over a course: resting values plus a rise that habituates from the first time.

    course: of `simulate`.
    times: of the course, h.
    person: of the course.
    UserError unless times and person are those of the course.
    """
    check_one(person)
    times = as_hours(times)
    if course.plasma.shape != (len(person.compounds), *times.shape):
        raise UserError(
            f"the course holds (compounds, times) {course.plasma.shape}, the participant "
            f"{len(person.compounds)} compounds, and there are {times.shape} times",
            where="vital signs",
            expected="the person and the times that made the course",
        )
    check_times(times, person, tolerance=False)
    body = person.physiology
    push = person.ligands.rises.T @ drives(course, person)

    def sign(push: Curve, pace: Array, rest: Array) -> Curve:
        return rest + push - lagged(times, push, pace)

    return Signs(*jax.vmap(sign)(push, body.habituation, body.resting))
