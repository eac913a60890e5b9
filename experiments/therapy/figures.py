"""The figures: weeks of a belief, outcomes by arm, who improves, the inside of a session, and the rivals."""

import numpy as np
from matplotlib.figure import Figure

from pcmodel.report.reliability import wilson_interval
from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure
from pcmodel.sessions.protocol.content import Protocol
from pcmodel.sessions.readouts import improvement, responded

from .claims import cohort_like
from .perturb import protocol_of
from .simulate import DRUG, NONE, THERAPY, WHOLE, Results, arms_of, reading_day

LINES = {
    WHOLE: COLOURS["purple"],
    THERAPY: COLOURS["blue"],
    DRUG: COLOURS["orange"],
    NONE: COLOURS["grey"],
}
TITLES = {
    WHOLE: "drug and therapy",
    THERAPY: "therapy alone",
    DRUG: "drug alone",
    NONE: "untreated",
}
TRAITS = {
    "suggestibility": "Suggestibility (factor)",
    "expectancy": "Expectancy (factor)",
    "avoidance": "Avoidance (share)",
    "validity": "Prior that experience\nis valid (share)",
    "learning": "Learning (factor)",
}


def draw_weeks(config, results: Results) -> Figure:
    """One person, the cohort, and under them the window in which more is learned."""
    protocol = protocol_of(config.protocol)
    figure, axes = new_figure(
        3, 2, width=FULL_WIDTH * 1.3, height=2.6, sharex=True, sharey="row"
    )
    person = typical_person(results)
    for arm, (name, colour) in enumerate(LINES.items()):
        belief, precision = results.belief[arm], np.exp(results.log_precision[arm])
        if name in (WHOLE, THERAPY):
            sd = precision[person] ** -0.5
            draw_range(axes[0, 0], results.days, belief[person], sd, colour)
            axes[1, 0].plot(results.days, precision[person], color=colour)
        error = 2 * belief.std(axis=0, ddof=1) / np.sqrt(len(belief))
        draw_range(axes[0, 1], results.days, belief.mean(axis=0), error, colour)
        axes[1, 1].plot(results.days, precision.mean(axis=0), color=colour)
        for column in (0, 1):
            if column or name in (WHOLE, THERAPY):
                axes[2, column].plot(
                    results.event_days, results.plasticity[arm], color=colour
                )
    axes[0, 0].set_title("One person (belief ± its own SD)")
    axes[0, 1].set_title(f"{results.belief.shape[1]} people (mean ± 2 SE)")
    labels = ("Belief about\nthe self", "Its precision", "Learning rate,\nfactor")
    for row, label in enumerate(labels):
        axes[row, 0].set_ylabel(label)
    for axis in axes.flat:
        mark_sessions(axis, protocol)
    name_marks(axes[0, 0], protocol)
    for axis in axes[-1]:
        axis.set(xlabel="Days since the first dosing", ylim=(0.9, None))
    for name, colour in LINES.items():
        axes[0, 1].plot([], [], color=colour, label=TITLES[name])
    axes[0, 1].legend(loc="upper left", fontsize=9, ncols=2)
    low, high = axes[0, 1].get_ylim()
    axes[0, 1].set_ylim(low, high + 0.35 * (high - low))
    return figure


def typical_person(results: Results) -> int:
    """Who is nearest to the median improvement with the drug and without."""
    gained = results.belief[:2, :, -1] - results.belief[:2, :, 0]
    apart = np.abs(gained - np.median(gained, axis=1, keepdims=True))
    return int(np.argmin(apart.sum(axis=0)))


def draw_range(axis, days, middle, error, colour: str) -> None:
    """A line in its band."""
    axis.fill_between(
        days, middle - error, middle + error, color=colour, alpha=0.18, lw=0
    )
    axis.plot(days, middle, color=colour)


def mark_sessions(axis, protocol: Protocol) -> None:
    """Dosing sessions as lines, other sessions as ticks at the bottom, an adverse event as a band."""
    for held in protocol.held():
        if held.phase == "dosing":
            axis.axvline(held.begins, color=COLOURS["black"], lw=0.9, ls=":")
        else:
            axis.plot(
                held.begins,
                0.03,
                marker="|",
                ms=7,
                color=COLOURS["black"],
                transform=axis.get_xaxis_transform(),
            )
    event = protocol.adverse_event
    if event is not None and event.day < protocol.length:
        axis.axvspan(
            event.day, event.day + event.days, color=COLOURS["amber"], alpha=0.3, lw=0
        )


def name_marks(axis, protocol: Protocol) -> None:
    """Words beside the first mark of each kind."""
    first: dict[str, float] = {}
    for held in protocol.held():
        kind = "dose" if held.phase == "dosing" else "session"
        first.setdefault(kind, held.begins)
    event = protocol.adverse_event
    if event is not None and event.day < protocol.length:
        first["bad news"] = event.day
    for kind, day in first.items():
        height = 0.1 if kind == "session" else 0.97
        axis.text(
            *(day, height, f" {kind}"),
            ha="right" if kind == "bad news" else "left",
            va="bottom" if kind == "session" else "top",
            fontsize=9,
            transform=axis.get_xaxis_transform(),
        )


def draw_arms(config, results: Results) -> Figure:
    """Improvement and response of every arm, with intervals."""
    protocol, found = protocol_of(config.protocol), cohort_like(config, results)
    day = reading_day(protocol)
    gained, answered = improvement(found, day=day), responded(found, day=day)
    names = arms_of(protocol)
    figure, axes = new_figure(
        1, 2, width=FULL_WIDTH * 1.2, height=0.42 * len(names) + 1.2, sharey=True
    )
    rows = np.arange(len(names))[::-1]
    for axis, reach in zip(axes, (points_of(gained), shares_of(answered)), strict=True):
        for row, name, (mean, low, high) in zip(rows, names, reach.T, strict=True):
            colour, error = (
                LINES.get(name, COLOURS["green"]),
                [[mean - low], [high - mean]],
            )
            axis.errorbar(mean, row, xerr=error, fmt="o", color=colour, capsize=3)
        axis.axvline(0, color=COLOURS["grey"], lw=0.8)
        axis.grid(axis="x")
    axes[1].set_xlim(-1, max(12, axes[1].get_xlim()[1]))
    axes[0].set_yticks(rows, [name.replace("_", " ") for name in names])
    axes[0].set_xlabel(f"Symptom points lost by day {day} (mean ± 2 SE)")
    axes[1].set_xlabel("Responded: half the symptoms gone (%, 95 % interval)")
    return figure


def points_of(gained: np.ndarray) -> np.ndarray:
    """Mean and two standard errors to either side, (3, arms)."""
    mean, error = gained.mean(axis=1), 2 * gained.std(axis=1, ddof=1)
    error /= np.sqrt(gained.shape[1])
    return np.stack([mean, mean - error, mean + error])


def shares_of(answered: np.ndarray) -> np.ndarray:
    """Percent who responded, with Wilson's 95 % interval, (3, arms): nobody of few is not nobody of all."""
    share = answered.mean(axis=1)
    return 100 * np.stack([share, *wilson_interval(share, answered.shape[1])])


def draw_people(config, results: Results) -> Figure:
    """Improvement of each person, with the drug and without, against traits."""
    day = reading_day(protocol_of(config.protocol))
    gained = improvement(cohort_like(config, results), day=day)
    figure, axes = new_figure(
        1, len(TRAITS), width=FULL_WIDTH * 1.35, height=3.2, sharey=True
    )
    for axis, (name, label) in zip(axes, TRAITS.items(), strict=True):
        trait = np.asarray(getattr(results.people, name), float)
        for arm, title in ((1, THERAPY), (0, WHOLE)):
            axis.scatter(trait, gained[arm], s=10, alpha=0.6, color=LINES[title], lw=0)
        axis.set_xlabel(label)
    axes[0].set_ylabel(f"Points lost by day {day}")
    for title in (WHOLE, THERAPY):
        axes[0].scatter([], [], s=14, color=LINES[title], label=TITLES[title])
    low, high = axes[0].get_ylim()
    axes[0].set_ylim(low, high + 0.18 * (high - low))
    axes[0].legend(fontsize=9, loc="upper left", ncols=1)
    return figure


def draw_inside(config, results: Results) -> Figure:
    """The first dosing session: the effect, the belief while it meets evidence, and what is taken as valid."""
    inside = results.inside
    figure, axes = new_figure(1, 3, width=FULL_WIDTH * 1.3, height=3.2)
    axes[0].plot(inside.hours, inside.effect, color=LINES[WHOLE], marker="o", ms=4)
    axes[0].set(ylabel="Effect (share of a full one)", ylim=(-0.03, 1.03))
    for arm, name in enumerate((WHOLE, THERAPY)):
        style = {"color": LINES[name], "marker": "o", "ms": 4, "label": TITLES[name]}
        axes[1].plot(inside.hours, inside.inferred[arm], **style)
        axes[2].plot(inside.hours, inside.validity[arm], **style)
    axes[1].set_ylabel("Belief while the\nevidence is present")
    axes[2].set(
        ylabel="Probability that a memory\nsays something about me", ylim=(0, 1.03)
    )
    axes[1].legend(fontsize=9)
    for axis in axes:
        axis.set_xlabel("Hours after intake")
    return figure


def draw_rivals(results: Results) -> Figure:
    """What each account adds to therapy, and what its drug does alone."""
    figure, axis = new_figure(width=FULL_WIDTH, height=3.4)
    names = list(results.rivals)
    rows = np.arange(len(names))[::-1]
    table = np.asarray([results.rivals[name] for name in names]).reshape(-1, 4)
    axis.axvline(0, color=COLOURS["grey"], lw=0.8)
    added, alone = table[:, 0] - table[:, 1], table[:, 2] - table[:, 3]
    axis.plot(
        added, rows, "o", color=LINES[WHOLE], label="drug and therapy minus therapy"
    )
    axis.plot(alone, rows, "D", color=LINES[DRUG], label="drug alone minus untreated")
    axis.set_yticks(rows, [name.replace("_", " ") for name in names])
    axis.set_xlabel("Symptom points")
    axis.grid(axis="x")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
    if not names:
        axis.text(
            0.5, 0.5, "no rivals were asked for", ha="center", transform=axis.transAxes
        )
    return figure


FIGURES = {
    "weeks": draw_weeks,
    "arms": draw_arms,
    "people": draw_people,
    "inside": draw_inside,
    "rivals": draw_rivals,
}
