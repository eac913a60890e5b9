"""A participant's trial is the package's own inference on a two-level hierarchy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pcmodel
from pcmodel.behaviour import Agent, run_participant
from pcmodel.behaviour.change_point.participant import (
    assimilate,
    assumed_precisions,
    sense,
)
from tests.behaviour.change_point.textbook import meet


def hierarchy_posterior(*, mean, variance, observation, observation_variance):
    """Outcome below, position on top, the carried belief as the top's prior."""
    network = pcmodel.linear_gaussian([np.eye(1)], [1.0 / observation_variance, 1.0])
    prior = pcmodel.Belief.of(np.asarray([mean]), 1.0 / variance)
    return pcmodel.posterior(network, jnp.asarray([observation]), prior=prior)


NUMBERS = [(150.0, 80.0, 171.0, 120.0), (30.0, 2e4, 290.0, 6.0)]
NAMES = ("mean", "variance", "observation", "observation_variance")


def update(mean, variance, observation, noise):
    return assimilate(
        mean=jnp.asarray(mean),
        log_precision=-jnp.log(variance),
        observation=jnp.asarray(observation),
        sensory=-jnp.log(noise),
    )


@pytest.mark.parametrize("numbers", NUMBERS)
def test_one_observation_equals_the_textbook_and_the_network(numbers):
    """Prevents a participant from revising by other rules than the package's networks."""
    found = update(*numbers)
    np.testing.assert_allclose(np.asarray(found), meet(*numbers), rtol=1e-10)
    exact = hierarchy_posterior(**dict(zip(NAMES, numbers, strict=True)))
    network = (exact.mean[1][0], exact.variances[1][0], exact.log_evidence)
    np.testing.assert_allclose(np.asarray(found), np.asarray(network), rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("transform", [jax.jacfwd, jax.jacrev])
def test_derivatives_of_an_update_equal_those_of_the_textbook(transform):
    """Prevents a sampler from following another slope than the density's."""
    names = (0, 1, 2, 3)

    def textbook(mean, variance, observation, noise):
        total = variance + noise
        gain = variance / total
        evidence = -0.5 * (
            (observation - mean) ** 2 / total + jnp.log(2 * jnp.pi * total)
        )
        return mean + gain * (observation - mean), gain * noise, evidence

    numbers = tuple(jnp.asarray(x) for x in NUMBERS[0])
    found = transform(update, argnums=names)(*numbers)
    expected = transform(textbook, argnums=names)(*numbers)
    np.testing.assert_allclose(
        np.asarray(tuple(found)), np.asarray(expected), rtol=1e-8, atol=1e-12
    )


def test_senses_met_in_either_order_give_one_answer(parameters, trials, columns):
    """A seen helicopter and an outcome: belief, outcome, helicopter, one at a time."""
    shown = int(np.flatnonzero(columns["helicopter_seen"])[0])
    trial = jax.tree.map(lambda a: a[shown], trials)
    precisions = assumed_precisions(parameters, trial.noise_sd)
    outcome, sighting = (float(jnp.exp(-p)) for p in precisions)
    sensed = sense(trial, precisions)
    found = update(120.0, 90.0, sensed.mean, sensed.variance)
    first = meet(120.0, 90.0, float(trial.outcome), outcome)
    second = meet(first[0], first[1], float(trial.helicopter), sighting)
    assert float(found.mean) == pytest.approx(second[0], rel=1e-10)
    assert float(found.variance) == pytest.approx(second[1], rel=1e-10)
    evidence = float(found.log_evidence + sensed.log_evidence) + np.log(300.0)
    assert evidence == pytest.approx(first[2] + second[2], rel=1e-10)


def test_a_change_point_trial_built_from_the_public_interface(parameters, trials):
    """Each cause has the hierarchy's posterior and evidence; Bayes weighs them."""
    trials = trials._replace(helicopter_seen=jnp.zeros(40, bool))
    run = run_participant(parameters, trials, agent=Agent())
    variance = jnp.exp(-assumed_precisions(parameters, trials.noise_sd).outcome)
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
