"""What the arms of a timeline do to a population: acute effects, believed allocation, the plasticity window.

None of it depends on beliefs, so that it is computed once for all accounts and traits.
"""

from collections.abc import Collection
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.neuromodulation.accounts.accounts import (
    Account,
    NmdaBlock,
    Rebus,
    Together,
)
from pcmodel.neuromodulation.accounts.compatibility import PROVIDED
from pcmodel.neuromodulation.compounds import Library
from pcmodel.neuromodulation.dosing import Dose
from pcmodel.sessions.timeline import Timeline
from pcmodel.sessions.treatment.acute import (
    Acute,
    Population,
    Taken,
    nothing_taken,
    take,
)
from pcmodel.sessions.treatment.blinding import believed_allocation
from pcmodel.sessions.treatment.windows import Plasticity, learning_factors

DEFAULT_ACCOUNT = Together((Rebus(), NmdaBlock()))
"""Psychedelics relax priors, and ketamine blocks what is passed on and learned while it acts."""
NO_WINDOW = Plasticity(peak=0.0)


class Treatment(NamedTuple):
    """What the arms do, each with leading axes (arms, people, events).

    acute: effects of the drugs.
    believed: probability that the person gives to having had the drug.
    plasticity: factor on the rates of learning; 1 = no window.
    """

    acute: Acute
    believed: Float[Array, "arms people events"]
    plasticity: Float[Array, "arms people events"]


def treat(
    course: Timeline,
    population: Population,
    *,
    unblinding: float,
    window: Plasticity | None,
) -> Treatment:
    """What the arms of a course do to a population.

    unblinding: as in `pcmodel.sessions.person.dynamics.Dynamics`.
    window: of plasticity; None: there is none.
    """
    days = np.asarray(course.day, float)
    shape = (population.num_people, len(days))
    # Arms with the same doses share what is computed for them.
    made: dict[tuple, Taken] = {(): nothing_taken(*shape)}
    regimens = [tuple(map(_written, doses)) for doses in course.doses]
    for written, doses in zip(regimens, course.doses, strict=True):
        if written not in made:
            made[written] = take(doses, days, population)
    opened = {
        written: learning_factors(
            window or NO_WINDOW, one.administrations, days, num_people=shape[0]
        )
        for written, one in made.items()
    }
    found = [made[written].acute for written in regimens]
    believed = [
        believed_allocation(course, number, acute.peak, unblinding=unblinding)
        for number, acute in enumerate(found)
    ]
    acute = jax.tree.map(lambda *arms: jnp.stack(arms), *found)
    plasticity = jnp.stack([opened[written] for written in regimens])
    return Treatment(acute, jnp.stack(believed), plasticity)


def _written(dose: Dose) -> tuple:
    """A dose as what it says."""
    return (
        dose.compound,
        float(np.asarray(dose.mg)),
        float(np.asarray(dose.hours)),
        dose.route,
    )


def check_acts(account: Account, library: Library, compounds: Collection[str]) -> None:
    """UserError for an account that depends on nothing that any compound of the arms does.

    Of a course without any active compound nothing is asked.
    """
    taken = [library[name].numbers for name in compounds]
    acting = {
        need
        for need, (_, quantities) in PROVIDED.items()
        for numbers in taken
        if any(q in numbers and numbers[q].value > 0 for q in quantities)
    }
    if acting and not acting & set(account.needs):
        raise UserError(
            f"depends on {', '.join(account.needs)}, which {', '.join(compounds)} leave alone",
            where=f"account {type(account).__name__.lower()}",
            expected=f"an account of {', '.join(sorted(acting))}",
        )
