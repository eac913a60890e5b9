"""People left out, against the closed form of normal people with a known spread."""

import jax
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from pcmodel.behaviour.comparison.left_out_people import leave_people_out
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from tests.behaviour.gaussian import GaussianModel, make_series

PRIOR_MEAN, PRIOR_SD, HELD = 1.0, 2.0, 0.25


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def exact_posterior(responses, *, spread, draws=4000, people=None):
    """Draws of the conjugate posterior of the mean and of every person, the spread known."""
    series = make_series(responses, people=people)
    hierarchy = build_hierarchy(GaussianModel(), series, pooled=False)
    who, count = series.participant, series.num_participants
    # y = Z (mean, people's standard coordinates) + noise.
    rows, places = np.nonzero(np.isfinite(responses))
    design = np.zeros((len(rows), 1 + count))
    design[:, 0] = 1.0
    design[np.arange(len(rows)), 1 + who[rows]] = spread
    precision = design.T @ design + np.diag([PRIOR_SD**-2] + [1.0] * count)
    pull = design.T @ (responses[rows, places] - HELD)
    pull[0] += PRIOR_MEAN / PRIOR_SD**2
    mean = np.linalg.solve(precision, pull)
    found = np.random.default_rng(0).multivariate_normal(
        mean, np.linalg.inv(precision), draws
    )
    level = found[:, :1]
    own = level + spread * found[:, 1:][:, who]
    sites = {
        "level": level[None],
        "level_sd": np.full((1, draws, 1), spread),
        "level.person": found[None, :, 1:, None],
        "level_series": own[None],
    }
    return Posterior(hierarchy, sites, {}, None, "exact")


def wanted_density(responses, people, own, spread):
    """Of one person given all others, from the joint normal distribution."""
    who = np.repeat(people, responses.shape[1]).reshape(responses.shape)
    seen = np.isfinite(responses)
    y, w = responses[seen], who[seen]
    joint = PRIOR_SD**2 + spread**2 * (w[:, None] == w) + np.eye(len(y))

    def log_density(keep):
        mean = np.full(keep.sum(), PRIOR_MEAN + HELD)
        return multivariate_normal(mean, joint[np.ix_(keep, keep)]).logpdf(y[keep])

    everyone = np.ones(len(y), bool)
    return log_density(everyone) - log_density(w != own)


@pytest.mark.parametrize("spread", [0.05, 0.7, 3.0])
def test_left_out_people_have_their_exact_density(spread):
    """With several series a person, missing responses, and one person far from the others."""
    rng = np.random.default_rng(2)
    people = np.asarray([0, 0, 1, 2, 3, 4, 4, 5, 6, 7])
    truth = 1.0 + spread * rng.normal(size=8)
    truth[3] += 2.0 * spread
    responses = truth[people][:, None] + 0.25 + rng.normal(size=(10, 6))
    responses[1, 2:] = np.nan
    fit = exact_posterior(responses, spread=spread, people=people)
    found = leave_people_out(fit, num_draws=800, num_points=256)
    exact = [wanted_density(responses, people, own, spread) for own in range(8)]
    np.testing.assert_allclose(found.log_density, exact, atol=0.15)
    assert found.trusted.all() and found.effective_points.min() > 50


def test_nobody_differs():
    """Then the density is that of the group's draws alone."""
    responses = np.random.default_rng(0).normal(1.0, 1.0, (5, 8))
    fit = exact_posterior(responses, spread=1e-9)
    sites = {k: v for k, v in fit.sites.items() if k in ("level", "level_series")}
    pooled = build_hierarchy(GaussianModel(), make_series(responses), pooled=True)
    found = leave_people_out(
        fit._replace(hierarchy=pooled, sites=sites), num_draws=1000
    )
    exact = [wanted_density(responses, np.arange(5), i, 1e-9) for i in range(5)]
    np.testing.assert_allclose(found.log_density, exact, atol=0.15)
    np.testing.assert_array_equal(found.effective_points, 128.0)
