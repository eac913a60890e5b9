"""Tables and words of the page."""

import numpy as np

from pcmodel.report import Table

from .._brain import ASSUMED, clear, paired
from .simulate import ALONE, NO_EVIDENCE, Mind, Results

SHOWN = {
    "belief": "Belief",
    "negative": "Time below 0",
    "log_stay": "Log stay (s)",
    "time": "Correlation time (s)",
    "share": "Share of others",
    "default_within": "Default within",
    "default_between": "Default to others",
    "between": "Between",
    "entropy": "Entropy",
    "modularity": "Modularity",
    "by_memory": "Revision, memory",
    "by_senses": "Revision, senses",
}


def table(rows: dict[str, np.ndarray], reference: np.ndarray, caption: str) -> Table:
    """Means over people, with a star where the difference from the reference is clear."""
    lines = []
    for name, own in rows.items():
        cells: list[str | float] = [name]
        for field in SHOWN:
            at = Mind._fields.index(field)
            found = paired(reference[:, at], own[:, at])
            star = " *" if clear(found, 1) or clear(found, -1) else ""
            cells.append(f"{own[:, at].mean():.3f}{star}")
        lines.append(tuple(cells))
    return Table(("", *SHOWN.values()), lines, caption)


def before(results: Results) -> Table:
    return table(
        results.before,
        results.before["negative, not rigid"],
        "Means over people; * differs from the negative self that is not rigid by more than two standard errors.",
    )


def acute(results: Results) -> Table:
    rows = {"no drug": results.before["rigid"], **results.acute}
    return table(
        rows,
        results.before["rigid"],
        "Rigid people under each account; * differs from no drug by more than two standard errors.",
    )


def after(results: Results) -> Table:
    rows = {"before": results.before["rigid"], **results.after}
    return table(
        rows,
        results.before["rigid"],
        "Rigid people, sober, the day after the experiences were met as memories; * differs from before by more than two "
        "standard errors.",
    )


def ways(results: Results) -> Table:
    """The belief the day after, by the way in which the experiences were met."""
    at = Mind._fields.index("belief")
    alone = {
        "memory": results.after[ALONE][:, at],
        "senses": results.after_senses[ALONE],
    }
    lines = []
    for name in results.after_senses:
        cells: list[str | float] = [name]
        for way, own in (
            ("memory", results.after[name][:, at]),
            ("senses", results.after_senses[name]),
        ):
            found = paired(alone[way], own)
            star = " *" if clear(found, 1) or clear(found, -1) else ""
            cells.append(f"{own.mean():.3f}{star}")
        lines.append(tuple(cells))
    return Table(
        ("Arm", "Met as memories", "Met by the senses"),
        lines,
        f"Belief the day after; before {results.after[NO_EVIDENCE][:, at].mean():.3f}. * differs from the evidence alone by "
        "more than two standard errors.",
    )


def opened(results: Results) -> str:
    return (
        f"The window multiplies the rate by {results.window[0]:.2f} in the session and by {results.window[1]:.2f} on the day "
        "after (psilocybin 25 mg)"
    )


TABLES = {"before": before, "acute": acute, "after": after, "ways": ways}
WORDS = {"assumed": ASSUMED, "opened": opened}
