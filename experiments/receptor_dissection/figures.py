"""Receptors, change by level, partial agonists."""

import numpy as np

from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .._believing import LEVELS
from .simulate import Results

TOLD = {
    "psilocybin": "psilocybin 12 mg",
    "+ buspirone": "with buspirone 20 mg",
    "+ ketanserin": "with ketanserin 40 mg",
    "5-HT2A only": "if it bound 5-HT2A only",
    "5-HT1A only": "if it bound 5-HT1A only",
    "third of efficacy": "at a third of its 5-HT2A efficacy",
    "buspirone alone": "buspirone 20 mg alone",
}


def draw_conditions(results: Results):
    """What the receptors do and what the belief does, condition by condition."""
    figure, (left, right) = new_figure(1, 2, width=FULL_WIDTH * 1.25, height=4.4)
    names = list(results.dimming)
    labels = [TOLD.get(name, name) for name in names]
    rows = np.arange(len(names))[::-1]
    for offset, field, label, colour in (
        (0.17, "effect_2a", "5-HT2A effect", COLOURS["purple"]),
        (-0.17, "response_1a", "5-HT1A response", COLOURS["green"]),
    ):
        bars(
            left,
            rows + offset,
            [100 * getattr(results.dimming[n], field) for n in names],
            colour,
            label,
        )
    left.set(
        yticks=rows,
        yticklabels=labels,
        xlabel="% of maximum",
        title="At the receptors",
        xlim=(0, 105),
    )
    left.legend(loc="lower right")
    for offset, level, colour in (
        (0.17, 0, COLOURS["sky"]),
        (-0.17, -1, COLOURS["blue"]),
    ):
        label = f"{LEVELS[1 if level == 0 else 3]} ({'lowest latent level' if level == 0 else 'top'})"
        bars(
            right,
            rows + offset,
            [results.dimming[n].change[:, level] for n in names],
            colour,
            label,
        )
    right.set(
        yticks=rows,
        yticklabels=[],
        xlabel="Size of the change from no drug\n(belief held -2, observed +1)",
        title="In the hierarchy, if 5-HT1A dims",
    )
    right.legend(loc="lower right")
    for axis in (left, right):
        axis.grid(axis="y", visible=False)
    return figure


def bars(axis, rows, values, colour: str, label: str) -> None:
    """Typical participant, with the middle 90 %."""
    middle = np.asarray([each[0] for each in values])
    low, high = (
        np.asarray([np.quantile(each[1:], q) for each in values]) for q in (0.05, 0.95)
    )
    errors = np.maximum([middle - low, high - middle], 0)
    axis.barh(
        rows,
        middle,
        0.32,
        color=colour,
        label=label,
        xerr=errors,
        error_kw={"ecolor": COLOURS["grey"], "lw": 1},
    )


def draw_efficacy(results: Results):
    """Dose curves by efficacy, and buspirone on psilocin's 5-HT1A response."""
    from matplotlib.colors import LinearSegmentedColormap

    figure, (left, right) = new_figure(1, 2, width=FULL_WIDTH * 1.25, height=4.0)
    ramp = LinearSegmentedColormap.from_list("efficacy", ["#E9C9E9", "#4A1058"])
    for share in (1 / 3, 0.7, 0.8, 0.9, 1.0, 1.2):
        row = int(np.argmin(np.abs(results.efficacy - share)))
        curve = 100 * results.partial[row]
        left.plot(results.dose, curve, color=ramp((share - 0.3) / 0.9))
        left.text(
            results.dose[-1] * 1.1, curve[-1], f"{share:.0%}", va="center", size=9
        )
    left.text(results.dose[-1], 166, "efficacy", ha="right", va="center", size=9)
    left.axvline(25, color=COLOURS["amber"], ls=":", lw=1.2)
    left.text(
        23, 150, "usual full dose\nof psilocybin", ha="right", va="center", size=8
    )
    left.set(
        xscale="log",
        ylim=(-4, 175),
        xlabel="Dose of a psilocybin of that efficacy (mg; log scale)",
        ylabel="Effect (% of psilocin at every receptor)",
        title="Too little efficacy is not felt at any dose",
    )
    right.plot(
        results.buspirone_dose,
        100 * results.response_by_buspirone,
        color=COLOURS["green"],
    )
    right.axhline(
        100 * results.dimming["psilocybin"].response_1a[0],
        color=COLOURS["grey"],
        ls="--",
        lw=1,
    )
    right.text(
        1,
        100 * results.dimming["psilocybin"].response_1a[0] - 1,
        "dashed: psilocybin 12 mg alone",
        size=9,
        va="top",
        color=COLOURS["grey"],
    )
    right.axvline(20, color=COLOURS["amber"], ls=":", lw=1.2)
    right.text(22, 4, "dose of the study", size=8)
    right.set(
        xscale="log",
        ylim=(0, 60),
        xlabel="Buspirone taken with it (mg; log scale)",
        ylabel="5-HT1A response (% of maximum)",
        title="A partial agonist beside another",
    )
    for axis in (left, right):
        axis.xaxis.set_major_formatter("{x:g}")
    return figure


FIGURES = {"receptors": draw_conditions, "efficacy": draw_efficacy}
