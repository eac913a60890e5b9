"""Sensitivity to priors, against posteriors that are known in closed form."""

import jax
import numpy as np
import pytest

from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.sensitivity import (
    ALL,
    REFITTED,
    REWEIGHTED,
    UNKNOWN,
    group_priors,
    log_ratio,
    scaled,
    sensitivity,
)
from tests.behaviour.gaussian import GaussianModel, make_series

DRAWS = 20000


def conjugate(hierarchy, total, count, rng):
    """Draws of y ~ N(level + 0.25, 1) under the hierarchy's normal prior of the level."""
    prior = group_priors(hierarchy)[0]
    precision = prior.sd**-2 + count
    mean = (prior.mean / prior.sd**2 + total - 0.25 * count) / precision
    draws = mean + rng.normal(size=(4, DRAWS // 4, 1)) / np.sqrt(precision)
    sites = {"level": draws, "level_series": draws}
    return Posterior(hierarchy, sites, {}, None, "NUTS"), mean, precision**-0.5


def pooled(count, value, *priors):
    series = make_series(np.full((1, count), value))
    return build_hierarchy(GaussianModel(), series, pooled=True, priors=priors)


@pytest.mark.parametrize("count", [1, 5, 200])
def test_a_mean_moves_as_its_closed_form_does(count):
    rng = np.random.default_rng(0)
    hierarchy = pooled(count, 2.0)
    posterior, mean, sd = conjugate(hierarchy, 2.0 * count, count, rng)
    rows = sensitivity(posterior)
    assert [(r.factor, r.how) for r in rows] == [(0.5, REWEIGHTED), (2.0, REWEIGHTED)]
    assert rows[0].prior == "level[Intercept] ~ Normal(1, 2)"
    for row in rows:
        again = scaled(hierarchy, group_priors(hierarchy), row.factor)
        assert group_priors(again)[0].sd == 2.0 * row.factor
        _, new, new_sd = conjugate(again, 2.0 * count, count, rng)
        np.testing.assert_allclose(row.moved, (new - mean) / sd, atol=0.03)
        np.testing.assert_allclose(row.sd_ratio, new_sd / sd, rtol=0.03)


def test_a_change_that_the_draws_do_not_tell_is_not_told_and_a_refit_tells_it():
    """Data 40 prior SDs away: halving the prior moves the posterior where there are no draws."""
    rng = np.random.default_rng(1)
    hierarchy = pooled(2, 80.0, "level ~ Normal(0, 1)")
    posterior, mean, sd = conjugate(hierarchy, 160.0, 2, rng)
    halved, doubled = sensitivity(posterior)
    assert halved.how == doubled.how == UNKNOWN and np.isnan(halved.moved)
    asked = []

    def refit(other):
        asked.append(group_priors(other)[0].sd)
        return conjugate(other, 160.0, 2, rng)[0]

    rows = sensitivity(posterior, refit=refit)
    assert asked == [0.5, 2.0] and {row.how for row in rows} == {REFITTED}
    for row in rows:
        precision = (row.factor) ** -2 + 2
        np.testing.assert_allclose(
            row.moved, ((160.0 - 0.5) / precision - mean) / sd, rtol=0.01
        )


def test_ratios_are_those_of_the_densities():
    from scipy import stats

    draws = np.linspace(0.1, 9.0, 50)
    normal = group_priors(pooled(1, 0.0))[0]
    for factor in (0.5, 2.0, 10.0):
        wanted = stats.norm.logpdf(draws, 1.0, 2.0 * factor) - stats.norm.logpdf(
            draws, 1.0, 2.0
        )
        gap = log_ratio(draws, normal, factor) - wanted
        np.testing.assert_allclose(gap, gap[0], atol=1e-9)  # a constant
    series = make_series(np.zeros((4, 2)))
    spread = group_priors(build_hierarchy(GaussianModel(), series))[1]
    assert spread.text == "level_sd[Intercept] ~ HalfNormal(1)"
    wanted = stats.halfnorm.logpdf(draws, scale=2.0) - stats.halfnorm.logpdf(draws)
    gap = log_ratio(draws, spread, 2.0) - wanted
    np.testing.assert_allclose(gap, gap[0], atol=1e-9)


def test_every_prior_is_changed_and_all_together():
    series = make_series(
        np.zeros((6, 2)), drug=["a", "b"] * 3, people=[0, 0, 1, 1, 2, 2]
    )
    hierarchy = build_hierarchy(GaussianModel(), series, formulas=["level ~ drug"])
    rng, names = np.random.default_rng(0), ("level", "level_sd")
    sites = {
        n: np.abs(rng.normal(size=(2, 500, k)))
        for n, k in zip(names, (2, 1), strict=True)
    }
    posterior = Posterior(hierarchy, sites, {}, None, "NUTS")
    rows = sensitivity(posterior)
    assert len(rows) == 4 * 2 * 3
    assert [r.prior for r in rows[-6:]] == [ALL] * 6
    few = posterior._replace(sites={n: v[:1, :20] for n, v in sites.items()})
    assert sensitivity(few) == ()


def test_a_changed_hierarchy_draws_from_the_changed_prior():
    from pcmodel.behaviour.posterior.predictive import draw_prior

    series = make_series(np.zeros((4, 2)))
    hierarchy = build_hierarchy(GaussianModel(), series)
    priors = group_priors(hierarchy)
    wide = scaled(hierarchy, priors, 2.0)
    draws = draw_prior(jax.random.key(0), wide, 4000)
    assert abs(np.asarray(draws["level"]).std() - 4.0) < 0.25
    assert abs(np.asarray(draws["level_sd"]).mean() - 2.0 * np.sqrt(2 / np.pi)) < 0.1
