"""The page of a fit: diagnostics before estimates, and what the data do not identify."""

import re
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from pcmodel.behaviour.pictures.words import effect_in_words
from pcmodel.behaviour.posterior.diagnostics import STRICT, Diagnostics
from pcmodel.cli.pages.fit_figures.sections import draw_pictures, picture_sections
from pcmodel.cli.pages.fit_outputs import draw_priors, sections
from pcmodel.report import SMOKE_STAMP, Panel, Report, Section, Table, Verdict


class FitSummary(NamedTuple):
    """Content of result.json; without effects where the chains cannot be trusted.

    refused: whether the effects are withheld.
    effects: estimates of the group's effects.
    complaints: reasons not to trust the draws.
    verdicts: on convergence and on the posterior predictive checks.
    estimated_by: the method, in words.
    caveats: limitations of the effects that a reader has to know.
    is_smoke: whether it is a smoke run.
    """

    refused: bool
    effects: tuple[Any, ...]
    complaints: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    estimated_by: str = ""
    caveats: tuple[str, ...] = ()
    is_smoke: bool = False


def analyse(
    plan: Any, results: Any, *, accept_unconverged: bool, is_smoke: bool = False
) -> FitSummary:
    """Verdicts on the checks, and the effects unless they have to be refused."""
    refused = bool(results.complaints) and not accept_unconverged
    checks = [
        Verdict(
            f"Posterior predictive: {check.name}",
            f"between {check.low:.3g} and {check.high:.3g} (90 % of replications)",
            f"{check.observed:.3g}",
            _outcome(check, results.complaints),
            "predicted",
        )
        for check in results.posterior_checks
    ]
    found = (_converged(results), *checks)
    doubts = (doubt.replace("**", "") for doubt in _doubts(results, is_smoke=is_smoke))
    return FitSummary(
        refused,
        () if refused else results.effects,
        results.complaints,
        tuple(_undecided(v) for v in found) if is_smoke else found,
        _estimator(plan),
        (*doubts, *filter(None, [_ratios_in_words(results)]), *results.notes),
        is_smoke,
    )


def _undecided(verdict: Verdict) -> Verdict:
    """The verdict, inconclusive unless it fails: a smoke run has too few draws to confirm a claim."""
    return (
        verdict
        if verdict.outcome == "fails"
        else replace(verdict, outcome="inconclusive")
    )


def _estimator(plan: Any) -> str:
    if plan.method == "svi":
        return f"a variational fit (SVI) of {plan.num_steps} steps"
    return (
        f"NUTS, {plan.num_chains} chains of {plan.num_samples} draws after "
        f"{plan.num_warmup} of warm-up"
    )


def _outcome(check: Any, complaints: tuple[str, ...]) -> str:
    """The outcome of a check; inconclusive if the draws cannot be trusted."""
    if complaints:
        return "inconclusive"
    return "holds" if check.inside else "fails"


def _converged(results: Any) -> Verdict:
    found = results.diagnostics
    wanted = (
        f"R-hat at most {STRICT.max_rhat:g}, {STRICT.min_ess:.0f} effective draws, "
        "no divergences"
    )
    if not isinstance(found, Diagnostics):
        return Verdict(
            "The chains agree",
            wanted,
            "; ".join((*results.complaints, "a variational fit has no chains")),
            "fails" if results.complaints else "inconclusive",
            "theorem",
        )
    return Verdict(
        "The chains agree",
        wanted,
        f"R-hat {found.rhat:.3f}, {found.ess:.0f} effective draws, "
        f"{found.num_divergent} divergences",
        "fails" if found.complaints else "holds",
        "theorem",
    )


def plot(plan: Any, results: Any, summary: FitSummary) -> dict[str, Any]:
    """Pictures of people and trials, the priors, and the effects if not refused."""
    pictures = results.pictures
    figures = draw_pictures(pictures, refused=summary.refused) if pictures else {}
    if results.told is not None:
        figures["priors"] = draw_priors(plan, results, refused=summary.refused)
    if not summary.refused:
        figures["effects"] = _draw_effects(results, is_smoke=summary.is_smoke)
    return figures


def _draw_effects(results: Any, *, is_smoke: bool = False) -> Any:
    from pcmodel.report.style import COLOURS, new_figure

    effects = [e for e in results.effects if not e.is_spread]
    figure, axes = new_figure(height=1.0 + 0.34 * len(effects))
    for place, effect in enumerate(reversed(effects)):
        axes.plot([effect.low, effect.high], [place, place], color=COLOURS["blue"])
        axes.plot(effect.mean, place, "o", color=COLOURS["blue"])
    names = [effect_in_words(e.parameter, e.column, is_spread=False) for e in effects]
    axes.set_yticks(range(len(effects)), names[::-1])
    axes.axvline(0.0, color=COLOURS["grey"], lw=0.8)
    doubt = "; ".join(_doubts(results, is_smoke=is_smoke)).replace("**", "")
    axes.set_xlabel(
        "\n".join(filter(None, ("posterior mean and 95 % interval", doubt)))
    )
    return figure


def report(plan: Any, results: Any, summary: FitSummary) -> Report:
    """The page."""
    return Report(
        title=f"Fit of {plan.model} to the {plan.task} task",
        question=f"What do these data say about the parameters of {plan.model}?",
        answer=_answer(results, summary),
        verdicts=summary.verdicts,
        key_panel=None
        if summary.refused
        else Panel("effects", _caption(results, summary), "Effects common to all."),
        opening=Section(
            "What the data were taken for",
            ("`pcmodel check` says it before a fit.",),
            (),
            (Table(("what", "was understood"), results.understood),),
        ),
        sections=(
            Section(
                "Estimates",
                _warnings(results, summary),
                (),
                _estimates(summary, results),
            ),
            *sections(results, refused=summary.refused),
            Section("Models", (), (), (_models(results),)),
            Section("Before the data", (), (), (_prior(results),)),
            *_pictured(results, summary),
        ),
        assumptions=(
            "Trials without a response are not scored; those without an outcome leave the belief as predicted.",
            "Columns of numbers are centred on the average person; placebo or control is the "
            "reference. With an interaction, a condition's own effect is that at the other's "
            "reference, or zero.",
        ),
        provenance={"Precision": "float64"},
        limitations=(
            "A larger update can come from a relaxed prior, raised sensory precision or noisier responses; "
            "a parameter's name is not evidence for its mechanism.",
        ),
    )


def _pictured(results: Any, summary: FitSummary) -> tuple[Section, ...]:
    """The sections of pictures; none for results that an older version saved."""
    if results.pictures is None:
        return ()
    return picture_sections(results.pictures, refused=summary.refused)


def _answer(results: Any, summary: FitSummary) -> str:
    """Who was fitted, what varies over people, and the estimated effects."""
    size = (
        f"{results.num_participants} participants, {results.num_series} series, "
        f"{results.num_scored} responses. {results.varies}"
    )
    if summary.refused:
        theorem = _ratios_in_words(results)
        return (
            f"{size} **The fit cannot be trusted and no estimate is shown:** "
            + "; ".join(summary.complaints)
            + ". `--accept-unconverged` shows the numbers all the same."
            + (f" {theorem}" if theorem else "")
        )
    return f"{size} {_effects_in_words(results, summary)}"


def _effects_in_words(results: Any, summary: FitSummary) -> str:
    """Every effect of a condition, with its caveats."""
    said = [
        f"{e.name} {e.mean:.2f} ({e.low:.2f} to {e.high:.2f})"
        for e in results.effects
        if e.is_condition
    ]
    words = f"Effects, 95 % intervals: {'; '.join(said)}" if said else NO_CONDITIONS
    doubts = "; ".join(_doubts(results, is_smoke=summary.is_smoke))
    found = f"{words} ({doubts})." if doubts else f"{words}."
    return " ".join(filter(None, (found, *results.notes, _ratios_in_words(results))))


NO_CONDITIONS = "No formula has conditions, so that no effects are estimated"


DISTRUST = "**do not trust:**"


def _doubts(results: Any, *, is_smoke: bool) -> list[str]:
    """Reasons why intervals may be wrong, each in a few words; the section Estimates explains them."""
    is_sampled, found = isinstance(results.diagnostics, Diagnostics), []
    if is_smoke:
        found.append(f"**{SMOKE_STAMP[:1].lower()}{SMOKE_STAMP[1:]}**")
    if results.complaints:
        what = (
            "the chains have not converged"
            if is_sampled
            else "the loss had not settled"
        )
        found.append(f"{DISTRUST} {what}")
    if not is_sampled:
        found.append(results.diagnostics.caveat)
    return found


def _ratios_in_words(results: Any) -> str:
    """Parameters of which data of this kind identify only the ratio."""
    names = [v.name for v in results.verdicts if v.word == "ratio only"]
    if not names:
        return ""
    return f"Ratio only, known against another number alone: {', '.join(names)}."


def _caption(results: Any, summary: FitSummary) -> str:
    doubts = "; ".join(_doubts(results, is_smoke=summary.is_smoke))
    said = "Effects common to all, posterior mean and 95 % interval"
    return f"{said} ({doubts})." if doubts else f"{said}."


def _warnings(results: Any, summary: FitSummary) -> tuple[str, ...]:
    """Warnings about the numbers in the table of estimates."""
    found = [f"Estimated by {summary.estimated_by}."]
    for doubt in _doubts(results, is_smoke=summary.is_smoke):
        is_complaint = doubt.startswith(DISTRUST)
        told = f"{DISTRUST} {'; '.join(summary.complaints)}" if is_complaint else doubt
        found.append(
            re.sub("[a-z]", lambda first: first[0].upper(), told, count=1) + "."
        )
    found += results.notes
    missing = {k: n for k, n in results.num_missing.items() if n}
    if missing:
        found.append(
            f"Missing cells: {', '.join(f'{k} {n}' for k, n in missing.items())}."
        )
    return tuple(found)


def _estimates(summary: FitSummary, results: Any) -> tuple[Table, ...]:
    if summary.refused:
        return ()
    rows = [
        (
            e.name,
            e.mean,
            e.sd,
            f"{e.low:.3g} to {e.high:.3g}",
            f"{e.positive:.2f}",
            f"{e.contraction:.2f}",
            v.word + (f", tied to {v.tied_to}" if v.tied_to else ""),
            f"{e.rhat:.3f}" if np.isfinite(e.rhat) else "",
        )
        for e, v in zip(results.effects, results.verdicts, strict=True)
    ]
    columns = (
        "Effect",
        "Mean",
        "SD",
        "95 %",
        "P(> 0)",
        "Contraction",
        "Verdict",
        "R-hat",
    )
    caption = (
        "Contraction: 1 - posterior / prior variance. Identified: at least half of the "
        "prior variance removed by the data; prior: less; ratio only: known against another; "
        "unknown: narrow in a variational fit, which may be so for a ratio too."
    )
    return (Table(columns, rows, caption),)


def _models(results: Any) -> Table:
    rows = [
        (
            c.model,
            c.total,
            c.difference,
            f"{c.standard_error:.1f}",
            c.num_untrusted,
            "; ".join(c.complaints) or "none",
        )
        for c in results.compared
    ]
    return Table(
        ("Model", "LOO (nats)", "Difference", "SE", "Not trusted", "Complaints"),
        rows,
        "Leave-one-response-out accuracy; SE over participants. Not trusted: responses whose "
        "Pareto k is too large for the number of draws.",
        digits=5,
    )


def _prior(results: Any) -> Table:
    rows = [
        (c.name, c.observed, f"{c.low:.3g} to {c.high:.3g}")
        for c in results.prior_checks
    ]
    return Table(
        ("Statistic", "Observed", "90 % of prior replications"),
        rows,
        "What the priors alone expect; observed values should be possible under them.",
    )
