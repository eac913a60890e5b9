"""Claims, table and figure on the change of connectivity by what is seen."""

from functools import partial
from typing import NamedTuple

import numpy as np

from pcmodel.report import Claim, Perturbation, Table
from pcmodel.report.style import COLOURS, FULL_WIDTH, new_figure

from .._brain import FILMED, PARAMETERS, paired
from .._brain_scans import SCANNED, image
from .context import INPUTS, NAMES, changed, distance
from .simulate import Config, Results


class Context(NamedTuple):
    """Mean change of connectivity with eyes closed and under another input, and the t of the first minus the second."""

    closed: float
    driven: float
    t: float


def context(
    config: Config,
    seed: int,
    perturbation: Perturbation,
    given: str = "task",
    name: str = "rebus",
) -> Context:
    setting = config.setting(seed)
    closed, driven = (
        changed(name, setting, perturbation, INPUTS[one])
        for one in ("eyes closed", given)
    )
    told = paired(driven, closed)
    return Context(float(closed.mean()), float(driven.mean()), told.t)


def less_when_driven(found: Context) -> bool:
    return found.driven < found.closed and found.t > 2


class Likeness(NamedTuple):
    """Mean distance from undrugged connectivity with a film: without and with the drug, eyes closed; t of the change."""

    before: float
    after: float
    t: float


def likeness(
    config: Config, seed: int, perturbation: Perturbation, name: str = "rebus"
) -> Likeness:
    setting = config.setting(seed)
    seeing, before, after = (
        image("pairs", one, condition, setting, perturbation)
        for one, condition in (
            ("placebo", "film"),
            ("placebo", "closed"),
            (name, "closed"),
        )
    )
    told = paired(distance(before, seeing), distance(after, seeing))
    return Likeness(told.before, told.before + told.change, told.t)


def nearer(found: Likeness) -> bool:
    return found.after < found.before and found.t < -2


LEVERS = (PARAMETERS[0], *FILMED, *SCANNED)
DROVE = (
    "{closed:.4f} with eyes closed, {driven:.4f} driven (t {t:.1f} of the difference)"
)
CONTEXT_CLAIMS = (
    *(
        Claim(
            name=f"Connectivity changes less {words} than with eyes closed ({label})",
            prediction="the root mean square change of Fisher z over pairs of regions is smaller (t > 2)",
            kind="predicted",
            measure=partial(context, given=given, name=name),
            holds=less_when_driven,
            observed=DROVE,
            parameters=LEVERS if name == "rebus" else (),
        )
        for name, label in (
            ("rebus", "REBUS, measured map"),
            ("rebus, top favoured", "REBUS, top favoured"),
        )
        for given, words in (("task", "in a task"), ("film 16", "with a strong film"))
    ),
    Claim(
        name="With eyes closed connectivity becomes like that with a film (REBUS, measured map)",
        prediction="its distance from that of the undrugged with a film falls (t < -2)",
        kind="predicted",
        measure=likeness,
        holds=nearer,
        observed="distance {before:.4f} without, {after:.4f} with the drug (t {t:.1f})",
        parameters=LEVERS,
    ),
)


def context_table(results: Results) -> Table:
    """Change by account and input."""
    lines = []
    for name, by_input in results.context.items():
        cells = [
            f"{own.mean():.4f} ({own.std(ddof=1) / np.sqrt(len(own)):.4f})"
            for own in by_input
        ]
        lines.append((name, *cells))
    return Table(
        ("Account", *(one.capitalize() for one in INPUTS)),
        lines,
        "Root mean square change of Fisher z over pairs of regions, mean over people (standard error). A film's variance is "
        "over that of the streams that taught; in a task a film of variance 1 is seen and one region of control is held.",
    )


def draw_context(results: Results):
    """Change over inputs, by account."""
    figure, axes = new_figure(1, 1, width=FULL_WIDTH, height=4.0)
    places = np.arange(len(INPUTS))
    for name, by_input in results.context.items():
        error = 2 * by_input.std(axis=1, ddof=1) / np.sqrt(by_input.shape[1])
        axes.errorbar(
            places,
            by_input.mean(axis=1),
            error,
            fmt="o-",
            color=COLOURS[NAMES[name]],
            label=name,
        )
    axes.set(
        ylabel="Change of connectivity (RMS Fisher z)",
        ylim=(0, None),
        xticks=places,
        xticklabels=[one.replace(" ", "\n") for one in INPUTS],
    )
    axes.legend(fontsize=9)
    return figure
