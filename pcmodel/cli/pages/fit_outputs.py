"""What a fit's page says beside the estimates: natural units, priors, sensitivity to them, and files."""

from typing import Any

import numpy as np

from pcmodel.behaviour.hierarchy.parameter import Parameter
from pcmodel.behaviour.models.catalogue import find_parameters
from pcmodel.behaviour.outputs.effects import LEVEL, SPREAD, NaturalEffect
from pcmodel.behaviour.outputs.told import PriorRow, Told
from pcmodel.behaviour.posterior.sensitivity import ALL, UNKNOWN, Moved
from pcmodel.cli.running.outputs import FILES
from pcmodel.report import Panel, Section, Table

NOTABLE = 0.5  # posterior SDs
PANELS = 3  # in a row
POINTS = 801


def sections(results: Any, *, refused: bool) -> tuple[Section, ...]:
    """The sections; effects and sensitivity are left out of a fit that is refused."""
    told: Told | None = results.told
    if told is None:
        return ()
    found = [] if refused else [_natural(told)]
    found.append(_priors(told))
    if told.sensitivity and not refused:
        found.append(_sensitivity(told))
    return (*found, _files(refused))


def _natural(told: Told) -> Section:
    rows = [
        (
            own.name,
            own.kind,
            _number(own.before),
            _number(own.after),
            _interval(own.difference, own.difference_low, own.difference_high),
            own.natural + (f" ({own.unit})" if own.unit else ""),
        )
        for own in told.effects
        if own.kind != SPREAD or np.isfinite(own.before)
    ]
    caption = (
        "At the average person: numbers at their mean, labels at their reference, no deviation of their own. Effects are of "
        "one unit of a number, or of a label against the reference; of an interaction both columns are effects, and its "
        "difference need not have the sign of its coefficient; of a spread they are one SD below and above. 95 % intervals."
    )
    columns = ("Number", "Kind", "Before", "After", "Difference", "Natural scale")
    return Section("In natural units", (), (), (Table(columns, rows, caption),))


def effects_in_words(told: Told) -> tuple[str, ...]:
    """Each effect of a condition in natural units, as a sentence."""
    return tuple(_said(own) for own in told.effects if own.kind not in (LEVEL, SPREAD))


def _said(own: NaturalEffect) -> str:
    return f"{own.name}: {own.in_words}"


def _priors(told: Told) -> Section:
    caption = (
        "On the real line, and of the average person in natural units; of an SD over people the "
        "natural scale is that of people, where average person and SD are at their prior medians. "
        "--prior sets any of them."
    )
    return Section(
        "Priors",
        (),
        (
            Panel(
                "priors",
                "Average person on the natural scale: prior (grey) and posterior (blue); positive scales are "
                "logarithmic, and densities those of the logarithm.",
                "Prior and posterior densities.",
            ),
        ),
        (Table(PRIOR_HEADER, prior_cells(told.priors), caption),),
    )


PRIOR_HEADER = ("Number", "Prior", "Natural scale", "Median", "95 %", "Set by")


def prior_cells(rows: tuple[PriorRow, ...]) -> list[tuple[str, ...]]:
    """The cells of the table of priors."""
    return [
        (
            own.name,
            own.law.text,
            own.natural + (f" ({own.unit})" if own.unit else ""),
            _number(own.median),
            f"{own.low:.3g} to {own.high:.3g}" if np.isfinite(own.low) else "",
            "you" if own.is_set else "default",
        )
        for own in rows
    ]


def prior_entries(
    rows: tuple[PriorRow, ...],
) -> list[tuple[str, list[tuple[str, str]]]]:
    """The priors for a terminal: each number, and what is said of it."""
    found = []
    for row, cells in zip(rows, prior_cells(rows), strict=True):
        _, law, natural, median, span, setter = cells
        said = [("prior", f"{law}, {'set by you' if row.is_set else setter}")]
        if natural:
            said.append(("natural scale", f"{natural}: {median}, 95 % {span}"))
        found.append((row.name, said))
    return found


def _sensitivity(told: Told) -> Section:
    rows = []
    changes = dict.fromkeys((own.prior, own.factor) for own in told.sensitivity)
    for prior, factor in changes:
        own = [r for r in told.sensitivity if (r.prior, r.factor) == (prior, factor)]
        rows.append(_change(own))
    words = "halved and doubled, one at a time and together"
    caption = (
        "The number that moves most, in posterior SDs. k: Pareto shape of the importance weights; above its limit, or with few "
        "effective draws, the answer is not known from these draws (`--sensitivity refit` fits again). "
        "All numbers: sensitivity.csv."
    )
    columns = ("Prior", "SD x", "Moves most", "By", "k", "How")
    return Section(
        "Sensitivity to the priors",
        (f"Their SDs {words}. {_verdict(told.sensitivity)}",),
        (),
        (Table(columns, rows, caption),),
    )


def _change(rows: list[Moved]) -> tuple[str, ...]:
    first = rows[0]
    known = [row for row in rows if np.isfinite(row.moved)]
    most = max(known, key=lambda row: abs(row.moved), default=None)
    return (
        first.prior,
        f"{first.factor:g}",
        "" if most is None else most.effect,
        "" if most is None else f"{most.moved:+.2f}",
        f"{first.shape:.2f}",
        first.how,
    )


def _verdict(rows: tuple[Moved, ...]) -> str:
    """Whether an effect of a condition moves notably where one prior is changed."""
    single = [row for row in rows if row.prior != ALL]
    moved = dict.fromkeys(r.effect for r in single if abs(r.moved) >= NOTABLE)
    unknown = dict.fromkeys(r.prior for r in single if r.how == UNKNOWN)
    text = f"No number moves by {NOTABLE:g} posterior SDs where one prior is changed."
    if moved:
        text = f"By {NOTABLE:g} posterior SDs or more move {', '.join(moved)}."
    if unknown:
        text += f" Not known from these draws: {', '.join(unknown)}."
    return text


def _files(refused: bool) -> Section:
    rows = [(name, about) for name, about in FILES.items()]
    text = "In the folder of this page. An empty cell is a number that is not there."
    if refused:
        text += " As the fit cannot be trusted, `trusted` is false in every row."
    return Section("Files", (text,), (), (Table(("File", "What it holds"), rows),))


def _number(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else ""


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.3g} ({low:.3g} to {high:.3g})" if np.isfinite(value) else ""


def draw_priors(plan: Any, results: Any, *, refused: bool) -> Any:
    """Densities of the average person on each natural scale: prior, and posterior unless it is refused."""
    from pcmodel.report.style import new_figure

    known = {p.name: p for p in find_parameters(plan.task, plan.model, plan.judgements)}
    rows = [r for r in results.told.priors if r.natural and not r.is_spread]
    count = -(-len(rows) // PANELS)
    figure, axes = new_figure(
        count, min(PANELS, len(rows)), height=0.4 + 2.1 * count, squeeze=False
    )
    for place, own in enumerate(axes.ravel()):
        if place < len(rows):
            draws = results.posterior[rows[place].parameter][..., 0]
            parameter = known[rows[place].parameter]
            _draw_prior(own, rows[place], parameter, None if refused else draws)
        else:
            own.set_visible(False)
    axes[0, 0].legend(fontsize=8)
    return figure


def _draw_prior(
    axes: Any, row: PriorRow, parameter: Parameter, draws: np.ndarray | None
) -> None:
    from scipy.stats import gaussian_kde

    from pcmodel.report.style import COLOURS

    law = row.law
    place = law.centre + law.sd * np.linspace(-4.0, 4.0, POINTS)
    prior = _density(parameter, place, np.exp(law.on_host.logpdf(place)))
    axes.fill_between(*prior, color=COLOURS["grey"], alpha=0.35, lw=0, label="prior")
    top, ends = _height(prior[1]), [row.low, row.high]
    if draws is not None and np.ptp(draws) > 0.0:
        own = draws.ravel()
        place = np.linspace(
            own.min() - 0.5 * own.std(), own.max() + 0.5 * own.std(), POINTS
        )
        after = _density(parameter, place, gaussian_kde(own)(place))
        axes.plot(*after, color=COLOURS["blue"], lw=1.4, label="posterior")
        top = max(top, float(after[1].max()))
        ends = [min(ends[0], after[0][0]), max(ends[1], after[0][-1])]
    axes.set(xlim=ends, ylim=(0.0, 1.08 * top), yticks=[])
    if _is_logarithmic(parameter):
        axes.set_xscale("log")
    axes.set_title(row.natural, fontsize=9)
    axes.set_xlabel(row.unit, fontsize=8)


def _density(
    parameter: Parameter, place: np.ndarray, density: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A density on the real line as one of the natural scale, or of its logarithm."""
    natural = np.asarray(parameter.to_natural(place), float)
    with np.errstate(all="ignore"):
        shown = np.log(natural) if _is_logarithmic(parameter) else natural
        found = density / np.gradient(shown, place)
    usable = np.isfinite(found) & np.isfinite(natural)
    return natural[usable], found[usable]


def _is_logarithmic(parameter: Parameter) -> bool:
    return parameter.transform == "exp"


def _height(density: np.ndarray) -> float:
    """The height to show of a prior, which may have a spike at an end of its scale."""
    return float(min(density.max(), 4.0 * np.median(density[density > 0.0])))
