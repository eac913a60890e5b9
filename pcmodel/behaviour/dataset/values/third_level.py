"""A column of two values that holds three or more: which of them is odd, and what to do."""

from collections.abc import Mapping, Sequence

from pcmodel.behaviour.dataset.naming import likeness
from pcmodel.behaviour.dataset.tables.cells import to_number
from pcmodel.behaviour.dataset.tables.pasted import pasted
from pcmodel.behaviour.dataset.tables.readers import RawTable
from pcmodel.behaviour.dataset.tables.where import comparison, option
from pcmodel.behaviour.dataset.values.meanings import NO_CHOICE, larger_of
from pcmodel.behaviour.dataset.values.suspects import CODES, NEGATIVE
from pcmodel.behaviour.dataset.violations import Violations

SHOWN = 8  # values that are listed with their counts
FEW = 6  # values, of which some may be slips; a column of more is another column


def refuse_third(
    raw: RawTable,
    name: str,
    place: str,
    levels: Mapping[str, Sequence[int]],
    problems: Violations,
    *,
    has_codes: bool,
) -> None:
    """Name the cells that are not of the two usual levels, with what all levels are.

    `levels` holds the rows of each level, missing cells left out; `has_codes` says that
    the levels are words, of which it must also be said which counts as 0.
    """
    counts = {level: len(rows) for level, rows in levels.items()}
    listed = sorted(counts, key=lambda level: -counts[level])[:SHOWN]
    shown = ", ".join(f"{level} ({counts[level]})" for level in listed)
    shown += ", ..." if len(counts) > SHOWN else ""
    said = f"holds {len(counts)} values: {shown}; a binary column holds two"
    if len(counts) > FEW:
        problems.add(
            f"{said}; say which column is meant (--columns {name}=COLUMN)",
            file=raw.at(0, place)["file"],
            column=place,
        )
        return
    usual, odd = _usual_and_odd(counts)
    advice = _advice(name, place, usual, odd, has_codes=has_codes)
    for level in odd:
        for i in levels[level]:
            cell = raw.columns[place][i].strip()
            problems.add(f"{said}; {advice}", **raw.at(i, place), value=cell)


def _usual_and_odd(counts: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """The two commonest, codes of missing values last; of equally common ones 0 and 1."""

    def rank(level: str) -> tuple[bool, int, bool]:
        number = to_number(level)
        is_code = number in CODES | NEGATIVE - {-1.0}
        is_code |= number is None and bool(NO_CHOICE.fullmatch(level))
        return is_code, -counts[level], number not in (0.0, 1.0)

    order = sorted(counts, key=rank)
    usual = sorted(order[:2], key=lambda x: (to_number(x) or 0.0, x))
    if larger_of(dict.fromkeys(usual, "")) == usual[0]:
        usual.reverse()  # loss counts as 0 and win as 1
    return usual, order[2:]


def _advice(
    name: str, place: str, usual: Sequence[str], odd: Sequence[str], *, has_codes: bool
) -> str:
    """Options that can be pasted, each of which settles the column."""
    alike = [x for x in odd for y in usual if likeness(x) == likeness(y)]
    if alike:
        return "write one of those that differ only in case or spaces everywhere"
    zero, one = usual
    coded = f" {pasted('codes', f'{name}={zero},{one}')}" if has_codes else ""
    without = " and ".join(comparison(place, "!=", level) for level in odd)
    left_out = f"leave these rows out ({option(without)}{coded})"
    turned = pasted("codes", f"{name}={one},{zero}")
    then = f"then {zero} counts as 0 and {one} as 1, or the reverse ({turned})"
    if any(set(",=") & set(level) for level in odd):
        return f"{left_out}; {then}"
    missing = pasted("missing", ",".join(f"{name}={level}" for level in odd))
    stand = "stand" if len(odd) > 1 else "stands"
    return (
        f"if {' and '.join(odd)} {stand} for no value, say so ({missing}{coded}), "
        f"or {left_out}; {then}"
    )
