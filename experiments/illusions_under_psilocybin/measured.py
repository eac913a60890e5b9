"""The people: size illusions under placebo, 5 and 10 mg of psilocybin, read from a table that is not shipped."""

import csv
import math
from pathlib import Path

import numpy as np

from pcmodel.errors import UserError
from pcmodel.inputs.files import check_file, read_text

from .._published import SHARED

FOLDER = SHARED.parent / "perception" / "aqil2025_psilocybin_illusions"
FILE = "size_illusion.csv"
MEASURED = (0.0, 5.0, 10.0)
"""mg, in the order of the columns."""
COLUMNS = ("participant", "dose_mg", "size_illusion_percent")
NOBODY = np.zeros((0, len(MEASURED)))


def read_people(folder: str) -> np.ndarray:
    """Illusions in per cent, (people, doses); more negative is stronger.

    folder: of the data set; empty: beside the repository, and nobody where it is absent.

    Raises UserError for a folder that was named and has no table, and for a table in which somebody lacks a
    dose, has one twice, or a number that is none.
    """
    path = Path(folder or FOLDER) / FILE
    if not folder and not path.exists():
        return NOBODY
    rows = list(csv.DictReader(read_text(check_file(path)).splitlines()))
    if not rows or not set(COLUMNS) <= set(rows[0]):
        raise UserError(
            "has other columns", where=str(path), expected=", ".join(COLUMNS)
        )
    found: dict[str, dict[float, float]] = {}
    for number, row in enumerate(rows, 2):
        where = f"{path}, line {number}"
        dose, illusion = (_number(row[name], where, name) for name in COLUMNS[1:])
        own = found.setdefault(row["participant"], {})
        if dose in own or dose not in MEASURED:
            raise UserError(
                f"dose {dose:g} mg of {row['participant']}",
                where=where,
                expected="0, 5 and 10 mg, each once",
            )
        own[dose] = illusion
    for person, own in found.items():
        if len(own) < len(MEASURED):
            raise UserError(
                f"{person} has {len(own)} of {len(MEASURED)} doses", where=str(path)
            )
    return np.array([[own[dose] for dose in MEASURED] for own in found.values()])


def _number(text: str | None, where: str, name: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{name} is {text!r}", where=where, expected="a finite number")
    return value
