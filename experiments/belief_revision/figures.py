"""The figures, each one message."""

import numpy as np
from matplotlib.figure import Figure

from pcmodel.data.digits import IMAGE_SIDE
from pcmodel.report.style import (
    COLOURS,
    FULL_WIDTH,
    figure_style,
    level_colours,
    new_figure,
)

from .config import Config
from .identifiability import draw_identifiability
from .simulate import Results
from .summary import Summary, belief_curves


def gain_colours(count: int) -> list:
    """Grey without drug, then darker purple as the gain falls."""
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    ramp = LinearSegmentedColormap.from_list("relaxed", ["#D8B4D8", "#5B1A6B"])
    shades = [to_hex(ramp(i / max(count - 2, 1))) for i in range(count - 1)]
    return [COLOURS["grey"], *shades]


def draw_revision(config: Config, results: Results, summary: Summary) -> Figure:
    """A digit fades into another; relaxing the top moves the point where belief follows."""
    with figure_style():
        figure = Figure(figsize=(FULL_WIDTH * 1.25, 6.4), layout="constrained")
        left, right = figure.subfigures(
            1, 2, squeeze=False, width_ratios=(1.35, 1)
        ).flat
        strip, curve = left.subfigures(2, 1, height_ratios=(1, 3.6))
        draw_strip(strip, config, results)
        draw_psychometric(curve.subplots(), config, results)
        draw_flips(right.subplots(), config, summary)
    return figure


def draw_strip(figure, config: Config, results: Results) -> None:
    """One pair's morph."""
    trials = results.trials
    images = trials.morphs(config.strengths)[0]
    axes = np.atleast_1d(figure.subplots(1, len(images)))
    figure.suptitle(
        f"Believed: a {trials.believed[0]}.  Shown: it fades into a {trials.shown[0]}.",
        x=0.02,
        ha="left",
        size=12,
        weight="bold",
    )
    for axis, image, strength in zip(axes, images, config.strengths, strict=True):
        axis.imshow(
            image.reshape(IMAGE_SIDE, IMAGE_SIDE), cmap="gray_r", vmin=0, vmax=1
        )
        axis.set_axis_off()
        axis.set_title(f"{strength:g}", size=9, loc="center", pad=3, weight="normal")


def draw_psychometric(axis, config: Config, results: Results) -> None:
    """Belief in the class shown against strength of evidence, by gain of the top."""
    belief = belief_curves(results).mean(axis=1)
    for gain, colour, row in zip(
        config.gains, gain_colours(len(config.gains)), belief, strict=True
    ):
        label = "no drug" if gain == 1 else f"{gain:g}"
        axis.plot(config.strengths, row, color=colour, marker="o", label=label)
    axis.axhline(0.5, color=COLOURS["grey"], linewidth=0.8, linestyle=":")
    axis.set(
        xlabel="Strength of contradicting evidence (share of the new image)",
        ylabel="Belief in the digit shown",
        ylim=(-0.03, 1.03),
        title="Relaxing the top lets weaker evidence win",
    )
    axis.legend(title="precision of the top x", loc="upper left")


def draw_flips(axis, config: Config, summary: Summary) -> None:
    """Share of beliefs that land on the class shown, and the two controls."""
    gains, curves = np.asarray(config.gains), summary.curves
    series = (
        ("trained network", curves.flips, COLOURS["purple"]),
        ("untrained network", curves.untrained_flips, COLOURS["amber"]),
        ("noise of the same size", curves.noise_flips, COLOURS["grey"]),
    )
    for name, values, colour in series:
        axis.plot(gains, values[:, 0], marker="o", color=colour, label=name)
        axis.fill_between(
            gains, values[:, 1], values[:, 2], color=colour, alpha=0.18, lw=0
        )
    relaxing_axis(axis, gains)
    axis.set(
        xlabel="Precision of the top (gain; right = more relaxed)",
        ylabel="Beliefs that flip to the digit shown",
        ylim=(-0.03, 1.03),
        title="Only what was learned finds the right digit",
    )
    axis.legend(loc="upper left")


def relaxing_axis(axis, gains: np.ndarray) -> None:
    """A logarithmic gain axis, no drug at the left."""
    axis.set_xscale("log")
    axis.set_xlim(max(gains) * 1.15, min(gains) / 1.15)
    axis.set_xticks(gains, [f"{gain:g}" for gain in gains])
    axis.minorticks_off()


def draw_levels(config: Config, summary: Summary) -> Figure:
    """Which level is relaxed matters more than how much."""
    gains, levels = np.asarray(config.gains), summary.levels
    figure, axes = new_figure(1, 3, width=FULL_WIDTH * 1.25, height=4.2)
    colours = level_colours(len(levels.names))
    panels = (
        (levels.revision, "Revision (0 kept, 1 evidence wins)", "Revision"),
        (levels.surprise, "Bayesian surprise (nats)", "Surprise"),
        (
            levels.entropy - levels.entropy[:, :1],
            "Change of entropy (nats)",
            "Uncertainty",
        ),
    )
    with figure_style():
        for axis, (values, label, title) in zip(axes, panels, strict=True):
            for name, row, colour in zip(levels.names, values, colours, strict=True):
                axis.plot(gains, row, marker="o", color=colour, label=name)
            if title == "Revision":
                axis.plot(
                    gains,
                    summary.between_revision,
                    color=COLOURS["grey"],
                    linestyle="--",
                    label="all between",
                )
            relaxing_axis(axis, gains)
            axis.set(xlabel="Gain of the level's precision", ylabel=label, title=title)
        axes[0].legend(title="relaxed alone")
    return figure


def draw_learning(results: Results, summary: Summary) -> Figure:
    """Free energy and precisions over training."""
    figure, (left, right) = new_figure(1, 2, height=3.6)
    learned = results.learned
    epochs = np.arange(1, len(learned.energy) + 1)
    with figure_style():
        left.plot(epochs, learned.energy, color=COLOURS["blue"])
        left.set(
            xlabel="Epoch", ylabel="Expected energy (nats per image)", title="Learning"
        )
        for name, row, colour in zip(
            summary.levels.names,
            np.exp(learned.log_precisions.T),
            level_colours(len(summary.levels.names)),
            strict=True,
        ):
            right.plot(epochs, row, color=colour, label=name)
        right.set(
            xlabel="Epoch",
            ylabel="Precision (1 / variance)",
            title="Learned precisions",
            yscale="log",
        )
        right.legend()
    return figure


FIGURES = {
    "revision": draw_revision,
    "levels": draw_levels,
    "learning": draw_learning,
    "identifiability": draw_identifiability,
}
