"""Tables of the page, and words that depend on numbers."""

import numpy as np

from pcmodel.report import Table

from .claims import SIGNS, Summary, changed, follows, gain
from .protocol import GROUPS
from .simulate import CAUSES, DIFFER, SHARED, Results


def directions(results: Results) -> str:
    """How many groups go the way that was seen, in rats left out."""
    found = {g: changed(results, g, CAUSES, "held_out") for g in GROUPS}
    right = [g for g, own in found.items() if own.predicted * SIGNS[g] > 0]
    within = [g for g, own in found.items() if follows(own)]
    said = ", ".join(
        f"{g} {f.predicted:+.2f} (seen {f.seen:+.2f})" for g, f in found.items()
    )
    return (
        f"Latent causes fitted to one half give the published direction of {len(right)} of 3 groups in the other half, "
        f"{len(within)} of them by what such a study would show: {said}"
    )


def nats(results: Results) -> str:
    """Over one cause, in a sentence."""
    found = gain(results, "one cause", "held_out")
    word = (
        "better" if found.low > 0 else "worse" if found.high < 0 else "not told apart"
    )
    return f"{found.total:+.0f} nats over one cause ({found.low:+.0f} to {found.high:+.0f}): {word}"


def gains(summary: Summary) -> Table:
    """Over every rival, in both ways of leaving out."""
    rows = [
        (source, model, f"{own[0]:+.1f}", f"{own[1]:+.1f} to {own[2]:+.1f}")
        for source, found in (
            ("half the rats", summary.held_out),
            ("tests from extinction", summary.tests),
        )
        for model, own in found.items()
    ]
    return Table(
        ("Left out", "Rival", "Nats", "95 %"), rows, "Latent causes over a rival."
    )


def causes(results: Results, summary: Summary) -> Table:
    """Inferred in each group."""
    rows = [
        (
            group,
            f"{summary.causes[group]:.2f}",
            "{:.2f} to {:.2f}".format(
                *np.quantile(results.num_causes[:, place], (0.025, 0.975))
            ),
            f"{summary.hard_causes[group]:.2f}",
        )
        for place, group in enumerate(GROUPS)
    ]
    columns = ("Group", "Expected number", "95 % of draws", "Hard assignment")
    return Table(columns, rows, "Causes inferred in all 35 tones, mean over rats.")


def differences(results: Results) -> Table:
    """Of groups in parameters, which randomisation makes unlikely."""
    rows = []
    for name, draws in results.effects.items():
        if "_sd" in name:
            continue
        low, high = np.quantile(draws, (0.025, 0.975))
        rows.append((name, f"{draws.mean():+.2f}", f"{low:+.2f} to {high:+.2f}"))
    return Table(
        ("Effect", "Mean", "95 %"),
        rows,
        "Less the gradual group; variational, intervals too narrow.",
    )


def distrust(results: Results) -> list[str]:
    """Fits whose diagnostics complain."""
    found = [f"{name}: {'; '.join(c)}" for name, c in results.complaints.items() if c]
    return [f"**Not settled:** {'. '.join(found)}."] if found else []


TABLES = {"gains": gains, "causes": causes, "differences": differences}
WORDS = {
    "directions": directions,
    "nats": nats,
    "distrust": distrust,
    "asked": ", ".join(DIFFER),
    "shared": ", ".join(SHARED),
}
