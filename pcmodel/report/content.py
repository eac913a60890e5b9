"""The parts of a report, as plain data.

Experiments provide the content and a renderer its layout, so every experiment's page
has the same order: question, assumptions, answer, key figure, verdicts, details,
limits.

Text is plain. Two marks are understood: **strong** and `code`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from pcmodel.errors import UserError, unknown_name
from pcmodel.inputs.arguments import checked_arguments

Outcome = Literal["holds", "fails", "inconclusive"]
Kind = Literal["theorem", "calibrated", "predicted"]

KIND_MEANING = {
    "theorem": "must hold by mathematics; a failure is an error in the software, or of a run too short",
    "calibrated": "a parameter was set so that it holds; no evidence",
    "predicted": "could have failed; the only kind that is evidence for a mechanism",
}
OUTCOME_MARK = {"holds": "✓", "fails": "✗", "inconclusive": "?"}

SMOKE_STAMP = "Smoke run: numbers mean nothing"
NO_CLINICAL_ADVICE = (
    "This is a computational model of beliefs. It is not clinical advice, and says "
    "nothing about what any person should take or do."
)


@checked_arguments
@dataclass(frozen=True)
class Verdict:
    """A claim and its outcome. Raises UserError for an unknown outcome or kind.

    name: heading of the claim.
    prediction: what was predicted beforehand, in words.
    observed: what was measured, in words.
    outcome: one of `Outcome`.
    kind: one of `Kind`.
    """

    name: str
    prediction: str
    observed: str
    outcome: str
    kind: str

    def __post_init__(self):
        where = f"verdict {self.name!r}"
        if self.outcome not in get_args(Outcome):
            raise unknown_name("outcome", self.outcome, get_args(Outcome), where=where)
        if self.kind not in get_args(Kind):
            raise unknown_name("kind", self.kind, get_args(Kind), where=where)


@checked_arguments
@dataclass(frozen=True)
class Panel:
    """A figure of the page.

    figure: its name in `plot`.
    caption: text below it.
    alt: text in its place for readers who cannot see it.
    """

    figure: str
    caption: str
    alt: str


@checked_arguments
@dataclass(frozen=True)
class Table:
    """A small table; columns of numbers are aligned right.

    columns: headings.
    rows: cells, one for each column.
    caption: text of the table.
    digits: significant digits of numbers.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str = ""
    digits: int = 3

    def __post_init__(self):
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise UserError(
                    f"row {number} has {len(row)} cells",
                    where=f"table {self.caption!r}",
                    expected=str(len(self.columns)),
                )


@checked_arguments
@dataclass(frozen=True)
class Section:
    """A section of the page, in this order.

    title: its heading.
    paragraphs: text.
    panels: figures.
    tables: tables.
    """

    title: str
    paragraphs: Sequence[str] = ()
    panels: Sequence[Panel] = ()
    tables: Sequence[Table] = ()


@checked_arguments
@dataclass(frozen=True)
class Report:
    """Content of the page.

    title: heading of the page.
    question: what the experiment asks.
    answer: in a paragraph.
    verdicts: claims and their outcomes.
    key_panel: the main figure.
    sections: details.
    assumptions: list at the end of the page.
    limitations: list at the end of the page.
    references: list at the end of the page.
    reproduce: the command that repeats the run.
    provenance: versions, device and revision, by name.
    stamp: a warning at the top of the page.
    opening: a section before the answer.
    """

    title: str
    question: str
    answer: str
    verdicts: Sequence[Verdict] = ()
    key_panel: Panel | None = None
    sections: Sequence[Section] = ()
    assumptions: Sequence[str] = ()
    limitations: Sequence[str] = ()
    references: Sequence[str] = ()
    reproduce: str = ""
    provenance: dict[str, str] = field(default_factory=dict)
    stamp: str = ""
    opening: Section | None = None

    @property
    def panels(self) -> list[Panel]:
        """All figures in order of appearance."""
        key = [self.key_panel] if self.key_panel else []
        first = list(self.opening.panels) if self.opening else []
        later = [panel for section in self.sections for panel in section.panels]
        return first + key + later


def tally(verdicts: Sequence[Verdict]) -> str:
    """The number of predictions of each outcome, in one clause; other kinds are counted separately."""
    predicted = [v for v in verdicts if v.kind == "predicted"]
    checks = [v for v in verdicts if v.kind != "predicted"]
    parts = []
    if predicted:
        parts.append(f"{_held(predicted)} predictions hold")
    if checks:
        parts.append(f"{_held(checks)} checks hold")
    return ", ".join(parts)


def _held(verdicts: Sequence[Verdict]) -> str:
    held = sum(v.outcome == "holds" for v in verdicts)
    return f"{held} of {len(verdicts)}"
