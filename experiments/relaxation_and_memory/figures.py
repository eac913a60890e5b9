"""The map of both gains, slices through it, and the accounts."""

import numpy as np

from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .simulate import Results

TICKS = (0.25, 0.5, 1.0, 2.0, 4.0)
TOLD = {
    "rebus": "priors relaxed (REBUS)",
    "sebus": "strengthened, then relaxed",
    "uniform": "all levels alike",
    "sensory": "senses raised",
}


def draw_map(results: Results):
    """Response without a reminder, and what a reminder takes away, over both gains."""
    figure, axes = new_figure(1, 3, width=FULL_WIDTH * 1.5, height=4.5, sharey=True)
    alone, reminded = (each.response for each in results.drugged)
    for axis, values, title, cmap, label in (
        (axes[0], alone, "Extinction alone", "cividis", "response at the test"),
        (
            axes[1],
            alone - reminded,
            "What a reminder takes away",
            "Purples",
            "response without minus with a reminder",
        ),
        (
            axes[2],
            results.drugged.alone.causes,
            "Memories (extinction alone)",
            "Greys",
            "number of memories",
        ),
    ):
        drawn = axis.pcolormesh(
            results.factors,
            results.factors,
            values.T,
            cmap=cmap,
            vmin=0,
            vmax=3 if cmap == "Greys" else 1,
            shading="nearest",
            rasterized=True,
        )
        bar = figure.colorbar(drawn, ax=axis, label=label, shrink=0.9)
        if cmap == "Greys":
            bar.set_ticks([0, 1, 2, 3])
        axis.plot(1, 1, "*", color="white", ms=15, mec=COLOURS["black"])
        axis.annotate(
            "no drug",
            (1, 1),
            (1.15, 1.2),
            bbox={"fc": "white", "ec": "none", "alpha": 0.85, "pad": 1.5},
        )
        axis.set(
            xscale="log",
            yscale="log",
            xlabel="Precision of outcomes (times)\nrelaxed <     > sharpened",
            title=title,
        )
        axis.set_xticks(TICKS, [f"{t:g}" for t in TICKS])
        axis.set_yticks(TICKS, [f"{t:g}" for t in TICKS])
        axis.minorticks_off()
        axis.grid(visible=False)
    axes[0].set_ylabel("Learning rate (times)")
    return figure


def draw_slices(results: Results):
    """Each gain alone: with and without a reminder."""
    figure, axes = new_figure(1, 2, width=FULL_WIDTH * 1.2, height=4.0, sharey=True)
    middle = int(np.argmin(np.abs(np.log(results.factors))))
    for axis, pick, label, title in (
        (
            axes[0],
            lambda a: a[:, middle],
            "Precision of outcomes (times)",
            "Relaxing: the reminder has nothing to add",
        ),
        (
            axes[1],
            lambda a: a[middle],
            "Learning rate (times)",
            "Learning faster: it still has, by degrees",
        ),
    ):
        alone, reminded = (pick(each.response) for each in results.drugged)
        axis.fill_between(
            results.factors, reminded, alone, color=COLOURS["blue"], alpha=0.12, lw=0
        )
        axis.plot(
            results.factors,
            alone,
            "o--",
            ms=4,
            color=COLOURS["orange"],
            label="extinction alone",
        )
        axis.plot(
            results.factors,
            reminded,
            "o-",
            ms=4,
            color=COLOURS["blue"],
            label="with a reminder",
        )
        axis.axvline(1, color=COLOURS["grey"], lw=1, ls=":")
        axis.set(xscale="log", xlabel=label, title=title, ylim=(0, 1.08))
        axis.set_xticks(TICKS, [f"{t:g}" for t in TICKS])
        axis.minorticks_off()
    axes[0].set_ylabel("Conditioned response at the test")
    axes[0].legend(loc="center right")
    return figure


def draw_accounts(results: Results):
    """Response without a reminder by effect, for each account and reading of the outcome."""
    figure, axes = new_figure(
        1, len(results.accounts), width=FULL_WIDTH * 1.2, height=4.0, sharey=True
    )
    styles = {
        "rebus": ("-", COLOURS["blue"]),
        "sebus": ("--", COLOURS["purple"]),
        "uniform": (":", COLOURS["orange"]),
        "sensory": ("-.", COLOURS["green"]),
    }
    for axis, (reading, found) in zip(axes, results.accounts.items(), strict=True):
        for name, both in found.items():
            style, colour = styles[name]
            axis.plot(
                100 * results.effects,
                both.alone.response,
                style,
                color=colour,
                label=TOLD[name],
            )
        axis.set(
            xlabel="Effect at 5-HT2A (% of maximum)",
            title=f"If the outcome is\n{reading}",
            ylim=(0, 1.08),
        )
    axes[0].set_ylabel("Response after extinction alone")
    axes[0].legend(loc="center right", bbox_to_anchor=(1, 0.62))
    return figure


FIGURES = {"map": draw_map, "slices": draw_slices, "accounts": draw_accounts}
