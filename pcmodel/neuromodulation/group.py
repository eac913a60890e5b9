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
from pcmodel.inputs.whole_numbers import whole_number
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
    check_strategies(transducer, AtOnce() if exchange is None else exchange)
    times = as_hours(hours)
    check_times(times, person, tolerance=tolerance, doses=taken, exchange=exchange)
    if key is not None:
        check_key(key)
    number = whole_number(num_people, "num_people", least=0)
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
    return Group(times, _courses(taken, times, people, **options), people)


@partial(jax.jit, static_argnames="number")
def _joined(
    person: Participant, key: Array, variation: Variation | None, *, number: int
) -> Participant:
    others = draw_participants(person, key, number, variation)
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), person, others)


@partial(jax.jit, static_argnames=("transducer", "tolerance", "exchange"))
def _courses(doses, times, people, *, transducer, tolerance, exchange) -> Course:
    def one(person: Participant) -> Course:
        return simulate(
            doses,
            times,
            person,
            transducer=transducer,
            tolerance=tolerance,
            exchange=exchange,
        )

    return jax.vmap(one)(people)
