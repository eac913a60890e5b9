"""How chains mix: traces and ranks of the worst numbers of the group, and their pairs."""

from typing import Any

import numpy as np

from pcmodel.cli.pages.fit_figures.words import style_of
from pcmodel.report.style import COLOURS, new_figure

MOST_POINTS = 1500  # of a pair plot
MOST_CHAINS = 6  # that are told apart


def draw_chains(found: Any) -> Any:
    """A row for each number: the trace of every chain, and how many of its draws each part of the ranks holds."""
    count = len(found.names)
    chains = range(min(found.draws.shape[1], MOST_CHAINS))
    figure, axes = new_figure(
        count, 2, height=1.9, squeeze=False, gridspec_kw={"width_ratios": (2, 1)}
    )
    for row, name in enumerate(found.names):
        left, right = axes[row]
        for chain in chains:
            style = style_of(chain)
            colour, dash = style["color"], style["ls"]
            left.plot(found.draws[row, chain], color=colour, lw=0.7, alpha=0.8)
            counts = found.ranks[row, chain]
            right.stairs(counts, color=colour, ls=dash, lw=1.4, baseline=None)
        even = found.ranks[row].sum() / found.ranks[row].size
        right.axhline(even, color=COLOURS["black"], lw=0.8)
        right.set_ylim(0.0, max(2.2 * even, 1.1 * found.ranks[row].max()))
        right.set_xticks([])
        left.set_title(name, fontsize=10)
        ess = found.ess[row]
        effective = f"{ess:.0f}" if np.isfinite(ess) else "unknown"
        right.set_title(f"R-hat {found.rhat[row]:.3f}, ESS {effective}", fontsize=10)
    axes[-1, 0].set_xlabel("draw")
    axes[-1, 1].set_xlabel("rank, low to high; even if chains agree", fontsize=9)
    return figure


def draw_pairs(found: Any) -> Any:
    """Pairs of the numbers that mix worst; diverging transitions are crosses."""
    count = len(found.names)
    flat = found.draws.reshape(count, -1)
    lost = found.diverging.ravel()
    picks = np.unique(np.linspace(0, flat.shape[1] - 1, MOST_POINTS).astype(int))
    figure, axes = new_figure(
        count, count, width=2.1 + 1.75 * count, height=1.75, squeeze=False
    )
    for i in range(count):
        for j in range(count):
            axis = axes[i, j]
            axis.grid(False)
            if j > i:
                axis.set_axis_off()
            elif i == j:
                axis.hist(flat[i], bins=30, color=COLOURS["sky"])
                axis.set_yticks([])
            else:
                axis.plot(
                    flat[j][picks],
                    flat[i][picks],
                    ".",
                    ms=2,
                    alpha=0.35,
                    rasterized=True,
                )
                axis.plot(flat[j][lost], flat[i][lost], "x", color=COLOURS["orange"])
            axis.tick_params(labelsize=8)
            if i == count - 1:
                axis.set_xlabel(_short(found.names[j]), fontsize=8)
            if j == 0 and i > 0:
                axis.set_ylabel(_short(found.names[i]), fontsize=8)
    return figure


def _short(name: str) -> str:
    return name.replace(": ", ":\n")
