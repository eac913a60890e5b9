"""Beliefs and log precisions of a few people, by name; options are told apart by line and marker."""

from typing import Any

import numpy as np

from pcmodel.cli.pages.fit_figures.words import style_of
from pcmodel.report.style import COLOURS, new_figure


def draw_trajectories(found: Any) -> Any:
    """A column for each person, a row for each level's belief, and for each level's precision."""
    rows = _rows(found[0])
    figure, axes = new_figure(
        len(rows), len(found), height=1.9, squeeze=False, sharex="col", sharey="row"
    )
    for column, own in enumerate(found):
        for row, (kind, level) in enumerate(rows):
            axis = axes[row, column]
            lines = [ln for ln in getattr(own, kind) if ln.level == level]
            for line in lines:
                _draw_line(axis, line)
            if row == 0:
                axis.set_title(own.title)
                _draw_outcomes(axis, own.outcome)
            if column == 0:
                word = "belief" if kind == "belief" else "log precision"
                axis.set_ylabel(f"{word},\nlevel {level}" if _levels(own) > 1 else word)
        axes[-1, column].set_xlabel("trial")
    for row, (kind, level) in enumerate(rows):
        _limit(
            axes[row],
            [ln for own in found for ln in getattr(own, kind) if ln.level == level],
        )
    if axes[0, 0].get_legend_handles_labels()[0]:
        axes[0, 0].legend(fontsize=8, loc="best")
    return figure


def _limit(axes: Any, lines: list[Any]) -> None:
    """Cut off bands that are more than three times as wide as the medians and usual bands together.

    A few draws of a filter that breaks down would make all else a flat line.
    """
    middles = np.concatenate([line.ends[1] for line in lines])
    widths = np.concatenate([line.ends[2] - line.ends[0] for line in lines])
    low, high = middles.min(), middles.max()
    reach = 1.5 * max(high - low, float(np.median(widths)))
    lowest = min(float(line.ends[0].min()) for line in lines)
    highest = max(float(line.ends[2].max()) for line in lines)
    if not np.isfinite([lowest, highest, reach]).all() or reach == 0.0:
        return
    is_cut = lowest < low - reach or highest > high + reach
    if is_cut:
        for axis in axes:
            axis.set_ylim(max(lowest, low - reach), min(highest, high + reach))
        axes[-1].text(
            1.0,
            1.01,
            "wider bands are cut off",
            fontsize=7,
            ha="right",
            transform=axes[-1].transAxes,
        )


def _levels(own: Any) -> int:
    return len({line.level for line in own.belief})


def _rows(own: Any) -> list[tuple[str, int]]:
    """What each row shows: beliefs of each level, then log precisions."""
    return [
        (kind, level)
        for kind in ("belief", "log_precision")
        for level in dict.fromkeys(line.level for line in getattr(own, kind))
    ]


def _draw_line(axis: Any, line: Any) -> None:
    low, middle, high = line.ends
    trials = np.arange(1, len(middle) + 1)
    style = style_of(max(line.arm - 1, 0))
    axis.fill_between(trials, low, high, color=style["color"], alpha=0.2, lw=0)
    axis.plot(
        trials,
        middle,
        lw=1.3,
        ms=4,
        markevery=max(1, len(trials) // 8),
        label=f"option {line.arm}" if line.arm else None,
        **(style if line.arm else style | {"marker": None}),
    )


def _draw_outcomes(axis: Any, outcome: np.ndarray) -> None:
    """Outcomes as small marks, at the edges of the panel where they are 0 and 1."""
    seen = np.isfinite(outcome)
    if not seen.any():
        return
    trials = np.arange(1, len(outcome) + 1)[seen]
    values, at = outcome[seen], axis.transData
    if set(np.unique(values)) <= {0.0, 1.0}:
        at = axis.get_xaxis_transform()
        values = np.where(values > 0.5, 0.97, 0.03)
    axis.plot(
        *(trials, values, "|"),
        ms=5,
        color=COLOURS["grey"],
        transform=at,
        label="outcome",
    )
