"""The reliability diagram: accuracy against confidence."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from pcmodel.report.style import COLOURS, FULL_WIDTH, figure_style

Z_95 = 1.959963984540054  # normal quantile of a 95 % interval


@runtime_checkable
class Bins(Protocol):
    """The bins of a reliability diagram, one value a bin, as of `pcmodel.calibration.reliability`."""

    @property
    def low(self) -> np.ndarray: ...
    @property
    def high(self) -> np.ndarray: ...
    @property
    def confidence(self) -> np.ndarray: ...
    @property
    def accuracy(self) -> np.ndarray: ...
    @property
    def count(self) -> np.ndarray: ...


def reliability_figure(models: Mapping[str, Bins]) -> Figure:
    """A panel for each named model: accuracy against confidence, and the number of answers.

    On the diagonal confidence equals accuracy; below it the model is overconfident. Bars are 95 %
    intervals of the accuracy (Wilson 1927), and areas show how many answers have that
    confidence. The heading of a panel gives the expected calibration error.
    """
    columns = len(models)
    width = FULL_WIDTH * min(1.4, 0.22 + 0.36 * columns)
    with figure_style():
        figure = Figure(figsize=(width, 5.4), layout="constrained")
        grid = figure.add_gridspec(2, columns, height_ratios=(3.6, 1))
        for column, (name, bins) in enumerate(models.items()):
            top = figure.add_subplot(grid[0, column])
            _draw_accuracy(top, name, bins, is_first=column == 0)
            below = figure.add_subplot(grid[1, column], sharex=top)
            _draw_counts(below, bins, is_first=column == 0)
    return figure


def _draw_accuracy(axes, name: str, bins: Bins, *, is_first: bool) -> None:
    axes.fill_between([0, 1], [0, 1], 0, color=COLOURS["orange"], alpha=0.07, lw=0)
    axes.fill_between([0, 1], [0, 1], 1, color=COLOURS["blue"], alpha=0.07, lw=0)
    axes.text(0.97, 0.04, "too sure", ha="right", color=COLOURS["orange"])
    axes.text(0.03, 0.93, "not sure enough", color=COLOURS["blue"])
    axes.plot([0, 1], [0, 1], color=COLOURS["grey"], lw=1.2, ls="--")
    low, high = wilson_interval(bins.accuracy, bins.count)
    ends = np.maximum([bins.accuracy - low, high - bins.accuracy], 0.0)
    axes.errorbar(
        bins.confidence,
        bins.accuracy,
        yerr=ends,
        fmt="o",
        color=COLOURS["black"],
        elinewidth=1.2,
        clip_on=False,
    )
    gap = np.abs(bins.accuracy - bins.confidence)
    error = np.sum(bins.count * gap) / np.sum(bins.count)
    axes.set_title(f"{name}\ncalibration error {100 * error:.1f} %")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.tick_params(labelbottom=False)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    if is_first:
        axes.set_ylabel("how often it is right\n(bars: 95 % interval)")


def _draw_counts(axes, bins: Bins, *, is_first: bool) -> None:
    axes.bar(
        bins.low,
        bins.count / np.sum(bins.count),
        width=bins.high - bins.low,
        align="edge",
        color=COLOURS["grey"],
        edgecolor="white",
    )
    axes.set_xlabel("how sure it says it is")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    if is_first:
        axes.set_ylabel("share of\nanswers")


def wilson_interval(share: np.ndarray, count: np.ndarray | int) -> np.ndarray:
    """95 % interval of a share of `count` independent cases: (2, bins), within [0, 1] (Wilson 1927)."""
    weight = Z_95**2 / count
    centre = (share + weight / 2) / (1 + weight)
    reach = Z_95 * np.sqrt(share * (1 - share) / count + weight / (4 * count))
    low, high = centre - reach / (1 + weight), centre + reach / (1 + weight)
    # Rounding must not put none or all of the cases outside.
    return np.stack([np.minimum(low, share), np.maximum(high, share)])
