"""Tables of the page, and words that depend on numbers."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from pcmodel.report import Table

from .claims import Summary, mean_interval
from .simulate import AGES, BELIEFS, Group, Results, rows

MEASURED = {
    "rate": "Rate",
    "calm": "No change",
    "changed": "Change",
    "error": "Distance",
}


def by_age(results: Results) -> Iterator[tuple[str, str, Group]]:
    """Condition, age, and their series."""
    for name, group in results.conditions.items():
        for age in np.unique(group.age):
            yield name, AGES[int(age)], rows(group, group.age == age)


def measured(results: Results) -> Table:
    """Without a model."""
    found = []
    for name, age, group in by_age(results):
        means = (mean_interval(getattr(group.measured, n)).text for n in MEASURED)
        pull = group.measured.pull
        is_moved = np.isfinite(pull).any()
        last = mean_interval(pull).text if is_moved else "not moved"
        found.append((name, age, len(group.age), *means, last))
    columns = ("Condition", "Age", "n", *MEASURED.values(), "Pull")
    return Table(columns, found, "Without a model: mean (95 %).")


def fitted(results: Results) -> Table:
    """Every parameter."""
    names = tuple(results.conditions["shifting"].fitted_sd)
    found = []
    for name, age, group in by_age(results):
        modes = (group.fitted[n][group.settled] for n in names)
        cells = (f"{own.mean():.2f} ± {own.std(ddof=1):.2f}" for own in modes)
        found.append((name, age, *cells))
    return Table(("Condition", "Age", *names), found, "Modes: mean ± SD over people.")


def evidence(results: Results) -> Table:
    """What the data say of change points."""
    found = []
    for name, age, group in by_age(results):
        gain = group.gain[group.settled]
        found.append((name, age, mean_interval(gain).text, f"{(gain > 0).mean():.0%}"))
    columns = ("Condition", "Age", "Log evidence (nats)", "People in favour")
    return Table(columns, found, "Change points against none, Laplace, a person.")


def shares(summary: Summary) -> Table:
    """What responses leave of the age gap."""
    columns = ("Condition, younger adults less", "Share left")
    return Table(columns, list(summary.response_share.items()))


def agreement(summary: Summary) -> Table:
    """How alike people and their twins are."""
    caption = "Learning rate of people and of their simulated twins."
    found = list(summary.slope_correlation.items())
    return Table(("Condition", "Correlation over people"), found, caption)


def means(results: Results, condition: str, what: str) -> str:
    """By age."""
    group = results.conditions[condition]
    values = getattr(group.measured, what)
    return ", ".join(
        f"{AGES[int(a)]} {values[group.age == a].mean():.3f}"
        for a in np.unique(group.age)
    )


TABLES = {
    "shares": shares,
    "agreement": agreement,
    "measured": measured,
    "fitted": fitted,
    "evidence": evidence,
}
WORDS = {
    "rates": partial(means, condition="first", what="rate"),
    "pulls": partial(means, condition="shifting", what="pull"),
    "beliefs": ", ".join(BELIEFS),
}
