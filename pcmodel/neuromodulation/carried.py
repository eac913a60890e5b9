"""What earlier doses leave in a person: a store that is not full again, receptors that have not returned.

Concentrations of earlier doses need no state: they are a closed form of time, so the doses themselves are given.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import short
from pcmodel.inputs.arrays import is_traced, read_numbers, to_dtype
from pcmodel.neuromodulation.participant import Participant
from pcmodel.neuromodulation.pharmacology.exchange import Exchange
from pcmodel.neuromodulation.pharmacology.pools import depletable

Curve = Float[Array, " times"]


class Carried(NamedTuple):
    """The state of one person at the first time of a course; with a leading axis of people for a group.

    store: content of the serotonin store; 1 = full.
    lost: share of 5-HT2A receptors that earlier doses have removed.
    """

    store: Float[Array, "*people"]
    lost: Float[Array, "*people"]


def check_carried(
    carried: object, exchange: Exchange, *, people: int | None = None
) -> None:
    """UserError unless it is nothing, or shares from 0 to 1 with receptors at equilibrium.

    people: whose shares there must be; None for one person without an axis.
    """
    if carried is None:
        return
    if exchange.integrates:
        raise UserError(
            f"receptors that exchange ligands with rates ({type(exchange).__name__}) begin at rest",
            where="carried",
            expected="exchange=AtOnce(), or one course of all doses",
        )
    check_shares(carried, people=people)


def check_shares(carried: object, *, people: int | None) -> None:
    """UserError unless these are shares from 0 to 1 of as many people, or of one without an axis."""
    if not isinstance(carried, Carried):
        raise UserError(
            f"is {short(carried)}",
            where="carried",
            expected="Carried(store, lost), such as `carry` gives",
        )
    shape = () if people is None else (people,)
    for name, share in carried._asdict().items():
        numbers = read_numbers(share, where=f"carried.{name}")
        if np.shape(numbers) != shape:
            raise UserError(
                f"has the shape {np.shape(numbers)}",
                where=f"carried.{name}",
                expected="the share of one person"
                if people is None
                else f"one share of each of the {people} people, the first included",
            )
        if is_traced(numbers):
            continue
        known = to_dtype(numbers, float, where=f"carried.{name}")
        if np.any((known < 0) | (known > 1)):
            raise UserError(
                f"is {short(known)}",
                where=f"carried.{name}",
                expected="shares from 0 to 1",
            )


def check_began_with(
    carried: Carried | None,
    store: Float[Array, "people times"],
    receptors: Float[Array, "people times"],
) -> None:
    """UserError unless courses began with what is said to have been carried into them; None: at rest."""
    if is_traced((carried, store, receptors)):
        return
    full, lost = (1.0, 0.0) if carried is None else carried
    began = {
        "the serotonin store": (store[:, 0], np.asarray(full)),
        "receptors": (receptors[:, 0], 1 - np.asarray(lost)),
    }
    for what, (found, told) in began.items():
        if not np.allclose(np.asarray(found), told, rtol=0, atol=1e-5):
            raise UserError(
                f"is not what the group was simulated with: {what} began at {short(np.asarray(found))}",
                where="carried",
                expected="the `carried` of its simulate_group, or None where it had none",
            )


def held_by_agonists(
    occupancy_2a: Float[Array, "compounds times"], person: Participant
) -> Curve:
    """Share of 5-HT2A receptors that agonists occupy, on which the loss of receptors depends."""
    agonists = person.ligands.efficacy_2a > 0
    return jnp.sum(jnp.where(agonists[:, None], occupancy_2a, 0), axis=0)


def receptor_pool(
    times: Curve,
    held: Curve,
    person: Participant,
    *,
    lost: Array | float = 0.0,
) -> Curve:
    """Share of 5-HT2A receptors left at each time; 1 = all.

    times: ascending, h.
    held: share of receptors that agonists occupy at the times.
    lost: share that was lost before the first time.
    """
    body = person.physiology
    return depletable(
        times,
        held,
        spend=body.down_regulation,
        refill=body.recovery,
        initial=1.0 - jnp.asarray(lost, held.dtype),
    )


def beside_first(times: Curve, held: Curve, person: Participant, lost: Array) -> Curve:
    """Receptors left over those that are left at the same hour of a first session.

    The second stage was calibrated on first sessions, the loss within them included: what weakens a later one is
    what earlier ones took.
    """
    left = receptor_pool(times, held, person, lost=lost)
    return left / receptor_pool(times, held, person)


def left_after(
    store: Curve,
    held: Curve,
    times: Curve,
    person: Participant,
    *,
    carried: Carried | None,
    after: Array,
) -> Carried:
    """What is left for a later course.

    store: content over a course.
    held: share of receptors that agonists occupy over the course.
    times: of the course, h.
    carried: into the course.
    after: hours between its last time and the later course's first, without any drug.
    """
    body = person.physiology
    lost = 0.0 if carried is None else carried.lost
    at_end = 1 - receptor_pool(times, held, person, lost=lost)[-1]
    return Carried(
        1 - (1 - store[-1]) * jnp.exp(-body.refill * after),
        at_end * jnp.exp(-body.recovery * after),
    )
