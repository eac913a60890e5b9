"""Curves on log-dose axes, revision over dose and time, blockade, read-outs, low doses, rates."""

import numpy as np
from matplotlib.figure import Figure

from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .claims import IN_TIME
from .ketanserin import SESSION_HOURS
from .low_doses import BEGINS, ENDS, LEAST, PEAKS, Clock
from .simulate import COMPOUNDS, Results
from .summary import Summary


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
    for column, (name, curves) in enumerate(results.curves.items()):
        given = COMPOUNDS[name]
        dose, usual = curves.dose / given.scale, given.shown / given.scale
        for row, (field, label, blocked) in enumerate(rows):
            axis = axes[row, column]
            fill(axis, dose, getattr(curves, field), COLOURS["purple"], "alone")
            if blocked:
                held, words = getattr(curves, blocked), "ketanserin 40 mg 1 h before"
                fill(axis, dose, held, COLOURS["grey"], words)
            mark_dose(axis, usual, given.unit if field == "confidence" else None)
            axis.set(xscale="log")
            axis.xaxis.set_major_formatter("{x:g}")
            if column == 0:
                axis.set_ylabel(label)
        axes[0, column].set_title(name)
        axes[-1, column].set_xlabel(f"{name} ({given.unit}; log scale)")
    axes[0, 0].legend(fontsize=8, loc="upper left")
    return figure


def mark_dose(axis, dose: float, unit: str | None) -> None:
    """A dotted line at the usual full dose, told in words where a unit is given."""
    axis.axvline(dose, color=COLOURS["amber"], lw=1.2, ls=":")
    if unit:
        axis.text(
            dose * 0.93,
            0.05,
            f"usual full dose:\n{dose:g} {unit.split(',')[0]}",
            ha="right",
            transform=axis.get_xaxis_transform(),
            size=8,
            color="#8A5A00",
        )


def fill(axis, dose, values, colour: str, label: str) -> None:
    """Typical participant over the middle 90 %."""
    axis.fill_between(dose, values.low, values.high, color=colour, alpha=0.2, lw=0)
    axis.plot(dose, values.typical, color=colour, label=label)


def draw_blockade(results: Results, summary: Summary) -> Figure:
    """Time course with ketanserin, how much of it each result takes, and two read-outs."""
    figure, axes = new_figure(2, 2, width=FULL_WIDTH * 1.25, height=3.4)
    draw_sessions(axes[0, 0], results)
    draw_ratio(axes[0, 1], results, summary, after=True)
    draw_ratio(axes[1, 1], results, summary, after=False)
    draw_readouts(axes[1, 0], results)
    return figure


def draw_sessions(axis, results: Results) -> None:
    """Effect over time, with and without ketanserin."""
    block = results.blockade
    for hours, effect, colour, label in (
        (SESSION_HOURS, block.alone, "purple", "LSD 100 µg at 0 h, alone"),
        (SESSION_HOURS, block.after, "orange", "then ketanserin 40 mg at 1 h"),
        (SESSION_HOURS - 1, block.before, "grey", "ketanserin 40 mg 1 h before"),
    ):
        axis.plot(hours, 100 * effect, color=COLOURS[colour], label=label)
    axis.set(
        xlim=(-1, 12),
        ylim=(-3, 118),
        xlabel="Hours after LSD",
        ylabel="Effect (%)",
        title="LSD with ketanserin after and before",
    )
    axis.legend(fontsize=9, loc="upper right")


def draw_ratio(axis, results: Results, summary: Summary, *, after: bool) -> None:
    """What one result needs of ketanserin, against its dose ratio."""
    block = results.blockade
    wanted, word = (3.5, "published 3.5 h") if after else (95, "abolished: 95 %")
    values = block.felt_by_ratio if after else 100 * block.abolished_by_ratio
    axis.plot(block.ratios, values, color=COLOURS["orange" if after else "grey"])
    top = 10.5 if after else 108
    height = 0.85 if after else 0.55
    axis.axhline(wanted, color=COLOURS["black"], ls=":", lw=1)
    for ratio, side, label in (
        (summary.ratio, "left", " as assumed"),
        (summary.ratio_for_published, "right", "for 3.5 h "),
    ):
        axis.axvline(ratio, color=COLOURS["blue"], ls="--", lw=1)
        axis.text(
            ratio,
            height * top,
            label,
            ha=side,
            va="center",
            size=9,
            color=COLOURS["blue"],
        )
    axis.text(
        block.ratios.max() if after else block.ratios.min(),
        wanted + 0.01 * top,
        word,
        ha="right" if after else "left",
        va="bottom",
        size=9,
    )
    axis.set(
        xscale="log",
        ylim=(-0.03 * top, top),
        xlabel="Ketanserin's peak dose ratio, 1 + B/K (log scale)",
        ylabel="Hours LSD is felt (median)" if after else "People without effect (%)",
        title="Ketanserin 1 h after LSD" if after else "Ketanserin 1 h before LSD",
    )
    axis.xaxis.set_major_formatter("{x:g}")


def draw_readouts(axis, results: Results) -> None:
    """Good effect and ego dissolution by dose of LSD."""
    readouts = results.readouts
    dose = 1000 * readouts.dose
    axis.plot(dose, 100 * readouts.good, color=COLOURS["blue"], label="good effect")
    label = "ego dissolution, anxiety"
    axis.plot(dose, 100 * readouts.ego, color=COLOURS["orange"], label=label)
    for mark in (100, 200):
        axis.axvline(mark, color=COLOURS["grey"], lw=0.8, ls=":")
        axis.text(mark * 1.04, 2, f"{mark} µg", size=8, color=COLOURS["grey"])
    axis.set(
        xscale="log",
        xlabel="LSD (µg; log scale)",
        ylabel="Peak (% of its own ceiling)",
        title="Two midpoints, one receptor",
    )
    axis.legend(fontsize=9, loc="upper left")
    axis.xaxis.set_major_formatter("{x:g}")


def draw_surfaces(results: Results) -> Figure:
    """Revision over dose and time."""
    figure, axes = new_figure(1, 3, width=FULL_WIDTH * 1.3, height=3.7)
    surfaces = [curves.surface for curves in results.curves.values()]
    low, top = min(s.min() for s in surfaces), max(s.max() for s in surfaces)
    for axis, (name, curves) in zip(axes, results.curves.items(), strict=True):
        given = COMPOUNDS[name]
        usual = given.shown / given.scale
        minutes = curves.times[-1] < 5
        times = curves.times * (60 if minutes else 1)
        mesh = axis.pcolormesh(
            times,
            curves.dose / given.scale,
            curves.surface,
            vmin=low,
            vmax=top,
            shading="nearest",
        )
        axis.set(
            yscale="log",
            xlabel="Minutes after injection" if minutes else "Hours after intake",
            ylabel=f"{name} ({given.unit}; log scale)",
            title=name,
        )
        axis.axhline(usual, color=COLOURS["amber"], lw=1.2, ls=":")
        axis.text(
            0.98,
            usual * 1.08,
            f"usual full dose: {usual:g} {given.unit.split(',')[0]}",
            transform=axis.get_yaxis_transform(),
            ha="right",
            size=8,
            color=COLOURS["amber"],
        )
        axis.set_xticks((0, 20, 40, 60) if minutes else (0, 4, 8, 12))
        axis.grid(False)
        axis.yaxis.set_major_formatter("{x:g}")
    figure.colorbar(mesh, ax=axes[-1], label="Revision (0 kept, 1 evidence wins)")
    return figure


def draw_low_doses(results: Results) -> Figure:
    """How large the effect of little LSD is, and when."""
    figure, (left, right) = new_figure(1, 2, width=FULL_WIDTH * 1.25, height=4.2)
    draw_sizes(left, results)
    draw_times(right, results.tested[IN_TIME.name].as_set)
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
    told = {"color": COLOURS["orange"], "ms": 9}
    axis.plot(5, felt * 0.45, "v", label="published: not felt", **told)
    axis.plot((10, 20), (felt * 2.2,) * 2, "^", ls="", label="published: felt", **told)
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


def draw_times(axis, found: Clock) -> None:
    """Beginning, peak and end of 10 µg."""
    rows = (
        (1, (BEGINS, PEAKS, ENDS), COLOURS["orange"]),
        (0, (found.begins, found.peaks, found.ends), COLOURS["purple"]),
    )
    for row, (start, top, end), colour in rows:
        axis.barh(row, end - start, 0.36, left=start, color=colour, alpha=0.75)
        axis.plot([top, top], [row - 0.18, row + 0.18], color=COLOURS["black"], lw=1.5)
        axis.text(start, row - 0.3, f"{start:.1f} h", ha="center", size=9)
        axis.text(end, row - 0.3, f"{end:.1f} h", ha="center", size=9)
        axis.text(top, row + 0.24, f"peak {top:.1f} h", ha="center", size=9)
    axis.text(
        0.5 * (found.begins + found.ends),
        -0.55,
        f"(of {found.size:.2g} % of the scale: not felt)"
        if found.size < 100 * LEAST
        else f"(of {found.size:.0f} % of the scale)",
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


FIGURES = {
    "curves": draw_curves,
    "blockade": draw_blockade,
    "surface": draw_surfaces,
    "low_doses": draw_low_doses,
    "rates": draw_rates,
}
