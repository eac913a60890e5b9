"""Formulas: which conditions and traits a parameter depends on, as in lme4.

`"omega2 ~ drug * genotype + (drug | participant)"`: effects common to all, and effects that
vary over participants, correlated (`|`) or not (`||`). Both parts are formulas of `formulae`,
the formula library of Bambi, and mean what they mean there. What that library would read as
something else than was written, or only in part, is refused (`grammar`).
"""

from dataclasses import dataclass

from pcmodel.behaviour.hierarchy.grammar import check_side, columns_of
from pcmodel.behaviour.hierarchy.tree import GROUP, IN_SHELL
from pcmodel.errors import UserError
from pcmodel.inputs.arguments import checked_arguments

NOBODY = "0"  # varying effects of a formula that says (0 | participant)
OPEN, CLOSE, QUOTES = "([{", ")]}", "'\"`"


@checked_arguments
@dataclass(frozen=True)
class Formula:
    """One parameter's formula, taken apart.

    Attributes:
        common: effects common to all.
        varying: effects that vary over participants; "0" where nobody differs, None where
            the formula does not say.
        correlated: whether those are correlated, `|` and not `||`.

    Raises UserError for effects that would be read as something else than they say.

    >>> parse_formula("omega2 ~ drug + (drug | participant)")
    Formula(parameter='omega2', common='drug', varying='drug', correlated=True)
    """

    parameter: str
    common: str
    varying: str | None = None
    correlated: bool = True

    def __post_init__(self) -> None:
        for side in (self.common, self.varying):
            if side not in (None, NOBODY):
                check_side(side)


@checked_arguments
def parse_formula(text: str) -> Formula:
    """Take a formula apart; UserError where it cannot be read."""
    left, tilde, right = text.partition("~")
    if not tilde or not left.strip().isidentifier() or not right.strip():
        raise _unreadable(text)
    if right.lstrip().startswith("+"):
        raise UserError(
            f"has a plus sign and no term before it: {right.strip()!r}",
            where="formula",
            expected=f"a term; {IN_SHELL}",
        )
    parts = _split(right)
    groups = [part for part in parts if _has_bar(part)]
    common = " + ".join(part for part in parts if not _has_bar(part)) or "1"
    if len(groups) > 1:
        raise UserError(
            f"{text!r} has {len(groups)} groups of varying effects",
            where="formula",
            expected="one, (effects | participant), or (effects || participant) for "
            "effects without correlations",
        )
    if not groups:
        return Formula(left.strip(), common)
    varying, bars, group = _split_group(groups[0])
    if group != GROUP:
        raise UserError(
            f"effects vary over {group!r} in {text!r}",
            where="formula",
            expected=f"the group to be called {GROUP!r}",
        )
    if varying in ("0", "-1"):
        return Formula(left.strip(), common, NOBODY)
    return Formula(left.strip(), common, varying, bars == "|")


def _unreadable(text: str) -> UserError:
    return UserError(
        f"cannot be read: {text!r}",
        where="formula",
        expected='"parameter ~ effects + (effects | participant)"'
        + ("" if text.partition("~")[2].strip() else f"; {IN_SHELL}"),
    )


def _depths(text: str) -> list[int]:
    """How deep in brackets each letter stands, quoted ones deepest; UserError if unmatched."""
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
    return UserError(
        f"has unmatched {what}: {text.strip()!r}",
        where="formula",
        expected="them in pairs; a column with one in its name stands in backticks",
    )


def _split(text: str) -> list[str]:
    """The terms between plus signs that stand outside brackets and quotation marks."""
    parts = [""]
    for letter, depth in zip(text, _depths(text), strict=True):
        if letter == "+" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    if any(not part.strip() for part in parts):
        raise UserError(
            f"has a plus sign and no term after it: {text.strip()!r}",
            where="formula",
            expected=f"a term; {IN_SHELL}",
        )
    return [part.strip() for part in parts]


def _has_bar(part: str) -> bool:
    """Whether a bar stands in it that is not part of a quoted label."""
    quoted, quote = False, ""
    for letter in part:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in QUOTES:
            quote = letter
        else:
            quoted = quoted or letter == "|"
    return quoted


def _split_group(part: str) -> tuple[str, str, str]:
    depths = _depths(part)
    is_group = part[0] == "(" and part[-1] == ")" and min(depths[1:-1]) > 0
    inside = [i for i, letter in enumerate(part) if letter == "|" and depths[i] == 1]
    if not is_group or len(inside) not in (1, 2) or inside[-1] - inside[0] > 1:
        raise UserError(
            f"has a bar outside parentheses: {part!r}",
            where="formula",
            expected="(effects | participant), added to the other effects",
        )
    effects, group = part[1 : inside[0]].strip(), part[inside[-1] + 1 : -1].strip()
    if not effects:
        raise UserError(
            f"has no effects before the bar: {part!r}",
            where="formula",
            expected=f"(1 | participant); {IN_SHELL}",
        )
    return effects, "|" * len(inside), group


def variables_of(formula: Formula) -> tuple[str, ...]:
    """Names of the columns it needs, without the participant."""
    found: dict[str, None] = {}
    for side in (formula.common, formula.varying):
        if side is not None:
            found |= dict.fromkeys(sorted(columns_of(side)))
    return tuple(name for name in found if name != GROUP)
