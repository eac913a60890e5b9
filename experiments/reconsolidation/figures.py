"""The window, what brings a response back, days, and amnesia."""

import numpy as np

from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .simulate import DAYS, Results

WITH, ALONE = COLOURS["blue"], COLOURS["orange"]
RESPONSE = "Conditioned response at the test"


def draw_window(results: Results):
    """Response by interval, and the acquisition memory in both designs."""
    figure, (left, right) = new_figure(1, 2, width=FULL_WIDTH * 1.2, height=4.3)
    shown = np.maximum(results.intervals, 0.5)
    left.plot(shown, results.by_interval.response, "o-", color=WITH, ms=4)
    alone = float(results.alone.response[0])
    left.axhline(alone, color=ALONE, ls="--")
    left.text(400, alone + 0.03, "without a reminder", color=ALONE, ha="right", size=10)
    works = results.intervals[results.by_interval.response < alone / 3]
    if works.size:
        left.axvspan(works[0] * 0.75, works[-1] * 1.12, color=WITH, alpha=0.1, lw=0)
        middle = np.sqrt(works[0] * works[-1])
        left.text(
            middle,
            0.5,
            "the old memory\nis rewritten",
            ha="center",
            color=WITH,
            size=10,
        )
    left.set(
        xscale="log",
        xticks=[0.5, 1, 3, 10, 30, 100, 400],
        xticklabels=["0", "1", "3", "10", "30", "100", "400"],
        ylim=(0, 1.12),
        xlabel="Interval between reminder and extinction (units)",
        ylabel=RESPONSE,
        title="A reminder helps in a window with two edges",
    )
    left.minorticks_off()
    for course, colour, label in zip(
        results.courses,
        (WITH, ALONE),
        ("reminder, interval 3", "no reminder"),
        strict=True,
    ):
        right.plot(course.position, course.weight, color=colour, label=label)
    right.axvspan(1, 4, color=COLOURS["grey"], alpha=0.15, lw=0)
    right.text(1.2, 1.0, "acquisition", size=9, color=COLOURS["grey"])
    right.text(9, 1.0, "extinction", size=9, color=COLOURS["grey"])
    right.annotate(
        "reminder: the old memory\nis unlearned while waiting",
        (4.8, results.courses[0].weight[results.courses[0].position < 5][-1]),
        (8.5, 0.42),
        size=9,
        arrowprops={"arrowstyle": "-", "color": COLOURS["grey"]},
    )
    right.set(
        xlabel="Trial",
        ylabel="Outcome that the first memory predicts",
        ylim=(-0.03, 1.1),
        title="What the old memory keeps",
    )
    right.legend(loc="upper right", bbox_to_anchor=(1, 0.9))
    return figure


def draw_returns(results: Results):
    """What brings a response back, and how alike contexts must be."""
    figure, (left, right) = new_figure(
        1, 2, width=FULL_WIDTH * 1.25, height=4.3, width_ratios=(1.5, 1)
    )
    names = list(results.returns)
    bars(left, names, results.returns, ("reminded", "extinction alone"))
    left.set(ylabel=RESPONSE, ylim=(0, 1.25), title="What brings the response back")
    left.legend(loc="upper right", ncols=2)
    for row, colour, style, label in zip(
        results.by_context,
        (WITH, ALONE),
        ("-", "--"),
        ("reminded", "alone"),
        strict=True,
    ):
        right.plot(results.similarity, row, style, color=colour, label=label)
    right.set(
        xlabel="Likeness of the extinction context\nto that of acquisition (1: the same)",
        ylabel="Response back in that of acquisition",
        ylim=(0, 1.12),
        title="Renewal: the reminder adds nothing",
    )
    right.legend(loc="lower left")
    return figure


def draw_limits(results: Results):
    """Age, strength and delay of the test."""
    figure, axes = new_figure(1, 3, width=FULL_WIDTH * 1.35, height=3.9, sharey=True)
    for axis, x, pair, label, title in (
        (
            axes[0],
            results.ages,
            results.by_age,
            "Units from acquisition to reminder",
            "Age: a narrow band",
        ),
        (
            axes[1],
            results.strengths,
            results.by_strength,
            "Acquisition trials",
            "Strength: few trials only",
        ),
        (
            axes[2],
            results.delays,
            results.by_delay,
            "Units from extinction to test",
            "Recovery rises and falls",
        ),
    ):
        for row, colour, style, name in zip(
            pair,
            (WITH, ALONE),
            ("-", "--"),
            ("reminded", "extinction alone"),
            strict=True,
        ):
            axis.plot(x, row, style, color=colour, label=name)
        axis.set(xscale="log", xlabel=label, title=title, ylim=(0, 1.12))
        axis.xaxis.set_major_formatter("{x:g}")
    axes[0].set_ylabel(RESPONSE)
    axes[1].legend(loc="upper right")
    return figure


def draw_days(results: Results):
    """Quirk's days under both settings, and the second extinction."""
    figure, (left, right) = new_figure(1, 2, width=FULL_WIDTH * 1.2, height=4.2)
    paper, calibrated = results.recovery
    left.axhspan(90, 100, color=COLOURS["green"], alpha=0.12, lw=0)
    left.text(
        0.1, 94, "complete (published: by day 10)", size=9, color=COLOURS["green"]
    )
    left.plot(
        DAYS, 100 * calibrated.response, "o-", color=WITH, label="concentration doubled"
    )
    left.plot(
        DAYS, 100 * paper.response, "s--", color=ALONE, label="parameters of the paper"
    )
    left.plot(
        DAYS,
        100 * calibrated.value,
        ":",
        color=WITH,
        label="the predicted outcome itself (doubled)",
    )
    left.set(
        xlabel="Days after extinction",
        ylabel="% of the acquired response",
        ylim=(0, 108),
        title="Spontaneous recovery",
    )
    left.legend(loc="center right", bbox_to_anchor=(1, 0.42))
    count = len(calibrated.second)
    trials = np.arange(1, count + 1)
    right.plot(trials, calibrated.first[:count], "o-", color=COLOURS["grey"], ms=4)
    right.plot(trials, calibrated.second, "o-", color=COLOURS["purple"], ms=4)
    right.text(6, 1.03, "first", color=COLOURS["grey"], va="bottom")
    right.text(4.3, 0.4, "second, two weeks on", color=COLOURS["purple"])
    right.set(
        xlabel="Trial of extinction",
        ylabel="Conditioned response",
        ylim=(0, 1.12),
        title="Extinguished faster the second time",
    )
    return figure


def draw_amnesia(results: Results):
    """Suzuki's boundary conditions."""
    figure, axis = new_figure(width=FULL_WIDTH, height=3.9)
    bars(axis, list(results.amnesia), results.amnesia, ("with the agent", "without"))
    axis.set(
        ylabel=RESPONSE,
        ylim=(0, 1.25),
        title="An amnestic agent erases what is active and has not yet been explained away",
    )
    axis.legend(loc="upper right", ncols=2)
    return figure


def bars(axis, names, found, labels) -> None:
    """Pairs of bars with their numbers."""
    places = np.arange(len(names))
    for offset, index, colour in ((-0.19, 0, WITH), (0.19, 1, ALONE)):
        heights = [float(found[name][index]) for name in names]
        axis.bar(places + offset, heights, 0.36, color=colour, label=labels[index])
        for place, height in zip(places, heights, strict=True):
            axis.text(
                place + offset, height + 0.02, f"{height:.2f}", ha="center", size=9
            )
    axis.set(xticks=places, xticklabels=names)
    axis.tick_params(axis="x", labelsize=9)


FIGURES = {
    "window": draw_window,
    "returns": draw_returns,
    "limits": draw_limits,
    "days": draw_days,
    "amnesia": draw_amnesia,
}
