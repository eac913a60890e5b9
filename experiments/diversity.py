"""Does a drug change diversity and connectivity more with eyes closed than with strong input?

Hierarchies of seven cortical networks get no input, films of rising variance, or a film and a goal that is held (a task). What four accounts change of signal
diversity and of the spread of activity is told as a curve over the film's variance.

Predictions that could fail: the change of diversity is largest with eyes closed and shrinks with the variance of the input
(noise, relaxed priors). A fixed input, whatever it shows, changes nothing: a theorem of linear hierarchies.

References: Mediano et al. 2024; Schartner et al. 2017; Siegel et al. 2024.

Time: six minutes; seconds with --smoke
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from pcmodel.brain.dynamics import FixedStimulus, linear_activity
from pcmodel.brain.dynamics.linear_activity import Keeps
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
    FILMED,
    PARAMETERS,
    Fast,
    People,
    modulation_of,
    observe,
    paired,
    person,
)

NAMES = {
    "rebus": "blue",
    "rebus, top favoured": "sky",
    "noise": "black",
    "oneirogen": "green",
}
VARIANCES = (0.25, 1.0, 4.0, 16.0)
"""Of the film, over that of the streams that taught."""
STRONG = VARIANCES[-1]


class Results(NamedTuple):
    """Changes from placebo by account, (inputs, people, fields of `Fast`): eyes closed, the films, a task.

    placebo: without drug, in the same shape.
    """

    placebo: np.ndarray
    changes: dict[str, np.ndarray]
    tested: Examined = NOT_EXAMINED


def simulate(config: People, *, seed: int, progress) -> Results:
    """Everybody under every input, without drug and under every account."""
    setting = config.setting(seed)
    rows = {
        name: np.stack(
            [observe("fast", name, "closed", setting)]
            + [observe("fast", name, "film", setting, variance=v) for v in VARIANCES]
            + [observe("fast", name, "task", setting)]
        )
        for name in progress.track(("placebo", *NAMES), "accounts")
    }
    placebo = rows.pop("placebo")
    return Results(placebo, {name: own - placebo for name, own in rows.items()})


class Context(NamedTuple):
    """Change of one measure with eyes closed and when driven, and the t of their sizes' difference."""

    closed: float
    driven: float
    t: float


def context(
    config: People,
    seed: int,
    perturbation: Perturbation,
    name: str = "rebus",
    measure: str = "lempel_ziv",
    keeps: Keeps = "mobility",
    driven: str = "film",
) -> Context:
    """driven: "film" (the strongest) or "task"."""
    setting, at = config.setting(seed), Fast._fields.index(measure)
    changes = []
    for condition in ("closed", driven):
        variance = STRONG if condition == "film" else 1.0
        before, after = (
            observe("fast", one, condition, setting, perturbation, variance, keeps)[
                :, at
            ]
            for one in ("placebo", name)
        )
        changes.append(after - before)
    told = paired(np.abs(changes[1]), np.abs(changes[0]))
    return Context(float(changes[0].mean()), float(changes[1].mean()), told.t)


def up_and_largest_at_rest(found: Context) -> bool:
    """Diversity rises with eyes closed, and changes less when driven."""
    return found.closed > 0 and found.t > 2


class Largest(NamedTuple):
    """Largest difference between two fixed stimuli in what a drug changes of any covariance."""

    difference: float


def fixed_input(config: People, seed: int) -> Largest:
    worst = 0.0
    for number in range(3):
        brain = person(seed, number, UNPERTURBED)
        rng = np.random.default_rng([seed, number])
        drug = modulation_of(brain, "rebus", config.setting(seed))
        found = []
        for size in (0.0, 5.0):
            seen = {
                name: size * rng.normal(size=brain.network.widths[place])
                for place, name in enumerate(brain.senses)
            }
            activity = linear_activity(brain, FixedStimulus(seen), modulation=drug)
            found.append(activity.activity_covariance())
        worst = max(worst, float(np.abs(found[1] - found[0]).max()))
    return Largest(worst)


def is_rounding(found: Largest) -> bool:
    return found.difference < 1e-10


LEVERS = (PARAMETERS[0], FILMED[1])
TOLD = "{closed:+.3f} with eyes closed, {driven:+.3f} under the strong film (t {t:.1f} of their sizes)"
PREDICTED = "diversity rises with eyes closed, and changes less under the strongest film (t > 2)"
CLAIMS = (
    Claim(
        name="Diversity rises most with eyes closed (REBUS, Lempel-Ziv)",
        prediction=PREDICTED,
        kind="predicted",
        measure=context,
        holds=up_and_largest_at_rest,
        observed=TOLD,
        parameters=LEVERS,
    ),
    Claim(
        name="Diversity rises most with eyes closed (REBUS, Lempel-Ziv, gains leave speed as it is)",
        prediction=PREDICTED,
        kind="predicted",
        measure=partial(context, keeps="time constant"),
        holds=up_and_largest_at_rest,
        observed=TOLD,
    ),
    Claim(
        name="The spread of activity rises most with eyes closed (REBUS)",
        prediction="half the log determinant of the regions' covariance",
        kind="predicted",
        measure=partial(context, measure="spread"),
        holds=up_and_largest_at_rest,
        observed=TOLD,
        parameters=LEVERS,
    ),
    *(
        Claim(
            name=f"{words} with eyes closed than in a task (REBUS)",
            prediction="it rises with eyes closed, and changes less in a task (t > 2)",
            kind="predicted",
            measure=partial(context, measure=measure, driven="task"),
            holds=up_and_largest_at_rest,
            observed="{closed:+.3f} with eyes closed, {driven:+.3f} in a task (t {t:.1f} of their sizes)",
            parameters=LEVERS,
        )
        for measure, words in (
            ("lempel_ziv", "Lempel-Ziv complexity rises more"),
            ("spread", "The spread of activity rises more"),
        )
    ),
    Claim(
        name="A fixed input changes no covariance",
        prediction="what a drug does to spontaneous activity is the same whatever is shown and does not move",
        kind="theorem",
        measure=fixed_input,
        holds=is_rounding,
        observed="largest difference {difference:.1g}",
    ),
)


class Summary(NamedTuple):
    """What result.json holds: mean changes by account, eyes closed and the films: Lempel-Ziv; spread."""

    lempel_ziv: dict[str, list[float]]
    spread: dict[str, list[float]]
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """Means over people."""
    means = {name: own.mean(axis=1) for name, own in results.changes.items()}
    return Summary(
        {name: [float(x) for x in own[:, 0]] for name, own in means.items()},
        {name: [float(x) for x in own[:, 1]] for name, own in means.items()},
    )


def table(results: Results) -> Table:
    """Mean change and standard error by input."""
    lines = []
    for name, own in results.changes.items():
        for field in ("lempel_ziv", "spread", "entropy"):
            at = Fast._fields.index(field)
            error = own[:, :, at].std(axis=1, ddof=1) / np.sqrt(own.shape[1])
            cells = zip(own[:, :, at].mean(axis=1), error, strict=True)
            lines.append((name, field, *(f"{m:+.4f} ({e:.4f})" for m, e in cells)))
    columns = (
        "Account",
        "Measure",
        "Eyes closed",
        *(f"Film {v:g}" for v in VARIANCES),
        "Task",
    )
    return Table(
        columns, lines, "Change from placebo, mean over people (standard error)."
    )


def draw_curves(results: Results):
    """Change of diversity and of spread over the input's variance."""
    figure, axes = new_figure(1, 2, width=FULL_WIDTH * 1.25, height=4.2)
    places = np.arange(len(VARIANCES) + 2)
    for axis, field, title in (
        (axes[0], "lempel_ziv", "Lempel-Ziv complexity"),
        (axes[1], "spread", "Spread of activity (nats)"),
    ):
        at = Fast._fields.index(field)
        for name, colour in NAMES.items():
            own = results.changes[name][:, :, at]
            error = 2 * own.std(axis=1, ddof=1) / np.sqrt(own.shape[1])
            axis.errorbar(
                places,
                own.mean(axis=1),
                error,
                fmt="o-",
                color=COLOURS[colour],
                label=name,
            )
        axis.axhline(0, color=COLOURS["grey"], lw=0.8)
        axis.set(title=title, ylabel="Change from placebo", xticks=places)
        axis.set_xticklabels(
            ["eyes\nclosed", *(f"film\n{v:g}" for v in VARIANCES), "task"]
        )
    axes[0].legend(fontsize=9)
    return figure


EXPERIMENT = Experiment(
    People,
    simulate,
    claims=CLAIMS,
    summarise=summarise,
    figures={"curves": draw_curves},
    tables={"curves": table},
    words={"assumed": ASSUMED},
    page="diversity.md",
    float64=True,
)
