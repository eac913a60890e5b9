"""The matched rivals, and what an experimenter sees of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour import Agent, ParticipantParameters
from pcmodel.behaviour.change_point.model_free import learning_rate_curve, updates_of
from pcmodel.behaviour.change_point.rivals import mean_confidence, simulate_rivals
from pcmodel.behaviour.change_point.task import make_trials
from pcmodel.data.helicopter import load_helicopter


@pytest.fixture(scope="module")
def rivals():
    values = (-1.6, 0.0, 1.1, 4.3, 2.5, 1.4, -1.7, -0.5, -0.9)
    return simulate_rivals(
        jax.random.key(0),
        ParticipantParameters(*(jnp.asarray(v) for v in values)),
        agent=Agent(),
        shift=1.0,
        num_participants=40,
        num_trials=100,
    )


def test_rivals_agree_in_mean_update(rivals):
    target = rivals["prior relaxed"].mean_update
    assert target > 1.03 * rivals["baseline"].mean_update
    for name in ("senses raised", "responses noisier"):
        assert rivals[name].mean_update == pytest.approx(target, rel=0.005)


def test_confidence_tells_relaxed_priors_from_raised_senses(rivals):
    base, relaxed, raised = (
        mean_confidence(rivals[name], noise_sd=25.0).mean()
        for name in ("baseline", "prior relaxed", "senses raised")
    )
    assert relaxed < base < raised


def test_learning_rate_is_one_when_reports_follow_the_outcome():
    data = load_helicopter()
    names = "outcome report noise_sd helicopter helicopter_seen block_start".split()
    trials = make_trials(**{name: getattr(data, name)[:2, :20] for name in names})
    follow = jnp.concatenate([trials.report[:, :1], trials.outcome[:, :-1]], axis=1)
    updates = updates_of(trials._replace(report=follow))
    product, square = learning_rate_curve(updates, noise_sd=10.0)
    np.testing.assert_allclose(product, square)
