"""The map: where a reminder helps, where recovery is complete, and how the first depends on the interval."""

import numpy as np

from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .simulate import DAYS, INTERVALS, RATES, Results

HELPS, RETURNS, ALIKE, NOTHING = "#0072B2", "#E69F00", "#C9CFD4", "#F3F4F6"
JOINED = "#009E73"


def draw_map(results: Results):
    """One panel a learning rate: what a reminder does at every concentration and variance."""
    figure, axes = new_figure(
        1, len(RATES), width=FULL_WIDTH * 1.4, height=4.3, sharey=True
    )
    here = results.benefit[..., INTERVALS.index(3.0)]
    present = results.landscape.alone.response > 0.5
    for number, (axis, rate) in enumerate(zip(axes, RATES, strict=True)):
        paint(axis, results, here[number].astype(int) + present[number])
        mark(axis, rate)
        axis.set_title(f"learning rate {rate:g}")
    axes[0].set_ylabel("Variance of outcomes (1 / precision)")
    legend(
        figure,
        (
            (HELPS, "a reminder prevents the return"),
            (ALIKE, "the response returns all the same"),
            (NOTHING, "nothing returns, with or without"),
        ),
    )
    return figure


def draw_both(results: Results):
    """Where the benefit is, where recovery over days is as published, and where both are."""
    figure, axes = new_figure(
        1, len(RATES), width=FULL_WIDTH * 1.4, height=4.3, sharey=True
    )
    here = results.benefit[..., INTERVALS.index(3.0)]
    for number, (axis, rate) in enumerate(zip(axes, RATES, strict=True)):
        code = np.where(
            here[number] & results.recovers[number],
            3,
            np.where(results.recovers[number], 4, np.where(here[number], 2, 0)),
        )
        paint(axis, results, code)
        mark(axis, rate)
        axis.set_title(f"learning rate {rate:g}")
    axes[0].set_ylabel("Variance of outcomes (1 / precision)")
    legend(
        figure,
        (
            (HELPS, "a reminder helps"),
            (RETURNS, "recovery complete by day 10"),
            (JOINED, "both"),
            (NOTHING, "neither"),
        ),
    )
    return figure


def draw_intervals(results: Results):
    """Share of the map with a benefit by interval and learning rate; recovery courses."""
    figure, (left, right) = new_figure(1, 2, width=FULL_WIDTH * 1.2, height=4.0)
    colours = (COLOURS["sky"], COLOURS["blue"], COLOURS["purple"], COLOURS["orange"])
    for number, (rate, colour) in enumerate(zip(RATES, colours, strict=True)):
        share = 100 * results.benefit[number].mean(axis=(0, 1))
        left.plot(INTERVALS, share, "o-", color=colour)
        left.text(
            INTERVALS[0] * 0.9,
            share[0],
            f"{rate:g}",
            color=colour,
            ha="right",
            va="center",
        )
    left.text(
        0.62,
        left.get_ylim()[1],
        "learning\nrate",
        size=9,
        va="top",
        color=COLOURS["grey"],
    )
    left.set(
        xscale="log",
        xlim=(0.6, 80),
        xticks=INTERVALS,
        xticklabels=[f"{i:g}" for i in INTERVALS],
        xlabel="Interval after the reminder (units)",
        ylabel="% of concentrations and variances",
        title="How much of the map a reminder helps",
    )
    left.set_ylim(bottom=0)
    left.minorticks_off()
    # Where a clock leaves a response at once, nothing was extinguished that could recover.
    gone = results.days[..., 0] < 0.5
    tenth = np.where(gone, results.days[..., DAYS.index(10.0)], -1).max(axis=-1)
    right.hist(
        100 * tenth[tenth >= 0], bins=np.linspace(0, 100, 21), color=COLOURS["amber"]
    )
    right.axvline(90, color=COLOURS["green"], ls="--")
    right.text(
        88,
        right.get_ylim()[1] * 0.95,
        "published: above",
        ha="right",
        va="top",
        color=COLOURS["green"],
    )
    right.set(
        xlabel="Response on day 10, % of acquired (best clock)",
        ylabel="Points of the map",
        title="Recovery of what was extinguished",
    )
    return figure


def draw_shortcut(results: Results):
    """Predicted outcomes by variance and by interval under both ways of remembering causes."""
    figure, axes = new_figure(1, 3, width=FULL_WIDTH * 1.4, height=4.0, sharey=True)
    found = results.whole
    for axis, way, error, title in (
        (axes[0], found.by_variance.local, None, "One cause for each trial"),
        (
            axes[1],
            found.by_variance.posterior,
            found.by_variance.error,
            "All causes (whole posterior)",
        ),
    ):
        axis.fill_between(
            found.variance, way[1], way[0], color=COLOURS["blue"], alpha=0.12, lw=0
        )
        for row, colour, style, label in (
            (0, COLOURS["orange"], "o--", "extinction alone"),
            (1, COLOURS["blue"], "o-", "with a reminder"),
        ):
            axis.errorbar(
                found.variance,
                way[row],
                None if error is None else 2 * error[row],
                fmt=style,
                color=colour,
                ms=4,
                label=label,
            )
        axis.set(xscale="log", xlabel="Variance of outcomes", title=title)
        axis.set_xticks([0.2, 0.3, 0.4, 0.6, 0.8], ["0.2", "0.3", "0.4", "0.6", "0.8"])
        axis.minorticks_off()
    axes[0].set_ylabel("Outcome predicted at the test")
    axes[0].set_ylim(bottom=0)
    axes[1].legend(loc="upper right")
    draw_window(axes[2], results)
    return figure


def draw_window(axis, results: Results) -> None:
    """The interval after the reminder, at the paper's parameters."""
    found = results.whole
    shown = np.maximum(found.window, 0.5)
    axis.plot(shown, found.by_interval.local, "s--", color=COLOURS["grey"], ms=4)
    axis.errorbar(
        shown,
        found.by_interval.posterior,
        2 * found.by_interval.error,
        fmt="o-",
        color=COLOURS["green"],
        ms=4,
    )
    axis.text(2.2, 0.0075, "one cause", color=COLOURS["grey"])
    axis.text(2.2, 0.0195, "all causes", color=COLOURS["green"])
    axis.set(
        xscale="log",
        xlabel="Interval after the reminder (units)",
        title="The window (variance 0.4)",
    )
    ticks = [0.5, 1, 3, 10, 30, 100]
    axis.set_xticks(ticks, ["0", "1", "3", "10", "30", "100"])
    axis.minorticks_off()


def paint(axis, results: Results, code: np.ndarray) -> None:
    """Classes as colours: 0 nothing, 1 alike, 2 helps, 3 both, 4 recovery."""
    from matplotlib.colors import BoundaryNorm, ListedColormap

    colours = ListedColormap([NOTHING, ALIKE, HELPS, JOINED, RETURNS])
    axis.pcolormesh(
        results.landscape.concentration,
        results.landscape.variance,
        code.T,
        cmap=colours,
        norm=BoundaryNorm(np.arange(-0.5, 5), 5),
        shading="nearest",
        rasterized=True,
    )
    ticks = [0.02, 0.05, 0.1, 0.2, 0.5]
    axis.set(xscale="log", yscale="log", xlabel="Concentration of causes")
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    heights = [0.05, 0.1, 0.2, 0.4, 1, 2]
    axis.set_yticks(heights, [f"{t:g}" for t in heights])
    axis.minorticks_off()
    axis.grid(visible=False)


def mark(axis, rate: float) -> None:
    """The paper's parameters."""
    if rate == 0.3:
        axis.plot(0.1, 0.4, "*", color="white", ms=15, mec=COLOURS["black"], mew=1)
        axis.annotate(
            "the paper's\nfigures",
            (0.1, 0.4),
            (0.025, 1.05),
            size=9,
            arrowprops={"arrowstyle": "-", "color": COLOURS["black"]},
        )


def legend(figure, classes) -> None:
    from matplotlib.patches import Patch

    figure.legend(
        handles=[
            Patch(fc=colour, ec="#9AA1A8", label=label) for colour, label in classes
        ],
        loc="outside lower center",
        ncols=len(classes),
    )


FIGURES = {
    "map": draw_map,
    "both": draw_both,
    "intervals": draw_intervals,
    "shortcut": draw_shortcut,
}
