"""Where chains begin: the Gaussians that stand for likelihoods, and what they may do to the group."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.hierarchy.hierarchical_model import build_hierarchy
from pcmodel.behaviour.sampling.initialisation import REACH, begin, second_order
from pcmodel.behaviour.sampling.nuts import Nuts, build_sampler
from tests.behaviour.gaussian import GaussianModel, make_series


@dataclass(frozen=True)
class SlopingModel(GaussianModel):
    """A likelihood that rises by 50 a trial for ever, and is bent nowhere."""

    def log_likelihood(self, values, data):
        return jnp.where(data.scored, 50.0 * values["level"], 0.0)


def hierarchy_of(model, responses):
    return build_hierarchy(model, make_series(responses))


@pytest.mark.slow
def test_a_normal_likelihood_is_its_own_gaussian():
    """Precision the number of responses, shift their sum less what is held."""
    responses = np.random.default_rng(0).normal(size=(3, 5))
    hierarchy = hierarchy_of(GaussianModel(), responses)
    at = jnp.asarray([[0.3], [-0.5], [1.0]])
    precision, shift = second_order(hierarchy, at, hierarchy.data)
    np.testing.assert_allclose(precision[:, 0, 0], 5.0, rtol=1e-6)
    np.testing.assert_allclose(shift[:, 0], (responses - 0.25).sum(axis=1), rtol=1e-6)


def test_a_likelihood_without_a_centre_gets_one_within_reach():
    """Prevents one person's slope from drawing the spread of all with it."""
    hierarchy = hierarchy_of(SlopingModel(), np.zeros((3, 5)))
    at = jnp.asarray([[0.3], [-0.5], [1.0]])
    precision, shift = second_order(hierarchy, at, hierarchy.data)
    centre = shift[:, 0] / precision[:, 0, 0]
    np.testing.assert_allclose(centre - at[:, 0], REACH, rtol=1e-6)


@pytest.mark.slow
def test_a_search_that_leaves_all_numbers_begins_at_the_last_place_that_was_one():
    """Prevents a fit from ending in a linear-algebra error before its first draw."""
    hierarchy = hierarchy_of(
        GaussianModel(), np.random.default_rng(1).normal(size=(3, 5))
    )
    sampler = build_sampler(hierarchy, Nuts(num_chains=1))
    calls = []

    def broken(at, frame):
        calls.append(frame)
        value, slopes = sampler.kernel.slope(
            at.group, at.people, (frame, hierarchy.data)
        )
        fails = float(jnp.abs(frame.stand_in.precision).max()) > 0.0
        return (jnp.nan if fails else value), slopes

    beginning = begin(hierarchy, sampler.finder, broken)
    assert np.isfinite(beginning.mode.flat()).all()
    assert float(jnp.abs(beginning.frame.stand_in.precision).max()) == 0.0
