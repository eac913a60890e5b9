"""Claims about arrays, for experiments that are not declared (`pcmodel.report.Experiment`).

A claim says once what is measured, when it holds and how it is told; its verdict and the table of what
overturns it come from the same numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pcmodel.report import (
    UNPERTURBED,
    Parameter,
    Perturbation,
    Section,
    Table,
    Verdict,
)


@dataclass(frozen=True)
class Claim:
    """measure: numbers under a perturbation.  holds: whether they bear it out; None is inconclusive.

    text: the numbers in words, the cell of a table.  A theorem needs no parameters.
    """

    name: str
    prediction: str
    kind: str
    measure: Callable[[Perturbation], np.ndarray]
    holds: Callable[[np.ndarray], bool | None]
    text: Callable[[np.ndarray], str]
    parameters: tuple[Parameter, ...] = ()


class Tested(NamedTuple):
    """A claim's numbers (n,), and with each of its parameters halved and doubled, (parameters, n)."""

    as_set: np.ndarray
    halved: np.ndarray
    doubled: np.ndarray


def examine(claim: Claim) -> Tested:
    """Measure a claim."""
    as_set = np.asarray(claim.measure(UNPERTURBED), float)
    halved, doubled = (
        np.asarray(
            [claim.measure(parameter.times(f)) for parameter in claim.parameters], float
        )
        for f in (0.5, 2.0)
    )
    return Tested(as_set, halved, doubled)


def examine_all(claims: Sequence[Claim], progress) -> dict[str, Tested]:
    """Measure every claim, by name."""
    following = progress.track(claims, "claims, and what overturns them")
    return {claim.name: examine(claim) for claim in following}


def told(holds: bool | None) -> str:
    """The word for an outcome; None is inconclusive."""
    return "inconclusive" if holds is None else "holds" if holds else "fails"


def outcome(claim: Claim, numbers: np.ndarray) -> str:
    """The word for a claim's numbers."""
    return told(claim.holds(numbers))


def verdict(claim: Claim, tested: Tested) -> Verdict:
    """What came of a claim as all parameters are set."""
    return Verdict(
        claim.name,
        claim.prediction,
        claim.text(tested.as_set),
        outcome(claim, tested.as_set),
        claim.kind,
    )


def verdicts(claims: Sequence[Claim], tested: dict[str, Tested]) -> tuple[Verdict, ...]:
    """One for every claim."""
    return tuple(verdict(claim, tested[claim.name]) for claim in claims)


def flips(claim: Claim, tested: Tested) -> list[tuple[str, ...]]:
    """For each parameter the words for the changes that alter the outcome: none, one or two."""
    as_set = outcome(claim, tested.as_set)
    return [
        tuple(
            word
            for word, numbers in (("halved", half), ("doubled", double))
            if outcome(claim, numbers) != as_set
        )
        for half, double in zip(tested.halved, tested.doubled, strict=True)
    ]


def overturning(claims: Sequence[Claim], tested: dict[str, Tested]) -> Section:
    """The section of a report that says what overturns each verdict."""
    short, long = [], []
    for claim in claims:
        found = tested[claim.name]
        words = flips(claim, found)
        parts = zip(claim.parameters, words, strict=True)
        does = [
            f"{parameter.label} {' or '.join(word)}"
            for parameter, word in parts
            if word
        ]
        parts = zip(claim.parameters, words, strict=True)
        does_not = [parameter.label for parameter, word in parts if not word]
        none = "none of those tried" if claim.parameters else "nothing: a theorem"
        short.append(
            (
                claim.name,
                outcome(claim, found.as_set),
                "; ".join(does) or none,
                ", ".join(does_not),
            )
        )
        long.extend(
            (
                claim.name,
                parameter.label,
                *(claim.text(x) for x in (half, found.as_set, double)),
                " or ".join(word) or "never",
            )
            for parameter, half, double, word in zip(
                claim.parameters, found.halved, found.doubled, words, strict=True
            )
        )
    columns = ("Claim", "As set it", "Flips with", "Not with")
    detail = ("Claim", "Parameter", "Halved", "As set", "Doubled", "Flips when")
    return Section(
        "What overturns each verdict",
        ("One parameter at a time was halved and doubled, everything else as set.",),
        tables=(
            Table(columns, short, "Which parameter, halved or doubled, flips it."),
            Table(detail, long, "The numbers behind it."),
        ),
    )
