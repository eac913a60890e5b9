"""A stretch of thought, the belief from before to the day after, and connectivity beside it."""

import jax
import numpy as np

from pcmodel.brain.dynamics import EyesClosed, linear_activity, sample_activity
from pcmodel.report import UNPERTURBED
from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .._brain import modulation_of
from .simulate import ALONE, NO_EVIDENCE, Config, Mind, Results, brain_of
from .trait import self_places

SHOWN_SEED = 0
"""Seed of the person whose thought is drawn."""
SECONDS, STEP = 20.0, 0.02
STRETCHES = (
    ("healthy", "healthy", "placebo", ""),
    ("rigid", "rigid", "placebo", ""),
    ("rigid, REBUS (top favoured)", "rigid", "rebus, top favoured", ""),
    ("the day after", "rigid", "placebo", "rebus, top favoured"),
)


def draw_thought(config: Config):
    """Twenty seconds of one person's self belief, with the same noise."""
    figure, axes = new_figure(len(STRETCHES), 1, width=FULL_WIDTH, height=1.7)
    times = STEP * np.arange(int(SECONDS / STEP))
    for axis, (title, kind, account, arm) in zip(axes, STRETCHES, strict=True):
        with jax.enable_x64(True):
            brain = brain_of(config, SHOWN_SEED, 0, kind, arm, UNPERTURBED)
            drug = modulation_of(brain, account, config.setting(SHOWN_SEED))
            activity = linear_activity(brain, EyesClosed(), modulation=drug)
            path = sample_activity(
                activity, jax.random.key(3), step=STEP, num_samples=len(times)
            )
        start = activity.structure.free_slices()[-1].start
        belief = np.asarray(path)[:, start + self_places(brain)].mean(axis=1)
        axis.axhline(0, color=COLOURS["grey"], lw=0.8)
        axis.fill_between(
            times,
            belief,
            0,
            where=belief < 0,
            color=COLOURS["orange"],
            alpha=0.35,
            lw=0,
        )
        axis.plot(times, belief, color=COLOURS["blue"], lw=0.8)
        axis.set(ylim=(-4.5, 4.5), ylabel="Belief")
        axis.set_title(title, loc="left", fontsize=10)
        if axis is not axes[-1]:
            axis.set_xticklabels([])
    axes[-1].set(xlabel="Seconds")
    return figure


def of(rows: np.ndarray, name: str) -> np.ndarray:
    """One measure of everybody."""
    return rows[:, Mind._fields.index(name)]


def draw_after(results: Results):
    """Belief and modularity of everybody on the day after, arm by arm."""
    figure, axes = new_figure(1, 2, width=FULL_WIDTH * 1.2, height=4.6)
    arms = {"before": results.before["rigid"], **results.after}
    for axis, name, label in (
        (axes[0], "belief", "Belief (standard deviations of a unit)"),
        (axes[1], "modularity", "Modularity, change from before"),
    ):
        for place, (arm, rows) in enumerate(arms.items()):
            own = of(rows, name)
            if name == "modularity":
                own = own - of(arms["before"], name)
            spread = np.linspace(-0.18, 0.18, len(own))
            control = arm in ("before", NO_EVIDENCE, ALONE)
            colour = COLOURS["grey" if control else "blue"]
            axis.plot(own, place + spread, ".", color=COLOURS["sky"], ms=5)
            axis.plot(own.mean(), place, "D", color=colour, ms=6)
        axis.set(
            xlabel=label,
            yticks=range(len(arms)),
            yticklabels=[arm.replace("_", " ") for arm in arms]
            if axis is axes[0]
            else [],
        )
        axis.axvline(
            of(arms["before"], name).mean() if name == "belief" else 0.0,
            color=COLOURS["grey"],
            ls="--",
            lw=1,
        )
        axis.invert_yaxis()
        axis.locator_params(axis="x", nbins=5)
        axis.grid(axis="y", visible=False)
    return figure


def draw_trait(results: Results):
    """What rigidity and relaxation do to six measures, mean and two standard errors."""
    figure, axes = new_figure(2, 3, width=FULL_WIDTH * 1.25, height=3.0)
    rows = {
        "healthy": results.before["healthy"],
        "negative": results.before["negative, not rigid"],
        "rigid": results.before["rigid"],
        "REBUS": results.acute["rebus"],
        "top\nfavoured": results.acute["rebus, top favoured"],
        "day\nafter": results.after["rebus, top favoured"],
    }
    for axis, (name, label) in zip(
        np.ravel(axes),
        (
            ("log_stay", "Log stay below 0 (s)"),
            ("by_memory", "Revision by a memory"),
            ("share", "Share of others explained"),
            ("default_within", "Default within (Fisher z)"),
            ("default_between", "Default to others (Fisher z)"),
            ("modularity", "Modularity"),
        ),
        strict=True,
    ):
        values = np.asarray([of(own, name) for own in rows.values()])
        error = 2 * values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
        axis.errorbar(
            range(len(rows)), values.mean(axis=1), error, fmt="o", color=COLOURS["blue"]
        )
        axis.set(title=label, xticks=range(len(rows)), xlim=(-0.5, len(rows) - 0.5))
        axis.set_xticklabels(list(rows), fontsize=7.5, rotation=40)
    return figure


FIGURES = {"thought": draw_thought, "after": draw_after, "trait": draw_trait}
