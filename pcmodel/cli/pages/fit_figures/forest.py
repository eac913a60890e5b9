"""Every person's parameters: posterior means and 95 % intervals, by name, on the natural scale."""

from typing import Any

import numpy as np

from pcmodel.cli.pages.fit_figures.words import with_unit
from pcmodel.report.style import COLOURS, new_figure

ACROSS, MOST_NAMED = 3, 80


def draw_forest(found: Any) -> Any:
    """A panel for each parameter, people in the order of the first one's means; the band is the average's interval."""
    count, people = len(found), len(found[0].people)
    columns = min(count, ACROSS)
    rows = -(-count // columns)
    is_named = people <= MOST_NAMED
    height = 1.3 + (0.17 if is_named else 0.05) * people
    figure, axes = new_figure(rows, columns, height=min(height, 15.0), squeeze=False)
    order = np.argsort(found[0].mean)
    places = np.arange(people)
    for number, axis in enumerate(axes.flat):
        if number >= count:
            axis.set_axis_off()
            continue
        own = found[number]
        axis.axvspan(*own.group[1:], color=COLOURS["sky"], alpha=0.3, lw=0)
        axis.axvline(own.group[0], color=COLOURS["blue"], lw=1.0)
        axis.hlines(
            places, own.low[order], own.high[order], color=COLOURS["black"], lw=1.1
        )
        axis.plot(own.mean[order], places, "o", color=COLOURS["blue"], ms=3.5)
        axis.set_ylim(-0.7, people - 0.3)
        axis.grid(axis="y", visible=False)
        is_first = number % columns == 0
        names = [own.people[i] for i in order] if is_named and is_first else []
        axis.set_yticks(places if names else [], names, fontsize=8)
        if is_first and not is_named:
            axis.set_ylabel(f"{people} people")
        axis.set_xlabel(with_unit(own.name, own.unit), fontsize=10)
    return figure
