"""The figure "What behaviour can say about relaxed beliefs": every curve is a simulation or a posterior."""

import numpy as np
from matplotlib.figure import Figure

from pcmodel.report.style import COLOURS, FULL_WIDTH, figure_style

from .behaviour import BehaviourResults
from .simulate import Results

RIVAL_COLOURS = {
    "baseline": COLOURS["grey"],
    "prior relaxed": COLOURS["purple"],
    "senses raised": COLOURS["blue"],
    "responses noisier": COLOURS["amber"],
}
TRIAL_COLOURS = (COLOURS["sky"], COLOURS["blue"], COLOURS["black"])


def draw_identifiability(results: Results) -> Figure:
    """Left: three matched rivals. Middle: what a fit can know. Right: how many people."""
    found = results.behaviour
    with figure_style():
        figure = Figure(figsize=(1.5 * FULL_WIDTH, 7.6), layout="constrained")
        grid = figure.add_gridspec(2, 3, width_ratios=(1.15, 1.0, 1.0))
        figure.suptitle(
            "What behaviour can say about relaxed beliefs", x=0.01, ha="left", size=16
        )
        names = ("A  Precise", "B  Vague")
        for level, (name, sd) in enumerate(zip(names, found.noise_sds, strict=True)):
            axes = figure.add_subplot(grid[level, 0])
            axes.set_title(f"{name} outcomes (SD {sd:g})")
            draw_learning_rate(axes, found, level)
        draw_precisions(figure.add_subplot(grid[0, 1]), found)
        draw_confidence(figure.add_subplot(grid[1, 1]), found)
        draw_attribution(figure.add_subplot(grid[:, 2]), found)
    return figure


def draw_learning_rate(axes, found: BehaviourResults, level: int) -> None:
    """Share of an error taken over, by how surprising it was, at one level of noise."""
    edges = found.surprise_edges
    middles = np.append(0.5 * (edges[1:] + edges[:-1]), edges[-1] + 1.0)
    for name, rates in zip(found.rivals, found.learning_rate, strict=True):
        mean, low, high = rates[level]
        colour = RIVAL_COLOURS[name]
        axes.fill_between(middles, low, high, color=colour, alpha=0.13, lw=0)
        axes.plot(middles, mean, color=colour, label=name)
    mean, low, high = found.human_learning_rate[level]
    axes.errorbar(
        middles,
        mean,
        yerr=np.maximum(np.stack([mean - low, high - mean]), 0.0),
        fmt="o",
        color=COLOURS["black"],
        markersize=4.5,
        elinewidth=1.0,
        label="people",
        zorder=5,
    )
    axes.set(
        ylim=(0.0, 1.15),
        xlabel="surprise: |prediction error| / outcome SD",
        ylabel="learning rate\n(share of the error taken over)",
    )
    if level == 0:
        axes.legend(loc="lower right", ncols=1, title="coloured: same mean update")


def draw_precisions(axes, found: BehaviourResults) -> None:
    """What the fits with and without change points know of the group's log-precisions."""
    draws, prior = found.log_precision_draws, found.log_precision_prior
    mean, sd = prior.mean(axis=0), prior.std(axis=0)
    angle = np.linspace(0.0, 2.0 * np.pi, 200)
    for width in (1.0, 2.0):
        axes.plot(
            mean[0] + width * sd[0] * np.cos(angle),
            mean[1] + width * sd[1] * np.sin(angle),
            color=COLOURS["grey"],
            ls=":",
            lw=1.2,
            label="prior (1 and 2 SD)" if width == 1.0 else None,
        )
    looks = (
        (1, COLOURS["orange"], "without change points: only their ratio"),
        (0, COLOURS["green"], "with change points: both"),
    )
    for index, colour, label in looks:
        points = draws[index]
        axes.plot(
            *points.T, ".", color=colour, ms=3.0, alpha=0.35, mec="none", zorder=3
        )
        axes.plot([], [], "o", color=colour, label=label)
    middle = draws[1].mean(axis=0)
    axes.axline(middle, slope=1.0, color=COLOURS["orange"], lw=1.0, ls="--")
    axes.set(
        title="C  What a fit to ten people can know",
        xlabel="prior log-precision (right: stiffer belief)",
        ylabel="sensory log-precision (up: trusted)",
        xlim=(mean[0] - 2.2 * sd[0], mean[0] + 2.1 * sd[0]),
        ylim=(mean[1] - 4.6 * sd[1], mean[1] + 2.9 * sd[1]),
    )
    axes.legend(loc="lower left", fontsize=8.5)


def draw_confidence(axes, found: BehaviourResults) -> None:
    """Change of confidence from baseline, by rival and level of noise."""
    names, changes = found.rivals[1:], found.confidence[1:]
    looks = [{"marker": "o"}, {"marker": "s", "mfc": "white"}]
    for row, (name, by_level) in enumerate(zip(names, changes, strict=True)):
        for level, (mean, low, high) in enumerate(by_level):
            axes.errorbar(
                mean,
                row + 0.16 * (2 * level - 1),
                xerr=np.maximum([[mean - low], [high - mean]], 0.0),
                ls="",
                color=RIVAL_COLOURS[name],
                **looks[level],
            )
    for look, sd in zip(looks, found.noise_sds, strict=True):
        label = f"outcome SD {sd:g}"
        axes.plot([], [], ls="", color=COLOURS["black"], label=label, **look)
    axes.axvline(0.0, color=COLOURS["grey"], lw=1.0)
    labels = [
        f"{name}\n(mean update {update:.1f})"
        for name, update in zip(names, found.mean_update[1:], strict=True)
    ]
    axes.set_yticks(range(len(names)), labels)
    axes.set(
        title="D  Confidence tells them apart",
        xlabel="change in confidence (log-precision of the belief)",
        ylim=(len(names) - 0.4, -0.6),
    )
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.legend(loc="upper right", fontsize=8.5)


def draw_attribution(axes, found: BehaviourResults) -> None:
    """Chance of naming the right account, by people and trials."""
    sizes, shifts = found.study_sizes, found.drug_shifts
    curves = [
        (curve, "o-", colour, f"{count} trials a session")
        for count, curve, colour in zip(
            found.trial_counts, found.attribution, TRIAL_COLOURS, strict=False
        )
    ]
    rated = f"{found.rated_trials} trials with confidence ratings"
    curves.append((found.rated_attribution, "s--", COLOURS["green"], rated))
    for (mean, low, high), look, colour, label in curves:
        axes.fill_between(sizes, low, high, color=colour, alpha=0.12, lw=0)
        axes.plot(sizes, mean, look, color=colour, label=label)
    for level, text in ((0.5, "guessing"), (0.95, "95 %")):
        axes.axhline(level, color=COLOURS["grey"], lw=1.0, ls=":")
        axes.annotate(
            text,
            (sizes[-1], level),
            textcoords="offset points",
            xytext=(0, 3),
            ha="right",
            color=COLOURS["grey"],
            size=9,
        )
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size}" for size in sizes])
    axes.minorticks_off()
    axes.set(
        title="E  How many people it takes",
        xlabel="participants (two sessions each)",
        ylabel=(
            "probability of naming the right account:\n"
            f"prior −{shifts[0]:.1f} or senses +{shifts[1]:.2f} log-precision"
        ),
        ylim=(0.38, 1.02),
    )
    axes.legend(loc="lower right", fontsize=9)
