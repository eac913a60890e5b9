"""What a model holds on each trial, against filters written here from their papers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pcmodel.behaviour.perception import (
    Beliefs,
    Kalman,
    KalmanParameters,
    make_inputs,
    perceive,
)
from pcmodel.behaviour.perception.quantities import (
    logistic_learning_rate,
    perceived_quantities,
)

OUTCOME = np.array([1.0, 0.0, np.nan, 1.0, 1.0, 0.0])


def by_name(quantities):
    return {quantity.name: np.asarray(v) for quantity, v in quantities.items()}


def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


@pytest.mark.parametrize("x64", [True, False])
def test_a_kalman_filter_tells_its_gain_and_the_density_of_its_surprise(x64):
    outcome = np.array([2.0, -1.0, np.nan, 0.5])
    q, r = 0.3, 0.7
    with jax.enable_x64(x64):
        parameters = KalmanParameters(
            *(jnp.asarray(v) for v in (0.1, 0.0, -np.log(q), -np.log(r)))
        )
        inputs = make_inputs(outcome)
        trace = perceive(Kalman(), parameters, inputs)
        told = by_name(perceived_quantities(Kalman(), parameters, inputs, trace))
    mean, variance = 0.1, 1.0
    close = {"rtol": 1e-10 if x64 else 1e-5}
    for t, y in enumerate(outcome):
        wide = variance + q
        np.testing.assert_allclose(told["prediction_level1"][t], mean, **close)
        np.testing.assert_allclose(
            told["prediction_precision_level1"][t], 1 / wide, **close
        )
        if np.isnan(y):
            variance = wide
            for name in (
                "learning_rate",
                "prediction_error",
                "surprise",
                "weighted_error_level1",
            ):
                assert np.isnan(told[name][t]), name
        else:
            gain, error = wide / (wide + r), y - mean
            surprise = 0.5 * (error**2 / (wide + r) + np.log(2 * np.pi * (wide + r)))
            np.testing.assert_allclose(told["learning_rate"][t], gain, **close)
            np.testing.assert_allclose(told["prediction_error"][t], error, **close)
            np.testing.assert_allclose(told["surprise"][t], surprise, **close)
            np.testing.assert_allclose(
                told["weighted_error_level1"][t],
                gain * error,
                rtol=close["rtol"] * 10,
                atol=1e-6,
            )
            mean, variance = mean + gain * error, (1 - gain) * wide
        np.testing.assert_allclose(told["belief_level1"][t], mean, **close)
        np.testing.assert_allclose(
            told["belief_precision_level1"][t], 1 / variance, **close
        )


class Plain:
    """A model that does not say how it learns; its level is the outcome's, or is not."""

    def __init__(self, scale):
        self.scale = scale

    def init(self, parameters):
        return Beliefs((jnp.asarray(0.25),), (), jnp.asarray(True))

    def predict(self, parameters, beliefs):
        from pcmodel.behaviour.perception import Prediction

        return Prediction(self.scale * beliefs.mean[0], beliefs.mean, (), ())

    def update(self, parameters, beliefs, prediction, trial):
        return beliefs._replace(
            mean=(beliefs.mean[0] + 0.4 * (trial.outcome - beliefs.mean[0]),)
        )

    def log_evidence(self, parameters, prediction, trial):
        return jnp.zeros(())


def test_a_rate_that_a_model_does_not_tell_is_had_from_its_trace_or_is_missing():
    """Prevents a rate in units of another level: it is known where the lowest level is the outcome's."""
    inputs = make_inputs(np.array([1.0, 0.25 + 0.4 * 0.75, 0.0]))
    for scale, known in ((1.0, True), (2.0, False)):
        model = Plain(scale)
        trace = perceive(model, None, inputs)
        rate = by_name(perceived_quantities(model, None, inputs, trace))[
            "learning_rate"
        ]
        if known:
            np.testing.assert_allclose(rate[[0, 2]], 0.4, rtol=1e-5)
            assert np.isnan(rate[1])  # no error to follow
        else:
            assert np.isnan(rate).all()


def test_the_rate_of_log_odds_loses_no_digits():
    """Against the difference of logistic functions, and its limit where the error vanishes."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        before = rng.normal(scale=3.0, size=200)
        step = 10.0 ** rng.uniform(-3, 1, 200)
        error = rng.uniform(-1, 1, 200)
        after = before + step * error
        found = np.asarray(jax.vmap(logistic_learning_rate)(before, after, step))
        plain = (logistic(after) - logistic(before)) / error
        np.testing.assert_allclose(found, plain, rtol=1e-9)
        for size in (1e-8, 1.0, 1e8):
            at = jnp.asarray(0.3)
            same = float(logistic_learning_rate(at, at, jnp.asarray(size)))
            p = logistic(0.3)
            np.testing.assert_allclose(same, size * p * (1 - p), rtol=1e-12)
            far = float(
                logistic_learning_rate(
                    jnp.asarray(-size), jnp.asarray(size), jnp.asarray(2 * size)
                )
            )
            p = np.tanh(size / 2)  # s(size) - s(-size), for an error of 1
            np.testing.assert_allclose(far, p, rtol=1e-9)
