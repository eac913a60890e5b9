"""Figures of low doses and of rates of exchange."""

import numpy as np
from matplotlib.figure import Figure

from pcmodel.report.style import COLOURS, FULL_WIDTH, figure_style, new_figure

from .computing import Results
from .judging import Summary
from .low_doses import BEGINS, ENDS, LEAST, PEAKS, PLASMA


def draw_low_doses(results: Results, summary: Summary) -> Figure:
    """How large the effect of little LSD is, and when."""
    figure, (left, right) = new_figure(1, 2, width=FULL_WIDTH * 1.25, height=4.2)
    with figure_style():
        draw_sizes(left, results)
        draw_times(right, summary)
    return figure


def draw_sizes(axis, results: Results) -> None:
    """Mean peak by dose under both second stages, and what was published."""
    low = results.low
    dose, floor = 1000 * low.dose, 1e-3
    for stage, style, label in (
        ("fades in", "-", "simulated, fading in"),
        ("threshold", "--", "simulated, rival: a threshold"),
    ):
        effect = low.effect[stage]
        shown = np.where(effect > floor, effect, np.nan)
        axis.plot(dose, shown, style, color=COLOURS["purple"], label=label)
    felt = 100 * LEAST
    axis.axhspan(floor, felt, color=COLOURS["grey"], alpha=0.12, lw=0)
    axis.text(190, felt * 0.8, "too small to be felt", va="top", ha="right", size=9)
    for mg in PLASMA:
        up = mg > 0.005
        axis.plot(
            1000 * mg,
            felt * (2.2 if up else 0.45),
            "^" if up else "v",
            color=COLOURS["orange"],
            ms=9,
            label={0.005: "published: not felt", 0.01: "published: felt"}.get(mg),
        )
    axis.set(
        xscale="log",
        yscale="log",
        xlim=(3, 210),
        ylim=(floor, 200),
        xlabel="LSD (µg; log scale)",
        ylabel="Mean peak effect (% of the scale; log)",
        title="How large",
    )
    axis.xaxis.set_major_formatter("{x:g}")
    axis.set_xticks((5, 10, 20, 50, 100, 200))
    axis.set_xticks((), minor=True)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.legend(fontsize=8, loc="lower right")


def draw_times(axis, summary: Summary) -> None:
    """Beginning, peak and end of 10 µg."""
    begins, peaks, ends, size, _ = summary.ten_micrograms
    rows = (
        (1, (BEGINS, PEAKS, ENDS), COLOURS["orange"], "published"),
        (0, (begins, peaks, ends), COLOURS["purple"], "simulated"),
    )
    for row, (start, top, end), colour, _ in rows:
        axis.barh(row, end - start, 0.36, left=start, color=colour, alpha=0.75)
        axis.plot([top, top], [row - 0.18, row + 0.18], color=COLOURS["black"], lw=1.5)
        axis.text(start, row - 0.3, f"{start:.1f} h", ha="center", size=9)
        axis.text(end, row - 0.3, f"{end:.1f} h", ha="center", size=9)
        axis.text(top, row + 0.24, f"peak {top:.1f} h", ha="center", size=9)
    axis.text(
        0.5 * (begins + ends),
        -0.55,
        f"(of {size:.2g} % of the scale: not felt)"
        if size < 100 * LEAST
        else f"(of {size:.0f} % of the scale)",
        ha="center",
        size=9,
        color=COLOURS["purple"],
    )
    axis.set(
        xlim=(0, 7),
        ylim=(-0.8, 1.6),
        yticks=(0, 1),
        yticklabels=("simulated", "published"),
        xlabel="Hours after 10 µg of LSD",
        title="When: above a tenth of its own peak",
    )
    axis.grid(axis="y", visible=False)


def draw_rates(results: Results) -> Figure:
    """Which residences and affinities of ketanserin give both published results."""
    figure, (left, right) = new_figure(1, 2, width=FULL_WIDTH * 1.25, height=4.2)
    rates = results.rates
    with figure_style():
        for axis, values, top, label, title in (
            (
                left,
                rates.after,
                8,
                "Hours LSD is felt",
                "Ketanserin 1 h after (published 3.5 h)",
            ),
            (
                right,
                100 * rates.share,
                100,
                "People without effect (%)",
                "Ketanserin 1 h before (published: all)",
            ),
        ):
            mesh = axis.pcolormesh(
                rates.factor,
                rates.residence,
                values,
                vmin=0,
                vmax=top,
                shading="nearest",
            )
            figure.colorbar(mesh, ax=axis, label=label)
            column, row = np.meshgrid(rates.factor, rates.residence)
            axis.plot(
                column[rates.both],
                row[rates.both],
                "o",
                mfc="none",
                mec=COLOURS["orange"],
                mew=2,
                ms=11,
                label="both as published",
            )
            axis.plot(1, 15, "X", color="white", mec="black", ms=10, label="as assumed")
            axis.set(
                xscale="log",
                yscale="log",
                xlabel="Ketanserin's K (times that assumed; log)",
                ylabel="How long ketanserin stays (min; log)",
                title=title,
            )
            axis.set_xticks((0.5, 1, 2, 4), ("0.5", "1", "2", "4"))
            axis.set_yticks((7.5, 15, 30, 60, 120, 240, 480))
            axis.set_xticks((), minor=True)
            axis.set_yticks((), minor=True)
            axis.yaxis.set_major_formatter("{x:g}")
            axis.grid(False)
        left.legend(
            fontsize=8,
            loc="lower left",
            frameon=True,
            facecolor="white",
            framealpha=0.9,
        )
    return figure
