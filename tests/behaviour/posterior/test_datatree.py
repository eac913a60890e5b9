"""A fit is labelled as ArviZ expects, and comes back from its file as it was."""

import jax
import numpy as np
import pytest
import xarray

from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.posterior.datatree import write_netcdf
from pcmodel.behaviour.posterior.fitted_posterior import Posterior
from pcmodel.behaviour.posterior.predictive import draw_prior
from tests.behaviour.gaussian import GaussianModel, make_series


@pytest.fixture
def posterior():
    """Prior draws stand for a posterior: two chains of three."""
    drug = np.asarray(["placebo", "drug"] * 2)
    series = make_series(np.zeros((4, 3)), people=[0, 0, 1, 1], drug=drug)
    hierarchy = build_hierarchy(
        GaussianModel(), series, formulas=["level ~ drug + (drug | participant)"]
    )
    draws = draw_prior(jax.random.key(0), hierarchy, 6)
    sites = {k: np.asarray(v).reshape(2, 3, *v.shape[1:]) for k, v in draws.items()}
    return Posterior(hierarchy, sites, {"diverging": np.zeros((2, 3))}, None, "prior")


@pytest.mark.filterwarnings("ignore")
def test_effects_have_names_and_survive_the_file(posterior, tmp_path):
    write_netcdf(posterior, tmp_path / "posterior.nc")
    tree = xarray.open_datatree(tmp_path / "posterior.nc", engine="h5netcdf")
    level = tree["posterior"]["level"]
    assert level.dims == ("chain", "draw", "level_effect")
    picked = level.sel(level_effect="drug[drug]")
    np.testing.assert_array_equal(picked, posterior.sites["level"][..., 1])
    assert tree["posterior"]["level_correlation"].shape == (2, 3, 2, 2)
    assert set(tree.children) == {"posterior", "sample_stats"}
