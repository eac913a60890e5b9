"""Which parameter, halved or doubled, overturns a verdict: one at a time, everything else as set."""

from collections.abc import Mapping, Sequence

from pcmodel.report.content import Section, Table
from pcmodel.report.declared.claims import Claim, Examination, observed, outcome, rows

SHORT = ("Claim", "As set it", "Flips with", "Not with")
LONG = ("Claim", "Parameter", "Halved", "As set", "Doubled", "Flips when")


def overturned_by(claim: Claim, found: Examination) -> list[tuple[str, ...]]:
    """For each parameter which of "halved" and "doubled" alter the outcome."""
    as_set, count = outcome(claim, found.as_set), len(claim.parameters)
    halved = [outcome(claim, each) != as_set for each in rows(found.halved, count)]
    doubled = [outcome(claim, each) != as_set for each in rows(found.doubled, count)]
    return [
        ("halved",) * half + ("doubled",) * double
        for half, double in zip(halved, doubled, strict=True)
    ]


def sensitivity(
    claims: Sequence[Claim], examined: Mapping[str, Examination]
) -> Section:
    """The section of a report that says what overturns each verdict."""
    short, long = [], []
    for claim in claims:
        found = examined[claim.name]
        flips = overturned_by(claim, found)
        short.append(_summary(claim, found, flips))
        long.extend(_numbers(claim, found, flips))
    return Section(
        "What overturns each verdict",
        ("One parameter at a time was halved and doubled, everything else as set.",),
        tables=(
            Table(SHORT, short, "Which parameter, halved or doubled, flips it."),
            Table(LONG, long, "The numbers behind it."),
        ),
    )


def _summary(claim: Claim, found: Examination, flips: list[tuple[str, ...]]):
    pairs = list(zip(claim.parameters, flips, strict=True))
    does = [f"{each.label} {' or '.join(words)}" for each, words in pairs if words]
    does_not = [each.label for each, words in pairs if not words]
    return (
        claim.name,
        outcome(claim, found.as_set),
        "; ".join(does) or _nothing(claim),
        ", ".join(does_not),
    )


def _nothing(claim: Claim) -> str:
    if claim.parameters:
        return "none of those tried"
    return "nothing: a theorem" if claim.kind == "theorem" else "none was varied"


def _numbers(claim: Claim, found: Examination, flips: list[tuple[str, ...]]):
    count = len(claim.parameters)
    for each, half, double, words in zip(
        claim.parameters,
        rows(found.halved, count),
        rows(found.doubled, count),
        flips,
        strict=True,
    ):
        yield (
            claim.name,
            each.label,
            *(observed(claim, record) for record in (half, found.as_set, double)),
            " or ".join(words) or "never",
        )
