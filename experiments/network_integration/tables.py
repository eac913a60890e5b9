"""Tables and words of the page."""

from functools import partial

import numpy as np

from pcmodel.report import Table

from .._brain import ASSUMED, Paired, clear, paired
from .context_claims import context_table
from .simulate import Results, field

PUBLISHED = (
    ("public, 462 regions, as recorded", 0.214, 0.209, 0.028, 0.067, 0.698, 0.716),
    (
        "public, 462 regions, global signal out",
        0.162,
        0.126,
        -0.026,
        -0.021,
        0.701,
        0.727,
    ),
)
"""Means of nine people, placebo and psilocybin: within, between, entropy. Data distributed with Singleton et al. 2022."""


def changes_table(results: Results, condition: str) -> Table:
    """All accounts under one condition."""
    rows = []
    placebo = results.observed[condition]["placebo"]
    for name, own in results.observed[condition].items():
        numbers: list[str | float] = [name]
        for one in ("within", "between", "entropy"):
            numbers += [mark(paired(field(placebo, one), field(own, one)))]
        for one in (
            "between_size",
            "within_regressed",
            "between_regressed",
            "entropy_regressed",
        ):
            numbers += [mark(paired(field(placebo, one), field(own, one)))]
        rows.append(tuple(numbers))
    columns = (
        "Account",
        "Within",
        "Between",
        "Entropy",
        "Size between",
        "Within, GSR",
        "Between, GSR",
        "Entropy, GSR",
    )
    caption = {"closed": "Eyes closed", "film": "Film", "task": "Task"}[condition]
    return Table(
        columns,
        rows,
        f"{caption}: change from placebo, mean over people; * more than two standard errors. First row: placebo itself.",
    )


def mark(found: Paired) -> str:
    if found.change == 0 and found.t == 0:
        return f"({found.before:.3f})"
    star = " *" if clear(found, 1) or clear(found, -1) else ""
    return f"{found.change:+.3f}{star}"


def public_table(results: Results) -> Table:
    """The public recordings beside the simulated people."""
    rows = [(name, *numbers) for name, *numbers in PUBLISHED]
    for label, account in (
        ("simulated, REBUS", "rebus"),
        ("simulated, REBUS, top favoured", "rebus, top favoured"),
    ):
        before, after = (
            results.observed["closed"][one] for one in ("placebo", account)
        )
        numbers = [
            float(field(each, one).mean())
            for one in ("within", "between", "entropy")
            for each in (before, after)
        ]
        rows.append((label, *numbers))
    columns = (
        "Series",
        "Within",
        "on drug",
        "Between",
        "on drug",
        "Entropy",
        "on drug",
    )
    return Table(
        columns,
        rows,
        "Mean Fisher z and entropy; entropies of different numbers of regions are not comparable.",
    )


def other_set(results: Results) -> str:
    """The second public parcellation, where its file was given."""
    if np.isnan(results.public.coupling).any():
        return (
            "A second parcellation of the same study (90 regions without network labels) is computed where its file is "
            "named with --data."
        )
    (a, b, dz, p), (c, d, ez, q) = results.public
    return (
        f"A second parcellation of the same study (90 regions, no network labels): mean coupling {a:.3f} and {b:.3f} "
        f"(dz {dz:.2f}, p {p:.2f}), entropy {c:.3f} and {d:.3f} (dz {ez:.2f}, p {q:.2f})."
    )


TABLES = {
    "closed": partial(changes_table, condition="closed"),
    "film": partial(changes_table, condition="film"),
    "task": partial(changes_table, condition="task"),
    "context": context_table,
    "public": public_table,
}
WORDS = {"assumed": ASSUMED, "other_set": other_set}
