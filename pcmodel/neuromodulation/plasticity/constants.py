"""The numbers of the plasticity window: time constants, calibrations, and what each compound does.

They are a table like that of compounds (`plasticity.csv`); users add rows for compounds of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments, is_number, short
from pcmodel.inputs.ranges import Positive, Range
from pcmodel.neuromodulation.plasticity.chain import falling_at
from pcmodel.neuromodulation.table import Number, assumptions, builtin, read_table

DAYS = frozenset({"days"})
HOURS = frozenset({"h"})
SHARE = frozenset({"share"})

QUANTITIES = {
    **dict.fromkeys(("bdnf", "trkb", "mtor", "closing"), DAYS),
    **dict.fromkeys(("open_at", "closed_by", "loss", "maturation"), DAYS),
    **dict.fromkeys(("day_1", "day_7"), SHARE),
    **dict.fromkeys(("reference", "half"), HOURS),
    "peak": frozenset({"multiple"}),
    "stimulus_half": SHARE,
    "stimulus_power": frozenset({"power"}),
    "k_trkb": frozenset({"ng/mL"}),
}
ONSET = ("bdnf", "trkb", "mtor")
PARTS = {
    "stages": (*ONSET, "peak"),
    "spines": ("day_1", "loss"),
    "sv2a": ("day_1", "day_7", "maturation", "loss"),
    **dict.fromkeys(("via_2a", "trkb_direct", "via_nmda"), ("reference", "half")),
    "via_serotonin": ("reference", "half", "stimulus_half", "stimulus_power"),
}
OF_COMPOUNDS = frozenset({*ONSET, "closing", "open_at", "closed_by", "k_trkb"})
CLOSED = 0.1
"""The share of its peak below which a window counts as closed."""

PartOfPeak = Annotated[float, Range(0.0, 1.0, open="both")]


class Targets(NamedTuple):
    """What drives depend on beside the person.

    k_trkb: K at TrkB, ng/mL; infinite where no binding is known.
    stimulus_half: stimulus of serotonin at half of its effect, 1 = psilocin at every receptor.
    stimulus_power: exponent of that effect.
    """

    k_trkb: Float[Array, " compounds"]
    stimulus_half: Array
    stimulus_power: Array


@checked_arguments
@dataclass(frozen=True)
class PlasticityTable:
    """The numbers of the window.

    Attributes:
        numbers: by subject (a compound, or a part of the model) and quantity.
    """

    numbers: Mapping[tuple[str, str], Number]

    def __post_init__(self) -> None:
        for place, number in self.numbers.items():
            if place != (number.subject, number.quantity):
                raise UserError(
                    f"holds {number.quantity} of {number.subject} under {short(place)}",
                    where="PlasticityTable",
                    expected="each number under its own subject and quantity",
                )
            check(number)

    def value(self, subject: str, quantity: str) -> float:
        """One number of a part of the model; UserError where there is none."""
        if not self.has(subject, quantity):
            raise UserError(
                f"has no {quantity} of {subject}",
                where="plasticity table",
                expected="the package's numbers, and those of files: load_plasticity(file)",
            )
        return self.numbers[subject, quantity].value

    def has(self, subject: object, *quantities: str) -> bool:
        """Whether it holds all of these numbers of a subject."""
        return all((subject, quantity) in self.numbers for quantity in quantities)

    def of_compound(self, name: str, quantity: str, default: float = np.nan) -> float:
        """One number of a compound, or the default; a time constant of the onset is that of "stages"."""
        own = self.numbers.get((name, quantity))
        if own is None and quantity in ONSET:
            return self.value("stages", quantity)
        return default if own is None else own.value

    @property
    def compounds(self) -> tuple[str, ...]:
        """The compounds whose windows are known to close."""
        return tuple(name for name, quantity in self.numbers if quantity == "closing")

    def targets(self, compounds: Sequence[str]) -> Targets:
        """The numbers on which the drives of these compounds depend."""
        known = [self.of_compound(name, "k_trkb", np.inf) for name in compounds]
        effect = (
            self.value("via_serotonin", name)
            for name in ("stimulus_half", "stimulus_power")
        )
        return Targets(
            jnp.asarray(np.asarray(known, float)),
            *(jnp.asarray(number, float) for number in effect),
        )

    def assumptions(self) -> list[str]:
        """The numbers that nobody measured, one sentence each."""
        return assumptions(list(self.numbers.values()))


@checked_arguments
def load_plasticity(*files: str | Path) -> PlasticityTable:
    """The package's numbers of the plasticity window, and those of the user's files.

    A row of a later file replaces that of the same subject and quantity.  UserError with file and
    row for a bad number, and for a quantity that its subject does not have.
    """
    numbers: dict[tuple[str, str], Number] = {}
    for path in (builtin("plasticity.csv"), *files):
        for number in read_table(path, QUANTITIES):
            check(number)
            numbers[number.subject, number.quantity] = number
    return PlasticityTable(numbers)


def check(number: Number) -> None:
    """UserError unless a number belongs to its subject, is finite, and positive where it must be."""
    if not is_number(number.value) or not np.isfinite(number.value):
        raise UserError(
            f"{number.quantity} is {short(number.value)}",
            where=number.where,
            expected="a finite number",
        )
    known = PARTS.get(number.subject, OF_COMPOUNDS | {"reference", "half"})
    if number.quantity not in known:
        raise UserError(
            f"{number.subject} has no {number.quantity}",
            where=number.where,
            expected="one of: " + ", ".join(sorted(known)),
        )
    if number.value <= 0 and number.quantity not in ("peak", "day_1", "day_7"):
        raise UserError(f"{number.quantity} must be positive", where=number.where)


@checked_arguments
def closing_time_constant(
    open_at: Positive,
    closed_by: Positive,
    *,
    onset_days: Sequence[Positive] = (0.05, 0.1, 0.35),
    share: PartOfPeak = CLOSED,
) -> float:
    """The time constant of the gain, days, for a window that closes between two times.

    It falls to `share` of its peak at the geometric mean of the times, which is the middle of an
    interval in which it is only known to close.  This is the rule behind every `closing` of the table.

    open_at: the last time at which it was still open, days.
    closed_by: the first time at which it was closed, days.
    onset_days: time constants of BDNF release, TrkB signalling and protein synthesis, days.
    share: of the peak, below which it counts as closed.
    UserError unless the times ascend, and where the onset is too slow for them.
    """
    if not open_at < closed_by:
        raise UserError(
            f"a window that is open at {open_at:g} days cannot be closed by {closed_by:g}",
            where="closing_time_constant",
            expected="open_at before closed_by",
        )
    onset, middle = np.asarray(onset_days, float), np.sqrt(open_at * closed_by)
    found = float(falling_at(jnp.asarray(onset), jnp.asarray(middle), share=share))
    if not np.isfinite(found):
        raise UserError(
            f"with an onset of {onset.sum():g} days no window is closed at {middle:g} days",
            where="closing_time_constant",
            expected="a faster onset or later times",
        )
    return found
