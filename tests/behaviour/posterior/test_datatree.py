"""A fit is labelled as ArviZ expects, and comes back from its file as it was."""

import jax
import numpy as np
import pytest
import xarray

from pcmodel.behaviour.dataset.origin import Origin
from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.posterior.datatree import series_names, write_netcdf
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.predictive import draw_prior, leave_one_out
from pcmodel.inference.importance.psis import psis_loo
from tests.behaviour.gaussian import GaussianModel, make_series

NAMES = ("Zoë, 日本", "007")
GROUPS = {
    *("posterior", "sample_stats", "log_likelihood", "observed_data", "prior"),
    *("posterior_predictive", "prior_predictive"),
}


@pytest.fixture
def posterior():
    """Prior draws stand for a posterior: two chains of thirty; one response is missing."""
    drug = np.asarray(["placebo", "drug"] * 2)
    responses = np.arange(12.0).reshape(4, 3) / 6
    responses[2, 1] = np.nan
    people = np.array([0, 0, 1, 1])
    series = make_series(responses, people=people, drug=drug)
    cells = np.repeat(np.asarray(NAMES, object)[people][:, None], 3, axis=1)
    drugs = np.repeat(drug.astype(object)[:, None], 3, axis=1)
    row = np.arange(12).reshape(4, 3)
    origin = Origin(NAMES, {"id": cells, "drug": drugs}, ("id", "drug"), row)
    series = series._replace(origin=origin)
    hierarchy = build_hierarchy(
        GaussianModel(), series, formulas=["level ~ drug + (drug | participant)"]
    )
    draws = draw_prior(jax.random.key(0), hierarchy, 60)
    sites = {k: np.asarray(v).reshape(2, 30, *v.shape[1:]) for k, v in draws.items()}
    return Posterior(hierarchy, sites, {"diverging": np.zeros((2, 30))}, None, "prior")


@pytest.fixture
def tree(posterior, tmp_path):
    write_netcdf(posterior, tmp_path / "posterior.nc", key=jax.random.key(2))
    return xarray.open_datatree(tmp_path / "posterior.nc", engine="h5netcdf")


@pytest.mark.filterwarnings("ignore")
def test_effects_and_people_have_names_and_survive_the_file(posterior, tree):
    level = tree["posterior"]["level"]
    assert level.dims == ("chain", "draw", "level_effect")
    picked = level.sel(level_effect="drug[drug]")
    np.testing.assert_array_equal(picked, posterior.sites["level"][..., 1])
    assert tree["posterior"]["level_correlation"].shape == (2, 30, 2, 2)
    assert set(tree.children) == GROUPS
    own = tree["posterior"]["level_series"].sel(series="Zoë, 日本, drug")
    np.testing.assert_array_equal(own, posterior.sites["level_series"][..., 1])
    assert tree["prior"]["level"].shape == (1, 500, 2)


@pytest.mark.filterwarnings("ignore")
def test_the_log_likelihood_is_that_of_each_response_that_was_given(posterior, tree):
    found = tree["log_likelihood"]["response"]
    assert found.dims == ("chain", "draw", "observation") and found.shape == (2, 30, 11)
    level = posterior.sites["level_series"]
    y = np.arange(12.0).reshape(4, 3) / 6
    wanted = -0.5 * ((y - level[..., None] - 0.25) ** 2 + np.log(2 * np.pi))
    wanted = np.delete(wanted.reshape(2, 30, 12), 7, axis=-1)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    observed = tree["observed_data"]
    np.testing.assert_allclose(observed["response"], np.delete(y.ravel(), 7), rtol=1e-6)
    assert observed["participant"].values[0] == NAMES[0]
    assert observed["trial"].values[6:8].tolist() == [1, 3]
    ours = leave_one_out(posterior)
    theirs = psis_loo(np.asarray(found, float).reshape(60, 11))
    np.testing.assert_allclose(ours.pointwise, theirs.pointwise, rtol=1e-4)
    after = tree["posterior_predictive"]["response"]
    assert after.shape == (2, 30, 11) and np.isfinite(after).all()
    assert tree["prior_predictive"]["response"].shape == (1, 200, 11)


def test_no_two_series_have_one_name(posterior):
    hierarchy = posterior.hierarchy
    assert len(set(series_names(hierarchy))) == 4
    origin = hierarchy.origin
    bare = Origin(origin.people, origin.columns, ("id",), origin.row)
    names = series_names(hierarchy._replace(origin=bare))
    assert len(set(names)) == 4 and names[0] == "Zoë, 日本 #1"
