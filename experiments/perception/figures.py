"""End-stopping; the mask and rivalry over effects."""

import numpy as np
from matplotlib.figure import Figure

from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .simulate import SHARES, Results

LINES = {
    "relaxed priors": ("purple", "-"),
    "relaxed top alone": ("purple", "--"),
    "strengthened priors": ("blue", "-"),
    "strengthened, then relaxed": ("blue", "--"),
    "raised senses": ("orange", "-"),
    "generated from above": ("green", "-"),
    "dimmed (5-HT1A)": ("sky", "-"),
    "noise": ("amber", "-"),
    "all alike": ("grey", "-"),
}


def draw_stopping(results: Results) -> Figure:
    """Response to bars by length: learned, control, feedback cut."""
    figure, axis = new_figure(width=FULL_WIDTH, height=4.2)
    for which, colour, label in (
        ("stopped", "purple", "learned"),
        ("apart", "orange", "learned, no structure between fields"),
    ):
        found = getattr(results, which)
        axis.plot(
            found.lengths[0], found.error.T, color=COLOURS[colour], lw=0.5, alpha=0.4
        )
        axis.plot(
            found.lengths[0],
            np.median(found.error, 0),
            color=COLOURS[colour],
            label=label,
        )
    cut = results.cut
    axis.plot(
        cut.lengths, cut.error, color=COLOURS["black"], ls="--", label="feedback cut"
    )
    axis.axvspan(0, 8, color=COLOURS["grey"], alpha=0.12, lw=0)
    axis.set(xlabel="Length of the bar (pixels)", ylabel="Error of the central field")
    figure.legend(
        *axis.get_legend_handles_labels(), loc="outside lower center", ncols=3
    )
    return figure


def draw_percepts(results: Results) -> Figure:
    """Convexity of the mask, dwell time and mixing as effects grow."""
    figure, axes = new_figure(1, 3, width=FULL_WIDTH * 1.45, height=4.6)
    for name, curves in results.curves.items():
        colour, dash = LINES[name]
        dwell = np.exp(curves.rival.log_dwell - curves.rival.log_dwell[0])
        for axis, value in zip(
            axes, (curves.mask.convex, dwell, 100 * curves.rival.mixed), strict=True
        ):
            axis.plot(SHARES, value, color=COLOURS[colour], ls=dash, label=name)
    axes[0].axhline(0.5, color=COLOURS["grey"], lw=0.7)
    axes[1].set_yscale("log")
    for axis, label, title in zip(
        axes,
        (
            "Probability of a convex percept",
            "Dwell time (times that without)",
            "Mixed (%)",
        ),
        ("A hollow mask", "Rivalry: dwelling", "Rivalry: mixing"),
        strict=True,
    ):
        axis.set(xlabel="Effect (share of a full dose)", ylabel=label, title=title)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5
    )
    return figure


FIGURES = {"stopping": draw_stopping, "percepts": draw_percepts}
