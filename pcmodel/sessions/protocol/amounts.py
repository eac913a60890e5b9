"""A dose as people write it: an amount, a unit, perhaps per kilogram, perhaps later in the session."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_options, short
from pcmodel.inputs.numerals import to_finite
from pcmodel.inputs.ranges import NotNegative, Positive

MG = {"mg": 1.0, "g": 1000.0, "ug": 1e-3, "µg": 1e-3, "μg": 1e-3, "mcg": 1e-3}
"""Milligrams in one unit; both signs for micro."""
WRITTEN = re.compile(
    r"(?P<number>\S+?)\s*(?P<unit>mg|g|ug|µg|μg|mcg)\s*(?P<per>/\s*kg)?"
    r"(?:\s+at\s+(?P<hour>\S+?)\s*h)?"
)
EXAMPLES = '"25 mg", "100 ug", "0.5 mg/kg" or "40 mg at 2 h"'


@checked_options()
@dataclass(frozen=True)
class Amount:
    """How much of a compound, and when.

    value: in `unit`, above 0.
    unit: "mg", "g" or "ug".
    per_kg: whether it is for each kilogram of the person's weight.
    hour: after the beginning of the session, h.
    """

    value: Positive
    unit: Literal["mg", "g", "ug"] = "mg"
    per_kg: bool = False
    hour: NotNegative = 0.0

    @classmethod
    def from_text(cls, text: str) -> "Amount":
        """Read "0.5 mg/kg" or "40 mg at 2 h"; UserError for other text.

        >>> Amount.from_text("40 mg at 2 h")
        Amount(value=40.0, unit='mg', per_kg=False, hour=2.0)
        """
        found = WRITTEN.fullmatch(text.strip())
        value = to_finite(found["number"]) if found else None
        hour = to_finite(found["hour"] or "0") if found else None
        if found is None or value is None or hour is None or value <= 0 or hour < 0:
            raise UserError(f"dose is {short(text)}", expected=f"{EXAMPLES}, above 0")
        unit: Any = {1.0: "mg", 1000.0: "g"}.get(MG[found["unit"]], "ug")
        return cls(value, unit, found["per"] is not None, hour)

    def mg(self, weight: Any) -> Any:
        """The dose of a person of this weight (kg), mg; the weight may be an array or traced."""
        one = self.value * MG[self.unit]
        return one * weight if self.per_kg else one
