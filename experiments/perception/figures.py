"""End-stopping; the mask and rivalry over effects."""

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import gamma

from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .simulate import OF_RIVALRY, SHARES, Results

LINES = {
    "relaxed priors": ("purple", "-"),
    "relaxed top alone": ("purple", "--"),
    "relaxed and dimmed": ("purple", ":"),
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
    """Convexity of the mask, rate of rivalry and mixing as effects grow."""
    figure, axes = new_figure(1, 3, width=FULL_WIDTH * 1.45, height=5.0)
    for name, curves in results.curves.items():
        colour, dash = LINES[name]
        style = dict(color=COLOURS[colour], ls=dash)
        axes[0].plot(SHARES, curves.mask.convex, label=name, **style)
        rival = results.rivals[name]
        doses = len(OF_RIVALRY)
        rate = rival.rate[:doses] / max(float(rival.rate[0].mean()), 1e-30)
        for axis, values in ((axes[1], rate), (axes[2], 100 * rival.mixed[:doses])):
            mean = values.mean(axis=1)
            error = values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
            axis.plot(OF_RIVALRY, mean, **style)
            axis.fill_between(
                OF_RIVALRY,
                mean - 2 * error,
                mean + 2 * error,
                color=COLOURS[colour],
                alpha=0.12,
                lw=0,
            )
    axes[0].axhline(0.5, color=COLOURS["grey"], lw=0.7)
    axes[1].axhline(1.0, color=COLOURS["grey"], lw=0.7)
    axes[1].set_yscale("symlog", linthresh=0.5, linscale=0.6)
    axes[1].set_yticks([0, 0.5, 1, 2, 5, 10], ["0", "0.5", "1", "2", "5", "10"])
    axes[1].minorticks_off()
    axes[1].set_ylim(bottom=0)
    axes[2].set_ylim(bottom=0)
    for axis, label, title in zip(
        axes,
        (
            "Probability of a convex percept",
            "Switches (times those without)",
            "Mixed (% of time)",
        ),
        ("A hollow mask", "Rivalry: rate", "Rivalry: mixing"),
        strict=True,
    ):
        axis.set(xlabel="Effect (share of a full dose)", ylabel=label, title=title)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5
    )
    return figure


def draw_times(results: Results) -> Figure:
    """Dominance times without a drug, and the gamma and exponential distributions of their mean."""
    figure, axis = new_figure(width=FULL_WIDTH, height=4.0)
    times, shape = results.times, results.shape
    if len(times):
        edges = np.linspace(0, max(3.5, 0.1 + float(times.max())), 36)
        axis.hist(
            times, edges, density=True, color=COLOURS["grey"], alpha=0.4, label="runs"
        )
    if np.isfinite(shape.variation):
        grid = np.linspace(1e-3, 4, 400)
        power = shape.variation**-2
        axis.plot(
            grid,
            gamma.pdf(grid, power, scale=1 / power),
            color=COLOURS["purple"],
            label=f"gamma of variation {shape.variation:.2f}",
        )
        axis.plot(
            grid,
            np.exp(-grid),
            color=COLOURS["black"],
            ls="--",
            label="exponential (no fatigue)",
        )
    axis.set(xlabel="Dominance (times its mean)", ylabel="Density", xlim=(0, 4))
    axis.legend(frameon=False)
    return figure


FIGURES = {"stopping": draw_stopping, "percepts": draw_percepts, "times": draw_times}
