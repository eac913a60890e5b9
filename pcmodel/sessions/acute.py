"""What the drugs of one arm do to its people at the moments of their events.

Doses that are far apart are simulated one after the other, each from rest: a store of serotonin is full again within
two days or three. The people are the same whatever they take, and the same in every arm.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

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
from pcmodel.runtime.memory import check_fits

APART = 48.0
"""Hours between doses from which the second is simulated from rest."""
AFTER = 48.0
"""Hours after the last dose of a block for which it is simulated."""
FINE = np.concatenate([np.arange(0, 1, 1 / 60), np.arange(1, AFTER, 0.25), [AFTER]])
"""Hours after a dose at which its course is computed, besides those of the events."""
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


def acute_effects(
    doses: Regimen, day: Sequence[float] | np.ndarray, population: Population
) -> Acute:
    """The acute effects of a regimen at events.

    doses: of one arm, with hours since time 0.
    day: of each event, days since time 0, ascending.

    Raises UserError as `pcmodel.neuromodulation.simulate_group` does.
    """
    hours = 24 * np.asarray(day, float)
    shape = (population.num_people, len(hours))
    check_fits(*shape, 5, what="acute effects")
    columns = np.zeros((4, *shape), default_dtype())
    peak = np.zeros(shape, columns.dtype)
    for block in blocks(doses):
        start = float(np.asarray(block[0].hours))
        end = float(np.asarray(block[-1].hours)) + AFTER
        at = np.flatnonzero((hours >= start) & (hours < end))
        times = grid(block, hours[at])
        told = _block(block, times, population)
        index = np.searchsorted(times, in_ticks(hours[at] - start))
        columns[:, :, at] = told[:4, :, index]
        so_far = np.maximum.accumulate(told[4], axis=1)
        peak[:, at] = np.maximum(peak[:, at], so_far[:, index])
        later = hours >= end
        peak[:, later] = np.maximum(peak[:, later], so_far[:, -1:])
    peak = np.maximum.accumulate(peak, axis=1)
    values = [jnp.asarray(column) for column in columns]
    return Acute(Effects(*values[:3]), values[3], jnp.asarray(peak))


def blocks(doses: Regimen) -> list[Regimen]:
    """Doses in groups that are simulated together; those of 0 mg do nothing, and stay."""
    found: list[list[Dose]] = []
    for dose in doses:
        last = found[-1][-1] if found else None
        if last is not None and dose.hours - last.hours < APART:  # type: ignore[operator]
            found[-1].append(dose)
        else:
            found.append([dose])
    return [tuple(block) for block in found]


def grid(block: Regimen, events: np.ndarray) -> Int[np.ndarray, " times"]:
    """Times at which a block is simulated, ticks since its start: the events', and others fine enough to integrate."""
    start = float(np.asarray(block[0].hours))
    since = [float(np.asarray(dose.hours)) - start for dose in block]
    ticks = [in_ticks(events - start), *(in_ticks(hour + FINE) for hour in since)]
    # One time before the first dose, at which all are at rest.
    return np.unique(np.concatenate([*ticks, [-1]]))


def in_ticks(hours: np.ndarray) -> Int[np.ndarray, " times"]:
    """Hours in whole ticks."""
    return np.rint(hours / TICK).astype(np.int64)


def _block(
    block: Regimen, times: Int[np.ndarray, " times"], population: Population
) -> Float[np.ndarray, "5 people times"]:
    """The effects, released serotonin and what is felt, over the times of a block."""
    start = block[0].hours
    # Hours since the block's start: single precision tells minutes apart at any day of a year.
    moved = [
        Dose(dose.compound, dose.mg, dose.hours - start, dose.route)  # type: ignore[operator]
        for dose in block
    ]
    group = simulate_group(
        moved,
        times * TICK,
        num_people=population.num_people,
        key=population.key,
        library=population.library,
        person=typical(population.library, *population.compounds),
        variation=population.variation,
    )
    return np.asarray(_rows(group))[:, 1:]


@jax.jit
def _rows(group: Group) -> Float[Array, "5 people times"]:
    acting = effects(group.course)
    return jnp.stack([*acting, group.course.serotonin, intensity(group.course)])


def intensity(course: Course) -> Array:
    """What is felt, share of a full effect."""
    released = course.serotonin / (1 + course.serotonin)
    return jnp.maximum(jnp.maximum(course.effect_2a, course.nmda_block), released)


def no_effects(num_people: int, num_events: int) -> Acute:
    """The effects of no drug."""
    none: Any = jnp.zeros((num_people, num_events))
    return Acute(Effects(none, none, none), none, none)
