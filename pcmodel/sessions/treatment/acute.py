"""What the drugs of one arm do to its people at the moments of their events.

Doses that are far apart are simulated one after the other, each from what the earlier ones have left: of the compound,
of the serotonin store, and of receptors. Together they are one long simulation, at the cost of their hours alone. The
people are the same whatever they take, and the same in every arm.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from pcmodel.inputs.arrays import default_dtype
from pcmodel.neuromodulation.accounts.accounts import Effects, effects
from pcmodel.neuromodulation.carried import Carried
from pcmodel.neuromodulation.compounds import Library
from pcmodel.neuromodulation.course import Course
from pcmodel.neuromodulation.dosing import Dose, Regimen
from pcmodel.neuromodulation.group import Group, carry, simulate_group
from pcmodel.neuromodulation.participant import Variation, typical
from pcmodel.neuromodulation.plasticity.drive import (
    Administrations,
    group_administrations,
)
from pcmodel.runtime.memory import check_fits

APART = 48.0
"""Hours between doses from which the second is simulated in a block of its own."""
AFTER = 120.0
"""Hours after a dose until which its block lasts, unless the next begins, and concentrations are followed: MDMA's
release is over in slow people too. The store and the receptors are followed without an end."""
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
    left, carried = [], None
    for block in blocks(doses):
        start, end = hour_of(block.doses[0]), block.end
        at = np.flatnonzero((hours >= start) & (hours < end))
        ticks = grid(block, hours[at])
        group, carried = _simulated(block, ticks, population, carried)
        told = np.array(_rows(group.course))
        told[4] = np.maximum.accumulate(told[4], axis=1)
        columns[:, :, at] = told[
            :, :, np.searchsorted(ticks, in_ticks(hours[at] - start))
        ]
        later = hours >= end
        columns[4][:, later] = np.maximum(columns[4][:, later], told[4][:, -1:])
        left.append(_left_behind(group, block))
    columns[4] = np.maximum.accumulate(columns[4], axis=1)
    values = [jnp.asarray(column) for column in columns]
    return Taken(Acute(Effects(*values[:3]), *values[3:]), tuple(left))


def hour_of(dose: Dose) -> float:
    """When a dose is taken, hours since time 0."""
    return float(np.asarray(dose.hours))


class Block(NamedTuple):
    """Doses that are simulated together.

    doses: of the block; those of 0 mg do nothing, and stay.
    earlier: doses of blocks before it that are still in the body, as many for every block: doses of 0 mg fill up.
    end: hour at which it ends: the next begins, or all is over.
    after: hours from there to the first time of the next block; 0 for the last one.
    goes_on: whether the next block begins at its end.
    """

    doses: Regimen
    earlier: Regimen
    end: float
    after: float
    goes_on: bool


def blocks(doses: Regimen) -> list[Block]:
    """Doses in blocks, in order of time."""
    groups: list[list[Dose]] = []
    for dose in doses:
        if groups and hour_of(dose) - hour_of(groups[-1][-1]) < APART:
            groups[-1].append(dose)
        else:
            groups.append([dose])
    begins = [hour_of(group[0]) - TICK for group in groups]
    still = [[d for d in doses if at - AFTER < hour_of(d) < at] for at in begins]
    most = max(map(len, still), default=0)
    found = []
    for group, before, following in zip(
        groups, still, [*begins[1:], None], strict=True
    ):
        over = hour_of(group[-1]) + AFTER
        end = over if following is None else min(over, following)
        first = before[0] if before else group[0]
        none = Dose(first.compound, 0.0, hour_of(first), first.route)
        filled = (none,) * (most - len(before)) + tuple(before)
        after = 0.0 if following is None else following - end
        found.append(Block(tuple(group), filled, end, after, end < over))
    return found


def grid(block: Block, events: np.ndarray) -> Int[np.ndarray, " times"]:
    """Times at which a block is simulated, ticks since its start: the events', and others fine enough to integrate."""
    start = hour_of(block.doses[0])
    last = round((block.end - start) / TICK)
    since = [hour_of(dose) - start for dose in block.doses]
    ticks = [in_ticks(events - start), *(in_ticks(hour + FINE) for hour in since)]
    # One time before the first dose.
    found = np.unique(np.concatenate([*ticks, [-1, last]]))
    found = found[found <= last]
    # Whole batches of times, so that one program serves blocks with other events.
    missing = -len(found) % BATCH
    free = np.setdiff1d(np.arange(last), found, assume_unique=True)
    return np.sort(np.append(found, free[:: max(len(free) // BATCH, 1)][:missing]))


def in_ticks(hours: np.ndarray) -> Int[np.ndarray, " times"]:
    """Hours in whole ticks."""
    return np.rint(hours / TICK).astype(np.int64)


def _starts(block: Block) -> list[float]:
    """Hours at which an administration begins; boosters belong to the one before."""
    found: list[float] = []
    for dose in block.doses:
        if not found or hour_of(dose) - found[-1] >= BOOSTER:
            found.append(hour_of(dose))
    return found


def _origin(block: Block) -> float:
    """The hour of the first dose that counts, from which single precision tells moments apart on any day of a year."""
    return hour_of((*block.earlier, *block.doses)[0])


def _left_behind(group: Group, block: Block) -> Administrations:
    """What a block leaves for plasticity; what of its drive the next block begins with belongs to that one."""
    origin, start = _origin(block), hour_of(block.doses[0])
    own = group_administrations(group, starts=[at - origin for at in _starts(block)])
    if block.goes_on:
        own = replace(own, last=jax.tree.map(jnp.zeros_like, own.last))
    return own.on(start / 24)


def _simulated(
    block: Block,
    ticks: Int[np.ndarray, " times"],
    population: Population,
    carried: Carried | None,
) -> tuple[Group, Carried]:
    """The courses of a block in the people, and what it leaves in them and in the typical person before them."""
    origin, start = _origin(block), hour_of(block.doses[0])
    moved = [
        Dose(dose.compound, dose.mg, hour_of(dose) - origin, dose.route)
        for dose in (*block.earlier, *block.doses)
    ]
    if carried is None:
        carried = Carried(*(jnp.full(population.num_people + 1, x) for x in (1.0, 0.0)))
    group = simulate_group(
        moved,
        ticks * TICK + (start - origin),
        num_people=population.num_people,
        key=population.key,
        library=population.library,
        person=typical(population.library, *population.compounds),
        variation=population.variation,
        carried=carried,
    )
    left = carry(group, carried=carried, after=block.after)
    # The first is the typical person, around whom the others are drawn.
    others = jax.tree.map(lambda leaf: leaf[1:], (group.course, group.participants))
    return Group(group.hours, *others), left


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
