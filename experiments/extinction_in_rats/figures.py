"""Freezing cue by cue, the change between tests, and what each model gains."""

import numpy as np
from matplotlib.figure import Figure

from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .claims import changed, gain
from .protocol import GROUPS, PHASES, ROWS, rows_of
from .simulate import CAUSES, NAIVE, ONE, RW, Results

COLOUR = {CAUSES: "blue", NAIVE: "sky", ONE: "orange", RW: "green"}
PANELS = {
    "extinction": "extinction",
    "long_term_memory": "a day\nlater",
    "spontaneous_recovery": "30 days\nlater",
}
GAP = 1.3  # between stretches of cues


def stretches(freezing: np.ndarray) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Phase, rows and places on the axis, of each stretch of neighbouring cues that were scored."""
    rows = np.flatnonzero(np.isfinite(freezing))
    found, place = [], 0.0
    for phase in list(PHASES)[1:]:
        own = rows[np.isin(rows, np.flatnonzero(rows_of(phase)))]
        for run in np.split(own, np.flatnonzero(np.diff(own) > 1) + 1):
            at = place + np.arange(len(run))
            found.append((phase, run, at))
            place = at[-1] + GAP
        place += GAP
    return found


def draw_freezing(results: Results) -> Figure:
    """One panel a group: rats, and what the other half's fit says of them."""
    figure, axes = new_figure(1, 3, width=FULL_WIDTH * 1.25, height=4.4, sharey=True)
    for place, (axis, group) in enumerate(zip(axes, GROUPS, strict=True)):
        mean, error = results.freezing[:, place]
        for number, (_, rows, at) in enumerate(stretches(mean)):
            labelled = number == 0
            for model in (CAUSES, ONE, RW):
                told = results.held_out[model].freezing[:, place][:, rows]
                draw_prediction(axis, at, told, model, labelled=labelled)
            axis.errorbar(
                at,
                mean[rows],
                error[rows],
                fmt="o",
                color=COLOURS["black"],
                ms=5,
                lw=1.1,
                zorder=5,
                label="rats, mean ± SE" if labelled else None,
            )
        name_phases(axis, mean)
        axis.set_title(f"{group.capitalize()} extinction")
        axis.set_ylim(0.0, 1.0)
    axes[0].set_ylabel("share of the tone spent freezing")
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, fontsize=9, loc="outside lower center", ncols=4)
    return figure


def draw_prediction(axis, at, told, model: str, *, labelled: bool) -> None:
    """A band for latent causes, a dashed line for a rival."""
    style = {"color": COLOURS[COLOUR[model]], "label": model if labelled else None}
    if model != CAUSES:
        dashes = (0, (4, 2)) if model == ONE else (0, (1, 1.2))
        axis.plot(at, told.mean(axis=0), ls=dashes, lw=1.8, **style)
        return
    low, high = np.quantile(told, (0.025, 0.975), axis=0)
    axis.fill_between(at, low, high, color=style["color"], alpha=0.2, lw=0)
    axis.plot(at, told.mean(axis=0), **style)


def name_phases(axis, mean: np.ndarray) -> None:
    """Numbers of the cues below the axis, names of the phases above the curves."""
    places, numbers, spans = [], [], {}
    for phase, rows, at in stretches(mean):
        places += at.tolist()
        numbers += [str(ROWS[row].cue) for row in rows]
        spans.setdefault(phase, []).extend(at.tolist())
    axis.set_xticks(places, numbers, fontsize=7)
    axis.set_xlabel("tone")
    for phase, at in spans.items():
        axis.text(
            np.mean(at), 0.995, PANELS[phase], ha="center", va="top", fontsize=8.5
        )


def draw_changes(results: Results) -> Figure:
    """Seen beside predicted, group by group and model by model."""
    figure, axes = new_figure(1, 2, width=FULL_WIDTH * 1.1, height=4.0, sharey=True)
    titles = {
        "held_out": "Half the rats, from the other half",
        "tests": "The tests, from extinction alone",
    }
    for axis, (what, title) in zip(axes, titles.items(), strict=True):
        models = list(getattr(results, what))
        for place, group in enumerate(GROUPS):
            seen = changed(results, group, CAUSES, what)
            points(
                axis, place - 0.3, seen.seen, 1.96 * seen.seen_error, "black", "rats"
            )
            for number, model in enumerate(models):
                told = changed(results, group, model, what)
                half = [[told.predicted - told.low], [told.high - told.predicted]]
                at = place - 0.15 + 0.15 * number
                points(axis, at, told.predicted, half, COLOUR[model], model)
        axis.axhline(0.0, color=COLOURS["black"], lw=0.8)
        axis.set_xticks(range(3), GROUPS)
        axis.set_title(title)
    axes[0].set_ylabel("freezing, second test less first")
    handles, labels = axes[0].get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    figure.legend(
        once.values(), once.keys(), fontsize=9, loc="outside lower center", ncols=3
    )
    return figure


def points(axis, at, middle, half, colour: str, label: str) -> None:
    """A value with its interval."""
    axis.errorbar(
        [at], [middle], half, fmt="o", color=COLOURS[colour], label=label, ms=6, lw=1.6
    )


def draw_gains(results: Results) -> Figure:
    """Nats by which latent causes predict better."""
    figure, axis = new_figure(height=3.4)
    rows = [
        (f"half the rats: over {rival}", rival, "held_out")
        for rival in (NAIVE, ONE, RW)
    ]
    rows.append(
        ("half the rats: over another group's protocol", "exchanged", "held_out")
    )
    rows += [(f"tests: over {rival}", rival, "tests") for rival in (ONE, RW)]
    for place, (_, rival, what) in enumerate(rows):
        found = gain(results, rival, what)
        axis.errorbar(
            [found.total],
            [-place],
            xerr=[[found.total - found.low], [found.high - found.total]],
            fmt="o",
            color=COLOURS["blue" if what == "held_out" else "purple"],
            ms=7,
            lw=2,
        )
    axis.axvline(0.0, color=COLOURS["black"], lw=0.8)
    axis.set_yticks([-i for i in range(len(rows))], [label for label, *_ in rows])
    axis.set_xlabel("log density gained by latent causes, nats over all rats (95 %)")
    axis.grid(axis="x")
    return figure


FIGURES = {"freezing": draw_freezing, "changes": draw_changes, "gains": draw_gains}
"""The key figure, and two that say how much it means."""
