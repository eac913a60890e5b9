"""Each account's predicted dose curve over people's illusions, and the log Bayes factors."""

import numpy as np
from matplotlib.figure import Figure

from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .measured import MEASURED
from .simulate import CONTRAST, NULLS, Results

LINES = {
    "relaxed priors": ("purple", "-"),
    "relaxed top alone": ("purple", "--"),
    "relaxed, senses too": ("purple", ":"),
    "relaxed and dimmed": ("sky", "--"),
    "strengthened priors": ("blue", "-"),
    "strengthened, then relaxed": ("blue", "--"),
    "raised senses": ("orange", "-"),
    "generated from above": ("green", "-"),
    "dimmed (5-HT1A)": ("sky", "-"),
    "all alike": ("black", ":"),
}
SIZE = -6.41
"""Per cent: the published mean under placebo, which sets the scale where there are no data."""


def draw_curves(results: Results) -> Figure:
    """One panel a mechanism: people grey, their mean black, accounts coloured."""
    figure, axes = new_figure(1, 3, width=FULL_WIDTH * 1.45, height=5.0, sharey=True)
    people = results.people
    size = people[:, 0].mean() if len(people) else SIZE
    for axis, mechanism in zip(axes, CONTRAST, strict=True):
        for own in people:
            centred = own - own[0] + size
            axis.plot(MEASURED, centred, color=COLOURS["grey"], lw=0.7, alpha=0.45)
        for name, curve in results.curves[mechanism].items():
            if name in LINES:
                colour, dash = LINES[name]
                axis.plot(
                    results.doses,
                    size * curve.ratio,
                    color=COLOURS[colour],
                    ls=dash,
                    label="no change" if name in NULLS else name,
                )
        if len(people):
            change = people - people[:, :1]
            error = change.std(axis=0, ddof=1) / np.sqrt(len(people))
            mean = size + change.mean(axis=0)
            axis.errorbar(
                MEASURED, mean, error, fmt="o", color=COLOURS["black"], label="people"
            )
        axis.set(
            xlabel="Psilocybin (mg)",
            title=f"By {mechanism}",
            xlim=(-0.5, 11),
            ylim=(-25, 1),
        )
    axes[0].set_ylabel("Size illusion (%), below 0 contrast")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4
    )
    return figure


def draw_scores(results: Results) -> Figure:
    """Log Bayes factors by account and mechanism, with the range when one person is left out."""
    figure, axis = new_figure(width=FULL_WIDTH, height=5.2)
    names = [name for name in results.scores[CONTRAST[0]] if name not in NULLS]
    places = np.arange(len(names))[::-1]
    marks = zip(
        CONTRAST, ("purple", "orange", "green"), (0.24, 0.0, -0.24), strict=True
    )
    for mechanism, colour, shift in marks:
        found = [results.scores[mechanism][name] for name in names]
        middle = np.array([each.within for each in found])
        ends = np.array(
            [[each.within - each.low, each.high - each.within] for each in found]
        )
        axis.errorbar(
            middle,
            places + shift,
            xerr=np.maximum(ends.T, 0),
            fmt="o",
            color=COLOURS[colour],
            label=f"by {mechanism}",
        )
    axis.axvspan(-np.log(3), np.log(3), color=COLOURS["grey"], alpha=0.15, lw=0)
    axis.axvline(0, color=COLOURS["grey"], lw=0.8)
    axis.set_yticks(places, names)
    axis.grid(False)
    axis.set_xlabel("Log Bayes factor against no change (nats)")
    axis.legend()
    return figure


FIGURES = {"curves": draw_curves, "scores": draw_scores}
