"""Do relaxed priors and raised senses part in directed information, where they look alike in diversity?

Two changes act on hierarchies of seven cortical networks while a film is seen: the precision of every network falls, or that
of the senses rises. Diversity of fast activity and transfer entropy from front (control, default) to back (visual).

Predictions that could fail: both raise the diversity of activity; transfer entropy from front to back falls when priors are
relaxed and rises when the senses are raised.

References: Rajpal et al. 2022 (LSD and ketamine against schizophrenia); Schartner et al. 2017.

Time: five minutes; seconds with --smoke
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from pcmodel.brain.dynamics import FixedStimulus, linear_activity
from pcmodel.brain.dynamics.linear_activity import Keeps
from pcmodel.model.modulation import Modulation
from pcmodel.report import (
    NOT_EXAMINED,
    UNPERTURBED,
    Claim,
    Examined,
    Experiment,
    Perturbation,
    Table,
    Verdict,
)
from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from ._brain import (
    ASSUMED,
    FAVOURED,
    FILMED,
    FULL,
    PARAMETERS,
    Fast,
    Paired,
    People,
    clear,
    observe,
    paired,
    person,
)

NAMES = {
    "rebus": ("priors down (REBUS)", "blue", "o"),
    "rebus, top favoured": ("priors down, top favoured", "sky", "s"),
    "sensory": ("senses up", "orange", "o"),
    "uniform": ("all down (null)", "grey", "D"),
    "noise": ("noise", "black", "X"),
}
CONDITIONS = {"film": "Film", "closed": "Eyes closed"}


class Results(NamedTuple):
    """Fast activity by condition and account, (people, fields of `Fast`)."""

    observed: dict[str, dict[str, np.ndarray]]
    tested: Examined = NOT_EXAMINED


def simulate(config: People, *, seed: int, progress) -> Results:
    """Everybody without drug and under every change."""
    setting = config.setting(seed)
    found: dict[str, dict[str, np.ndarray]] = {one: {} for one in CONDITIONS}
    for name in progress.track(("placebo", *NAMES), "changes"):
        for condition in CONDITIONS:
            found[condition][name] = observe("fast", name, condition, setting)
    return Results(found)


def change(
    name: str,
    measure: str,
    config: People,
    seed: int,
    perturbation: Perturbation,
    keeps: Keeps = "mobility",
) -> Paired:
    """One measure's change from placebo with a film."""
    at = Fast._fields.index(measure)
    before, after = (
        observe("fast", one, "film", config.setting(seed), perturbation, keeps=keeps)[
            :, at
        ]
        for one in ("placebo", name)
    )
    return paired(before, after)


class Both(NamedTuple):
    """Changes when priors are relaxed and when senses are raised, with t over people."""

    priors: float
    t_priors: float
    senses: float
    t_senses: float


def two(
    config: People,
    seed: int,
    perturbation: Perturbation,
    measure: str = "lempel_ziv",
    relaxed: str = "rebus",
    keeps: Keeps = "mobility",
) -> Both:
    priors, senses = (
        change(one, measure, config, seed, perturbation, keeps)
        for one in (relaxed, "sensory")
    )
    return Both(priors.change, priors.t, senses.change, senses.t)


def both_rise(found: Both) -> bool:
    return found.priors > 0 < found.senses and min(found.t_priors, found.t_senses) > 2


def fall_and_rise(found: Both) -> bool:
    return (
        found.priors < 0 < found.senses and found.t_priors < -2 and found.t_senses > 2
    )


class Alike(NamedTuple):
    """Largest difference of the two changes' means, and of their covariances after division by the gain."""

    mean: float
    covariance: float


def same_mean(config: People, seed: int) -> Alike:
    """All but the senses lowered by g, against the senses raised by 1/g, one fixed stimulus."""
    gain = float(np.exp(-config.strength * FULL))
    worst = [0.0, 0.0]
    for number in range(3):
        brain = person(seed, number, UNPERTURBED)
        rng = np.random.default_rng([seed, number])
        seen = {
            name: rng.normal(size=brain.network.widths[i])
            for i, name in enumerate(brain.senses)
        }
        down = Modulation(dict.fromkeys(brain.networks, gain))
        up = Modulation(dict.fromkeys(brain.senses, 1 / gain))
        relaxed, raised = (
            linear_activity(brain, FixedStimulus(seen), modulation=one)
            for one in (down, up)
        )
        differences = (
            np.abs(relaxed.activity - raised.activity).max(),
            np.abs(
                gain * relaxed.activity_covariance() - raised.activity_covariance()
            ).max(),
        )
        worst = [
            max(old, float(new)) for old, new in zip(worst, differences, strict=True)
        ]
    return Alike(*worst)


def is_rounding(found: Alike) -> bool:
    return max(found) < 1e-8


LEVERS = (PARAMETERS[0], PARAMETERS[1], PARAMETERS[-1], FILMED[1])
"""Those that act most; every one costs a simulation of everybody."""
DIVERSE = "{priors:+.4f} (t {t_priors:.1f}) priors down, {senses:+.4f} (t {t_senses:.1f}) senses up"
SENT = "{priors:+.4f} nats (t {t_priors:.1f}) priors down, {senses:+.4f} (t {t_senses:.1f}) senses up"
CLAIMS = (
    Claim(
        name="Both raise signal diversity (Lempel-Ziv)",
        prediction="complexity of fast activity rises under each (t > 2)",
        kind="predicted",
        measure=two,
        holds=both_rise,
        observed=DIVERSE,
        parameters=LEVERS,
    ),
    Claim(
        name="Both raise the entropy of the eigenspectrum",
        prediction="correlations of fast activity spread over more patterns under each (t > 2)",
        kind="predicted",
        measure=partial(two, measure="entropy"),
        holds=both_rise,
        observed=DIVERSE,
        parameters=LEVERS,
    ),
    Claim(
        name="Transfer from front to back falls with priors, rises with senses",
        prediction="the published contrast: t < -2 and t > 2",
        kind="predicted",
        measure=partial(two, measure="down"),
        holds=fall_and_rise,
        observed=SENT,
        parameters=LEVERS,
    ),
    Claim(
        name="The same, if the top is favoured",
        prediction="as above",
        kind="predicted",
        measure=partial(two, measure="down", relaxed="rebus, top favoured"),
        holds=fall_and_rise,
        observed=SENT,
        parameters=(*LEVERS, *FAVOURED),
    ),
    Claim(
        name="Both raise signal diversity, if gains leave speed as it is",
        prediction="complexity rises under each (t > 2) where a level keeps its time constant",
        kind="predicted",
        measure=partial(two, keeps="time constant"),
        holds=both_rise,
        observed=DIVERSE,
    ),
    Claim(
        name="Transfer from front to back parts them, if gains leave speed as it is",
        prediction="t < -2 and t > 2 where a level keeps its time constant",
        kind="predicted",
        measure=partial(two, measure="down", keeps="time constant"),
        holds=fall_and_rise,
        observed=SENT,
    ),
    Claim(
        name="Means cannot tell them apart",
        prediction="with one gain for all networks the mean activity is the same, the covariance in the ratio of the gain",
        kind="theorem",
        measure=same_mean,
        holds=is_rounding,
        observed="means {mean:.1g} apart, covariances {covariance:.1g}",
    ),
)


class Summary(NamedTuple):
    """What result.json holds: changes with a film by account: Lempel-Ziv, spread, entropy, down, up."""

    changes: dict[str, list[float]]
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """Mean changes."""
    rows = results.observed["film"]
    return Summary(
        {
            n: [float(x) for x in (own - rows["placebo"]).mean(0)]
            for n, own in rows.items()
        }
    )


def mark(found: Paired) -> str:
    """A change with a star where it is clear; a mean in brackets where nothing changes."""
    if found.change == 0 and found.t == 0:
        return f"({found.before:.4f})"
    star = " *" if clear(found, 1) or clear(found, -1) else ""
    return f"{found.change:+.4f}{star}"


def table(results: Results, condition: str) -> Table:
    """All changes under one condition."""
    rows = results.observed[condition]
    lines = [
        (
            NAMES[name][0] if name in NAMES else name,
            *(
                mark(paired(rows["placebo"][:, at], own[:, at]))
                for at in range(len(Fast._fields))
            ),
        )
        for name, own in rows.items()
    ]
    columns = (
        "Change",
        "Lempel-Ziv",
        "Spread",
        "Entropy",
        "Front to back",
        "Back to front",
    )
    return Table(
        columns,
        lines,
        f"{CONDITIONS[condition]}: change from placebo, mean over people; * more than two standard errors; brackets: no "
        "change, the mean itself.",
    )


def draw_plane(results: Results):
    """Diversity against transfer entropy, film and eyes closed."""
    figure, axes = new_figure(1, 2, width=FULL_WIDTH * 1.25, height=4.4)
    for axis, (condition, title) in zip(axes, CONDITIONS.items(), strict=True):
        rows = results.observed[condition]
        for name, (label, colour, marker) in NAMES.items():
            moved = rows[name] - rows["placebo"]
            lz, down = (
                moved[:, Fast._fields.index(one)] for one in ("lempel_ziv", "down")
            )
            size = np.sqrt(len(moved)) / 2
            axis.errorbar(
                lz.mean(),
                down.mean(),
                xerr=lz.std(ddof=1) / size,
                yerr=down.std(ddof=1) / size,
                fmt=marker,
                color=COLOURS[colour],
                label=label,
                lw=1,
            )
        axis.axhline(0, color=COLOURS["grey"], lw=0.8)
        axis.axvline(0, color=COLOURS["grey"], lw=0.8)
        axis.set(
            title=title,
            xlabel="Change of Lempel-Ziv complexity",
            ylabel="Change front to back (nats)",
        )
    axes[1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5)
    return figure


EXPERIMENT = Experiment(
    People,
    simulate,
    claims=CLAIMS,
    summarise=summarise,
    figures={"plane": draw_plane},
    tables={one: partial(table, condition=one) for one in CONDITIONS},
    words={"assumed": ASSUMED},
    page="prior_versus_sensory.md",
    float64=True,
)
