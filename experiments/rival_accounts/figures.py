"""Belief against uncertainty, and the table of expectations with the signs found."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .claims import EXPECTED, OBSERVABLES, changes, effect_of, signs
from .simulate import EFFECTS, Results

LINES = {
    "rebus": COLOURS["purple"],
    "sensory": COLOURS["orange"],
    "sebus": COLOURS["blue"],
    "oneirogen": COLOURS["green"],
    "noise": COLOURS["amber"],
    "dimmer": COLOURS["sky"],
    "uniform": COLOURS["grey"],
}


def draw_plane(results: Results) -> Figure:
    """Each account's path as its effect grows, in three planes of observables."""
    planes = (
        ("shift", "spread", "Belief and uncertainty"),
        ("shift", "transfer", "Belief and direction of information"),
        ("closed", "structure", "Eyes closed: how much, how ordered"),
    )
    labels = {
        "shift": "Belief towards the data\n(share of the undrugged shift)",
        "spread": "Uncertainty of the top (nats)",
        "transfer": "Transfer entropy, top to bottom\n(relative change)",
        "closed": "Diversity of activity (nats)",
        "structure": "Structure: total correlation (nats)",
    }
    figure, axes = new_figure(1, 3, width=FULL_WIDTH * 1.45, height=4.6)
    for axis, (x, y, title) in zip(axes, planes, strict=True):
        for name, observed in results.observed.items():
            path = [changes(observed, results, e) for e in range(len(EFFECTS))]
            xs, ys = ([np.median(p[key]) for p in path] for key in (x, y))
            axis.plot(xs, ys, color=LINES[name], marker="o", ms=4, label=name)
            axis.plot(xs[-1], ys[-1], color=LINES[name], marker="o", ms=9)
        axis.axhline(0, color=COLOURS["grey"], lw=0.6)
        axis.axvline(0, color=COLOURS["grey"], lw=0.6)
        axis.set(xlabel=labels[x], ylabel=labels[y], title=title)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=7
    )
    return figure


def draw_cells(results: Results) -> Figure:
    """Accounts by observables: sign found, and whether it was expected."""
    names, order = list(results.observed), list(OBSERVABLES)
    figure, axis = new_figure(width=FULL_WIDTH * 1.25, height=4.8)
    tints = {1: "#F3C9A8", -1: "#B9D6EA", 0: "#EEF0F2"}
    for column, name in enumerate(names):
        found = changes(results.observed[name], results, effect_of(name))
        for row, observable in enumerate(order):
            draw_cell(axis, column, row, name, observable, found[observable], tints)
    axis.set_xlim(0, len(names))
    axis.set_ylim(len(order), 0)
    axis.set_xticks(np.arange(len(names)) + 0.5, names)
    axis.set_yticks(np.arange(len(order)) + 0.5, [OBSERVABLES[o] for o in order])
    axis.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axis.grid(False)
    for spine in axis.spines.values():
        spine.set_visible(False)
    return figure


def draw_cell(axis, column, row, name, observable, change, tints) -> None:
    """Arrow and share of networks; a mark where something was expected."""
    sign = signs(change, observable)
    values, counts = np.unique(sign, return_counts=True)
    common = int(values[np.argmax(counts)])
    share = counts.max() / len(change)
    axis.add_patch(
        Rectangle((column + 0.03, row + 0.04), 0.94, 0.92, color=tints[common], lw=0)
    )
    arrow = {1: "up", -1: "down", 0: "none"}[common]
    middle = {"ha": "center", "va": "center"}
    axis.text(column + 0.5, row + 0.4, f"{arrow} {share:.0%}", size=10, **middle)
    expected = EXPECTED.get(name, {}).get(observable)
    if expected is None:
        return
    as_told = np.mean(sign == expected)
    word, colour = (
        ("as expected", "green")
        if as_told >= 0.9
        else ("not as expected", "orange")
        if as_told < 0.5
        else ("undecided", "grey")
    )
    style = {"size": 8, "color": COLOURS[colour], "weight": "bold", **middle}
    axis.text(column + 0.5, row + 0.75, word, **style)


FIGURES = {"plane": draw_plane, "cells": draw_cells}
