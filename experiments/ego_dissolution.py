"""Does the self lose its hold on the other modules when precision is relaxed?

The self is a part of the default mode, at the top of a hierarchy of seven cortical networks. Its hold is the share of the
other modules' variance that it explains; beside it stand its coupling to the body and to perception.

Predictions that could fail: under REBUS the self explains less of the others, and is less coupled to body and perception,
with eyes closed and with a film.

References: Carhart-Harris & Friston 2019; Letheby & Gerrans 2017; Tagliazucchi et al. 2016; Siegel et al. 2024.

Time: four minutes; seconds with --smoke
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from pcmodel.report import (
    NOT_EXAMINED,
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
    PARAMETERS,
    Hold,
    Paired,
    People,
    accounts,
    clear,
    observe,
    paired,
)

CONDITIONS = {"closed": "Eyes closed", "film": "Film"}


class Results(NamedTuple):
    """The self's hold by condition and account, (people, fields of `Hold`)."""

    observed: dict[str, dict[str, np.ndarray]]
    tested: Examined = NOT_EXAMINED


def simulate(config: People, *, seed: int, progress) -> Results:
    """Everybody without drug and under every account."""
    setting = config.setting(seed)
    found: dict[str, dict[str, np.ndarray]] = {one: {} for one in CONDITIONS}
    for name in progress.track(("placebo", *accounts(config.strength)), "accounts"):
        for condition in CONDITIONS:
            found[condition][name] = observe("self", name, condition, setting)
    return Results(found)


class Loss(NamedTuple):
    """Changes of the self's share, and of its coupling to body and perception (nats), with t over people."""

    share: float
    before: float
    t_share: float
    body: float
    t_body: float
    perception: float
    t_perception: float


def hold(
    config: People,
    seed: int,
    perturbation: Perturbation,
    name: str = "rebus",
    condition: str = "closed",
) -> Loss:
    setting = config.setting(seed)
    before, after = (
        observe("self", one, condition, setting, perturbation)
        for one in ("placebo", name)
    )
    share, body, perception = (
        paired(before[:, at], after[:, at])
        for at in map(Hold._fields.index, ("share", "body", "perception"))
    )
    return Loss(
        share.change,
        share.before,
        share.t,
        body.change,
        body.t,
        perception.change,
        perception.t,
    )


def all_fall(found: Loss) -> bool:
    """The share and both couplings, each by more than two standard errors."""
    return all(
        change < 0 and t < -2
        for change, t in (
            (found.share, found.t_share),
            (found.body, found.t_body),
            (found.perception, found.t_perception),
        )
    )


class Largest(NamedTuple):
    """Largest change of any of the numbers in anyone, as a share of it."""

    change: float


def scaled_alike(config: People, seed: int, perturbation: Perturbation) -> Largest:
    setting = config.setting(seed)
    rows = {
        name: observe("self", name, "closed", setting, perturbation)
        for name in ("placebo", "noise", "uniform")
    }
    worst = [
        np.abs(rows[name] / rows["placebo"] - 1).max() for name in ("noise", "uniform")
    ]
    return Largest(float(max(worst)))


def nothing_changes(found: Largest) -> bool:
    return found.change < 1e-6


TOLD = (
    "share {before:.3f} {share:+.3f} (t {t_share:.1f}); body {body:+.4f} (t {t_body:.1f}); "
    "perception {perception:+.4f} (t {t_perception:.1f})"
)
HOLDS = tuple(
    Claim(
        name=f"The self loses its hold ({label}, {place})",
        prediction="its share of the others' variance and its coupling to body and perception fall (each t < -2)",
        kind="predicted",
        measure=partial(hold, name=name, condition=condition),
        holds=all_fall,
        observed=TOLD,
        parameters=(
            *PARAMETERS[:4],
            *(FAVOURED if name.endswith("favoured") else ()),
            *(FILMED if condition == "film" else ()),
        ),
    )
    for name, label in (
        ("rebus", "REBUS, measured map"),
        ("rebus, top favoured", "REBUS, top favoured"),
    )
    for condition, place in (("closed", "eyes closed"), ("film", "film"))
)
CLAIMS = (
    *HOLDS,
    Claim(
        name="Neither noise nor all gains alike move the self's hold at rest",
        prediction="with eyes closed both multiply every covariance alike",
        kind="theorem",
        measure=scaled_alike,
        holds=nothing_changes,
        observed="largest relative change {change:.1g}",
    ),
)


class Summary(NamedTuple):
    """What result.json holds: change of the self's share and its t, by condition and account."""

    share: dict[str, list[float]]
    verdicts: tuple[Verdict, ...] = ()


def summarise(results: Results) -> Summary:
    """The share's changes."""
    told = {}
    for condition, rows in results.observed.items():
        for name, own in rows.items():
            found = paired(rows["placebo"][:, 0], own[:, 0])
            told[f"{condition}: {name}"] = [found.change, found.t]
    return Summary(told)


def mark(found: Paired) -> str:
    """A change with a star where it is clear; a mean in brackets where nothing changes."""
    if found.change == 0 and found.t == 0:
        return f"({found.before:.4f})"
    star = " *" if clear(found, 1) or clear(found, -1) else ""
    return f"{found.change:+.4f}{star}"


def table(results: Results, condition: str) -> Table:
    """All accounts under one condition."""
    rows = results.observed[condition]
    lines = [
        (
            name,
            *(
                mark(paired(rows["placebo"][:, at], own[:, at]))
                for at in range(len(Hold._fields))
            ),
        )
        for name, own in rows.items()
    ]
    columns = ("Account", "Share", "Information", "Body", "Perception")
    return Table(
        columns,
        lines,
        f"{CONDITIONS[condition]}: change from placebo, mean over people; * more than two standard errors; brackets: no "
        "change, the mean itself.",
    )


def draw_share(results: Results):
    """The self's share in everybody, account by account."""
    figure, axes = new_figure(1, 2, width=FULL_WIDTH * 1.2, height=4.4)
    widest = 1.05 * max(
        own[:, 0].max() for rows in results.observed.values() for own in rows.values()
    )
    for axis, (condition, title) in zip(axes, CONDITIONS.items(), strict=True):
        rows = results.observed[condition]
        for place, own in enumerate(rows.values()):
            spread = np.linspace(-0.18, 0.18, len(own))
            axis.plot(own[:, 0], place + spread, ".", color=COLOURS["sky"], ms=5)
            axis.plot(own[:, 0].mean(), place, "D", color=COLOURS["blue"], ms=6)
        axis.axvline(rows["placebo"][:, 0].mean(), color=COLOURS["grey"], ls="--", lw=1)
        axis.set(
            title=title,
            xlabel="Share of the others' variance that the self explains",
            xlim=(0, widest),
            yticks=range(len(rows)),
            yticklabels=list(rows) if condition == "closed" else [],
        )
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
    return figure


EXPERIMENT = Experiment(
    People,
    simulate,
    claims=CLAIMS,
    summarise=summarise,
    figures={"share": draw_share},
    tables={one: partial(table, condition=one) for one in CONDITIONS},
    words={"assumed": ASSUMED},
    page="ego_dissolution.md",
    float64=True,
)
