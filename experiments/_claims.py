"""Claims and what overturns them: each is measured as set, and with one parameter halved and doubled.

A claim says once what is measured, when it holds and how it is told; its verdict and the table of what
overturns it come from the same numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pcmodel.errors import UserError
from pcmodel.report import Section, Table, Verdict


class Setting(NamedTuple):
    """One parameter times a factor: "ligands.k_2a" of "LSD".  Without a path, all is as set."""

    path: str = ""
    compound: str = ""
    factor: float = 1.0

    def of(self, path: str) -> float:
        """What the number at a path of no compound is multiplied by."""
        return self.factor if self.path == path else 1.0

    def among(self, *compounds: str) -> "Setting":
        """The same; as set where it is about a compound that is not among these."""
        return self if not self.compound or self.compound in compounds else AS_SET


AS_SET = Setting()


class Knob(NamedTuple):
    """A parameter that is halved and doubled.  inverse: the path holds its reciprocal (a rate)."""

    label: str
    path: str
    compound: str = ""
    inverse: bool = False

    def times(self, factor: float) -> Setting:
        """The setting with this parameter multiplied."""
        exact = 1 / factor if self.inverse else factor
        return Setting(self.path, self.compound, exact)


def half_life(label: str, compound: str) -> Knob:
    """A compound's half-life, its volume being as it is."""
    return Knob(label, "kinetics.elimination", compound, inverse=True)


@dataclass(frozen=True)
class Claim:
    """measure: numbers under a setting.  holds: whether they bear it out; None is inconclusive.

    text: the numbers in words, the cell of a table.  A theorem needs no knobs.
    """

    name: str
    prediction: str
    kind: str
    measure: Callable[[Setting], np.ndarray]
    holds: Callable[[np.ndarray], bool | None]
    text: Callable[[np.ndarray], str]
    knobs: tuple[Knob, ...] = ()


class Tested(NamedTuple):
    """A claim's numbers (n,), and with each of its knobs halved and doubled, (knobs, n)."""

    as_set: np.ndarray
    halved: np.ndarray
    doubled: np.ndarray


def examine(claim: Claim) -> Tested:
    """Measure a claim."""
    as_set = np.asarray(claim.measure(AS_SET), float)
    halved, doubled = (
        np.asarray([claim.measure(knob.times(f)) for knob in claim.knobs], float)
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
    """For each knob the words for the changes that alter the outcome: none, one or two."""
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
        parts = zip(claim.knobs, words, strict=True)
        does = [f"{knob.label} {' or '.join(word)}" for knob, word in parts if word]
        parts = zip(claim.knobs, words, strict=True)
        does_not = [knob.label for knob, word in parts if not word]
        none = "none of those tried" if claim.knobs else "nothing: a theorem"
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
                knob.label,
                *(claim.text(x) for x in (half, found.as_set, double)),
                " or ".join(word) or "never",
            )
            for knob, half, double, word in zip(
                claim.knobs, found.halved, found.doubled, words, strict=True
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


def at_least(least: int, **numbers: int) -> None:
    """Raise a UserError for an option below what its experiment can use."""
    for name, number in numbers.items():
        if number < least:
            raise UserError(f"{name} must be at least {least}, got {number}.")
