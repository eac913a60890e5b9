"""The page of a fit: every effect that was asked for, with what speaks against it."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pcmodel.behaviour.dataset import Series
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.models import Parameter
from pcmodel.behaviour.models.catalogue import TaskFacts, find_model
from pcmodel.behaviour.posterior.diagnostics import Diagnostics, Settling
from pcmodel.behaviour.posterior.fitted_posterior import (
    Posterior,
    effect_labels,
    summarise,
)
from pcmodel.behaviour.posterior.identifiability import verdicts
from pcmodel.behaviour.posterior.predictive import Check
from pcmodel.behaviour.studies.fit import Plan
from pcmodel.cli.commands.fit import add_arguments
from pcmodel.cli.pages import fit_page
from pcmodel.cli.parser import Parser
from pcmodel.record import to_jsonable
from pcmodel.report import SMOKE_STAMP, Report, render_html
from tests.behaviour.gaussian import GaussianModel, make_series

NOTE = "level[drug[drug]] is the effect where age = 0."
GOOD = Diagnostics(1.0, 900.0, 0, 0.0, 0.9, 2000)
BAD = Diagnostics(1.2, 30.0, 4, 0.5, 0.9, 800, people_rhat=1.4, people_lost=0.3)
# Named as a spread over people would be: an SD of reports is a parameter like any other.
NAMED_SD = GaussianModel(
    (Parameter("log_report_sd", 0.0, 1.0, 0.5), *GaussianModel().parameters)
)


def drawn(model, series, formulas, diagnostics, method="NUTS"):
    """Draws that come from no data: the page's words do not depend on them."""
    hierarchy = build_hierarchy(model, series, formulas=formulas)
    rng, sites = np.random.default_rng(0), {}
    for label in effect_labels(hierarchy):
        column = rng.normal(size=(1, 100, 1))
        before = sites.get(label.site, np.zeros((1, 100, 0)))
        sites[label.site] = np.concatenate([before, column], axis=-1)
    return Posterior(hierarchy, sites, {}, diagnostics, method)


def results(posterior):
    effects = summarise(posterior, accept_unconverged=True)
    return SimpleNamespace(
        num_participants=4,
        num_series=4,
        num_scored=8,
        varies="People differ in level.",
        effects=effects,
        verdicts=verdicts(posterior, effects),
        complaints=posterior.complaints,
        diagnostics=posterior.diagnostics,
        told=None,
        notes=(NOTE,),
        num_missing={"response": 3},
        understood=(("people", "4"), ("drug, labels", "drug (2), placebo (2)")),
        prior_checks=(Check("mean", 0.5, 0.4, 0.6),),
        posterior_checks=(Check("mean", 0.5, 0.4, 0.6),),
        compared=(),
        pictures=None,
    )


@pytest.fixture(scope="module")
def series():
    return make_series(np.zeros((4, 2)), drug=np.asarray(["placebo", "drug"] * 2))


def said(posterior, *, refused=False):
    found = results(posterior)
    summary = fit_page.FitSummary(refused, (), found.complaints, ())
    return fit_page._answer(found, summary), found


def test_an_effect_on_a_parameter_whose_name_ends_as_a_spreads_is_told(series):
    posterior = drawn(NAMED_SD, series, ["log_report_sd ~ drug"], GOOD)
    words, found = said(posterior)
    assert "log_report_sd[drug[drug]]" in words and "No formula" not in words
    figure = fit_page._draw_effects(found)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert "log report sd: drug drug" in labels and "log report sd: average" in labels
    assert "log report sd: SD between people" not in labels


def test_without_conditions_that_is_said(series):
    words, _ = said(drawn(GaussianModel(), series, [], GOOD))
    assert "People differ in level. No formula has conditions" in words


def test_numbers_of_a_fit_that_is_not_trusted_say_so_beside_them(series):
    posterior = drawn(GaussianModel(), series, ["level ~ drug"], BAD)
    words, found = said(posterior)
    assert "level[drug[drug]]" in words and "do not trust" in words
    summary = fit_page.FitSummary(False, (), found.complaints, ())
    assert "do not trust" in fit_page._caption(found, summary)
    assert "do not trust" in fit_page._draw_effects(found).axes[0].get_xlabel()


def test_variational_intervals_are_called_too_narrow_wherever_they_are_told(series):
    posterior = drawn(
        GaussianModel(), series, ["level ~ drug"], Settling(0.0, 0.0, 100), "SVI"
    )
    words, found = said(posterior)
    summary = fit_page.FitSummary(False, (), found.complaints, ())
    for text in (words, fit_page._caption(found, summary)):
        assert "too narrow by an unknown amount" in text
    weighted = Settling(0.0, 0.0, 100, pareto_shape=0.4, is_weighted=True)
    words, _ = said(posterior._replace(diagnostics=weighted))
    assert "reweighted to the posterior (Pareto k 0.40)" in words


def test_a_theorem_stays_said_when_chains_have_not_converged():
    """x3 can be shifted against omega2: no chain changes that."""
    values = {"response": np.ones((2, 5)), "outcome": np.ones((2, 5))}
    series = Series(values, np.ones((2, 5), bool), np.arange(2), {}, {})
    model = find_model("binary", "hgf3", TaskFacts(2))
    posterior = drawn(model, series, ["mu3_0 ~ 1"], BAD)
    found = {v.name: v.word for v in results(posterior).verdicts}
    assert found["mu3_0[Intercept]"] == found["omega2[Intercept]"] == "ratio only"
    assert found["log_zeta[Intercept]"] == "unconverged"
    words, _ = said(posterior, refused=True)
    assert "no estimate is shown" in words and "Ratio only" in words
    plan = Plan("data.csv", "binary", "hgf3")
    summary = fit_page.analyse(plan, results(posterior), accept_unconverged=True)
    told = [each for each in summary.caveats if "Ratio only" in each]
    assert len(told) == 1 and "mu3_0[Intercept]" in told[0]


def options_of_fit():
    parser = Parser(prog="pcmodel fit")
    add_arguments(parser)
    return {word for action in parser._actions for word in action.option_strings}


def test_advice_names_options_that_exist():
    advice = " ".join((*BAD.complaints, *Settling(1.0, 1.0, 100).complaints))
    named = set(re.findall(r"--[a-z-]+", advice))
    assert named == {"--samples", "--target-accept", "--max-tree-depth", "--steps"}
    assert named <= options_of_fit()
    assert len(BAD.complaints) == 6


def test_the_stamp_of_a_smoke_run_stands_above_everything():
    page = Report("A title", "A question?", "An answer.")
    assert SMOKE_STAMP not in render_html(page, {})
    stamped = render_html(replace(page, stamp=SMOKE_STAMP), {})
    assert stamped.index(f'class="stamp">{SMOKE_STAMP}') < stamped.index("A title</h1>")
    assert f"<title>{SMOKE_STAMP}: A title" in stamped


@pytest.mark.parametrize(
    ("complaints", "outcome"), [((), "holds"), (("bad",), "inconclusive")]
)
def test_replications_from_draws_that_are_not_trusted_decide_nothing(
    complaints, outcome
):
    check = Check("mean", 0.5, 0.4, 0.6)
    assert fit_page._outcome(check, complaints) == outcome


SETTLED = Settling(0.0, 0.0, 100)


def page(series, diagnostics, *, is_smoke=False, **plan):
    method = "SVI" if plan.get("method") == "svi" else "NUTS"
    posterior = drawn(GaussianModel(), series, ["level ~ drug"], diagnostics, method)
    found, plan = results(posterior), Plan("data.csv", "binary", "gaussian", **plan)
    summary = fit_page.analyse(plan, found, accept_unconverged=False, is_smoke=is_smoke)
    return summary, fit_page.report(plan, found, summary)


@pytest.mark.parametrize(
    ("diagnostics", "plan"), [(SETTLED, {"method": "svi"}), (GOOD, {})]
)
def test_nothing_holds_in_a_smoke_run(diagnostics, plan, series):
    """A few steps that complain of nothing are no evidence."""
    held = {v.outcome for v in page(series, diagnostics, **plan)[0].verdicts}
    assert "holds" in held
    summary, _ = page(series, BAD, is_smoke=True)
    assert summary.verdicts[0].outcome == "fails"
    summary, report = page(series, diagnostics, is_smoke=True, **plan)
    assert {v.outcome for v in summary.verdicts} == {"inconclusive"}
    assert "smoke run: numbers mean nothing" in report.answer
    assert "smoke run: numbers mean nothing" in report.key_panel.caption
    assert summary.caveats[0] == "smoke run: numbers mean nothing"


def test_the_record_says_how_it_was_estimated_and_what_to_know_of_it(series):
    """Numbers that are read from result.json have no page around them."""
    summary, _ = page(series, SETTLED, method="svi", num_steps=700)
    assert summary.estimated_by == "a variational fit (SVI) of 700 steps"
    assert "too narrow by an unknown amount" in summary.caveats[0]
    assert summary.caveats[1:] == (NOTE,)
    content = to_jsonable(summary)
    assert content["caveats"] == list(summary.caveats) and content["effects"]
    summary, _ = page(series, GOOD, num_chains=3, num_samples=70, num_warmup=20)
    assert summary.estimated_by == "NUTS, 3 chains of 70 draws after 20 of warm-up"
    assert summary.caveats == (NOTE,)


def test_what_was_understood_stands_first_and_caveats_beside_the_numbers(series):
    """A slip in the table is seen before the number that it made."""
    _, report = page(series, GOOD)
    estimates = report.sections[0]
    assert estimates.title == "Estimates" and estimates.tables
    assert NOTE in report.answer and NOTE in estimates.paragraphs
    assert report.provenance["Precision"] == "float64"  # whatever the caller's is
    _, report = page(series, SETTLED, is_smoke=True, method="svi")
    assert report.sections[0].paragraphs[1:3] == (
        "**Smoke run: numbers mean nothing**.",
        "A variational interval, which may be too narrow by an unknown amount.",
    )
    _, report = page(series, GOOD)
    html = render_html(replace(report, key_panel=None, sections=(estimates,)), {})
    words = ("h1>", "drug (2), placebo (2)", "In short", "<h2>Verdicts", "Estimates")
    places = [html.index(word) for word in words]
    assert places == sorted(places)
