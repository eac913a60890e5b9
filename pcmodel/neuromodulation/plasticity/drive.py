"""The drive of plasticity: what one administration does to each target, added up over hours.

A course of hours becomes few numbers: hours of effect at 5-HT2A, of released serotonin, of NMDA block
and of TrkB occupancy, by compound.  Days are long against these hours, so the window takes them as an
impulse at the time of the administration.  The receptors lost in the session go along.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import one_number, read_numbers
from pcmodel.neuromodulation.body import serotonin_agonism
from pcmodel.neuromodulation.carried import held_by_agonists, receptor_pool
from pcmodel.neuromodulation.checking import as_hours, check_times
from pcmodel.neuromodulation.course import Course, Curve
from pcmodel.neuromodulation.group import Group
from pcmodel.neuromodulation.participant import Participant, check_one
from pcmodel.neuromodulation.pharmacology.receptors import operational
from pcmodel.neuromodulation.plasticity.constants import (
    PlasticityTable,
    Targets,
    load_plasticity,
)

HOURS_A_DAY = 24.0
UNFINISHED = 0.1
"""The share of its largest value above which a drive is not over."""


class Drive(NamedTuple):
    """The drive of plasticity by each compound; exactly 0 where it does not act.

    effect_2a: effect at 5-HT2A after the second stage of the compounds that bind there.
    serotonin_2a: effect at 5-HT2A of the serotonin that the compound releases, behind a stage of its own.
    nmda_block: share of NMDA channels blocked.
    trkb: share of TrkB occupied.
    """

    effect_2a: Float[Array, "*some compounds"]
    serotonin_2a: Float[Array, "*some compounds"]
    nmda_block: Float[Array, "*some compounds"]
    trkb: Float[Array, "*some compounds"]


class Acting(NamedTuple):
    """Until when a course acts on what another one would act on too, h after its first time; 0 where it does not.

    receptors: 5-HT2A receptors are held, by a compound or by serotonin that it releases, above a tenth of the most.
    store: more than a tenth of the serotonin store is missing.
    nmda: NMDA channels are blocked, above a tenth of the most.
    trkb: TrkB is held, above a tenth of the most.
    """

    receptors: Float[Array, "*people"]
    store: Float[Array, "*people"]
    nmda: Float[Array, "*people"]
    trkb: Float[Array, "*people"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Administrations:
    """What the administrations of one course leave behind; of one person, or with a leading axis of people.

    Attributes:
        day: of the course's first time, days.
        starts: of each administration, hours after the course's first time.
        drive: hours of each drive, (administrations, compounds).
        last: drives at the course's last time, (compounds,); large ones are not over.
        highest: the largest drives of the course, (compounds,).
        acting: until when it acts on each target, h after the course's first time.
        hours: times of the course after its first, h.
        receptors: share of 5-HT2A receptors left, of all at the first time.
        surviving: share of an earlier loss that use in the meantime leaves, recovery apart.
        recovery: rate at which receptors return, 1/h.
        compounds: their names, in the order of the arrays.
    """

    day: Float[Array, "*people"]
    starts: Float[Array, "*people administrations"]
    drive: Drive
    last: Drive
    highest: Drive
    acting: Acting
    hours: Float[Array, "*people times"]
    receptors: Float[Array, "*people times"]
    surviving: Float[Array, "*people times"]
    recovery: Float[Array, "*people"]
    compounds: tuple[str, ...] = field(metadata={"static": True})

    @property
    def num_people(self) -> int | None:
        """The number of people; None for one person without an axis."""
        return self.day.shape[0] if self.day.ndim else None

    def on(self, day: Any) -> "Administrations":
        """The same course, beginning on another day.  UserError unless it is one number."""
        number = one_number(day, where="day")
        return replace(self, day=jnp.full_like(self.day, number))


def driving(course: Course, person: Participant, targets: Targets) -> Drive:
    """The drives at every time of a course, (compounds, times)."""
    ligands, body = person.ligands, person.physiology
    agonism = ligands.efficacy_2a[:, None] * course.occupancy_2a
    serotonin = serotonin_agonism(course, person)
    total = jnp.sum(agonism, axis=0) + serotonin
    part = agonism / jnp.where(total > 0, total, 1.0)[None]
    reversal = course.effect_site / ligands.release_ec50[:, None]
    released = jnp.sum(reversal, axis=0)
    by = reversal / jnp.where(released > 0, released, 1.0)[None]
    # As a share of the stimulus that makes the response `full`.
    most = (body.full / (1 - body.full)) ** (1 / body.slope)
    stimulus = serotonin * course.receptors / most / targets.stimulus_half
    felt = jnp.maximum(course.effect_2a, 0.0)
    return Drive(
        part * felt[None],
        by * operational(stimulus, targets.stimulus_power)[None],
        bound(course.effect_site, ligands.nmda_ic50),
        bound(course.effect_site, targets.k_trkb),
    )


def bound(site: Float[Array, "compounds times"], half: Float[Array, " compounds"]):
    """Share of sites that each compound holds."""
    ratios = site / half[:, None]
    return ratios / (1 + jnp.sum(ratios, axis=0))[None]


def integrals(times: Curve, curve: Curve, starts: Array) -> Array:
    """Integral of a curve, linear between its times, from each start to the next.

    times: ascending, h.
    curve: at the times.
    starts: ascending, within the times; what is before the first counts with it.
    """
    ends = jnp.sort(jnp.concatenate([times, starts]))
    values = jnp.interp(ends, times, curve)
    areas = 0.5 * (values[1:] + values[:-1]) * jnp.diff(ends)
    owner = jnp.searchsorted(starts, ends[:-1], side="right") - 1
    return jax.ops.segment_sum(areas, jnp.maximum(owner, 0), len(starts))


@checked_arguments
def administrations(
    course: Course,
    times: Any,
    person: Participant,
    *,
    starts: Any = None,
    table: PlasticityTable | None = None,
) -> Administrations:
    """What the administrations of one person's course leave behind.

    course: of `simulate`.
    times: of the course, h, in steps of a quarter of an hour or less.
    person: of the course.
    starts: hours at which administrations begin, ascending, for a course that holds several; by
        default all of it is one, at its first time.  The drive until the next start belongs to one.
    table: numbers of plasticity, by default the package's.

    Receptors are followed whether or not the course was simulated with `tolerance`; only with it does
    their loss weaken a later dose.
    Raises UserError for times or a person that are not those of the course, steps that are too long,
    and starts that do not ascend or lie outside of the times.
    """
    check_one(person)
    times = as_hours(times)
    if course.plasma.shape != (len(person.compounds), *times.shape):
        raise UserError(
            f"the course holds (compounds, times) {course.plasma.shape}, the participant "
            f"{len(person.compounds)} compounds, and there are {times.shape} times",
            where="administrations",
            expected="the person and the times that made the course",
        )
    check_times(times, person, tolerance=True)
    begin = times[:1] if starts is None else check_starts(starts, times)
    table = load_plasticity() if table is None else table
    return left_behind(course, times, person, begin, table.targets(person.compounds))


def left_behind(
    course: Course,
    times: Curve,
    person: Participant,
    begin: Float[Array, " administrations"],
    targets: Targets,
) -> Administrations:
    """What the administrations leave behind, nothing checked; see `administrations`."""
    curves = driving(course, person, targets)

    def added(curves: Array) -> Array:
        every = jax.vmap(lambda curve: integrals(times, curve, begin))(curves)
        return every.T

    body = person.physiology
    demand = held_by_agonists(course.occupancy_2a, person)
    used = 0.5 * (demand[1:] + demand[:-1]) * jnp.diff(times)
    spent = jnp.concatenate([jnp.zeros_like(times[:1]), jnp.cumsum(used)])
    return Administrations(
        day=times[0] / HOURS_A_DAY,
        starts=begin - times[0],
        drive=jax.tree.map(added, curves),
        last=jax.tree.map(lambda curve: curve[:, -1], curves),
        highest=jax.tree.map(lambda curve: jnp.max(curve, axis=1), curves),
        acting=_acting(course, times, person, curves),
        hours=times - times[0],
        receptors=receptor_pool(times, demand, person),
        surviving=jnp.exp(-body.down_regulation * spent),
        recovery=body.recovery,
        compounds=person.compounds,
    )


def _acting(course: Course, times: Curve, person: Participant, drives: Drive) -> Acting:
    """Until when each target is acted on; the store refills at its rate after the last time."""
    hours = times - times[0]

    def last(above: Array) -> Array:
        return jnp.max(jnp.where(above, hours, 0.0))

    def over(curve: Curve) -> Array:
        return last(curve > UNFINISHED * jnp.max(curve))

    missing = 1 - course.store
    beyond = jnp.log(jnp.maximum(missing[-1] / UNFINISHED, 1.0))
    refilled = beyond / person.physiology.refill
    return Acting(
        jnp.maximum(over(jnp.sum(course.occupancy_2a, axis=0)), over(course.serotonin)),
        last(missing > UNFINISHED) + jnp.where(beyond > 0, refilled, 0.0),
        over(jnp.sum(drives.nmda_block, axis=0)),
        over(jnp.sum(drives.trkb, axis=0)),
    )


@checked_arguments
def group_administrations(
    group: Group, *, starts: Any = None, table: PlasticityTable | None = None
) -> Administrations:
    """The same for every person of a group, with a leading axis of people on every array."""
    times = as_hours(group.hours)
    first = jax.tree.map(lambda leaf: leaf[0], group.participants)
    check_times(times, first, tolerance=True)
    begin = times[:1] if starts is None else check_starts(starts, times)
    table = load_plasticity() if table is None else table
    targets = table.targets(first.compounds)
    return _of_people(group.course, times, group.participants, begin, targets)


_of_people = jax.jit(jax.vmap(left_behind, in_axes=(0, None, 0, None, None)))


def check_starts(starts: Any, times: Array) -> Array:
    """Starts as numbers; UserError unless they ascend within the times."""
    given: Any = starts
    if isinstance(given, Sequence) and not len(given):
        raise UserError("there are none", where="starts", expected="hours, one or more")
    numbers = jnp.atleast_1d(
        jnp.asarray(read_numbers(given, where="starts"), times.dtype)
    )
    if numbers.ndim != 1 or not len(numbers):
        raise UserError(
            f"have the shape {numbers.shape}",
            where="starts",
            expected="hours in one row, one or more",
        )
    if isinstance(numbers, Tracer) or isinstance(times, Tracer):
        return numbers
    known, within = np.asarray(numbers), np.asarray(times)
    if np.any(np.diff(known) <= 0) or known[0] < within[0] or known[-1] > within[-1]:
        raise UserError(
            f"are {', '.join(f'{hour:g}' for hour in known[:6])} h",
            where="starts",
            expected=f"ascending hours from {within[0]:g} to {within[-1]:g}, those of the course",
        )
    return numbers
