"""Later trials from earlier ones: closed forms, and that nothing later enters the fit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from pcmodel.behaviour.comparison.out_of_time import (
    EarlyModel,
    early_trials,
    predict_later,
)
from pcmodel.behaviour.hierarchy.hierarchical_model import (
    build_hierarchy,
    series_log_likelihood,
)
from pcmodel.behaviour.models import ParticipantModel
from pcmodel.behaviour.models.catalogue import find_model
from pcmodel.behaviour.studies.simulate import make_up
from pcmodel.errors import UserError
from tests.behaviour.comparison.test_left_out_people import exact_posterior
from tests.behaviour.gaussian import GaussianModel, make_series

SPREAD = 0.8


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def test_later_responses_have_their_exact_density():
    """Of one person: predictive normals given the first three responses of five."""
    responses = np.asarray([[0.4, 2.0, 1.1, 3.0, -0.5]])
    early = np.where(np.arange(5) < 3, responses, np.nan)
    fit = exact_posterior(early, spread=SPREAD, draws=20_000)
    whole = build_hierarchy(GaussianModel(), make_series(responses))
    masked = early_trials(whole, share=0.6)
    assert isinstance(masked.model, ParticipantModel)
    found = predict_later(fit._replace(hierarchy=masked), num_draws=20_000)
    prior = 2.0**2 + SPREAD**2
    variance = 1.0 / (1.0 / prior + 3.0)
    mean = 0.25 + variance * (1.0 / prior + (early[0, :3] - 0.25).sum())
    for t in (3, 4):
        wanted = norm(mean, np.sqrt(1.0 + variance)).logpdf(responses[0, t])
        assert found.pointwise[0, t] == pytest.approx(wanted, abs=0.02)
    assert np.isnan(found.pointwise[0, :3]).all() and found.num_later == 2
    both = multivariate_normal([mean, mean], np.eye(2) + variance)
    assert found.log_density[0] == pytest.approx(
        both.logpdf(responses[0, 3:]), abs=0.05
    )
    assert found.total == pytest.approx(found.pointwise[0, 3:].sum())


def test_the_share_counts_responses_not_trials():
    nan = np.nan
    responses = np.asarray(
        [[1.0, nan, nan, 2.0, 3.0, 4.0], [nan, nan, nan, 5.0, nan, 6.0]]
    )
    masked = early_trials(build_hierarchy(GaussianModel(), make_series(responses)))
    seen = np.isfinite(np.asarray(masked.model.responses(masked.data)))
    np.testing.assert_array_equal(np.flatnonzero(seen[0]), [0, 3])
    np.testing.assert_array_equal(np.flatnonzero(seen[1]), [3])


@pytest.mark.parametrize("name", ["rescorla_wagner", "ehgf3"])
def test_nothing_later_enters_the_fit_and_every_response_is_counted_once(name):
    series = make_up("bandit", num_participants=2, num_trials=20)
    rng = np.random.default_rng(3)
    series.values["choice"][:] = rng.integers(1, 3, (4, 20))
    whole = build_hierarchy(find_model("bandit", name), series)
    masked = early_trials(whole, share=0.5)
    values = {t.parameter.name: jnp.full(4, t.parameter.mean) for t in whole.terms}

    def total(hierarchy, own):
        return series_log_likelihood(hierarchy, own, hierarchy.data).sum()

    slope = jax.grad(lambda own: total(masked, own))(values)
    series.values["choice"][:, 10:] = 3.0 - series.values["choice"][:, 10:]
    series.values["outcome"][:, 10:] = 1.0 - series.values["outcome"][:, 10:]
    other = early_trials(build_hierarchy(find_model("bandit", name), series))
    for key, moved in jax.grad(lambda own: total(other, own))(values).items():
        np.testing.assert_allclose(moved, slope[key], rtol=1e-12)
    every = series_log_likelihood(whole, values, whole.data)
    kept = series_log_likelihood(masked, values, masked.data)
    np.testing.assert_allclose(kept[:, :10], every[:, :10])
    assert (np.asarray(kept[:, 10:]) == 0.0).all() and (every[:, 10:] < 0.0).all()


def test_what_leaves_nothing_to_do_is_refused():
    one = build_hierarchy(GaussianModel(), make_series([[1.0]]))
    with pytest.raises(UserError, match="no response to be predicted"):
        early_trials(one)
    with pytest.raises(UserError, match="no response to be fitted"):
        early_trials(one, share=0.0)
    fit = exact_posterior(np.zeros((2, 3)), spread=SPREAD, draws=30)
    with pytest.raises(UserError, match="was fitted to all trials"):
        predict_later(fit)
    assert EarlyModel(GaussianModel()).parameters == GaussianModel().parameters
