"""Within against between, account by account, and everybody's changes."""

import numpy as np

from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .context_claims import draw_context
from .simulate import Results, field
from .tables import PUBLISHED

MARKS = {
    "rebus": ("blue", "o"),
    "rebus, top favoured": ("sky", "s"),
    "sensory": ("orange", "o"),
    "sebus": ("purple", "o"),
    "oneirogen": ("green", "o"),
    "dimmer": ("amber", "o"),
    "noise": ("grey", "X"),
    "nmda_block": ("black", "^"),
    "uniform": ("grey", "D"),
}


def draw_plane(results: Results):
    """Change of within and of between, with and without the global signal."""
    figure, axes = new_figure(1, 2, width=FULL_WIDTH * 1.25, height=4.6)
    for axis, end, row, title in (
        (axes[0], "", PUBLISHED[0], "Global signal in"),
        (axes[1], "_regressed", PUBLISHED[1], "Global signal out"),
    ):
        rows = results.observed["closed"]
        for name, (colour, marker) in MARKS.items():
            within, between = (
                field(rows[name], one + end) - field(rows["placebo"], one + end)
                for one in ("within", "between")
            )
            size = np.sqrt(len(within))
            axis.errorbar(
                within.mean(),
                between.mean(),
                xerr=2 * within.std(ddof=1) / size,
                yerr=2 * between.std(ddof=1) / size,
                fmt=marker,
                color=COLOURS[colour],
                label=name,
                lw=1,
            )
        _, w0, w1, b0, b1, *_ = row
        axis.plot(
            w1 - w0, b1 - b0, "*", ms=13, color=COLOURS["black"], label="public data"
        )
        axis.axhline(0, color=COLOURS["grey"], lw=0.8)
        axis.axvline(0, color=COLOURS["grey"], lw=0.8)
        axis.set(
            title=title,
            xlabel="Change within networks (Fisher z)",
            ylabel="Change between networks (Fisher z)",
        )
    axes[1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5)
    return figure


def draw_people(results: Results):
    """Within minus between of everybody, placebo and two readings of REBUS, eyes closed and with a film."""
    figure, axes = new_figure(1, 2, width=FULL_WIDTH * 1.1, height=4.0)
    names = ("placebo", "rebus", "rebus, top favoured", "uniform")
    for axis, (condition, title) in zip(
        axes, (("closed", "Eyes closed"), ("film", "Film")), strict=True
    ):
        rows = results.observed[condition]
        gap = np.asarray(
            [field(rows[n], "within") - field(rows[n], "between") for n in names]
        )
        axis.plot(range(len(names)), gap, color=COLOURS["grey"], lw=0.6, alpha=0.6)
        axis.plot(range(len(names)), gap.mean(axis=1), "o-", color=COLOURS["blue"])
        axis.set(
            title=title,
            ylabel="Within minus between (Fisher z)",
            ylim=(0, None),
            xticks=range(len(names)),
        )
        axis.set_xticklabels(["placebo", "REBUS", "REBUS,\ntop favoured", "null"])
    return figure


FIGURES = {"plane": draw_plane, "people": draw_people, "context": draw_context}
