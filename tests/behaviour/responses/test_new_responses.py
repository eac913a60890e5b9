"""Predictions that may repeat, detection between prior and senses, and choice traces: formulas, masses and draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from pcmodel.behaviour.responses import (
    ChoiceParameters,
    DetectionParameters,
    PredictionParameters,
    choice_log_probabilities,
    detection_log_likelihood,
    draw_detection,
    draw_prediction,
    prediction_log_likelihood,
    traced_log_probabilities,
    update_trace,
)
from pcmodel.behaviour.responses.detection import percept

MANY = 20000
STICKY = PredictionParameters(*(jnp.asarray(v) for v in (-0.7, 0.8, 0.4)))


def predicted(prediction, *, mean=1.3, previous=0.9, can_stay=True):
    value = prediction_log_likelihood(
        STICKY,
        mean=jnp.asarray(mean),
        previous=jnp.asarray(previous),
        can_stay=jnp.asarray(can_stay),
        prediction=jnp.asarray(prediction),
    )
    return float(value)


def test_a_prediction_is_a_repeat_or_gaussian():
    stay = expit(0.8 - np.exp(0.4) * 0.4)
    moved = stats.norm(1.3, np.exp(-0.7))
    assert predicted(0.9) == pytest.approx(np.log(stay), abs=1e-12)
    expected = np.log1p(-stay) + moved.logpdf(2.0)
    assert predicted(2.0) == pytest.approx(expected, abs=1e-12)
    assert predicted(0.9, can_stay=False) == pytest.approx(moved.logpdf(0.9), abs=1e-12)


def test_repeats_and_other_predictions_have_all_the_probability():
    density = integrate.quad(lambda y: np.exp(predicted(y)), -2.0, 5.0, epsabs=1e-9)[0]
    assert density + np.exp(predicted(0.9)) == pytest.approx(1.0, abs=1e-6)


def test_at_the_threshold_half_are_repeats():
    """a / c, the distance of the belief at which the logit is 0."""
    threshold = 0.8 / np.exp(0.4)
    for sign in (-1.0, 1.0):
        value = predicted(0.9, mean=0.9 + sign * threshold)
        assert np.exp(value) == pytest.approx(0.5, abs=1e-12)


def test_predictions_are_drawn_as_they_are_scored(getkey):
    drawn = np.asarray(
        draw_prediction(
            getkey(),
            STICKY,
            mean=jnp.full(MANY, 1.3),
            previous=jnp.full(MANY, 0.9),
            can_stay=jnp.arange(MANY) % 2 == 0,
        )
    )
    repeats = drawn == 0.9
    assert not repeats[1::2].any()
    stay = expit(0.8 - np.exp(0.4) * 0.4)
    half = MANY / 2
    assert abs(repeats.sum() - half * stay) < 4.5 * np.sqrt(half * stay * (1 - stay))
    assert (
        stats.kstest(drawn[~repeats], stats.norm(1.3, np.exp(-0.7)).cdf).pvalue > 1e-4
    )


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_predictions_far_from_the_belief_have_finite_slopes(dtype):
    def total(parameters, mean):
        return prediction_log_likelihood(
            parameters,
            mean=jnp.full(4, mean),
            previous=jnp.zeros(4, dtype),
            can_stay=jnp.ones(4, bool),
            prediction=jnp.asarray([0.0, 1e-8, 1e6, -1e6], dtype),
        ).sum()

    parameters = jax.tree.map(lambda x: x.astype(dtype), STICKY)
    for mean in (0.0, 1e-8, -1e6, 1e6):
        value, slopes = jax.value_and_grad(total, argnums=(0, 1))(
            parameters, jnp.asarray(mean, dtype)
        )
        assert np.isfinite(value) and value.dtype == dtype
        assert all(np.isfinite(s) for s in jax.tree.leaves(slopes))


def powers(mu, sensed, nu, beta, response):
    """TAPAS `condhalluc_obs2`, term by term."""
    x = mu + 1 / (1 + nu) * (sensed - mu)
    return -np.log(1 + np.exp(-beta * (2 * x - 1) * (2 * response - 1)))


def detection(nu, beta):
    return DetectionParameters(jnp.log(jnp.asarray(nu)), jnp.log(jnp.asarray(beta)))


def test_detection_is_the_published_formula():
    rng = np.random.default_rng(1)
    mu, sensed = rng.random(50), rng.choice([0.0, 0.25, 0.5, 0.75], 50)
    response = rng.integers(0, 2, 50).astype(float)
    for nu, beta in ((0.2, 3.0), (1.0, 48.0), (6.0, 0.5)):
        found = detection_log_likelihood(
            detection(nu, beta), *map(jnp.asarray, (mu, sensed, response))
        )
        np.testing.assert_allclose(
            found, powers(mu, sensed, nu, beta, response), rtol=1e-8, atol=1e-13
        )


def test_nu_weighs_the_prior_against_the_senses():
    mu, sensed = jnp.asarray(0.8), jnp.asarray(0.1)
    assert float(percept(jnp.asarray(0.0), mu, sensed)) == pytest.approx(0.45)
    assert float(percept(jnp.asarray(40.0), mu, sensed)) == pytest.approx(0.8)
    assert float(percept(jnp.asarray(-40.0), mu, sensed)) == pytest.approx(0.1)


def test_detections_are_drawn_as_they_are_scored(getkey):
    parameters = detection(2.0, 3.0)
    mu, sensed = jnp.full(MANY, 0.7), jnp.full(MANY, 0.25)
    count = int(draw_detection(getkey(), parameters, mu, sensed).sum())
    chance = np.exp(powers(0.7, 0.25, 2.0, 3.0, 1.0))
    assert abs(count - MANY * chance) < 4.5 * np.sqrt(MANY * chance * (1 - chance))


@pytest.mark.parametrize("nu", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("beta", [1e-8, 1.0, 1e8])
def test_detection_is_finite_for_any_weight(nu, beta):
    def total(parameters, mu):
        response = jnp.asarray([0.0, 1.0])
        pair = (jnp.full(2, mu), jnp.full(2, 0.3))
        return detection_log_likelihood(parameters, *pair, response).sum()

    for mu in (0.0, 1e-8, 0.5, 1.0):
        value, slopes = jax.value_and_grad(total, argnums=(0, 1))(
            detection(nu, beta), jnp.asarray(mu)
        )
        assert np.isfinite(value)
        assert all(np.isfinite(s) for s in jax.tree.leaves(slopes))


CHOOSER = ChoiceParameters(*(jnp.asarray(v) for v in (0.5, 0.9, -3.0)))
VALUES = jnp.asarray([0.2, 0.7, 0.4])


def test_a_trace_of_the_last_choice_alone_is_stickiness():
    trace = update_trace(
        jnp.asarray([0.1, 0.4, 0.2]),
        jnp.asarray(1),
        jnp.asarray(True),
        jnp.asarray(1.0),
    )
    np.testing.assert_array_equal(trace, [0.0, 1.0, 0.0])
    np.testing.assert_allclose(
        traced_log_probabilities(CHOOSER, VALUES, trace),
        choice_log_probabilities(CHOOSER, VALUES, jnp.asarray(1)),
        rtol=1e-12,
    )


def test_a_trace_decays_and_weighs_by_hand():
    trace = jnp.zeros(3)
    for choice, made in ((0, True), (2, True), (1, False)):
        trace = update_trace(
            trace, jnp.asarray(choice), jnp.asarray(made), jnp.asarray(0.25)
        )
    np.testing.assert_allclose(trace, [0.25 * 0.75, 0.0, 0.25], rtol=1e-12)
    weight = np.exp(np.exp(0.5) * np.asarray(VALUES) + 0.9 * np.asarray(trace))
    expected = (1 - expit(-3.0)) * weight / weight.sum() + expit(-3.0) / 3
    found = np.exp(traced_log_probabilities(CHOOSER, VALUES, trace))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
