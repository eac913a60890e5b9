"""Doses: compound, amount, route and time.

A route is an object with its own closed-form solution, so that a regimen is a plain tuple of
doses. Amounts and times may be traced: a dose can be fitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer
from jax.typing import ArrayLike

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments
from pcmodel.inputs.arrays import default_dtype, read_numbers, to_dtype
from pcmodel.neuromodulation.compounds import Compound, Library
from pcmodel.neuromodulation.pharmacology.kinetics import (
    Kinetics,
    unit_bolus,
    unit_infusion,
    unit_oral,
)

SATURATING = 1e4  # times the K of receptors, which no plasma concentration reaches
Curves = tuple[Array, Array]


@dataclass(frozen=True)
class Oral:
    """The route of a swallowed dose."""

    def per_mg(self, kinetics: Kinetics, time: Array) -> Curves:
        """Plasma and effect-site concentration `time` h after the dose, ng/mL per mg."""
        return unit_oral(kinetics, time)


@dataclass(frozen=True)
class Bolus:
    """The route of a dose injected into a vein at once."""

    def per_mg(self, kinetics: Kinetics, time: Array) -> Curves:
        """Plasma and effect-site concentration `time` h after the dose, ng/mL per mg."""
        return unit_bolus(kinetics, time)


@checked_arguments
@dataclass(frozen=True)
class Infusion:
    """The route of a dose infused into a vein at a constant rate.

    Attributes:
        hours: duration of the infusion, h.
    """

    hours: float

    def per_mg(self, kinetics: Kinetics, time: Array) -> Curves:
        """Plasma and effect-site concentration `time` h after the dose, ng/mL per mg."""
        return unit_infusion(kinetics, time, jnp.asarray(self.hours, time.dtype))


Route = Oral | Bolus | Infusion


@checked_arguments
@dataclass(frozen=True)
class Dose:
    """One dose.

    Attributes:
        compound: its name.
        mg: amount, mg.
        hours: time from the time origin, h.
        route: `Oral`, `Bolus` or `Infusion`.
    """

    compound: str
    mg: ArrayLike
    hours: ArrayLike = 0.0
    route: Route = Oral()


jax.tree_util.register_dataclass(
    Dose, data_fields=["mg", "hours"], meta_fields=["compound", "route"]
)

Regimen = tuple[Dose, ...]


@checked_arguments
def regimen(*doses: Any, library: Library) -> Regimen:
    """Doses (each a `Dose`) as a checked regimen.

    UserError with the number of the dose for an unknown compound, a negative or non-finite amount
    or time, an amount that must be in another unit (micrograms for mg), a route for which the
    compound has no numbers, and doses out of order.
    """
    check_are_doses(doses)
    for number, dose in enumerate(doses, 1):
        where = f"dose {number} ({dose.compound})"
        compound = library[dose.compound]
        check_value(dose.mg, "amount", "mg", where)
        check_amount(dose, compound, where)
        check_value(dose.hours, "time", "h", where)
        if isinstance(dose.route, Oral) and not compound.is_oral:
            raise UserError(
                "cannot be swallowed: its table has no absorption_rate",
                where=where,
                expected="Bolus() or Infusion(hours)",
            )
        if not isinstance(dose.route, Oral) and not compound.is_injectable:
            raise UserError(
                "cannot be injected: its volume is apparent (V/F), and its table has no "
                "bioavailability",
                where=where,
                expected="Oral()",
            )
        if isinstance(dose.route, Infusion):
            check_length(dose.route.hours, where)
    check_order(doses)
    return tuple(doses)


def check_amount(dose: Dose, compound: Compound, where: str) -> None:
    """UserError for an amount that must be in another unit, such as micrograms for mg.

    It would bring plasma to 10,000 times the concentration that occupies half of the compound's
    receptors, by the numbers of its table. A plain tuple of doses is simulated without this check.
    """
    numbers = compound.numbers
    halves = [numbers[name].value for name in ("k_2a", "k_1a") if name in numbers]
    if not halves or isinstance(dose.mg, Tracer):
        return
    most = SATURATING * min(halves) * numbers["volume"].value / 1000.0  # ng/mL L is ug
    if np.any(np.asarray(dose.mg) > most):
        raise UserError(
            f"amount is {dose.mg} mg, which would bring plasma beyond {SATURATING:,.0f} "
            "times what half fills its receptors",
            where=where,
            expected=f"at most {most:.3g} mg (100 micrograms are 0.1 mg)",
        )


def check_are_doses(doses: object) -> None:
    """UserError unless these are doses with known routes."""
    if not isinstance(doses, tuple | list):
        raise UserError(f"is {doses!r}", where="doses", expected="what regimen() gives")
    for number, dose in enumerate(doses, 1):
        if not isinstance(dose, Dose):
            raise UserError(
                f"is {dose!r}", where=f"dose {number}", expected="a Dose(compound, mg)"
            )
        if not isinstance(dose.route, Route):
            raise UserError(
                f"has the route {dose.route!r}",
                where=f"dose {number} ({dose.compound})",
                expected="Oral(), Bolus() or Infusion(hours)",
            )


def check_length(hours: object, where: str) -> None:
    """UserError unless the duration of an infusion is positive and finite."""
    real = isinstance(hours, int | float | np.number) and not isinstance(hours, bool)
    if not real or not 0 < hours < np.inf:  # type: ignore[operator]
        raise UserError(f"an infusion cannot last {hours} h", where=where)


def check_value(value: ArrayLike, what: str, unit: str, where: str) -> None:
    """UserError unless the number is finite and not negative."""
    if isinstance(value, Tracer):
        return
    if isinstance(value, str):
        raise UserError(f"{what} is {value!r}, not a number", where=where)
    read = read_numbers(value, where=f"{where}: {what}", finite=False)
    if read.dtype == bool:
        raise UserError(f"{what} is {value!r}, not a number", where=where)
    number = to_dtype(read, default_dtype(), where=f"{where}: {what}")
    if not np.all(np.isfinite(number)) or np.any(number < 0):
        raise UserError(
            f"{what} is {value} {unit}", where=where, expected=f"0 {unit} or more"
        )


def check_order(doses: Sequence[Dose]) -> None:
    """UserError unless doses are in order of time."""
    times = [dose.hours for dose in doses]
    if any(isinstance(time, Tracer) for time in times):
        return
    for number, (before, after) in enumerate(pairwise(times), 2):
        if np.any(np.asarray(after) < np.asarray(before)):
            raise UserError(
                f"is at {after} h, before the previous one at {before} h",
                where=f"dose {number} ({doses[number - 1].compound})",
                expected="doses in order of time",
            )
