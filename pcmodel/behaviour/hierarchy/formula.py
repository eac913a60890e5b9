"""Formulas: which conditions and traits a parameter depends on, as in lme4.

`"omega2 ~ drug * genotype + (drug | participant)"`: effects common to all, and effects that
vary over participants, correlated (`|`) or not (`||`). Both parts are formulas of `formulae`,
the formula library of Bambi, and mean what they mean there. What that library would read
otherwise than it is written, or only in part, is refused (`grammar`).
"""

import re
from dataclasses import dataclass

from pcmodel.behaviour.hierarchy.functions import (
    GROUP,
    IN_SHELL,
    formula_error,
    library,
)
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments

NOBODY = "0"  # the varying effects of (0 | participant)
OPEN, CLOSE, QUOTES = "([{", ")]}", "'\"`"


@checked_arguments
@dataclass(frozen=True)
class Formula:
    """One parameter's formula, in its parts.

    Attributes:
        parameter: its name.
        common: effects common to all.
        varying: effects that vary over participants; "0" for none, None where the formula
            does not say.
        correlated: whether the varying effects are correlated, `|` and not `||`.

    Raises UserError for effects that the library would read otherwise than written.

    >>> parse_formula("omega2 ~ drug + (drug | participant)")
    Formula(parameter='omega2', common='drug', varying='drug', correlated=True)
    """

    parameter: str
    common: str
    varying: str | None = None
    correlated: bool = True

    def __post_init__(self) -> None:
        for side in (self.common, self.varying):
            if side not in (None, NOBODY, "1"):
                library()
                from pcmodel.behaviour.hierarchy.grammar import check_side

                check_side(side)


@checked_arguments
def parse_formula(text: str) -> Formula:
    """The parts of a formula; UserError where it cannot be read."""
    left, tilde, right = text.partition("~")
    if not tilde or not left.strip().isidentifier() or not right.strip():
        raise _unreadable(text)
    if right.lstrip().startswith("+"):
        raise formula_error(
            f"has a plus sign and no term before it: {right.strip()!r}",
            f"a term; {IN_SHELL}",
        )
    parts = _split(right)
    groups = [part for part in parts if _has_bar(part)]
    common = " + ".join(part for part in parts if not _has_bar(part)) or "1"
    if len(groups) > 1:
        raise formula_error(
            f"{text!r} has {len(groups)} groups of varying effects",
            "one, (effects | participant), or (effects || participant) for "
            "effects without correlations",
        )
    if not groups:
        return Formula(left.strip(), common)
    varying, bars, group = _split_group(groups[0])
    if group != GROUP:
        raise formula_error(
            f"effects vary over {group!r} in {text!r}",
            f"the group to be called {GROUP!r}",
        )
    if varying in ("0", "-1"):
        return Formula(left.strip(), common, NOBODY)
    return Formula(left.strip(), common, varying, bars == "|")


def _unreadable(text: str) -> UserError:
    expected = '"parameter ~ effects + (effects | participant)"'
    if not text.partition("~")[2].strip():
        expected += f"; {IN_SHELL}"
    return formula_error(f"cannot be read: {text!r}", expected)


def _depths(text: str) -> list[int]:
    """The number of brackets around each letter, one more within quotation marks.

    UserError for unmatched brackets and quotation marks.
    """
    found, open_brackets, quote = [], [], ""
    for letter in text:
        if quote:
            found.append(len(open_brackets) + 1)
            quote = "" if letter == quote else quote
            continue
        if letter in CLOSE:
            if not open_brackets or open_brackets.pop() != OPEN[CLOSE.index(letter)]:
                raise _unmatched(text, "parentheses")
        found.append(len(open_brackets))
        if letter in OPEN:
            open_brackets.append(letter)
        if letter in QUOTES:
            quote, found[-1] = letter, len(open_brackets) + 1
    if open_brackets or quote:
        raise _unmatched(text, "quotation marks" if quote else "parentheses")
    return found


def _unmatched(text: str, what: str) -> UserError:
    return formula_error(
        f"has unmatched {what}: {text.strip()!r}",
        "them in pairs; a column with one in its name stands in backticks",
    )


def _split(text: str) -> list[str]:
    """The terms between plus signs outside of brackets and quotation marks."""
    parts = [""]
    for letter, depth in zip(text, _depths(text), strict=True):
        if letter == "+" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    if any(not part.strip() for part in parts):
        raise formula_error(
            f"has a plus sign and no term after it: {text.strip()!r}",
            f"a term; {IN_SHELL}",
        )
    return [part.strip() for part in parts]


def _has_bar(part: str) -> bool:
    """Whether a part holds a bar outside of quotation marks."""
    return "|" in re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"", "", part)


def _split_group(part: str) -> tuple[str, str, str]:
    """Effects, bars and group of `(effects | group)`."""
    depths = _depths(part)
    is_group = part[0] == "(" and part[-1] == ")" and min(depths[1:-1]) > 0
    inside = [i for i, letter in enumerate(part) if letter == "|" and depths[i] == 1]
    if not is_group or len(inside) not in (1, 2) or inside[-1] - inside[0] > 1:
        raise formula_error(
            f"has a bar outside parentheses: {part!r}",
            "(effects | participant), added to the other effects",
        )
    effects, group = part[1 : inside[0]].strip(), part[inside[-1] + 1 : -1].strip()
    if not effects:
        raise formula_error(
            f"has no effects before the bar: {part!r}", f"(1 | participant); {IN_SHELL}"
        )
    return effects, "|" * len(inside), group


def variables_of(formula: Formula) -> tuple[str, ...]:
    """The names of the columns of conditions and traits that a formula needs."""
    found: dict[str, None] = {}
    for side in (formula.common, formula.varying):
        if side not in (None, NOBODY, "1"):
            library()
            from pcmodel.behaviour.hierarchy.grammar import columns_of

            found |= dict.fromkeys(sorted(columns_of(side)))
    return tuple(name for name in found if name != GROUP)
