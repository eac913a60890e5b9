"""Pictures of a comparison of models; models are told apart by marker as well as by colour."""

from typing import Any

import numpy as np

from pcmodel.cli.comparison.tables import by_person, scores_of
from pcmodel.report.style import COLOURS, new_figure

KINDS = {
    "left_out_people": "people left out",
    "leave_one_out": "responses left out",
    "later_trials": "later trials",
}
MARKERS = "osD^vP*X"
HUES = ("blue", "orange", "green", "purple", "sky", "amber", "grey", "black")
MOST_NAMED = 60  # people whose names are legible


def draw_all(results: Any) -> dict[str, Any]:
    """By name all pictures."""
    return {
        "differences": draw_differences(results),
        "frequencies": draw_frequencies(results),
        "people": draw_people(results),
        "pointwise": draw_pointwise(results),
    }


def draw_differences(results: Any) -> Any:
    """How much worse than the best each model predicts, with two standard errors."""
    scores = scores_of(results)
    figure, axes = new_figure(
        1, len(scores), height=1.2 + 0.4 * len(results.models), squeeze=False
    )
    for axis, (kind, found) in zip(axes[0], scores.items(), strict=True):
        by_model = {score.model: score for score in found}
        for i, name in enumerate(results.models):
            score = by_model[name]
            error = score.standard_error
            axis.errorbar(
                score.difference,
                i,
                xerr=2.0 * error if np.isfinite(error) else 0.0,
                fmt=MARKERS[i % len(MARKERS)],
                color=COLOURS[HUES[i % len(HUES)]],
                capsize=3,
            )
        axis.axvline(0.0, color=COLOURS["grey"], lw=0.8)
        axis.set(title=KINDS[kind], xlabel="nats from the best")
        axis.set_ylim(len(results.models) - 0.5, -0.5)
        axis.set_yticks(range(len(results.models)), [])
    axes[0, 0].set_yticks(range(len(results.models)), results.models)
    return figure


def draw_frequencies(results: Any) -> Any:
    """Expected frequency of each model, and the probability that it is the most frequent."""
    found, size = results.frequencies, len(results.models)
    figure, (left, right) = new_figure(1, 2, height=1.4 + 0.45 * size)
    places = np.arange(size)
    colours = [COLOURS[HUES[i % len(HUES)]] for i in range(size)]
    left.barh(
        places, found.frequency, xerr=found.frequency_sd, color=colours, capsize=3
    )
    left.axvline(1.0 / size, color=COLOURS["black"], ls=":", lw=1.2)
    left.set_yticks(places, results.models)
    left.set(xlabel="share of people (SD); dotted: equal", title="Frequency")
    right.barh(places - 0.18, found.exceedance, height=0.34, color=colours, alpha=0.45)
    right.barh(places + 0.18, found.protected_exceedance, height=0.34, color=colours)
    right.set_yticks(places, [])
    right.set(xlabel="probability", title="The most frequent (pale: unprotected)")
    for axis in (left, right):
        axis.set_xlim(0.0, 1.0)
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
    return figure


def draw_people(results: Any) -> Any:
    """Each person's left-out log density under each model, relative to the best for them."""
    gaps = results.left_out - results.left_out.max(axis=1, keepdims=True)
    count = len(results.people)
    order = np.lexsort((gaps.min(axis=1), results.left_out.argmax(axis=1)))
    is_named = count <= MOST_NAMED
    height = 1.2 + (0.19 * count if is_named else 5.0)
    figure, axis = new_figure(height=max(height, 1.8))
    places = np.arange(count)
    reach = max(float(-np.quantile(gaps.min(axis=1), 0.05)), 1.0)
    for j, name in enumerate(results.models):
        own = np.maximum(gaps[order, j], -1.15 * reach)
        trusted = results.trusted[order, j]
        style = {
            "marker": MARKERS[j % len(MARKERS)],
            "color": COLOURS[HUES[j % len(HUES)]],
            "ls": "none",
        }
        axis.plot(own[trusted], places[trusted], label=name, **style)
        if not trusted.all():
            axis.plot(own[~trusted], places[~trusted], mfc="none", **style)
    if is_named:
        axis.set_yticks(places, [results.people[i] for i in order], fontsize=8)
    else:
        axis.set_ylabel(f"{count} people")
    axis.set_ylim(count - 0.4, -0.6)
    axis.set_xlabel(
        "nats from the model that predicts the person best (hollow: not trusted)"
    )
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def draw_pointwise(results: Any) -> Any:
    """Where in the task the second model loses against the best: mean difference at each trial, and its sum."""
    totals = by_person(results).sum(axis=0)
    best, second = np.argsort(-totals, kind="stable")[:2]
    gaps = results.pointwise[:, best] - results.pointwise[:, second]
    trials = np.unique(results.trial)
    at = np.searchsorted(trials, results.trial)
    counts = np.bincount(at)
    means = np.bincount(at, gaps) / counts
    squares = np.bincount(at, (gaps - means[at]) ** 2)
    # Of one response the error is not known, and no band is drawn.
    several = np.where(counts > 1, counts * (counts - 1.0), np.nan)
    error = 2.0 * np.sqrt(squares / several)
    figure, (top, bottom) = new_figure(2, 1, height=2.4, sharex=True)
    top.fill_between(
        trials + 1, means - error, means + error, color=COLOURS["sky"], alpha=0.35, lw=0
    )
    top.plot(trials + 1, means, color=COLOURS["blue"], lw=1.4)
    top.set_ylabel("nats a response\n(band: 2 SE)")
    top.set_title(f"{results.models[best]} minus {results.models[second]}")
    bottom.plot(trials + 1, np.cumsum(means * counts), color=COLOURS["blue"])
    bottom.set(xlabel="trial", ylabel="nats, summed\nso far")
    for axis in (top, bottom):
        axis.axhline(0.0, color=COLOURS["grey"], lw=0.8)
    return figure
