"""Compounds as data: the checked numbers of each, ready for the simulation.

The numbers of a compound determine its kind: one with an affinity and an efficacy is a ligand
(an antagonist if the efficacy is 0), one with `release_ec50` releases serotonin, one with
`nmda_ic50` blocks channels; an inert placebo has kinetics only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments, short
from pcmodel.neuromodulation.table import Number, assumptions, builtin, read_table

RATE = frozenset({"1/h"})
CONCENTRATION = frozenset({"ng/mL"})

QUANTITIES = {
    "molar_mass": {"g/mol"},
    "lag": {"h"},
    "absorption_rate": RATE,
    "half_life": {"h"},
    "volume": {"L"},
    "bioavailability": {"share"},
    "effect_site_rate": RATE,
    "k_2a": CONCENTRATION,
    "off_rate_2a": RATE,
    "k_1a": CONCENTRATION,
    "efficacy_2a": {"tau"},
    "efficacy_2a_in_vitro": {"tau"},
    "efficacy_1a": {"tau"},
    "release_ec50": CONCENTRATION,
    "nmda_ic50": CONCENTRATION,
    "systolic_rise": {"mmHg"},
    "diastolic_rise": {"mmHg"},
    "heart_rate_rise": {"bpm"},
}
POSITIVE = frozenset(QUANTITIES) - {
    "lag",
    "efficacy_2a",
    "efficacy_2a_in_vitro",
    "efficacy_1a",
    "systolic_rise",
    "diastolic_rise",
    "heart_rate_rise",
}
SHARES = frozenset({"bioavailability"})
NEEDED = ("half_life", "volume")
TOGETHER = (("k_2a", "efficacy_2a"), ("k_1a", "efficacy_1a"))


@checked_arguments
@dataclass(frozen=True)
class Compound:
    """One compound.

    Attributes:
        name: as doses name it.
        numbers: by quantity; `QUANTITIES` lists their units.
    """

    name: str
    numbers: Mapping[str, Number]

    def get(self, quantity: str, default: float) -> float:
        """The value of a quantity, or the default where it has none."""
        number = self.numbers.get(quantity)
        return default if number is None else number.value

    @property
    def is_oral(self) -> bool:
        """Whether it can be swallowed (an absorption rate is known)."""
        return "absorption_rate" in self.numbers

    @property
    def is_injectable(self) -> bool:
        """Whether the volume of an injected dose is known."""
        return not self.is_oral or "bioavailability" in self.numbers

    @checked_arguments
    def with_value(self, quantity: str, value: Any, why: str) -> "Compound":
        """A copy with one value changed and marked as assumed; `why` is its source.

        UserError for an unknown quantity, and for a value that it cannot have.
        """
        if quantity not in QUANTITIES:
            raise unknown_name("quantity", quantity, QUANTITIES, where=self.name)
        large: Any = 1e300
        if isinstance(value, bool) or not isinstance(value, Real) or value > large:
            raise UserError(
                f"{quantity} is {short(value)}, not a number", where=self.name
            )
        unit = sorted(QUANTITIES[quantity])[0]
        number = Number(
            self.name, quantity, float(value), unit, "assumed", why, "by hand", 0
        )
        changed = Compound(self.name, {**self.numbers, quantity: number})
        check(changed)
        return changed

    @checked_arguments
    def without(self, quantity: str) -> "Compound":
        """A copy without one number; without an effect-site rate the effect follows plasma at once.

        UserError for a quantity that is not there or that is needed.
        """
        if quantity not in self.numbers:
            raise unknown_name("quantity", quantity, self.numbers, where=self.name)
        kept = {name: n for name, n in self.numbers.items() if name != quantity}
        changed = Compound(self.name, kept)
        check(changed)
        return changed


@checked_arguments
@dataclass(frozen=True)
class Library:
    """A set of compounds.

    Attributes:
        compounds: by name.
    """

    compounds: Mapping[str, Compound]

    def __getitem__(self, name: str) -> Compound:
        if not isinstance(name, str) or name not in self.compounds:
            raise unknown_name("compound", name, self.compounds)
        return self.compounds[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all compounds."""
        return tuple(self.compounds)

    def assumptions(self, *names: str) -> list[str]:
        """The assumed numbers of some compounds, one sentence each."""
        found = [self[name].numbers.values() for name in names]
        return assumptions([number for numbers in found for number in numbers])

    @checked_arguments
    def replacing(self, compound: Compound) -> "Library":
        """A copy with one compound added or replaced."""
        return Library({**self.compounds, compound.name: compound})


@checked_arguments
def load_compounds(*files: str | Path) -> Library:
    """The package's compounds, and those of the user's files.

    A compound of a later file replaces one of the same name entirely. UserError with the row of a
    bad number, and with the file of a compound that lacks a number it needs.
    """
    compounds: dict[str, Compound] = {}
    for path in (builtin("compounds.csv"), *files):
        rows: dict[str, dict[str, Number]] = {}
        for number in read_table(path, QUANTITIES):
            rows.setdefault(number.subject, {})[number.quantity] = number
        for name, numbers in rows.items():
            compounds[name] = Compound(name, numbers)
            check(compounds[name])
    return Library(compounds)


def check(compound: Compound) -> None:
    """UserError unless the numbers of a compound are complete and in range."""
    numbers = compound.numbers
    first = next(iter(numbers.values()))
    where = f"{first.file}, compound {compound.name}"
    for needed in NEEDED:
        if needed not in numbers:
            raise UserError(f"has no {needed}", where=where)
    for number in numbers.values():
        if not 0 <= number.value < float("inf"):
            raise UserError(
                f"{number.quantity} is {number.value}",
                where=number.where,
                expected="a finite number, 0 or more",
            )
        if number.quantity in POSITIVE and number.value == 0:
            raise UserError(f"{number.quantity} must be positive", where=number.where)
        if number.quantity in SHARES and number.value > 1:
            raise UserError(
                f"{number.quantity} is {number.value:g}",
                where=number.where,
                expected="a share, at most 1",
            )
    if "off_rate_2a" in numbers and "k_2a" not in numbers:
        raise UserError(
            "has off_rate_2a without k_2a",
            where=numbers["off_rate_2a"].where,
            expected="both, or k_2a alone",
        )
    for pair in TOGETHER:
        given = [name for name in pair if name in numbers]
        if len(given) == 1:
            raise UserError(
                f"has {given[0]} without {(set(pair) - set(given)).pop()}",
                where=numbers[given[0]].where,
                expected="both, or neither",
            )
