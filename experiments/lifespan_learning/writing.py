"""The page of the lifespan experiment."""

from collections.abc import Iterator

import numpy as np

from pcmodel.report import Panel, Report, Section, Table

from .computing import BELIEFS, Group, Results
from .config import AGES, Config
from .judging import Summary, mean_interval


def write(config: Config, results: Results, summary: Summary) -> Report:
    """The page."""
    groups = results.conditions
    people = {n: len(np.unique(g.person)) for n, g in groups.items()}
    lost = {n: int((~g.settled).sum()) for n, g in groups.items()}
    rates = groups["first"].measured.rate
    means = ", ".join(
        f"{AGES[a]} {rates[groups['first'].age == a].mean():.3f}" for a in AGES
    )
    pulls = groups["shifting"].measured.pull
    drawn = ", ".join(
        f"{AGES[int(a)]} {pulls[groups['shifting'].age == a].mean():.3f}"
        for a in np.unique(groups["shifting"].age)
    )
    return Report(
        title="Learning across the lifespan",
        question="Do children and older adults learn less from each outcome, and are they drawn to where they start?",
        answer=f"Learning rates in the first experiment: {means}. Share of a push that the next report follows, in "
        f"the follow-up: {drawn}. The verdicts have the intervals.",
        verdicts=summary.verdicts,
        key_panel=Panel(
            "rates",
            "Learning rates by age: people (dots, 95 %) and their simulated twins (crosses).",
            "Learning rates by age.",
        ),
        sections=(
            Section(
                "Drawn to where the mark was put",
                (
                    "A person who only believes reports the same wherever the mark of the last report was moved. "
                    "The grey points are controls: pushes exchanged between trials, and the fitted people with their "
                    "pull taken away (repeating a moved mark is itself a pull, the one that remains there).",
                ),
                (
                    Panel(
                        "pulls",
                        "Share of a push that the next report follows, mean and 95 % by age.",
                        "Pulls by age.",
                    ),
                ),
            ),
            Section(
                "What makes the age difference",
                (
                    "The share of the simulated gap in learning rate that remains when everybody believes like the "
                    "typical younger adult and answers as fitted. The shares of beliefs and responses need not add to one.",
                ),
                tables=(
                    Table(
                        ("Condition, younger adults less", "Share left"),
                        list(summary.response_share.items()),
                    ),
                    Table(
                        ("Condition", "Correlation over people"),
                        list(summary.slope_correlation.items()),
                        "Learning rate of people and of their simulated twins.",
                    ),
                ),
            ),
            Section(
                "Numbers by age",
                tables=(_measured(results), _fitted(results), _evidence(results)),
            ),
        ),
        assumptions=(
            f"Learning rate: slope of the update on the prediction error, block starts left out. {people} people; fits that "
            f"found no maximum, left out of what is fitted or simulated: {lost}.",
            "Each person and condition is fitted alone, under the prior of the package: modes are drawn towards it, in "
            "every age group alike, so that differences between groups are understated.",
            f"Beliefs: {', '.join(BELIEFS)}; all else is response.",
        ),
        limitations=(
            "Age groups differ in more than age; nothing here is a drug or bears on psychedelics.",
            "Intervals are not corrected for the number of verdicts.",
            "Noise in a report enters both its update and the prediction error before it: learning rates without a model "
            "are raised by it towards one, which the simulated twins share.",
        ),
        references=(
            "Bruckner, Nassar, Li & Eppinger, PsyArXiv nh9bq, 2020, and later versions.",
            "Nassar et al. 2010, J Neurosci 30:12366.",
        ),
    )


def _by_age(results: Results) -> Iterator[tuple[str, Group, int, np.ndarray]]:
    for name, group in results.conditions.items():
        for age in np.unique(group.age):
            yield name, group, int(age), group.age == age


def _measured(results: Results) -> Table:
    rows = []
    for name, group, age, own in _by_age(results):
        m = group.measured
        cells = [m.rate, m.calm, m.changed, m.error]
        pull = (
            mean_interval(m.pull[own]).text
            if np.isfinite(m.pull[own]).any()
            else "not moved"
        )
        rows.append(
            (
                name,
                AGES[age],
                int(own.sum()),
                *(mean_interval(c[own]).text for c in cells),
                pull,
            )
        )
    columns = (
        "Condition",
        "Age",
        "n",
        "Rate",
        "No change",
        "Change",
        "Distance",
        "Pull",
    )
    return Table(columns, rows, "Without a model: mean (95 %).")


def _fitted(results: Results) -> Table:
    names = tuple(results.conditions["shifting"].fitted_sd)
    rows = []
    for name, group, age, own in _by_age(results):
        use = own & group.settled
        cells = [
            f"{group.fitted[n][use].mean():.2f} ± {group.fitted[n][use].std(ddof=1):.2f}"
            for n in names
        ]
        rows.append((name, AGES[age], *cells))
    return Table(("Condition", "Age", *names), rows, "Modes: mean ± SD over people.")


def _evidence(results: Results) -> Table:
    rows = []
    for name, group, age, own in _by_age(results):
        gain = group.gain[own & group.settled]
        rows.append(
            (name, AGES[age], mean_interval(gain).text, f"{(gain > 0).mean():.0%}")
        )
    columns = ("Condition", "Age", "Log evidence (nats)", "People in favour")
    return Table(columns, rows, "Change points against none, Laplace, a person.")
