"""Learning curves with posterior predictive bands, a panel for each condition."""

from textwrap import fill
from typing import Any

import numpy as np

from pcmodel.cli.pages.fit_figures.words import style_of
from pcmodel.report.style import COLOURS, new_figure

ACROSS = 3


def draw_curves(found: Any) -> Any:
    """The data's mean over series, and the middle 90 % of replications."""
    count = len(found.curves)
    columns = min(count, ACROSS)
    rows = -(-count // columns)
    figure, axes = new_figure(
        rows, columns, height=2.9, squeeze=False, sharex=True, sharey=True
    )
    for number, axis in enumerate(axes.flat):
        if number >= count:
            axis.set_axis_off()
            continue
        curve, style = found.curves[number], style_of(number)
        axis.fill_between(
            *(curve.place, curve.low, curve.high),
            color=style["color"],
            alpha=0.25,
            lw=0,
            label="model, middle 90 %",
        )
        axis.plot(
            curve.place, curve.middle, color=style["color"], ls=style["ls"], lw=1.4
        )
        axis.plot(
            *(curve.place, curve.observed),
            marker=style["marker"],
            ls="none",
            ms=4,
            color=COLOURS["black"],
            label="data",
        )
        if curve.place.size and curve.place.min() < 0.0:
            axis.axvline(-0.5, color=COLOURS["grey"], lw=0.8)
        axis.set_title(curve.condition)
        axis.legend(fontsize=8, loc="best")
    for axis in axes[-1]:
        axis.set_xlabel(found.along)
    for row in axes:
        row[0].set_ylabel(fill(found.what, 26), fontsize=10)
    return figure


def is_empty(found: Any) -> bool:
    """Whether no curve has a point."""
    return not any(np.isfinite(curve.observed).any() for curve in found.curves)
