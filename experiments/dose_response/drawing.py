"""`plot`: curves on log-dose axes, revision over dose and time, blockade, read-outs."""

from matplotlib.figure import Figure

from pcmodel.report.style import COLOURS, FULL_WIDTH, figure_style, new_figure

from .computing import COMPOUNDS, HOURS, Config, Results
from .judging import Summary


def plot(config: Config, results: Results, summary: Summary) -> dict[str, Figure]:
    """Every figure."""
    return {
        "curves": draw_curves(results),
        "blockade": draw_blockade(results, summary),
        "surface": draw_surfaces(results),
    }


def draw_curves(results: Results) -> Figure:
    """A row for each reading, a column for each compound."""
    rows = (
        ("effect", "Peak effect (%)", "blocked_effect"),
        (
            "revision",
            "Revision of the belief\n(0 kept, 1 evidence wins)",
            "blocked_revision",
        ),
        ("confidence", "Confidence in the\nnegative self-belief", None),
        ("settling", "Settling time\n(1 / rate)", None),
        ("entropy", "Entropy of the top\n(nats)", None),
    )
    figure, axes = new_figure(5, 3, width=FULL_WIDTH * 1.3, height=2.3, sharey="row")
    with figure_style():
        for column, (name, curves) in enumerate(results.curves.items()):
            *_, shown, unit, scale, _, _ = COMPOUNDS[name]
            dose = curves.dose / scale
            for row, (field, label, blocked) in enumerate(rows):
                axis = axes[row, column]
                fill(axis, dose, getattr(curves, field), COLOURS["purple"], "alone")
                if blocked:
                    label_blocked = "ketanserin 40 mg 1 h before"
                    fill(
                        axis,
                        dose,
                        getattr(curves, blocked),
                        COLOURS["grey"],
                        label_blocked,
                    )
                axis.axvline(shown / scale, color=COLOURS["amber"], lw=1, ls=":")
                axis.set(xscale="log")
                axis.xaxis.set_major_formatter("{x:g}")
                if column == 0:
                    axis.set_ylabel(label)
            axes[0, column].set_title(name)
            axes[-1, column].set_xlabel(f"{name} ({unit}; log scale)")
        axes[0, 0].legend(fontsize=8, loc="upper left")
    return figure


def fill(axis, dose, values, colour: str, label: str) -> None:
    """Typical participant over the middle 90 %."""
    axis.fill_between(dose, values.low, values.high, color=colour, alpha=0.2, lw=0)
    axis.plot(dose, values.typical, color=colour, label=label)


def draw_blockade(results: Results, summary: Summary) -> Figure:
    """Time course with ketanserin, the dose ratio it takes, and two read-outs."""
    block, readouts = results.blockade, results.readouts
    figure, (left, middle, right) = new_figure(1, 3, width=FULL_WIDTH * 1.4, height=3.9)
    with figure_style():
        left.plot(
            HOURS, 100 * block.alone, color=COLOURS["purple"], label="LSD 100 µg at 0 h"
        )
        left.plot(
            HOURS,
            100 * block.after,
            color=COLOURS["orange"],
            label="+ ketanserin 40 mg at 1 h",
        )
        left.plot(
            HOURS - 1,
            100 * block.before,
            color=COLOURS["grey"],
            label="ketanserin 1 h before",
        )
        left.set(
            xlim=(-1, 12),
            ylim=(-3, 100),
            xlabel="Hours after LSD",
            ylabel="Effect (%)",
            title="Blockade before and after",
        )
        left.legend(fontsize=9)
        middle.plot(block.ratios, block.felt_by_ratio, color=COLOURS["orange"])
        middle.axhline(3.5, color=COLOURS["black"], ls=":", lw=1)
        middle.text(
            block.ratios.max(), 3.6, "published 3.5 h", ha="right", va="bottom", size=9
        )
        default = 1 + (block.ratios[0] - 1) * block.constants[0] / 16.5
        middle.axvline(default, color=COLOURS["grey"], ls="--", lw=1)
        middle.text(default * 1.06, 7.2, "as assumed", size=9, color=COLOURS["grey"])
        middle.set(
            xscale="log",
            xlabel="Ketanserin's peak dose ratio, 1 + B/K (log scale)",
            ylabel="Hours LSD is felt",
            title="How much blockade it takes",
        )
        dose = readouts.dose * 1000
        right.plot(
            dose, 100 * readouts.good, color=COLOURS["blue"], label="good effect"
        )
        right.plot(
            dose,
            100 * readouts.ego,
            color=COLOURS["orange"],
            label="ego dissolution, anxiety",
        )
        for mark in (100, 200):
            right.axvline(mark, color=COLOURS["grey"], lw=0.8, ls=":")
        right.set(
            xscale="log",
            xlabel="LSD (µg; log scale)",
            ylabel="Peak (% of its own ceiling)",
            title="Two thresholds, one receptor",
        )
        right.legend(fontsize=9, loc="lower right")
        for axis in (middle, right):
            axis.xaxis.set_major_formatter("{x:g}")
    return figure


def draw_surfaces(results: Results) -> Figure:
    """Revision over dose and time."""
    figure, axes = new_figure(1, 3, width=FULL_WIDTH * 1.3, height=3.7)
    with figure_style():
        surfaces = [curves.surface for curves in results.curves.values()]
        low, top = min(s.min() for s in surfaces), max(s.max() for s in surfaces)
        for axis, (name, curves) in zip(axes, results.curves.items(), strict=True):
            *_, unit, scale, _, _ = COMPOUNDS[name]
            minutes = curves.times[-1] < 5
            times = curves.times * (60 if minutes else 1)
            mesh = axis.pcolormesh(
                times,
                curves.dose / scale,
                curves.surface,
                vmin=low,
                vmax=top,
                shading="nearest",
            )
            axis.set(
                yscale="log",
                xlabel="Minutes after injection" if minutes else "Hours after intake",
                ylabel=f"{name} ({unit}; log scale)",
                title=name,
            )
            axis.grid(False)
            axis.yaxis.set_major_formatter("{x:g}")
        figure.colorbar(mesh, ax=axes[-1], label="Revision of the belief")
    return figure
