"""A column of two values that holds three or more: which of them is odd, and advice on it."""

from collections.abc import Mapping, Sequence

from pcmodel.behaviour.dataset.naming import likeness
from pcmodel.behaviour.dataset.tables.cells import to_number
from pcmodel.behaviour.dataset.tables.pasted import (
    as_codes,
    as_missing,
    comparison,
    option,
)
from pcmodel.behaviour.dataset.task_table import TaskTable
from pcmodel.behaviour.dataset.values.meanings import NO_CHOICE, larger_of
from pcmodel.behaviour.dataset.values.suspects import CODES, NEGATIVE

SHOWN = 8  # values that are listed with their counts
FEW = 6  # values, of which some may be misspelt; a column of more is another column


def refuse_third(
    table: TaskTable,
    name: str,
    levels: Mapping[str, Sequence[int]],
    *,
    has_codes: bool,
) -> None:
    """Refuse the cells that are not of the two usual levels, and list all levels.

    levels: the rows of each level, missing cells left out.
    has_codes: the levels are words, of which it must also be said which counts as 0.
    """
    place = table.places[name]
    counts = {level: len(rows) for level, rows in levels.items()}
    listed = sorted(counts, key=lambda level: -counts[level])[:SHOWN]
    shown = ", ".join(f"{level} ({counts[level]})" for level in listed)
    shown += ", ..." if len(counts) > SHOWN else ""
    problem = f"holds {len(counts)} values: {shown}; a binary column holds two"
    if len(counts) > FEW:
        meant = f"say which column is meant (--columns {name}=COLUMN)"
        table.column(place).refuse(f"{problem}; {meant}")
        return
    usual, odd = _usual_and_odd(counts)
    advice = _advice(name, place, usual, odd, has_codes=has_codes)
    for level in odd:
        for i in levels[level]:
            table.cell(place, i).refuse(f"{problem}; {advice}")


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
    """Options of the command line, each of which makes the column readable."""
    alike = [x for x in odd for y in usual if likeness(x) == likeness(y)]
    if alike:
        return "write one of those that differ only in case or spaces everywhere"
    zero, one = usual
    coded = f" {as_codes(name, (zero, one))}" if has_codes else ""
    without = " and ".join(comparison(place, "!=", level) for level in odd)
    left_out = f"leave these rows out ({option(without)}{coded})"
    turned = as_codes(name, (one, zero))
    then = f"then {zero} counts as 0 and {one} as 1, or the reverse ({turned})"
    if any(set(",=") & set(level) for level in odd):
        return f"{left_out}; {then}"
    missing = as_missing(name, *odd)
    stand = "stand" if len(odd) > 1 else "stands"
    return (
        f"if {' and '.join(odd)} {stand} for no value, say so ({missing}{coded}), "
        f"or {left_out}; {then}"
    )
