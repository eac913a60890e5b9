"""What the drugs of one arm do to its people at the moments of their events.

Doses that are far apart are simulated one after the other, each from rest: a store of serotonin is full again within
two days or three. The people are the same whatever they take, and the same in every arm.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from pcmodel.inputs.arrays import default_dtype
from pcmodel.neuromodulation.accounts.accounts import Effects, effects
from pcmodel.neuromodulation.compounds import Library
from pcmodel.neuromodulation.course import Course
from pcmodel.neuromodulation.dosing import Dose, Regimen
from pcmodel.neuromodulation.group import Group, simulate_group
from pcmodel.neuromodulation.participant import Variation, typical
from pcmodel.neuromodulation.plasticity.drive import (
    Administrations,
    group_administrations,
)
from pcmodel.runtime.memory import check_fits

APART = 48.0
"""Hours between doses from which the second is simulated from rest."""
AFTER = 120.0
"""Hours after the last dose of a block for which it is simulated: MDMA's release is over in slow people too."""
STEP = 0.25
"""Hours between times that are fine enough to integrate over."""
FINE = np.concatenate([np.arange(0, 1, 1 / 60), np.arange(1, AFTER, STEP), [AFTER]])
"""Hours after a dose at which its course is computed, besides those of the events."""
BOOSTER = 12.0
"""Hours within which a further dose belongs to the same administration."""
BATCH = 64
"""Times of a block are a multiple of this."""
TICK = 1e-3
"""Hours, to whole multiples of which events are moved: four seconds."""


class Acute(NamedTuple):
    """The acute effects of one arm, (people, events) each; 0 without a drug.

    effects: on the hierarchy.
    released: serotonin, in multiples of its K at 5-HT2A.
    peak: strongest effect felt so far, share of a full one: the most of `effect_2a`, of the share of channels blocked,
        and of released serotonin s as s / (1 + s).
    """

    effects: Effects
    released: Float[Array, "people events"]
    peak: Float[Array, "people events"]


class Population(NamedTuple):
    """How the people of a simulation take up and respond to drugs.

    num_people: how many.
    key: for drawing them; equal keys yield the same people, whatever they take.
    compounds: all that are taken in any arm.
    library: the compounds' numbers.
    variation: between people; None: as published.
    """

    num_people: int
    key: Array
    compounds: tuple[str, ...]
    library: Library
    variation: Variation | None = None


class Taken(NamedTuple):
    """What a regimen does to a population.

    acute: effects at the events.
    administrations: what each block leaves behind for plasticity, in order of days.
    """

    acute: Acute
    administrations: tuple[Administrations, ...]


def take(
    doses: Regimen, day: Sequence[float] | np.ndarray, population: Population
) -> Taken:
    """What a regimen does to a population.

    doses: of one arm, with hours since time 0.
    day: of each event, days since time 0, ascending.

    Raises UserError as `pcmodel.neuromodulation.simulate_group` does.
    """
    hours = 24 * np.asarray(day, float)
    shape = (population.num_people, len(hours))
    check_fits(*shape, 5, what="acute effects")
    columns = np.zeros((5, *shape), default_dtype())
    left = []
    for block in blocks(doses):
        start = hour_of(block[0])
        end = hour_of(block[-1]) + AFTER
        at = np.flatnonzero((hours >= start) & (hours < end))
        ticks = grid(block, hours[at])
        group = _simulated(block, ticks, population)
        told = np.array(_rows(group.course))
        told[4] = np.maximum.accumulate(told[4], axis=1)
        columns[:, :, at] = told[
            :, :, np.searchsorted(ticks, in_ticks(hours[at] - start))
        ]
        later = hours >= end
        columns[4][:, later] = np.maximum(columns[4][:, later], told[4][:, -1:])
        own = group_administrations(group, starts=_starts(block))
        left.append(own.on(start / 24))
    columns[4] = np.maximum.accumulate(columns[4], axis=1)
    values = [jnp.asarray(column) for column in columns]
    return Taken(Acute(Effects(*values[:3]), *values[3:]), tuple(left))


def hour_of(dose: Dose) -> float:
    """When a dose is taken, hours since time 0."""
    return float(np.asarray(dose.hours))


def blocks(doses: Regimen) -> list[Regimen]:
    """Doses in groups that are simulated together; those of 0 mg do nothing, and stay."""
    found: list[list[Dose]] = []
    for dose in doses:
        last = found[-1][-1] if found else None
        if last is not None and hour_of(dose) - hour_of(last) < APART:
            found[-1].append(dose)
        else:
            found.append([dose])
    return [tuple(block) for block in found]


def grid(block: Regimen, events: np.ndarray) -> Int[np.ndarray, " times"]:
    """Times at which a block is simulated, ticks since its start: the events', and others fine enough to integrate."""
    start = hour_of(block[0])
    since = [hour_of(dose) - start for dose in block]
    ticks = [in_ticks(events - start), *(in_ticks(hour + FINE) for hour in since)]
    # One time before the first dose, at which all are at rest.
    found = np.unique(np.concatenate([*ticks, [-1]]))
    # Whole batches of times, so that one program serves blocks with other events.
    missing = -len(found) % BATCH
    return np.append(found, found[-1] + in_ticks(STEP * np.arange(1, missing + 1)))


def in_ticks(hours: np.ndarray) -> Int[np.ndarray, " times"]:
    """Hours in whole ticks."""
    return np.rint(hours / TICK).astype(np.int64)


def _starts(block: Regimen) -> list[float]:
    """Hours since the block's start at which an administration begins; boosters belong to the one before."""
    first, found = hour_of(block[0]), [0.0]
    for dose in block:
        since = hour_of(dose) - first
        if since - found[-1] >= BOOSTER:
            found.append(since)
    return found


def _simulated(
    block: Regimen, ticks: Int[np.ndarray, " times"], population: Population
) -> Group:
    """The courses of a block, hours since its start: single precision tells minutes apart at any day of a year."""
    start = hour_of(block[0])
    moved = [
        Dose(dose.compound, dose.mg, hour_of(dose) - start, dose.route)
        for dose in block
    ]
    group = simulate_group(
        moved,
        ticks * TICK,
        num_people=population.num_people,
        key=population.key,
        library=population.library,
        person=typical(population.library, *population.compounds),
        variation=population.variation,
    )
    # The first is the typical person, around whom the others are drawn.
    others = jax.tree.map(lambda leaf: leaf[1:], (group.course, group.participants))
    return Group(group.hours, *others)


@jax.jit
def _rows(course: Course) -> Float[Array, "5 people times"]:
    return jnp.stack([*effects(course), course.serotonin, intensity(course)])


def intensity(course: Course) -> Array:
    """What is felt, share of a full effect."""
    released = course.serotonin / (1 + course.serotonin)
    return jnp.maximum(jnp.maximum(course.effect_2a, course.nmda_block), released)


def nothing_taken(num_people: int, num_events: int) -> Taken:
    """What no drug does."""
    none = jnp.zeros((num_people, num_events))
    return Taken(Acute(Effects(none, none, none), none, none), ())
