"""A participant's trial is the package's own inference on a two-level hierarchy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pcmodel
from pcmodel.behaviour import Agent, run_participant
from pcmodel.behaviour.participant import assimilate, assumed_variances


def hierarchy_posterior(*, mean, variance, observation, observation_variance):
    """Outcome below, position on top, the carried belief as the top's prior."""
    network = pcmodel.linear_gaussian([np.eye(1)], [1.0 / observation_variance, 1.0])
    prior = pcmodel.Belief.of(np.asarray([mean]), 1.0 / variance)
    return pcmodel.posterior(network, jnp.asarray([observation]), prior=prior)


@pytest.mark.parametrize(
    "numbers", [(150.0, 80.0, 171.0, 120.0), (30.0, 2e4, 290.0, 6.0)]
)
def test_one_observation_equals_the_hierarchy(numbers):
    names = ("mean", "variance", "observation", "observation_variance")
    values = dict(zip(names, numbers, strict=True))
    exact = hierarchy_posterior(**values)
    found = assimilate(**{k: jnp.asarray(v) for k, v in values.items()})
    assert float(found.mean) == pytest.approx(float(exact.mean[1][0]), rel=1e-10)
    assert float(found.variance) == pytest.approx(
        float(exact.variances[1][0]), rel=1e-10
    )
    assert float(found.log_evidence) == pytest.approx(
        float(exact.log_evidence), rel=1e-10
    )


def test_a_change_point_trial_built_from_the_public_interface(parameters, trials):
    """Each cause has the hierarchy's posterior and evidence; Bayes weighs them."""
    trials = trials._replace(helicopter_seen=jnp.zeros(40, bool))
    run = run_participant(parameters, trials, agent=Agent())
    variance = assumed_variances(parameters, trials.noise_sd).outcome
    hazard = float(jax.nn.sigmoid(parameters.hazard_logit))
    for t in (5, 10, 27):
        kept = hierarchy_posterior(
            mean=float(run.prior_mean[t]),
            variance=float(run.prior_variance[t]),
            observation=float(trials.outcome[t]),
            observation_variance=float(variance[t]),
        )
        moved = hazard / 300.0
        stayed = (1.0 - hazard) * np.exp(float(kept.log_evidence))
        change = moved / (moved + stayed)
        mean, own = float(trials.outcome[t]), float(variance[t])
        still, spread = float(kept.mean[1][0]), float(kept.variances[1][0])
        mixed = change * own + (1 - change) * spread
        mixed += change * (1 - change) * (mean - still) ** 2
        assert float(run.change_probability[t]) == pytest.approx(change, rel=1e-8)
        assert float(run.belief_mean[t]) == pytest.approx(
            change * mean + (1 - change) * still, rel=1e-8
        )
        assert float(run.belief_variance[t]) == pytest.approx(mixed, rel=1e-8)
