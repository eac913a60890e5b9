r"""Every number of the group, on the real line and in natural units at the average person.

The average person has the mean of every number and the reference of every label, and a deviation of their own of zero. With
$\eta_0$ the intercept and $g$ the map to the natural scale, a coefficient $\beta$ moves the parameter from $g(\eta_0)$ to
$g(\eta_0 + \beta)$: by one unit of a number, or from the reference to a label. What an interaction says in natural units is
the alternating sum over its parts,

$\sum_{S \subseteq P} (-1)^{|P| - |S|}\, g\bigl(\eta_0 + \sum_{T \subseteq S} \beta_T\bigr)$,

the difference of two differences where there are two. It need not have the sign of its coefficient, and need not be zero where
that is: on a curved scale two groups that start apart move by different amounts.
"""

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from pcmodel.behaviour.hierarchy.design import INTERCEPT, Design, is_indicator
from pcmodel.behaviour.hierarchy.hierarchical_model import Term
from pcmodel.behaviour.hierarchy.parameter import Parameter
from pcmodel.behaviour.outputs.participants import ENDS, diagnostics
from pcmodel.behaviour.outputs.table import TRUSTED, Column, OutputTable, make_table
from pcmodel.behaviour.posterior.fitted_posterior import Posterior

LEVEL, EFFECT, INTERACTION = "average person", "effect", "interaction"
WITHIN, CONTRAST, SPREAD = "effect within", "contrast", "spread over people"

Draws = Float[np.ndarray, "chains draws"]


class NaturalEffect(NamedTuple):
    """One number of the group.

    name: `parameter[column]`, of a contrast or an effect within a condition in words.
    parameter: of the model.
    kind: "average person", "effect", "interaction", "effect within", "contrast" or "spread over people".
    mean: posterior mean on the real line.
    sd: posterior SD there.
    low: lower end of the 95 % interval there.
    high: upper end of the 95 % interval there.
    positive: posterior probability that it is above zero there.
    natural: name on the natural scale.
    unit: of the natural scale.
    at: where the effect is told of, if it is not the average person: the zero of a number that changes it
        in an interaction and is not centred.
    before: posterior mean on the natural scale without it; NaN where there is none.
    after: posterior mean on the natural scale with it. Of an interaction both are effects; of a spread
        they are one SD below and above the average person.
    difference: posterior mean of after minus before; NaN where there is none.
    difference_low: lower end of its 95 % interval.
    difference_high: upper end of its 95 % interval.
    difference_positive: posterior probability that it is above zero.
    ess_bulk: bulk effective sample size on the real line; NaN for one chain.
    ess_tail: tail effective sample size there.
    rhat: rank-normalised R-hat there.
    """

    name: str
    parameter: str
    kind: str
    mean: float
    sd: float
    low: float
    high: float
    positive: float
    natural: str
    unit: str
    at: str
    before: float
    after: float
    difference: float
    difference_low: float
    difference_high: float
    difference_positive: float
    ess_bulk: float
    ess_tail: float
    rhat: float

    @property
    def in_words(self) -> str:
        """As a paper says it: `learning_rate 0.31 -> 0.25, difference -0.06 (-0.09 to -0.03)`."""
        if np.isnan(self.after):
            return ""
        if self.kind == SPREAD:
            return f"{self.natural} {self.before:.3g} to {self.after:.3g}, one SD below to above"
        if np.isnan(self.difference):
            return f"{self.natural} {self.after:.3g}"
        change = (
            f"difference {self.difference:.3g} "
            f"({self.difference_low:.3g} to {self.difference_high:.3g})"
        )
        if np.isnan(self.before):
            return f"{self.natural}: {change}"
        return f"{self.natural} {self.before:.3g} -> {self.after:.3g}, {change}"


class _Line(NamedTuple):
    """Draws of one number: on the real line, and on the natural scale before and after it."""

    name: str
    kind: str
    real: Draws
    before: Draws | None = None
    after: Draws | None = None
    difference: Draws | None = None
    at: str = ""


def natural_effects(posterior: Posterior) -> tuple[NaturalEffect, ...]:
    """Every coefficient and spread, contrasts between labels, and effects within conditions."""
    return tuple(
        _summary(line, term.parameter)
        for term in posterior.hierarchy.terms
        for line in _lines(posterior, term)
    )


def effects(posterior: Posterior) -> OutputTable:
    """`natural_effects` as a table."""
    rows = natural_effects(posterior)
    found = [
        (column, np.asarray([getattr(row, column.name) for row in rows]))
        for column in COLUMNS
    ]
    return make_table(
        [
            *found[:3],
            (TRUSTED, np.full(len(rows), not posterior.complaints)),
            *found[3:],
        ]
    )


def _lines(posterior: Posterior, term: Term) -> Iterator[_Line]:
    name, design = term.parameter.name, term.design
    beta = dict(
        zip(design.common_names, np.moveaxis(posterior.sites[name], -1, 0), strict=True)
    )
    start = beta[INTERCEPT]
    changing = _changing(design, posterior.hierarchy.participant)

    def natural(value: Draws) -> Draws:
        return np.asarray(term.parameter.to_natural(value), float)

    yield _Line(f"{name}[{INTERCEPT}]", LEVEL, start, after=natural(start))
    for column in design.common_names:
        if column != INTERCEPT:
            line = _coefficient(name, column, beta, changing, natural)
            yield line._replace(at=_at_zero(column, design))
            yield from _within(name, column, beta, natural)
    yield from _contrasts(name, beta, design, natural)
    for place, column in enumerate(design.varying_names):
        spread = posterior.sites[f"{name}_sd"][..., place]
        if column == INTERCEPT:
            ends = natural(start - spread), natural(start + spread)
            yield _Line(f"{name}_sd[{column}]", SPREAD, spread, *ends)
        else:
            yield _Line(f"{name}_sd[{column}]", SPREAD, spread)


def _coefficient(
    name: str,
    column: str,
    beta: dict[str, Draws],
    changing: frozenset[str],
    natural: Callable[[Draws], Draws],
) -> _Line:
    parts = parts_of(column)
    title = f"{name}[{column}]"
    start = beta[INTERCEPT]
    if len(parts) == 1:
        ends = natural(start), natural(start + beta[column])
        return _Line(title, EFFECT, beta[column], *ends)
    whole = _alternating(parts, beta, natural)
    if len(parts) > 2:
        return _Line(title, INTERACTION, beta[column], difference=whole)
    # The effect is that of the part that changes within people, in the reference and in the other.
    effect, other = sorted(parts, key=lambda own: own not in changing)
    without = _at(beta, (effect,), natural) - natural(start)
    with_it = _at(beta, parts, natural) - _at(beta, (other,), natural)
    return _Line(title, INTERACTION, beta[column], without, with_it, whole)


def _at_zero(column: str, design: Design) -> str:
    """The zeros of which an effect is told."""
    numbers = design.at_zero_of[design.common_names.index(column)]
    return ", ".join(f"{number} = 0" for number in numbers)


def _within(
    name: str, column: str, beta: dict[str, Draws], natural: Callable[[Draws], Draws]
) -> Iterator[_Line]:
    """Of an interaction of two parts the effect of each where the other is present."""
    parts = parts_of(column)
    if len(parts) != 2:
        return
    for effect, other in (parts, parts[::-1]):
        if effect not in beta or other not in beta:
            continue
        ends = _at(beta, (other,), natural), _at(beta, parts, natural)
        real = beta[effect] + beta[column]
        yield _Line(f"{name}[{effect}] where {other}", WITHIN, real, *ends)


def _contrasts(
    name: str,
    beta: dict[str, Draws],
    design: Design,
    natural: Callable[[Draws], Draws],
) -> Iterator[_Line]:
    """Differences between two labels of a column, neither of them the reference."""
    for own in design.terms:
        columns = [c for c in own.columns if ":" not in c and not own.varies]
        labels = [c for c in columns if _is_label(c, design)]
        for first, second in combinations(labels, 2):
            ends = _at(beta, (first,), natural), _at(beta, (second,), natural)
            real = beta[second] - beta[first]
            yield _Line(f"{name}[{second}] - [{first}]", CONTRAST, real, *ends)


def _is_label(column: str, design: Design) -> bool:
    return column != INTERCEPT and is_indicator(_values(column, design))


def _values(column: str, design: Design) -> np.ndarray:
    return design.common[:, design.common_names.index(column)]


def _changing(design: Design, participant: np.ndarray) -> frozenset[str]:
    """The columns that differ between the series of a person."""
    _, first, place = np.unique(participant, return_index=True, return_inverse=True)
    changes = (design.common != design.common[first[place]]).any(axis=0)
    pairs = zip(design.common_names, changes, strict=True)
    return frozenset(name for name, own in pairs if own)


def _at(
    beta: dict[str, Draws], parts: tuple[str, ...], natural: Callable[[Draws], Draws]
) -> Draws:
    """The natural value where these parts are present, with all of their interactions."""
    value = beta[INTERCEPT]
    for column, own in beta.items():
        if column != INTERCEPT and set(parts_of(column)) <= set(parts):
            value = value + own
    return natural(value)


def _alternating(
    parts: tuple[str, ...], beta: dict[str, Draws], natural: Callable[[Draws], Draws]
) -> Draws:
    total = np.zeros_like(beta[INTERCEPT])
    for size in range(len(parts) + 1):
        for some in combinations(parts, size):
            total = total + (-1.0) ** (len(parts) - size) * _at(beta, some, natural)
    return total


def parts_of(column: str) -> tuple[str, ...]:
    """The columns whose product a column is, by the colons outside of brackets and quotation marks.

    >>> parts_of("drug[10:20 mg]:group[patient]")
    ('drug[10:20 mg]', 'group[patient]')
    """
    parts, depth, quote = [""], 0, ""
    for letter in column:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "`'\"" and not depth:
            quote = letter
        depth += 0 if quote else (letter in "([") - (letter in ")]")
        if letter == ":" and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return tuple(parts)


def _summary(line: _Line, parameter: Parameter) -> NaturalEffect:
    real, before, after = line.real, line.before, line.after
    difference = line.difference
    is_change = line.kind != SPREAD and difference is None
    if is_change and before is not None and after is not None:
        with np.errstate(invalid="ignore"):
            difference = after - before
    low, high = np.quantile(real, ENDS)
    checks = diagnostics(real[..., None], 1)
    return NaturalEffect(
        line.name,
        parameter.name,
        line.kind,
        float(real.mean()),
        float(real.std()),
        float(low),
        float(high),
        float((real > 0.0).mean()),
        parameter.natural_name,
        parameter.unit,
        line.at,
        _mean(before),
        _mean(after),
        _mean(difference),
        *_ends(difference),
        np.nan if difference is None else float((difference > 0.0).mean()),
        *(float(each[0]) for each in checks),
    )


def _mean(draws: Draws | None) -> float:
    return np.nan if draws is None else float(draws.mean())


def _ends(draws: Draws | None) -> tuple[float, float]:
    if draws is None:
        return np.nan, np.nan
    low, high = np.quantile(draws, ENDS)
    return float(low), float(high)


COLUMNS = (
    Column("name", "", "the coefficient, contrast or spread"),
    Column("parameter", "", "the parameter of the model"),
    Column(
        "kind",
        "",
        "average person; effect (of one unit, or of a label against the reference); interaction; "
        "effect within (the effect of one part of an interaction where the other is present); "
        "contrast (of two labels); spread over people (their SD)",
    ),
    Column("mean", "real line", "posterior mean on the real line"),
    Column("sd", "real line", "posterior standard deviation"),
    Column("low", "real line", "lower end of the central 95 % interval"),
    Column("high", "real line", "upper end of the central 95 % interval"),
    Column("positive", "probability", "posterior probability that it is above zero"),
    Column("natural", "", "name of the parameter on its natural scale"),
    Column("unit", "", "unit of the natural scale"),
    Column(
        "at",
        "",
        "where the effect is told of, if an interaction with a number that is not centred changes it",
    ),
    Column(
        "before",
        "natural",
        "posterior mean at the average person without it; of an interaction the effect in the "
        "reference, of a spread one SD below",
    ),
    Column(
        "after",
        "natural",
        "posterior mean at the average person with it; of an interaction the effect in the "
        "condition, of a spread one SD above",
    ),
    Column("difference", "natural", "posterior mean of after minus before"),
    Column("difference_low", "natural", "lower end of its central 95 % interval"),
    Column("difference_high", "natural", "upper end of its central 95 % interval"),
    Column(
        "difference_positive",
        "probability",
        "posterior probability that the difference is above zero",
    ),
    Column("in_words", "", "the numbers as a sentence"),
    Column("ess_bulk", "", "bulk effective sample size on the real line"),
    Column("ess_tail", "", "tail effective sample size on the real line"),
    Column("rhat", "", "rank-normalised R-hat on the real line"),
)
