"""Tables of numbers with their sources.

One row holds one number: `subject,quantity,value,unit,mark,source`. The mark says how well the
number is known. A row without a unit, a mark or a source is refused, so that every number of the
package has a source. Users write the same files for compounds of their own.
"""

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.files import read_text
from pcmodel.inputs.numerals import to_finite

COLUMNS = ("subject", "quantity", "value", "unit", "mark", "source")

MARKS = {
    "read": "read in the source named",
    "secondary": "read in a secondary source",
    "memory": "recalled, not checked against the source named",
    "derived": "computed from the numbers named",
    "calibrated": "set so that the model reproduces the numbers named",
    "assumed": "chosen; no measurement known",
}
ASSUMPTIONS = ("memory", "calibrated", "assumed")  # marks that a report must list


@dataclass(frozen=True)
class Number:
    """One number and its source.

    Attributes:
        subject: the compound, or the part of the body.
        quantity: what is measured.
        value: in `unit`.
        unit: of the value.
        mark: how well it is known; see `MARKS`.
        source: a publication, or a reason.
        file: the table.
        row: its line in the table.
    """

    subject: str
    quantity: str
    value: float
    unit: str
    mark: str
    source: str
    file: str
    row: int

    @property
    def where(self) -> str:
        """File and row, for messages."""
        return f"{self.file}, row {self.row}"

    def __str__(self) -> str:
        return (
            f"{self.subject}: {self.quantity.replace('_', ' ')} {self.value:g} "
            f"{self.unit} ({self.mark}: {self.source})"
        )


def read_table(
    path: str | Path | Traversable, quantities: Mapping[str, Collection[str]]
) -> list[Number]:
    """Every row of a table.

    quantities: by known quantity the units that it may have.
    UserError with file and row for an unknown quantity, unit or mark, a missing field, a number
    that is not finite, or the same quantity twice.
    """
    file = Path(path) if isinstance(path, str) else path
    text = read_text(file) if isinstance(file, Path) else file.read_text("utf-8")
    lines = enumerate(map(str.strip, text.splitlines()), 1)
    kept = [(row, line) for row, line in lines if line and line[0] != "#"]
    if not kept or tuple(_cells(kept[0][1], file.name)) != COLUMNS:
        raise UserError(
            "the first line must name the columns",
            where=file.name,
            expected=",".join(COLUMNS),
        )
    numbers = [_number(file.name, row, line, quantities) for row, line in kept[1:]]
    _refuse_twice(numbers)
    return numbers


def builtin(name: str) -> Traversable:
    """A table of the package."""
    return resources.files("pcmodel.neuromodulation").joinpath(name)


def assumptions(numbers: Collection[Number]) -> list[str]:
    """The numbers that are not measurements, as sentences for a report."""
    return [str(number) for number in numbers if number.mark in ASSUMPTIONS]


def _cells(line: str, where: str) -> list[str]:
    try:
        cells = next(csv.reader([line], skipinitialspace=True))
    except csv.Error as error:  # a field longer than any number and its source
        raise UserError(f"cannot be read ({error})", where=where) from None
    return [cell.strip() for cell in cells]


def _number(
    file: str, row: int, line: str, quantities: Mapping[str, Collection[str]]
) -> Number:
    where = f"{file}, row {row}"
    cells = _cells(line, where)
    if len(cells) != len(COLUMNS):
        raise UserError(
            f"has {len(cells)} fields",
            where=where,
            expected=f"{len(COLUMNS)}: {','.join(COLUMNS)} (quote a field with commas)",
        )
    fields = dict(zip(COLUMNS, cells, strict=True))
    for column, cell in fields.items():
        if not cell:
            raise UserError(f"has no {column}", where=where)
    if fields["quantity"] not in quantities:
        raise unknown_name("quantity", fields["quantity"], quantities, where=where)
    if fields["unit"] not in quantities[fields["quantity"]]:
        raise UserError(
            f"{fields['quantity']} cannot be in {fields['unit']!r}",
            where=where,
            expected=" or ".join(sorted(quantities[fields["quantity"]])),
        )
    if fields["mark"] not in MARKS:
        raise unknown_name("evidence mark", fields["mark"], MARKS, where=where)
    return Number(
        fields["subject"],
        fields["quantity"],
        _value(fields["value"], where),
        fields["unit"],
        fields["mark"],
        fields["source"],
        file,
        row,
    )


def _value(text: str, where: str) -> float:
    value = to_finite(text)
    if value is None:
        raise UserError(f"{text!r} is not a number", where=where)
    if value < 0:
        raise UserError(f"{text} is negative", where=where, expected="0 or more")
    return value


def _refuse_twice(numbers: list[Number]) -> None:
    seen: dict[tuple[str, str], Number] = {}
    for number in numbers:
        key = (number.subject, number.quantity)
        if key in seen:
            raise UserError(
                f"{number.quantity} of {number.subject} was already given in row "
                f"{seen[key].row}",
                where=number.where,
            )
        seen[key] = number
