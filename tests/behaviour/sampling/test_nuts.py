"""Fits against posteriors known in closed form; refusals; simulation from prior and posterior."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.hierarchy.hierarchical_model import (
    build_hierarchy,
    series_log_likelihood,
)
from pcmodel.behaviour.models import Parameter
from pcmodel.behaviour.posterior.diagnostics import Diagnostics
from pcmodel.behaviour.posterior.fitted_posterior import (
    UnconvergedError,
    moving_coordinates,
    summarise,
)
from pcmodel.behaviour.posterior.identifiability import verdicts
from pcmodel.behaviour.posterior.predictive import (
    draw_prior,
    leave_one_out,
    predictive_checks,
    replicate,
    thin,
)
from pcmodel.behaviour.sampling.nuts import (
    Nuts,
    build_sampler,
    fit_nuts,
    fit_side_by_side,
    num_advances,
)
from pcmodel.behaviour.sampling.variational import (
    VARIATIONAL_DEFAULTS,
    Variational,
    _optimise,
    build_svi,
    choose_draws,
    fit_svi,
)
from pcmodel.behaviour.studies.sbc import calibrate, rank_test
from tests.behaviour.gaussian import GaussianModel, make_series

TIED = Parameter("held", 0.25, 1.0)  # the data know the level plus it
QUICK = Nuts(num_warmup=100, num_samples=600, num_chains=2, chunk=50)


@pytest.fixture(scope="module")
def study():
    """Six people twice, under placebo and drug; the drug adds 0.8."""
    rng = np.random.default_rng(8)
    drug = np.tile(["placebo", "drug"], 6)
    level = 0.5 + 0.8 * (drug == "drug") + np.repeat(rng.normal(size=6), 2)
    responses = level[:, None] + rng.normal(size=(12, 30))
    responses[0, :7] = np.nan
    return make_series(responses, people=np.repeat(np.arange(6), 2), drug=drug)


@pytest.fixture(scope="module")
def pooled(study):
    hierarchy = build_hierarchy(
        GaussianModel(), study, formulas=["level ~ drug"], pooled=True
    )
    with jax.numpy_dtype_promotion("standard"):
        return fit_nuts(jax.random.key(0), hierarchy, QUICK)


def closed_form(study, hierarchy):
    """Posterior of the two effects: conjugate linear regression, known noise."""
    term = hierarchy.terms[0]
    scored = np.isfinite(study.values["response"])
    rows = np.repeat(term.design.common, scored.sum(axis=1), axis=0)
    y = study.values["response"][scored] - 0.25
    precision = np.diag(term.effect_sd**-2.0) + rows.T @ rows
    shift = np.diag(term.effect_sd**-2.0) @ term.effect_mean + rows.T @ y
    return np.linalg.solve(precision, shift), np.linalg.inv(precision)


def test_nuts_finds_the_conjugate_posterior(study, pooled):
    mean, covariance = closed_form(study, pooled.hierarchy)
    for i, effect in enumerate(summarise(pooled, accept_unconverged=True)):
        sd = np.sqrt(covariance[i, i])
        assert abs(effect.mean - mean[i]) < 5.0 * sd / np.sqrt(effect.ess)
        assert effect.sd == pytest.approx(sd, rel=0.15)
        prior = pooled.hierarchy.terms[0].effect_sd[i]
        assert effect.contraction == pytest.approx(1 - (sd / prior) ** 2, abs=0.02)
    assert pooled.diagnostics.num_divergent == 0


@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_transitions_are_compiled_once(study):
    """Prevents a number without a type from having the first chunk compiled for itself."""
    hierarchy = build_hierarchy(GaussianModel(), study, formulas=["level ~ drug"])
    options = replace(QUICK, num_warmup=40, num_samples=20, chunk=10)
    sampler = build_sampler(hierarchy, options)
    with jax.numpy_dtype_promotion("standard"):
        fit_nuts(jax.random.key(0), hierarchy, options, sampler=sampler)
    assert sampler.kernel.advance._cache_size() == 1
    assert sampler.kernel.slope._cache_size() == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_other_data_of_one_design_are_not_traced_again(study):
    """Calibration would compile for minutes; several chains, several chunks."""
    traces = []

    class Counting(GaussianModel):
        def log_likelihood(self, values, data):
            traces.append(1)
            return super().log_likelihood(values, data)

    hierarchy = build_hierarchy(Counting(), study, pooled=True)
    options = replace(QUICK, num_warmup=20, num_samples=50, chunk=30)
    sampler, calls = build_sampler(hierarchy, options), []
    first, before = None, 0
    with jax.numpy_dtype_promotion("standard"):
        for shift in (0.0, 3.0):
            before = len(traces)
            data = hierarchy.data
            own = hierarchy._replace(data=data._replace(response=data.response + shift))
            fit = fit_nuts(
                jax.random.key(0),
                own,
                options,
                sampler=sampler,
                advance=lambda: calls.append(1),
            )
            first = first or fit
    assert len(traces) == before and len(calls) == 2 * num_advances(options)
    assert sampler.kernel.advance._cache_size() == 1
    assert fit.sites["level"].shape == (2, 50, 1)
    moved = fit.sites["level"].mean() - first.sites["level"].mean()
    assert moved == pytest.approx(3.0, abs=0.2)


@pytest.mark.slow
def test_svi_finds_the_conjugate_posterior(study, pooled):
    """Means, widths and the correlation, which a mean-field approximation would not have."""
    fit = fit_svi(
        jax.random.key(1),
        pooled.hierarchy,
        Variational(num_steps=1500, learning_rate=0.02),
    )
    mean, covariance = closed_form(study, pooled.hierarchy)
    found = fit.posterior.sites["level"][0]
    assert np.abs(found.mean(axis=0) - mean).max() < 0.3 * np.sqrt(covariance.max())
    width = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(found.std(axis=0), width, rtol=0.15)
    correlation = covariance[0, 1] / width.prod()
    assert np.corrcoef(found.T)[0, 1] == pytest.approx(correlation, abs=0.1)
    settled = fit.posterior.diagnostics
    assert settled.is_weighted and settled.pareto_shape < 0.6 and not settled.complaints


def test_draws_are_chosen_by_ratios_only_where_their_tail_allows_it():
    """Normal draws made into those of a shifted normal; ratios of a Cauchy's tail are refused."""
    rng = np.random.default_rng(3)
    draws = rng.normal(size=4000)
    picks, shape = choose_draws(0.5 * draws - 0.125, seed=1)
    assert picks is not None and shape < 0.5 and len(picks) == 4000
    assert draws[picks].mean() == pytest.approx(0.5, abs=0.06)
    assert draws[picks].std() == pytest.approx(1.0, abs=0.06)
    none, shape = choose_draws(0.8 * draws**2, seed=1)
    assert none is None and shape > 0.7
    none, shape = choose_draws(np.full(100, np.nan), seed=1)
    assert none is None and shape == np.inf
    none, shape = choose_draws(draws[:10], seed=1)
    assert none is None and np.isnan(shape)


def test_leave_one_out_is_near_its_closed_form(study, pooled):
    """Exact leave-one-out density of each response under the conjugate posterior."""
    term = pooled.hierarchy.terms[0]
    mean, covariance = closed_form(study, pooled.hierarchy)
    scored = np.isfinite(study.values["response"])
    rows = np.repeat(term.design.common, scored.sum(axis=1), axis=0)
    y = study.values["response"][scored] - 0.25
    total, precision = 0.0, np.linalg.inv(covariance)
    for x, value in zip(rows, y, strict=True):
        left = np.linalg.inv(precision - np.outer(x, x))
        m = left @ (precision @ mean - x * value)
        variance = 1.0 + x @ left @ x
        total -= 0.5 * ((value - x @ m) ** 2 / variance + np.log(2 * np.pi * variance))
    loo = leave_one_out(pooled)
    assert len(loo.pointwise) == scored.sum()
    assert loo.total == pytest.approx(total, abs=0.5)


def test_predictive_checks_accept_the_model_and_reject_another(study, pooled):
    """People do differ; a pooled model must be seen to miss the spread between series."""
    sites = thin(pooled, 200)
    replicated = replicate(jax.random.key(3), pooled.hierarchy, sites)
    assert np.isnan(replicated[:, 0, :7]).all()
    checks = {c.name: c for c in predictive_checks(pooled.hierarchy, replicated)}
    assert checks["mean response, mean"].inside
    assert not checks["mean response, spread over series"].inside


def test_an_untrustworthy_fit_is_not_summarised(pooled):
    bad = Diagnostics(1.2, 30.0, 4, 0.5, 0.9, 800)
    with pytest.raises(UnconvergedError) as caught:
        summarise(pooled._replace(diagnostics=bad))
    for word in ("R-hat", "effective sample size", "diverged", "depth limit"):
        assert word in str(caught.value)


@pytest.mark.slow
def test_a_variational_fit_is_not_called_identified(study):
    """Of two numbers whose sum alone is known each keeps the width that its prior leaves."""
    model = GaussianModel((GaussianModel().parameters[0], TIED))
    hierarchy = build_hierarchy(model, study, pooled=True)
    fit = fit_svi(jax.random.key(1), hierarchy, Variational(num_steps=800)).posterior
    effects = summarise(fit, accept_unconverged=True)
    # Priors of SD 2 and 1: the variance of both is 1 / (1 / 4 + 1).
    found = [effect.contraction for effect in effects]
    np.testing.assert_allclose(found, [0.8, 0.2], atol=0.08)
    words = {v.word for v in verdicts(fit._replace(diagnostics=None), effects)}
    assert "identified" not in words


@pytest.mark.slow
def test_a_variational_fit_that_was_cut_short_is_not_summarised(study):
    hierarchy = build_hierarchy(GaussianModel(), study, pooled=True)
    fit = fit_svi(jax.random.key(1), hierarchy, Variational(num_steps=20), chunk=20)
    with pytest.raises(UnconvergedError, match="not settled"):
        summarise(fit.posterior)


def test_what_cannot_move_is_no_coordinate_and_what_can_is_one(study):
    """Two effects, two spreads, one correlation: a Cholesky root's one and zero are none."""
    hierarchy = build_hierarchy(
        GaussianModel(), study, formulas=["level ~ drug + (drug | participant)"]
    )
    draws = draw_prior(jax.random.key(4), hierarchy, 30)
    sites = {name: np.asarray(value)[None] for name, value in draws.items()}
    values = moving_coordinates(hierarchy, sites)
    assert values.shape == (1, 30, 5) and (values.std(axis=(0, 1)) > 0.0).all()
    sites["level.scale"] = np.full_like(sites["level.scale"], np.nan)
    assert np.isnan(moving_coordinates(hierarchy, sites)).any()


def test_the_prior_is_as_stated(study):
    hierarchy = build_hierarchy(
        GaussianModel(), study, formulas=["level ~ drug + (drug | participant)"]
    )
    draws = draw_prior(jax.random.key(4), hierarchy, 4000)
    intercept, effect = draws["level"].T
    assert float(intercept.mean()) == pytest.approx(1.0, abs=0.15)
    assert float(intercept.std()) == pytest.approx(2.0, rel=0.05)
    assert float(effect.std()) == pytest.approx(1.0, rel=0.05)
    own = draws["level_series"].reshape(-1, 6, 2) - draws["level"][:, None, :1]
    between = own[:, :, 1] - own[:, :, 0] - effect[:, None]
    # Second moment of a half-normal spread of scale 1 is 1.
    assert float((between**2).mean()) == pytest.approx(1.0, rel=0.1)
    correlation = draws["level_correlation"][:, 0, 1]
    assert float(correlation.std()) == pytest.approx(1.0 / np.sqrt(5.0), rel=0.05)


def test_no_spread_is_the_pooled_model(study):
    """The hierarchical likelihood at zero between-person variance is the pooled one."""
    hierarchy = build_hierarchy(GaussianModel(), study)
    value = jnp.full(12, 0.7)
    pointwise = series_log_likelihood(hierarchy, {"level": value}, hierarchy.data)
    y = study.values["response"]
    expected = -0.5 * ((y - 0.95) ** 2 + np.log(2 * np.pi))
    np.testing.assert_allclose(pointwise, np.nan_to_num(expected), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:do not trust this fit")
def test_fits_side_by_side_are_those_made_one_by_one(study):
    """Prevents studies from mixing: own data, own start, own key, own step sizes.

    Drawn for so few transitions that rounding has not grown to differences yet.
    """
    hierarchy = build_hierarchy(GaussianModel(), study)
    options = replace(QUICK, num_warmup=8, num_samples=4, chunk=2)
    sampler = build_sampler(hierarchy, options)
    data = hierarchy.data
    studies = [
        hierarchy._replace(data=data._replace(response=factor * data.response))
        for factor in (1.0, -2.0, 0.5)
    ]
    keys = list(jax.random.split(jax.random.key(3), 3))
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        together = fit_side_by_side(keys, studies, options, sampler=sampler)
        for found, key, own in zip(together, keys, studies, strict=True):
            alone = fit_nuts(key, own, options, sampler=sampler)
            assert found.hierarchy is own
            for name, values in alone.sites.items():
                np.testing.assert_allclose(found.sites[name], values, rtol=1e-6)
            for name, values in alone.sample_stats.items():
                np.testing.assert_allclose(found.sample_stats[name], values, rtol=1e-6)


def test_ranks_are_tested_for_uniformity():
    rng = np.random.default_rng(5)
    assert rank_test(rng.integers(0, 100, 500)) > 0.01
    assert rank_test(rng.binomial(99, 0.5, 500)) < 1e-6
    assert rank_test(np.minimum(rng.integers(0, 130, 500), 99)) < 1e-3


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ranks_of_the_truth_are_uniform(study):
    """The whole machine on a hierarchical model with a drug that varies over people."""
    hierarchy = build_hierarchy(
        GaussianModel(), study, formulas=["level ~ drug + (drug | participant)"]
    )
    options = Nuts(num_warmup=300, num_samples=400, num_chains=1, chunk=400)
    found = calibrate(
        jax.random.key(6), hierarchy, num_replications=100, options=options
    )
    assert found.uniformity.min() > 0.01 / len(found.names)
    assert np.abs(found.coverage - 0.9).max() < 4.0 * np.sqrt(0.09 / 100)


@pytest.mark.slow
def test_draws_of_a_guide_need_no_memory_for_every_draw_of_every_trial():
    """Prevents a study of thousands from ending for want of memory after hours of fitting."""
    people, trials, num = 20, 200, 50
    responses = np.random.default_rng(0).normal(size=(people, trials))
    hierarchy = build_hierarchy(GaussianModel(), make_series(responses))
    options = replace(VARIATIONAL_DEFAULTS, num_steps=2)
    program = build_svi(hierarchy, options, chunk=2)
    key = jax.random.key(0)
    own, frame, _ = _optimise(key, program, hierarchy, 1, lambda: None)
    keys = jax.random.split(jax.random.key(1), num)
    lowered = program.draw.lower(keys, own, frame, hierarchy.data)
    needed = lowered.compile().memory_analysis()
    assert needed.temp_size_in_bytes < 0.5 * num * people * trials * 8
