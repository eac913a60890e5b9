"""The parts of a report, as plain data.

An experiment fills them in and a renderer lays them out, so every experiment's page
has the same order: question, what it rests on, answer, key figure, verdicts, details,
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
    """One claim: what was predicted beforehand, what was seen, and how it ended.

    `outcome` is one of `Outcome` and `kind` one of `Kind`, checked here because
    authors of experiments build these outside any type checker.
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
    """A figure of the run: its name in `plot`, its caption, and text in its stead."""

    figure: str
    caption: str
    alt: str


@checked_arguments
@dataclass(frozen=True)
class Table:
    """A small table. Columns of numbers are aligned right, to `digits` significant."""

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
    """A heading with paragraphs, figures and tables below it."""

    title: str
    paragraphs: Sequence[str] = ()
    panels: Sequence[Panel] = ()
    tables: Sequence[Table] = ()


@checked_arguments
@dataclass(frozen=True)
class Report:
    """Everything on the page, in the order a reader meets it."""

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
    stamp: str = ""  # across the top: what a reader must know before anything else
    opening: Section | None = None  # before the answer: what it rests on

    @property
    def panels(self) -> list[Panel]:
        """All figures in order of appearance."""
        key = [self.key_panel] if self.key_panel else []
        first = list(self.opening.panels) if self.opening else []
        later = [panel for section in self.sections for panel in section.panels]
        return first + key + later


def tally(verdicts: Sequence[Verdict]) -> str:
    """How the predictions fared, in one clause; other kinds are counted apart."""
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
