"""One regimen in many people: the typical person first, then others drawn around them."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, SupportsIndex

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.random_keys import check_key
from pcmodel.inputs.ranges import NotNegative
from pcmodel.inputs.whole_numbers import whole_number
from pcmodel.neuromodulation.carried import (
    Carried,
    check_began_with,
    check_carried,
    check_shares,
    held_by_agonists,
    left_after,
)
from pcmodel.neuromodulation.checking import as_hours, check_taken, check_times
from pcmodel.neuromodulation.compounds import Library, load_compounds
from pcmodel.neuromodulation.course import Course, check_strategies, simulate
from pcmodel.neuromodulation.dosing import Dose, regimen
from pcmodel.neuromodulation.participant import (
    Participant,
    Variation,
    check_one,
    draw_participants,
    typical,
)
from pcmodel.neuromodulation.pharmacology.exchange import AtOnce


class Group(NamedTuple):
    """The courses of a regimen in a group of people; the others are drawn around person 0.

    hours: times of all curves, h.
    course: every field with a leading axis of people.
    participants: the people, every array with a leading axis of people.
    """

    hours: Float[Array, " times"]
    course: Course
    participants: Participant

    @property
    def num_people(self) -> int:
        """The number of people, the first included."""
        return self.course.effect_2a.shape[0]


@checked_arguments
def simulate_group(
    doses: Dose | Sequence[Dose],
    hours: Any,
    *,
    num_people: SupportsIndex = 0,
    key: Array | None = None,
    library: Library | None = None,
    person: Participant | None = None,
    variation: Variation | None = None,
    transducer: Any = None,
    tolerance: bool = False,
    exchange: Any = None,
    carried: Carried | None = None,
) -> Group:
    """The courses of one regimen in one person and in `num_people` others drawn around them.

    doses: in the order in which they are taken.
    hours: times, h, ascending.
    num_people: the number of people besides the first.
    key: for drawing them; equal keys yield the same people, whatever they take.
    library: the compounds' numbers, by default the package's.
    person: the first person, by default the `typical` one.
    variation: between people, by default as published.
    transducer: see `simulate`.
    tolerance: see `simulate`.
    exchange: see `simulate`.
    carried: see `simulate`; shares of everybody, the first person included.

    Raises UserError as `regimen`, `simulate` and `draw_participants` do, and for people without a
    key.
    """
    given = (doses,) if isinstance(doses, Dose) else tuple(doses)
    compounds = load_compounds() if library is None else library
    taken = regimen(*given, library=compounds)
    if person is None:
        person = typical(compounds, *(dose.compound for dose in taken))
    check_one(person)
    check_taken(taken, person)
    exchange = AtOnce() if exchange is None else exchange
    check_strategies(transducer, exchange)
    times = as_hours(hours)
    check_times(
        times,
        person,
        tolerance=tolerance,
        doses=taken,
        exchange=exchange,
        at_rest=carried is None,
    )
    if key is not None:
        check_key(key)
    number = whole_number(num_people, "num_people", least=0)
    check_carried(carried, exchange, people=number + 1)
    people = jax.tree.map(lambda leaf: leaf[None], person)
    if number:
        if key is None:
            raise UserError(
                f"is missing, and {number} people are to be drawn",
                where="key",
                expected="one random key, such as jax.random.key(0)",
            )
        people = _joined(person, check_key(key), variation, number=number)
    options = dict(transducer=transducer, tolerance=tolerance, exchange=exchange)
    return Group(times, _courses(taken, times, people, carried, **options), people)


@checked_arguments
def carry(
    group: Group, *, carried: Carried | None = None, after: NotNegative = 0.0
) -> Carried:
    """What a group's course leaves for a later one, person by person.

    group: of `simulate_group`.
    carried: what it was simulated with.
    after: hours without any drug from the course's last time to the later one's first.

    Raises UserError for shares of other people, and for others than the courses began with.
    """
    if carried is not None:
        check_shares(carried, people=len(group.course.store))
    check_began_with(carried, group.course.store, group.course.receptors)
    return _carried(group, carried, jnp.asarray(after, group.hours.dtype))


@jax.jit
def _carried(group: Group, carried: Carried | None, after: Array) -> Carried:
    def one(course: Course, person: Participant, carried: Carried | None) -> Carried:
        held = held_by_agonists(course.occupancy_2a, person)
        return left_after(
            course.store, held, group.hours, person, carried=carried, after=after
        )

    return jax.vmap(one)(group.course, group.participants, carried)


@partial(jax.jit, static_argnames="number")
def _joined(
    person: Participant, key: Array, variation: Variation | None, *, number: int
) -> Participant:
    others = draw_participants(person, key, number, variation)
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), person, others)


@partial(jax.jit, static_argnames=("transducer", "tolerance", "exchange"))
def _courses(
    doses, times, people, carried, *, transducer, tolerance, exchange
) -> Course:
    def one(person: Participant, carried: Carried | None) -> Course:
        return simulate(
            doses,
            times,
            person,
            transducer=transducer,
            tolerance=tolerance,
            exchange=exchange,
            carried=carried,
        )

    return jax.vmap(one)(people, carried)
