"""Growth of the mismatch under each drug, and difference waves."""

from matplotlib.figure import Figure

from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .simulate import DRUGS, Results

SHOWN = (
    "relaxed priors",
    "generated from above",
    "dimmed (5-HT1A)",
    "raised senses",
)
LINES = {
    "placebo": "black",
    "psilocybin": "purple",
    "LSD": "orange",
    "ketamine": "blue",
}


def draw_growth(results: Results) -> Figure:
    """One column an account: mismatch by number of standards, and response to the standard below."""
    figure, axes = new_figure(
        2, len(SHOWN), width=FULL_WIDTH * 1.45, height=6.0, sharey="row", sharex=True
    )
    for column, name in zip(axes.T, SHOWN, strict=True):
        found = results.found[name]
        for index, drug in enumerate(DRUGS):
            for axis, value in zip(
                column, (found.mismatch, found.standard), strict=True
            ):
                axis.plot(
                    results.lengths,
                    value[index],
                    color=COLOURS[LINES[drug]],
                    marker="o",
                    ms=3.5,
                    label=drug,
                )
        column[0].set_title(name)
        column[1].set_xlabel("Standards heard")
    axes[0][0].set_ylabel("Mismatch")
    axes[1][0].set_ylabel("Response to the standard")
    figure.legend(
        *axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4
    )
    return figure


def draw_waves(results: Results) -> Figure:
    """Deviant minus standard after sixteen standards."""
    figure, axes = new_figure(
        1, len(SHOWN), width=FULL_WIDTH * 1.45, height=3.8, sharey=True
    )
    for axis, name in zip(axes, SHOWN, strict=True):
        found = results.found[name]
        for index, drug in enumerate(DRUGS):
            axis.plot(
                found.times,
                found.wave[index, -1],
                color=COLOURS[LINES[drug]],
                label=drug,
            )
        axis.axvspan(150, 280, color=COLOURS["grey"], alpha=0.12, lw=0)
        axis.set(xlabel="ms", title=name)
    axes[0].set_ylabel("Deviant minus standard")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4
    )
    return figure


FIGURES = {"growth": draw_growth, "waves": draw_waves}
