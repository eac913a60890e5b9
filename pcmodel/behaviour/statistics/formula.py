"""Formulas: which conditions and traits a parameter depends on, as in lme4.

`"omega2 ~ drug * genotype + (drug | participant)"`: effects common to all, and effects that
vary over participants, correlated (`|`) or not (`||`). The common and the varying part are
each turned into a design matrix by `formulae`, the formula library of Bambi.

Conventions: a label called placebo, control, baseline, sham or none is the reference, else
the first in the alphabet; numbers other than 0 and 1 are centred, so that an intercept
speaks of the average person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.errors import UserError

REFERENCES = ("placebo", "control", "baseline", "sham", "none")
GROUP = "participant"


@dataclass(frozen=True)
class Formula:
    """One parameter's formula, taken apart.

    >>> parse_formula("omega2 ~ drug + (drug | participant)")
    Formula(parameter='omega2', common='drug', varying='drug', correlated=True)
    """

    parameter: str
    common: str
    varying: str | None = None  # None: nobody differs from the group
    correlated: bool = True


class Design(NamedTuple):
    """Design matrices over series; a column of ones is called Intercept."""

    common: Float[np.ndarray, "series effects"]
    common_names: tuple[str, ...]
    varying: Float[np.ndarray, "series varying"]
    varying_names: tuple[str, ...]
    correlated: bool


def parse_formula(text: str) -> Formula:
    """Take a formula apart; UserError where it cannot be read."""
    left, tilde, right = text.partition("~")
    if not tilde or not left.strip().isidentifier() or not right.strip():
        raise UserError(
            f"cannot be read: {text!r}",
            where="formula",
            expected='"parameter ~ effects + (effects | participant)"',
        )
    parts = _split(right)
    groups = [part for part in parts if "|" in part]
    common = " + ".join(part for part in parts if "|" not in part) or "1"
    if len(groups) > 1:
        raise UserError(
            f"{text!r} has {len(groups)} groups of varying effects",
            where="formula",
            expected="one, (effects | participant)",
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
    return Formula(left.strip(), common, varying, bars == "|")


def _split(text: str) -> list[str]:
    """The terms between plus signs that stand outside parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            break
        if letter == "+" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    if depth:
        raise UserError(f"has unmatched parentheses: {text.strip()!r}", where="formula")
    return [part.strip() for part in parts if part.strip()]


def _split_group(part: str) -> tuple[str, str, str]:
    if not (part.startswith("(") and part.endswith(")")):
        raise UserError(
            f"has a bar outside parentheses: {part!r}",
            where="formula",
            expected="(effects | participant)",
        )
    bars = "||" if "||" in part else "|"
    effects, _, group = part[1:-1].partition(bars)
    return effects.strip(), bars, group.strip()


def variables_of(formula: Formula) -> tuple[str, ...]:
    """Names of the columns it needs, without the participant."""
    found: dict[str, None] = {}
    for side in (formula.common, formula.varying):
        if side is not None and side != "1":
            for name in sorted(_described(side)):
                found[name] = None
    return tuple(name for name in found if name != GROUP)


def _described(side: str) -> set[str]:
    formulae = _library()
    try:
        return set(formulae.model_description(side).var_names)
    except Exception as error:  # its parser raises many kinds
        raise UserError(
            f"cannot be read: {side!r} ({error})", where="formula"
        ) from None


def build_design(formula: Formula, covariates: Mapping[str, np.ndarray]) -> Design:
    """Both matrices for the series whose covariates are given."""
    size = len(next(iter(covariates.values()))) if covariates else 0
    common, names = _matrix(formula.common, covariates, size)
    varying, varying_names = np.zeros((len(common), 0)), ()
    if formula.varying is not None:
        varying, varying_names = _matrix(formula.varying, covariates, len(common))
    _check_common(formula, common, names)
    return Design(common, names, varying, varying_names, formula.correlated)


def _matrix(
    side: str, covariates: Mapping[str, np.ndarray], size: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    if side == "1":
        return np.ones((size, 1)), ("Intercept",)
    frame, formulae = _frame(covariates), _library()
    if side in ("0", "-1"):
        raise UserError("has no effects", where="formula", expected="1, or conditions")
    try:
        found = formulae.design_matrices(side, frame).common.as_dataframe()
    except UserError:
        raise
    except Exception as error:  # what a formula may call raises anything
        raise UserError(f"cannot use {side!r} ({error})", where="formula") from None
    return found.to_numpy(dtype=float), tuple(str(name) for name in found.columns)


def _frame(covariates: Mapping[str, np.ndarray]) -> Any:
    import pandas

    columns = {}
    for name, values in covariates.items():
        if values.dtype.kind == "f":
            centred = set(values.tolist()) <= {0.0, 1.0}
            columns[name] = values if centred else values - values.mean()
        else:
            columns[name] = pandas.Categorical(
                values, order_levels(values), ordered=True
            )
    return pandas.DataFrame(columns)


def order_levels(values: np.ndarray) -> list[str]:
    """Labels with the reference first.

    >>> order_levels(np.array(["haloperidol", "placebo", "levodopa"]))
    ['placebo', 'haloperidol', 'levodopa']
    """
    labels = sorted({str(value) for value in values})
    return sorted(labels, key=lambda label: label.lower() not in REFERENCES)


def _check_common(formula: Formula, common: np.ndarray, names: tuple[str, ...]) -> None:
    if "Intercept" not in names:
        # The parameter's prior is the intercept's: without one it would be around zero.
        raise UserError(
            f"the effects of {formula.parameter!r} have no intercept",
            where="formula",
            expected="effects as differences from the reference, without 0 or -1",
        )
    if np.linalg.matrix_rank(common) < common.shape[1]:
        raise UserError(
            f"the effects of {formula.parameter!r} cannot be told apart in these data "
            f"({', '.join(names)}): some combination of conditions has no series",
            where="formula",
            expected="fewer effects or interactions",
        )


def _library() -> Any:
    try:
        import formulae
    except ImportError:
        raise UserError(
            "formulas with conditions need another package",
            where="formula",
            expected="`pip install formulae`",
        ) from None
    return formulae
