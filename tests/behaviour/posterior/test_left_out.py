"""People who are not in a fit: their density against the closed form of normal people."""

import jax
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.left_out import (
    average_density,
    draw_people,
    predict_people,
)
from pcmodel.errors import UserError
from tests.behaviour.gaussian import GaussianModel, make_series

MEAN, SPREAD = 0.7, 0.6


def population(draws=50, *, formulas=(), **covariates):
    """A fit that is certain of its population."""
    series = make_series(np.zeros((4, 3)), **covariates)
    hierarchy = build_hierarchy(GaussianModel(), series, formulas=formulas)
    sites = {
        "level": np.full((1, draws, 1), MEAN),
        "level_sd": np.full((1, draws, 1), SPREAD),
        "level_series": np.full((1, draws, 4), MEAN),
    }
    return Posterior(hierarchy, sites, {}, None, "by hand")


def test_new_people_come_from_the_population():
    people = draw_people(jax.random.key(0), population(), 20_000)
    assert people["level"].mean() == pytest.approx(MEAN, abs=0.02)
    assert people["level"].std() == pytest.approx(SPREAD, abs=0.02)
    np.testing.assert_array_equal(people["held"], 0.25)


def test_their_density_is_that_of_correlated_normals():
    """All responses of a person share the level: one density, not one for each response."""
    rng = np.random.default_rng(1)
    responses = rng.normal(1.0, 1.2, (3, 5))
    responses[1, 2:] = np.nan
    model = GaussianModel()
    people = draw_people(jax.random.key(2), population(), 40_000)
    told = predict_people(model, people, model.prepare(make_series(responses)))
    for i, own in enumerate(responses):
        seen = own[np.isfinite(own)]
        covariance = np.eye(len(seen)) + SPREAD**2
        wanted = multivariate_normal(np.full(len(seen), MEAN + 0.25), covariance)
        error = 4.0 / np.sqrt(told.effective_draws[i])
        assert told.log_density[i] == pytest.approx(wanted.logpdf(seen), abs=error)
        assert told.effective_draws[i] > 1000


def test_densities_far_from_zero_are_averaged_and_few_draws_are_told():
    terms = np.asarray([[-1e6, -1e6], [-1e6 + 10.0, -1e6]])
    found = average_density(terms)
    np.testing.assert_allclose(
        found.log_density, [-1e6 + 10.0 - np.log(2.0) + np.log1p(np.exp(-10.0)), -1e6]
    )
    np.testing.assert_allclose(found.effective_draws, [1.0, 2.0], rtol=1e-3)


def test_people_of_an_unknown_condition_are_refused():
    posterior = population(formulas=("level ~ drug",), drug=[0.0, 1.0, 0.0, 1.0])
    with pytest.raises(UserError, match="'level' depends on Intercept, drug"):
        draw_people(jax.random.key(0), posterior, 5)
