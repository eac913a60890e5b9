"""The figure "What behaviour can say about relaxed beliefs", and its companion.

Plain arrays in, figures out; every curve is a simulation or a posterior.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from pcmodel.report.style import COLOURS, FULL_WIDTH, figure_style

RIVAL_COLOURS = {
    "baseline": COLOURS["grey"],
    "prior relaxed": COLOURS["purple"],
    "senses raised": COLOURS["blue"],
    "responses noisier": COLOURS["amber"],
}
TRIAL_COLOURS = (COLOURS["sky"], COLOURS["blue"], COLOURS["black"])


def identifiability_figure(
    *,
    rivals: Sequence[str],
    noise_sds: np.ndarray,
    surprise_edges: np.ndarray,
    learning_rate: np.ndarray,
    human_learning_rate: np.ndarray,
    mean_update: np.ndarray,
    confidence: np.ndarray,
    log_precision_draws: np.ndarray,
    log_precision_prior: np.ndarray,
    study_sizes: np.ndarray,
    trial_counts: np.ndarray,
    attribution: np.ndarray,
    rated_attribution: np.ndarray,
    rated_trials: int,
    drug_shifts: np.ndarray,
) -> Figure:
    """Left: three matched rivals. Middle: what a fit can know. Right: how many people.

    Shapes as in `BehaviourResults`: learning_rate is (rivals, noise levels, 3, bins)
    with mean and interval, log_precision_draws (change point | Kalman, draws, 2).
    """
    with figure_style():
        figure = Figure(figsize=(1.5 * FULL_WIDTH, 7.6), layout="constrained")
        grid = figure.add_gridspec(2, 3, width_ratios=(1.15, 1.0, 1.0))
        figure.suptitle(
            "What behaviour can say about relaxed beliefs", x=0.01, ha="left", size=16
        )
        for row, sd in enumerate(noise_sds):
            _draw_learning_rate(
                figure.add_subplot(grid[row, 0]),
                rivals=rivals,
                edges=surprise_edges,
                rates=learning_rate[:, row],
                human=human_learning_rate[row],
                title=(
                    f"A  Precise outcomes (SD {sd:g})"
                    if row == 0
                    else f"B  Vague outcomes (SD {sd:g})"
                ),
                legend=row == 0,
            )
        _draw_precisions(
            figure.add_subplot(grid[0, 1]), log_precision_draws, log_precision_prior
        )
        _draw_confidence(
            figure.add_subplot(grid[1, 1]), rivals, noise_sds, confidence, mean_update
        )
        _draw_attribution(
            figure.add_subplot(grid[:, 2]),
            study_sizes=study_sizes,
            trial_counts=trial_counts,
            attribution=attribution,
            rated=rated_attribution,
            rated_trials=rated_trials,
            shifts=drug_shifts,
        )
    return figure


def _draw_learning_rate(axes, *, rivals, edges, rates, human, title, legend) -> None:
    middles = np.append(0.5 * (edges[1:] + edges[:-1]), edges[-1] + 1.0)
    for index, name in enumerate(rivals):
        mean, low, high = rates[index]
        colour = RIVAL_COLOURS[name]
        axes.fill_between(middles, low, high, color=colour, alpha=0.13, lw=0)
        axes.plot(middles, mean, color=colour, label=name)
    mean, low, high = human
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
        title=title,
        ylim=(0.0, 1.15),
        xlabel="surprise: |prediction error| / outcome SD",
        ylabel="learning rate\n(share of the error taken over)",
    )
    if legend:
        axes.legend(loc="lower right", ncols=1, title="coloured: same mean update")


def _draw_precisions(axes, draws: np.ndarray, prior: np.ndarray) -> None:
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


def _draw_confidence(axes, rivals, noise_sds, confidence, mean_update) -> None:
    names = [name for name in rivals if name != "baseline"]
    for row, name in enumerate(names):
        index = list(rivals).index(name)
        for level in range(len(noise_sds)):
            mean, low, high = confidence[index, level]
            place = row + 0.16 * (2 * level - 1)
            axes.errorbar(
                mean,
                place,
                xerr=np.maximum([[mean - low], [high - mean]], 0.0),
                fmt="o" if level == 0 else "s",
                color=RIVAL_COLOURS[name],
                mfc=RIVAL_COLOURS[name] if level == 0 else "white",
            )
    for level, sd in enumerate(noise_sds):
        axes.plot(
            [],
            [],
            "o" if level == 0 else "s",
            color=COLOURS["black"],
            mfc=COLOURS["black"] if level == 0 else "white",
            label=f"outcome SD {sd:g}",
        )
    axes.axvline(0.0, color=COLOURS["grey"], lw=1.0)
    labels = [
        f"{name}\n(mean update {mean_update[list(rivals).index(name)]:.1f})"
        for name in names
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


def _draw_attribution(
    axes, *, study_sizes, trial_counts, attribution, rated, rated_trials, shifts
) -> None:
    for count, curve, colour in zip(
        trial_counts, attribution, TRIAL_COLOURS, strict=False
    ):
        mean, low, high = curve
        axes.fill_between(study_sizes, low, high, color=colour, alpha=0.12, lw=0)
        axes.plot(
            study_sizes, mean, "o-", color=colour, label=f"{count} trials a session"
        )
    mean, low, high = rated
    axes.fill_between(study_sizes, low, high, color=COLOURS["green"], alpha=0.12, lw=0)
    axes.plot(
        study_sizes,
        mean,
        "s--",
        color=COLOURS["green"],
        label=f"{rated_trials} trials with confidence ratings",
    )
    for level, text in ((0.5, "guessing"), (0.95, "95 %")):
        axes.axhline(level, color=COLOURS["grey"], lw=1.0, ls=":")
        axes.annotate(
            text,
            (study_sizes[-1], level),
            textcoords="offset points",
            xytext=(0, 3),
            ha="right",
            color=COLOURS["grey"],
            size=9,
        )
    axes.set_xscale("log")
    axes.set_xticks(study_sizes, [f"{size}" for size in study_sizes])
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


def recovery_figure(
    *,
    parameters: Sequence[str],
    truth: np.ndarray,
    mean: np.ndarray,
    interval: np.ndarray,
    contraction: np.ndarray,
    verdicts: Sequence[Mapping[str, str]],
    agents: Sequence[str],
) -> Figure:
    """Recovered against true parameters, and what the people's data taught the fits."""
    shown = [j for j in range(len(parameters)) if truth[j].std() > 0.0][:6]
    with figure_style():
        figure = Figure(figsize=(1.45 * FULL_WIDTH, 5.4), layout="constrained")
        grid = figure.add_gridspec(2, 5, width_ratios=(1, 1, 1, 0.15, 1.7))
        for place, j in enumerate(shown):
            axes = figure.add_subplot(grid[place // 3, place % 3])
            _draw_recovered(axes, parameters[j], truth[j], mean[j], interval[:, j])
        axes = figure.add_subplot(grid[:, 4])
        _draw_contraction(axes, parameters, contraction[:2], verdicts[:2], agents[:2])
    return figure


def _draw_recovered(axes, name, truth, mean, interval) -> None:
    low, high = interval
    bars = np.maximum(np.stack([mean - low, high - mean]), 0.0)
    axes.errorbar(
        truth, mean, yerr=bars, fmt="o", color=COLOURS["green"], elinewidth=1.2
    )
    ends = [min(truth.min(), low.min()), max(truth.max(), high.max())]
    axes.plot(ends, ends, color=COLOURS["grey"], lw=1.0)
    axes.set(xlabel="true", ylabel="fitted, 90 %")
    axes.set_title(name.replace("_", " "), size=11)


def _draw_contraction(axes, parameters, contraction, verdicts, agents) -> None:
    colours = (COLOURS["green"], COLOURS["orange"])
    for index, agent in enumerate(agents):
        places = np.arange(len(parameters)) + 0.36 * (index - 0.5)
        share = np.maximum(contraction[index], 0.0)
        axes.barh(places, share, height=0.32, color=colours[index], label=agent)
        for place, value, name in zip(places, share, parameters, strict=True):
            axes.annotate(
                verdicts[index][name],
                (value, place),
                textcoords="offset points",
                xytext=(4, 0),
                va="center",
                size=8.5,
            )
    axes.set_yticks(
        range(len(parameters)), [name.replace("_", " ") for name in parameters]
    )
    axes.set(
        title="What the people's data taught",
        xlabel="share of the prior variance removed",
        xlim=(0.0, 1.3),
        ylim=(len(parameters) + 0.9, -0.6),
    )
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.legend(loc="lower right", fontsize=9)
