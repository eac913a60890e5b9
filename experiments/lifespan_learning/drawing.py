"""Learning rates and pulls by age, people beside their simulated twins."""

from typing import Any

import numpy as np

from pcmodel.report.style import COLOURS, new_figure

from .computing import Results
from .config import AGES
from .judging import mean_interval

TITLES = {
    "first": "First experiment",
    "stable": "Mark stays",
    "shifting": "Mark is moved",
}


def draw(results: Results) -> dict[str, Any]:
    """`rates` and `pulls`."""
    return {"rates": _rates(results), "pulls": _pulls(results)}


def _rates(results: Results) -> Any:
    groups = results.conditions
    figure, axes = new_figure(1, len(groups), height=4.2, sharey=True, squeeze=False)
    kinds = (
        ("after a change, people", "changed", "measured", "orange", "o"),
        ("after a change, simulated", "changed", "simulated", "orange", "x"),
        ("all trials, people", "rate", "measured", "blue", "o"),
        ("all trials, simulated", "rate", "simulated", "blue", "x"),
        ("no change, people", "calm", "measured", "green", "o"),
        ("no change, simulated", "calm", "simulated", "green", "x"),
    )
    for axis, (name, group) in zip(axes[0], groups.items(), strict=True):
        ages = np.unique(group.age)
        for label, what, source, colour, mark in kinds:
            values = getattr(getattr(group, source), what)
            _points(
                axis, group.age, ages, values, label=label, colour=colour, mark=mark
            )
        axis.set(title=TITLES[name], xticks=range(len(ages)))
        axis.set_xticklabels(
            [AGES[int(a)].replace(" ", "\n") for a in ages], fontsize=9
        )
    axes[0][0].set_ylabel("learning rate")
    handles = axes[0][-1].get_legend_handles_labels()
    figure.legend(*handles, fontsize=9, loc="outside lower center", ncols=3)
    return figure


def _pulls(results: Results) -> Any:
    group = results.conditions["shifting"]
    figure, axis = new_figure(height=3.6)
    ages = np.unique(group.age)
    weight = np.where(group.settled, group.fitted["start_weight"], np.nan)
    kinds = (
        ("people", group.measured.pull, "blue", "o"),
        ("fitted weight", weight, "orange", "s"),
        ("simulated, drawn to no mark", group.not_drawn.pull, "grey", "x"),
        ("pushes exchanged (null)", group.null.pull, "grey", "."),
    )
    for place, (label, values, colour, mark) in enumerate(kinds):
        shift = 0.12 * (place - 1.5)
        _points(
            axis,
            group.age,
            ages,
            values,
            label=label,
            colour=colour,
            mark=mark,
            shift=shift,
        )
    axis.axhline(0.0, color=COLOURS["black"], lw=0.8)
    axis.set(ylabel="share of the push that is followed", xticks=range(len(ages)))
    axis.set_xticklabels([AGES[int(a)] for a in ages])
    handles = axis.get_legend_handles_labels()
    figure.legend(*handles, fontsize=9, loc="outside lower center", ncols=4)
    return figure


def _points(
    axis, age, ages, values, *, label, colour, mark, shift: float = 0.0
) -> None:
    each = [mean_interval(values[age == a]) for a in ages]
    middle = np.asarray([i.middle for i in each])
    half = np.asarray([i.high - i.middle for i in each])
    places = np.arange(len(ages)) + shift
    axis.errorbar(
        places, middle, half, fmt=mark, color=COLOURS[colour], label=label, ms=5, lw=1.2
    )
