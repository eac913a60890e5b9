"""The haemodynamic response against direct sums, and limits."""

import jax
import numpy as np
import pytest
from brain_modules import one_brain, small_brain
from scipy.stats import gamma

from pcmodel.brain.dynamics import (
    EyesClosed,
    Film,
    FixedStimulus,
    HaemodynamicResponse,
    haemodynamic,
    haemodynamic_covariance,
    lagged_covariances,
    linear_activity,
    read_regions,
    sample_activity,
)
from pcmodel.brain.dynamics.read_out import region_means
from pcmodel.errors import UserError

RESPONSE = HaemodynamicResponse()


def test_the_canonical_response_is_the_usual_double_gamma():
    times = np.linspace(0.01, 31.9, 400)
    expected = gamma(6).pdf(times) - gamma(16).pdf(times) / 6
    np.testing.assert_allclose(
        RESPONSE(times), expected / (5 / 6), rtol=1e-10, atol=1e-14
    )
    assert times[RESPONSE(times).argmax()] == pytest.approx(5.0, abs=0.1)
    assert RESPONSE(-1.0) == RESPONSE(33.0) == 0


def test_its_transform_is_that_of_its_values():
    times = np.arange(0, 120, 0.01)
    free = HaemodynamicResponse(length=200.0)
    for angular in (0.0, 0.1, 0.5, 1.5):
        direct = np.sum(free(times) * np.exp(-1j * angular * times)) * 0.01
        np.testing.assert_allclose(RESPONSE.transfer(angular), direct, atol=1e-5)


@pytest.mark.parametrize("lag", [0.0, 2.0, 11.0])
def test_filtered_covariances_are_the_double_sum_over_the_response(lag):
    brain = small_brain()
    slow = dict.fromkeys(brain.modules, 2.0)  # so that the sum is fine enough
    activity = linear_activity(brain, Film(time_constant=2.0), time_constants=slow)
    read = read_regions(brain, activity)
    found = haemodynamic_covariance(activity, read.weights, lag=lag)
    step, number = 0.1, 600
    kernel = HaemodynamicResponse(length=60.0)(step * np.arange(number)) * step
    own = np.correlate(kernel, kernel, "full")  # of kernel_i kernel_j by i - j
    means = region_means(brain, activity.structure)[2]
    steps = number + round(lag / step)
    lagged = means @ lagged_covariances(activity, step, lags=steps) @ means.T
    total = np.zeros_like(found)
    for shift in range(-number + 1, number):
        k = round(lag / step) + shift
        total += own[shift + number - 1] * (lagged[k] if k >= 0 else lagged[-k].T)
    np.testing.assert_allclose(found, total, atol=3e-3 * np.abs(total).max())


def test_fast_activity_is_seen_by_its_power_at_rest():
    """Of one unit that settles far faster than the response: 2 s^2 / a times the response's energy."""
    brain = one_brain()
    activity = linear_activity(
        brain, FixedStimulus(), time_constants={"visual": 1e-4, "sight": 1e-4}
    )
    rate, variance = activity.drift[0, 0], activity.covariance[0, 0]
    times = np.arange(0.005, 32, 0.01)
    energy = np.sum(RESPONSE(times) ** 2) * 0.01
    found = haemodynamic_covariance(activity, np.ones((1, 1)))
    np.testing.assert_allclose(found, [[2 * variance / rate * energy]], rtol=1e-4)


def test_slow_activity_passes_whole():
    brain = one_brain()
    slow = {"visual": 1e5, "sight": 1e5}
    activity = linear_activity(brain, FixedStimulus(), time_constants=slow)
    found = haemodynamic_covariance(activity, np.ones((1, 1)))
    # A Lorentzian's tail lies beyond any band: its peak is narrower than the first frequencies.
    assert found[0, 0] == pytest.approx(activity.covariance[0, 0], rel=0.02)


def test_filtered_samples_have_the_filtered_covariance():
    brain = small_brain()
    activity = linear_activity(brain, EyesClosed())
    read = read_regions(brain, activity)
    samples = sample_activity(
        activity, jax.random.key(0), step=0.05, num_samples=160_000
    )
    means = region_means(brain, activity.structure)[2]
    bold = haemodynamic(means @ np.asarray(samples).T, step=0.05, repetition_time=1.0)
    expected = haemodynamic_covariance(activity, read.weights)
    scale = np.sqrt(np.diag(expected))
    found = np.cov(bold) / np.outer(scale, scale)
    assert np.abs(found - expected / np.outer(scale, scale)).max() < 0.15


def test_a_constant_and_a_huge_offset_come_through():
    flat = haemodynamic(np.full((1, 500), 1e8), step=0.1)
    np.testing.assert_allclose(flat, 1e8, rtol=1e-12)
    wave = np.sin(np.arange(2000) * 0.02)[None]
    moved = haemodynamic(wave + 1e8, step=0.1) - 1e8
    np.testing.assert_allclose(moved, haemodynamic(wave, step=0.1), atol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: haemodynamic(np.ones(500), step=0.1), "regions by times"),
        (lambda: haemodynamic(np.ones((2, 100)), step=0.1), "length of the response"),
        (lambda: haemodynamic(np.ones((2, 500)), step=0.3), "multiple"),
        (lambda: haemodynamic([[np.nan] * 500], step=0.1), "nan"),
        (lambda: HaemodynamicResponse(ratio=0.5), "ratio"),
        (lambda: HaemodynamicResponse(peak=0.0), "peak"),
    ],
)
def test_what_cannot_be_filtered_is_refused_in_a_sentence(call, words):
    with pytest.raises(UserError, match=f"(?i){words}"):
        call()
