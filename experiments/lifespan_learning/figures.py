"""Learning rates and pulls by age, people beside their simulated twins."""

import numpy as np
from matplotlib.figure import Figure

from pcmodel.report.style import COLOURS, new_figure

from .claims import mean_interval
from .simulate import AGES, Results

TITLES = {
    "first": "First experiment",
    "stable": "Mark stays",
    "shifting": "Mark is moved",
}
TRIALS = {
    "orange": ("changed", "after a change"),
    "blue": ("rate", "all trials"),
    "green": ("calm", "no change"),
}
"""What is shown in each colour."""


def draw_rates(results: Results) -> Figure:
    """One panel a condition."""
    groups = results.conditions
    figure, axes = new_figure(1, len(groups), height=4.2, sharey=True, squeeze=False)
    for axis, (name, group) in zip(axes[0], groups.items(), strict=True):
        for colour, (what, trials) in TRIALS.items():
            for source, who, mark in (
                (group.measured, "people", "o"),
                (group.simulated, "simulated", "x"),
            ):
                label = f"{trials}, {who}"
                style = {"fmt": mark, "color": COLOURS[colour], "label": label}
                points(axis, group.age, getattr(source, what), style)
        axis.set_title(TITLES[name])
        ages = [AGES[int(a)].replace(" ", "\n") for a in np.unique(group.age)]
        axis.set_xticks(range(len(ages)), ages, fontsize=9)
    axes[0][0].set_ylabel("learning rate")
    legend(figure, axes[0][-1], 3)
    return figure


def draw_pulls(results: Results) -> Figure:
    """What is followed of a push, with its controls."""
    group = results.conditions["shifting"]
    figure, axis = new_figure(height=3.6)
    kinds = (
        ("people", group.measured.pull, "blue", "o"),
        ("fitted weight", group.start_weight, "orange", "s"),
        ("simulated, drawn to no mark", group.not_drawn.pull, "grey", "x"),
        ("pushes exchanged (null)", group.null.pull, "grey", "."),
    )
    for place, (label, values, colour, mark) in enumerate(kinds):
        style = {"fmt": mark, "color": COLOURS[colour], "label": label}
        points(axis, group.age, values, style, shift=0.12 * (place - 1.5))
    axis.axhline(0.0, color=COLOURS["black"], lw=0.8)
    axis.set_ylabel("share of the push that is followed")
    ages = [AGES[int(a)] for a in np.unique(group.age)]
    axis.set_xticks(range(len(ages)), ages)
    legend(figure, axis, 4)
    return figure


def points(axis, age, values, style, *, shift: float = 0.0) -> None:
    """Mean and 95 % interval by age."""
    each = [mean_interval(values[age == a]) for a in np.unique(age)]
    middle, _, high = np.asarray(each).T
    places = np.arange(len(each)) + shift
    axis.errorbar(places, middle, high - middle, ms=5, lw=1.2, **style)


def legend(figure: Figure, axis, columns: int) -> None:
    """Below the panels."""
    handles = axis.get_legend_handles_labels()
    figure.legend(*handles, fontsize=9, loc="outside lower center", ncols=columns)


FIGURES = {"rates": draw_rates, "pulls": draw_pulls}
