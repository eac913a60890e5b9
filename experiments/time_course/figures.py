"""One column a compound, one row a stage, one clock."""

from matplotlib.figure import Figure

from pcmodel.report.style import COLOURS, level_colours, new_figure

from .._believing import LEVELS
from .._dosing import Band
from .simulate import Clock, Results


def draw_clocks(results: Results) -> Figure:
    """One column a compound, one row a stage, one clock."""
    names = list(results.clocks)
    figure, axes = new_figure(6, len(names), width=14.5, height=2.3, sharex="col")
    for column, name in enumerate(names):
        draw_clock(axes[:, column], name, results.clocks[name], first=column == 0)
    return figure


def draw_band(axis, hours, values: Band, colour: str) -> None:
    """Typical participant over the middle 90 %."""
    axis.fill_between(hours, values.low, values.high, color=colour, alpha=0.2, lw=0)
    axis.plot(hours, values.typical, color=colour)


def draw_clock(axes, name: str, clock: Clock, *, first: bool) -> None:
    """Six stages of one regimen."""
    labels = (
        "Plasma (ng/mL)",
        "5-HT2A occupied\n(% of PET binding)",
        "Effect (%)",
        "Precision gain\nby level",
        "Self-belief\n(mean ± SD)",
        "Systolic (mmHg)",
    )
    minutes = clock.hours[-1] < 5
    hours = clock.hours * (60 if minutes else 1)
    draw_band(axes[0], hours, clock.plasma, COLOURS["blue"])
    peak = clock.plasma.high.max()
    axes[0].set(yscale="log", ylim=(peak / 300, peak * 2), title=name)
    axes[0].yaxis.set_major_formatter("{x:g}")
    draw_band(axes[1], hours, clock.occupancy, COLOURS["green"])
    if clock.serotonin.high.max() > 0:
        released = Band(*(50 * part for part in clock.serotonin))
        draw_band(axes[1], hours, released, COLOURS["amber"])
        axes[1].text(
            0.97,
            0.9,
            "serotonin released\n(own scale); drug\noccupies none",
            ha="right",
            va="top",
            transform=axes[1].transAxes,
            color=COLOURS["amber"],
            size=9,
        )
    axes[1].set_ylim(0, 100)
    draw_band(axes[2], hours, clock.effect, COLOURS["purple"])
    axes[2].set_ylim(-3, 108)
    if clock.effect.high.max() < 5:
        middle = {"ha": "center", "va": "center", "transform": axes[2].transAxes}
        axes[2].text(0.5, 0.5, "too little at 5-HT2A\nto be felt", size=9, **middle)
    for level, colour in enumerate(level_colours(len(LEVELS))):
        axes[3].plot(hours, clock.gains[:, level], color=colour, label=LEVELS[level])
    axes[3].set(
        yscale="log",
        ylim=(0.1, 10),
        yticks=[0.1, 1, 10],
        yticklabels=["0.1", "1", "10"],
    )
    low, high = clock.belief - clock.belief_sd, clock.belief + clock.belief_sd
    draw_band(axes[4], hours, Band(clock.belief, low, high), COLOURS["black"])
    axes[4].set_ylim(-3.2, 0.2)
    draw_band(axes[5], hours, clock.systolic, COLOURS["orange"])
    axes[5].axhline(160, color=COLOURS["grey"], lw=0.8, ls=":")
    axes[5].text(hours[-1], 162, "160", ha="right", size=8, color=COLOURS["grey"])
    axes[5].set(ylim=(90, 205), xlabel="Minutes" if minutes else "Hours after intake")
    if first:
        for axis, label in zip(axes, labels, strict=True):
            axis.set_ylabel(label)
        axes[3].legend(ncols=2, fontsize=8, loc="upper right")


FIGURES = {"clock": draw_clocks}
