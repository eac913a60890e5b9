"""Learners without causes: closed forms, the latent-cause model's limit, and the posterior of a linear regression."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.errors import UserError
from pcmodel.memory import (
    CauseParameters,
    RescorlaWagnerParameters,
    SingleCauseParameters,
    learn_causes,
    learn_single_cause,
    learn_values,
    make_trials,
)
from pcmodel.memory.trials import pad_trials


def random_trials(seed, count=9, features=3, **extra):
    rng = np.random.default_rng(seed)
    return make_trials(
        np.cumsum(rng.uniform(0.5, 9, count)),
        rng.normal(size=count),
        rng.normal(size=(count, features)),
        learning_gain=rng.uniform(0, 2, count),
        outcome_gain=rng.uniform(0.3, 3, count),
        **extra,
    )


@pytest.mark.parametrize("seed", range(5))
def test_rescorla_wagner_is_the_limit_of_no_concentration(seed):
    """The limit itself, and on the way to it: the difference falls with the concentration."""
    trials = random_trials(seed, amnesia=np.linspace(0, 0.4, 9))
    plain = learn_values(
        trials, RescorlaWagnerParameters(learning_rate=0.1, initial_weight=0.2)
    )
    gaps = []
    for alpha in (1e-6, 1e-9, 1e-12, 0.0):
        own = CauseParameters(
            concentration=alpha, learning_rate=0.1, initial_weight=0.2
        )
        found = learn_causes(trials, own)
        gaps.append(float(np.abs(found.prediction - plain.prediction).max()))
    assert gaps[3] < 1e-13 and gaps[2] < 1e-9
    assert gaps[0] > gaps[1] > gaps[2] > gaps[3]
    np.testing.assert_allclose(found.weights[:, -1, :, 0], plain.weights, atol=1e-13)


def test_rescorla_wagner_approaches_as_a_power():
    trials = make_trials(np.arange(8.0), np.ones(8), np.ones(8))
    found = learn_values(trials, RescorlaWagnerParameters(0.3), max_iterations=1)
    np.testing.assert_allclose(found.prediction, 1 - 0.7 ** np.arange(8), atol=1e-14)
    assert not np.any(found.variances)


@pytest.mark.parametrize("seed", range(4))
def test_without_drift_a_single_cause_is_bayesian_regression(seed):
    """The posterior of all trials at once, by normal equations."""
    trials = random_trials(seed)._replace(learning_gain=jnp.ones(9))
    p = SingleCauseParameters(0.3, 2.0, 0.0, 0.7)
    found = learn_single_cause(trials, p)
    x, r = np.asarray(trials.stimuli), np.asarray(trials.outcome)
    precision = np.exp(0.7) * np.asarray(trials.outcome_gain)
    for t in range(9):
        seen, weight = x[: t + 1], precision[: t + 1]
        posterior = np.linalg.inv(np.eye(3) / 2.0 + (seen.T * weight) @ seen)
        mean = posterior @ (np.full(3, 0.3) / 2.0 + seen.T @ (weight * r[: t + 1]))
        np.testing.assert_allclose(found.weights[t], mean, atol=1e-10)
        np.testing.assert_allclose(found.variances[t], np.diag(posterior), atol=1e-10)


def test_drift_widens_by_time():
    trials = make_trials([0.0, 10.0], [1.0, 1.0], [1.0, 0.0])
    found = learn_single_cause(
        trials, SingleCauseParameters(0.0, 1.0, 0.5, -np.log(1.0))
    )
    np.testing.assert_allclose(found.variances[:, 0], [0.5, 5.5])


def test_one_cause_shows_no_recovery_after_retrieval_or_without():
    """What the rivals cannot do: what is extinguished stays so, however long it takes."""
    time = np.r_[np.arange(3), 23 + np.arange(19), 300]
    trials = make_trials(time, np.r_[np.ones(3), np.zeros(20)], np.ones(23))
    for found in (learn_values(trials), learn_single_cause(trials)):
        # The last extinction trial moves both a little further down.
        assert found.prediction[-1] <= found.prediction[-2] + 1e-6


@pytest.mark.parametrize("learn", [learn_values, learn_single_cause])
def test_absent_trials_and_batches(learn):
    trials = random_trials(3)
    alone = learn(trials)
    padded = learn(pad_trials(trials, 13))
    np.testing.assert_array_equal(padded.prediction[:9], alone.prediction)
    assert not np.any(padded.prediction[9:]) and not np.any(padded.response[9:])
    both = jax.tree.map(lambda a: jnp.stack([a, a]), trials)
    np.testing.assert_allclose(
        jax.vmap(learn)(both).prediction[1], alone.prediction, atol=1e-14
    )
    with pytest.raises(UserError, match="leading axes"):
        learn(both)


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "3", None])
def test_iterations_that_cannot_be_are_refused(wrong):
    """Prevents a learner that learns nothing without a word."""
    with pytest.raises(UserError, match="max_iterations"):
        learn_values(random_trials(0), max_iterations=wrong)


@pytest.mark.parametrize("learn", [learn_values, learn_single_cause, learn_causes])
def test_what_is_no_trials_is_refused_in_a_sentence(learn):
    with pytest.raises(UserError, match="trials"):
        learn([0.0, 1.0])
    with pytest.raises(UserError, match="parameters"):
        learn(random_trials(0), {"learning_rate": 0.3})


@pytest.mark.parametrize(
    ("learn", "kind"),
    [
        (learn_values, RescorlaWagnerParameters),
        (learn_single_cause, SingleCauseParameters),
    ],
)
def test_several_numbers_for_one_parameter_are_refused(learn, kind):
    """Prevents that a threshold of each animal is taken for one of each trial."""
    with pytest.raises(UserError, match="response_threshold: has the shape"):
        learn(random_trials(0), kind(response_threshold=np.zeros(9)))
    with pytest.raises(UserError, match="initial_weight: has the shape"):
        learn(random_trials(0), kind(initial_weight=np.zeros(2)))
    assert learn(random_trials(0), kind(initial_weight=np.zeros(3))).weights.shape[1]


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
def test_extremes_of_the_single_cause(size):
    for p in (
        SingleCauseParameters(initial_variance=size),
        SingleCauseParameters(drift=size),
        SingleCauseParameters(outcome_log_precision=float(np.log(size))),
    ):
        for wide in (True, False):
            with jax.enable_x64(wide):
                found = learn_single_cause(random_trials(1), p)
                assert not found.diverged
                assert np.all(np.asarray(found.variances) > -1e-4 * size)
                if wide:
                    exact = found
        np.testing.assert_allclose(
            found.prediction, exact.prediction, atol=2e-2, rtol=2e-2
        )


@pytest.mark.parametrize(
    ("learn", "wrong"),
    [
        (learn_values, RescorlaWagnerParameters(learning_rate=-1.0)),
        (learn_values, RescorlaWagnerParameters(response_scale=0.0)),
        (learn_single_cause, SingleCauseParameters(drift=-1.0)),
        (learn_single_cause, SingleCauseParameters(initial_variance=np.nan)),
    ],
)
def test_bad_parameters_are_refused(learn, wrong):
    with pytest.raises(UserError):
        learn(random_trials(0), wrong)


def test_a_rate_that_overshoots_is_told():
    trials = make_trials(np.arange(60.0), np.ones(60), np.full(60, 1e8))
    assert learn_values(trials, RescorlaWagnerParameters(1e8)).diverged
