"""Checks of times, doses and people that would yield wrong numbers.

Values are checked where they are known; under `jit` and `vmap` only shapes and names are.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import default_dtype, read_numbers
from pcmodel.neuromodulation.dosing import (
    Dose,
    Infusion,
    Oral,
    Regimen,
    check_are_doses,
    check_length,
    check_order,
    check_value,
)
from pcmodel.neuromodulation.participant import Participant
from pcmodel.neuromodulation.pharmacology.exchange import Exchange

# Hours between times at which a pool or the exchange of receptors is integrated, at most.
LONGEST_STEP = 0.25


def as_hours(times: Any) -> Array:
    """Times, traced or not, as floating-point numbers; whole ones would round the hours of doses.

    Single and double precision keep their type; half precision is too coarse to integrate in.
    UserError for values that are no numbers.
    """
    numbers = read_numbers(times, where="times", finite=False)
    if numbers.dtype == bool:
        raise UserError("values are of type bool", where="times", expected="hours")
    kept = numbers.dtype in (jnp.float32, jnp.float64)
    return jnp.asarray(numbers, None if kept else default_dtype())


@checked_arguments
def check_times(
    times: Any,
    person: Participant,
    *,
    tolerance: bool,
    doses: Regimen = (),
    exchange: Exchange | None = None,
    at_rest: bool = True,
) -> None:
    """UserError unless times are finite, ascend, and suit the integration.

    A store, receptor tolerance and exchange with rates need steps of `LONGEST_STEP` at most, and
    a first time before the first dose, at which all are at rest; a person who is not (`at_rest`)
    may have had doses before.
    """
    hours = as_hours(times)
    if hours.ndim != 1 or not len(hours):
        raise UserError(
            f"times have the shape {hours.shape}",
            expected="hours in one row, one or more",
        )
    if isinstance(hours, Tracer):
        return
    known = np.asarray(hours, float)
    if not np.all(np.isfinite(known)):
        at = int(np.argmin(np.isfinite(known)))
        raise UserError(f"time {at} is {known[at]} h", expected="finite hours")
    steps = np.diff(known)
    if not np.all(steps > 0):
        at = int(np.argmin(steps > 0)) + 1
        raise UserError(
            f"times must ascend, in hours: time {at} is {known[at]:g} h after {known[at - 1]:g} h."
        )
    if not (
        person.has_releaser
        or tolerance
        or not at_rest
        or (exchange is not None and exchange.integrates)
    ):
        return
    if len(steps) and steps.max() > LONGEST_STEP + 1e-6:
        raise UserError(
            f"times are up to {steps.max():g} h apart; a serotonin store, receptor tolerance or "
            f"exchange with rates needs steps of {LONGEST_STEP} h or less."
        )
    for number, dose in enumerate(doses if at_rest else (), 1):
        if _is_before(dose, known[0]):
            raise UserError(
                f"is at {dose.hours:g} h, before the first time, {known[0]:g} h, at which a "
                "serotonin store would be full and receptors at rest.",
                where=f"dose {number} ({dose.compound})",
            )


def _is_before(dose: Dose, time: float) -> bool:
    """Whether a dose above 0 is taken before a time, as far as both are known."""
    known = not isinstance(dose.hours, Tracer) and not isinstance(dose.mg, Tracer)
    return known and bool(np.any(np.asarray(dose.hours) < time) and np.any(dose.mg))


def check_taken(doses: Regimen, person: Participant) -> None:
    """UserError unless the person has the numbers of every dose, and its route is possible."""
    check_are_doses(doses)
    for number, dose in enumerate(doses, 1):
        where = f"dose {number} ({dose.compound})"
        if dose.compound not in person.compounds:
            raise UserError(
                "the participant has no numbers for it",
                where=where,
                expected=f"one made for it, typical(library, {dose.compound!r}); this one is for "
                + ", ".join(person.compounds),
            )
        for what, value, unit in (("amount", dose.mg, "mg"), ("time", dose.hours, "h")):
            check_value(value, what, unit, where)
            if np.ndim(value):
                raise UserError(
                    f"{what} has the shape {np.shape(value)}",
                    where=where,
                    expected="one number: map over doses with jax.vmap",
                )
        check_route(dose, person, where)
    check_order(doses)


def check_route(dose: Dose, person: Participant, where: str) -> None:
    """UserError for a route for which the compound has no numbers."""
    kinetics, index = person.ligands.kinetics, person.compounds.index(dose.compound)
    oral = isinstance(dose.route, Oral)
    needed = kinetics.absorption if oral else kinetics.bioavailability
    if isinstance(dose.route, Infusion):
        check_length(dose.route.hours, where)
    if (
        not isinstance(needed, Tracer)
        and np.isnan(np.asarray(needed)[..., index]).any()
    ):
        how = (
            "swallowed: no absorption rate" if oral else "injected: no bioavailability"
        )
        raise UserError(f"cannot be {how} is known", where=where)


def check_curve(times: Array, curve: Array) -> None:
    """UserError unless a curve has one finite value for each of the times, which ascend."""
    if times.ndim != 1 or curve.shape != times.shape or len(times) < 2:
        raise UserError(
            f"the curve has the shape {curve.shape}, the times {times.shape}",
            expected="one value for each time, two or more",
        )
    if not isinstance(times, Tracer) and not bool(jnp.all(jnp.diff(times) > 0)):
        raise UserError("times must ascend, in hours.")
    if not isinstance(curve, Tracer) and not bool(jnp.all(jnp.isfinite(curve))):
        raise UserError("the curve holds values that are not finite.")
