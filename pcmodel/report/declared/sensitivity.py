"""Which parameter, halved or doubled, changes the outcome of a claim: one at a time, all others as set."""

from collections.abc import Mapping, Sequence

from pcmodel.report.content import Section, Table
from pcmodel.report.declared.claims import Claim, Examination, observed, outcome, rows

SHORT = ("Claim", "As set it", "Flips with", "Not with")
LONG = ("Claim", "Parameter", "Halved", "As set", "Doubled", "Flips when")


def overturned_by(claim: Claim, found: Examination) -> list[tuple[str, ...]]:
    """For each parameter which of "halved" and "doubled" change the outcome."""
    as_set = outcome(claim, found.as_set)
    halved = [outcome(claim, each) != as_set for each in rows(found.halved)]
    doubled = [outcome(claim, each) != as_set for each in rows(found.doubled)]
    return [
        ("halved",) * half + ("doubled",) * double
        for half, double in zip(halved, doubled, strict=True)
    ]


def sensitivity(
    claims: Sequence[Claim], examined: Mapping[str, Examination]
) -> Section:
    """The section of a report on which parameters change each verdict."""
    short, long = [], []
    for claim in claims:
        found = examined[claim.name]
        labels = [each.label for each in claim.parameters]
        flips = [" or ".join(words) for words in overturned_by(claim, found)]
        pairs = list(zip(labels, flips, strict=True))
        does = "; ".join(f"{label} {flip}" for label, flip in pairs if flip)
        does_not = ", ".join(label for label, flip in pairs if not flip)
        as_set = outcome(claim, found.as_set)
        short.append((claim.name, as_set, does or _nothing(claim), does_not))
        measured = observed(claim, found.as_set)
        records = zip(pairs, rows(found.halved), rows(found.doubled), strict=True)
        for (label, flip), half, double in records:
            numbers = (observed(claim, half), measured, observed(claim, double))
            long.append((claim.name, label, *numbers, flip or "never"))
    return Section(
        "What overturns each verdict",
        ("One parameter at a time was halved and doubled, everything else as set.",),
        tables=(
            Table(SHORT, short, "Which parameter, halved or doubled, flips it."),
            Table(LONG, long, "The numbers behind it."),
        ),
    )


def _nothing(claim: Claim) -> str:
    if claim.parameters:
        return "none of those tried"
    return "nothing: a theorem" if claim.kind == "theorem" else "none was varied"
