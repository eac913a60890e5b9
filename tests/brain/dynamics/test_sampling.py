"""Samples over time: exact transitions, agreement within Monte Carlo error, and Langevin steps of any hierarchy."""

import jax
import numpy as np
import pytest
import scipy.linalg
from brain_modules import maps_of, one_brain, precisions_of, small_brain

from pcmodel import Modulation, relax
from pcmodel.brain.dynamics import (
    EyesClosed,
    Film,
    FixedStimulus,
    LangevinOptions,
    correlation_times,
    langevin,
    linear_activity,
    sample_activity,
)
from pcmodel.brain.dynamics.sampling import transition
from pcmodel.errors import UserError

BRAIN = small_brain()
FILM = linear_activity(BRAIN, Film(variance=1.5))


@pytest.mark.parametrize("step", [1e-8, 1e-4, 0.1, 10.0, 1e8])
def test_transitions_are_exact_at_any_step(step):
    """What is added is S - F S F'; over a tiny step, where that has no digits, it is Q h."""
    found = transition(FILM, step)
    whole = FILM.covariance
    move = scipy.linalg.expm(-FILM.drift * step)
    np.testing.assert_allclose(found.factor, move, atol=1e-10)
    np.testing.assert_allclose(
        found.covariance, whole - move @ whole @ move.T, atol=1e-9
    )
    if step == 1e-8:
        np.testing.assert_allclose(
            found.covariance, FILM.diffusion * step, rtol=1e-5, atol=1e-12
        )


def test_samples_have_the_stationary_covariance_within_monte_carlo_error():
    """Far apart in time they are independent: each entry within five standard errors of (s_ii s_jj + s_ij^2) / n."""
    samples = np.asarray(
        sample_activity(FILM, jax.random.key(1), step=30.0, num_samples=20_000)
    )
    expected = FILM.activity_covariance()
    spread = np.outer(np.diag(expected), np.diag(expected)) + expected**2
    error = np.sqrt(spread / len(samples))
    assert np.abs((np.cov(samples.T) - expected) / error).max() < 5
    assert (
        np.abs((np.cov(samples.T) - 1.1 * expected) / error).max() > 5
    )  # is told apart


def test_samples_near_in_time_have_the_lagged_covariance():
    samples = np.asarray(
        sample_activity(FILM, jax.random.key(2), step=0.2, num_samples=60_000)
    )
    expected = FILM.read @ transition(FILM, 0.2).factor @ FILM.covariance @ FILM.read.T
    found = samples[1:].T @ samples[:-1] / (len(samples) - 1)
    np.testing.assert_allclose(found, expected, atol=0.08)
    assert np.abs(expected - expected.T).max() > 0.005  # a film has a direction in time


def test_langevin_steps_of_a_linear_hierarchy_agree_with_the_exact_process():
    modulation = Modulation({"default": 0.5}, temperature=0.7)
    exact = linear_activity(BRAIN, Film(), modulation=modulation, temperature=2.0)
    path = langevin(
        BRAIN,
        Film(),
        jax.random.key(3),
        step=0.1,
        num_samples=40_000,
        modulation=modulation,
        temperature=2.0,
        options=LangevinOptions(steps=8),
    )
    assert path.is_faithful
    found = np.cov(np.asarray(path.state).T)
    scale = np.sqrt(np.diag(exact.activity_covariance()))
    assert (
        np.abs((found - exact.activity_covariance()) / np.outer(scale, scale)).max()
        < 0.12
    )


def test_a_squashed_hierarchy_has_the_law_of_its_energy():
    """One sense, one cause below the top, one top: moments by summing over a grid."""
    brain = squashed_brain()
    found = langevin(
        brain,
        FixedStimulus({"sight": np.array([1.5])}),
        jax.random.key(4),
        step=1.0,
        num_samples=30_000,
        options=LangevinOptions(steps=15),
    )
    assert found.is_faithful
    mean, covariance = by_grid(brain, 1.5)
    states = np.asarray(found.state)
    np.testing.assert_allclose(states.mean(axis=0), mean, atol=0.05)
    np.testing.assert_allclose(np.cov(states.T), covariance, atol=0.08)


def squashed_brain():
    import jax.numpy as jnp
    from brain_modules import Module

    from pcmodel.brain.dynamics import BrainPlan, brain_hierarchy

    modules = {
        "sight": Module(1, ("visual",), 0.5),
        "visual": Module(1, ("default",), 0.5, "visual"),
        "default": Module(1, (), 0.5, "default"),
    }
    brain = brain_hierarchy(
        jax.random.key(1),
        modules=modules,
        plan=BrainPlan(units=1, examples=300),
        squashed=True,
    )
    brain.network.layers[0].weight[...] = jnp.full((1, 1), 1.7)  # far from linear
    return brain


def by_grid(brain, seen):
    network = brain.network
    (w0, w1) = (float(layer.weight[...][0, 0]) for layer in network.layers)
    (b0, b1) = (float(layer.bias[...][0]) for layer in network.layers)
    p0, p1, p2 = np.diag(precisions_of(network))
    prior = float(network.prior_mean[...][0])
    x, top = np.meshgrid(
        np.linspace(-8, 8, 801), np.linspace(-8, 8, 801), indexing="ij"
    )
    energy = 0.5 * (
        p0 * (seen - w0 * np.tanh(x) - b0) ** 2
        + p1 * (x - w1 * top - b1) ** 2
        + p2 * (top - prior) ** 2
    )
    mass = np.exp(-energy)
    mass /= mass.sum()
    mean = np.array([(mass * x).sum(), (mass * top).sum()])
    rows = np.stack([(x - mean[0]).ravel(), (top - mean[1]).ravel()])
    return mean, (rows * mass.ravel()) @ rows.T


def test_steps_that_are_too_long_are_told():
    options = LangevinOptions(steps=1, corrected=False, settling=0)
    found = langevin(
        BRAIN,
        EyesClosed(),
        jax.random.key(5),
        step=5.0,
        num_samples=50,
        options=options,
    )
    assert not found.is_faithful


def test_without_the_test_small_steps_say_what_it_would_have_accepted():
    options = LangevinOptions(steps=20, corrected=False)
    found = langevin(
        BRAIN,
        EyesClosed(),
        jax.random.key(6),
        step=0.05,
        num_samples=400,
        options=options,
    )
    assert 0.9 < float(found.acceptance) < 1


def test_one_seed_is_one_path():
    one, other = (
        np.asarray(sample_activity(FILM, jax.random.key(7), step=0.1, num_samples=5))
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"step": 0.0}, "step"),
        ({"step": np.nan}, "step"),
        ({"num_samples": 0}, "num_samples"),
        ({"num_samples": 10**9}, "memory"),
        ({"modulation": Modulation(top_down=0.5)}, "modulation"),
        ({"modulation": Modulation(error_transmission={"visual": 0.5})}, "modulation"),
        ({"modulation": Modulation(temperature=0.0)}, "temperature"),
        ({"modulation": relax("ear", 0.5)}, "ear"),
    ],
)
def test_what_langevin_cannot_do_is_refused_in_a_sentence(options, words):
    given = {"step": 0.1, "num_samples": 10} | options
    with pytest.raises(UserError, match=words):
        langevin(BRAIN, EyesClosed(), jax.random.key(0), **given)


def test_one_unit_diffuses_as_its_equation_says():
    """Lag-one correlation e^(-a h) of one unit."""
    brain = one_brain()
    found = linear_activity(brain, FixedStimulus())
    weight = float(maps_of(brain.network)[0, 1])
    low, high = np.diag(precisions_of(brain.network))
    rate = (high + weight**2 * low) / (0.5 * high)
    np.testing.assert_allclose(transition(found, 0.3).factor[0, 0], np.exp(-rate * 0.3))


def test_correlation_times_are_integrals_of_the_autocorrelation():
    """Of every activity under a film, by the matrix exponential on a grid; one unit alone has 1 / rate."""
    found = correlation_times(FILM, FILM.read)
    step = 0.002
    move = scipy.linalg.expm(-FILM.drift * step)
    state, total = FILM.covariance @ FILM.read.T, 0.0
    start = np.sum(FILM.read.T * state, axis=0)
    for place in range(8000):
        weight = 0.5 if place == 0 else 1.0
        total = total + weight * np.sum(FILM.read.T * state, axis=0) / start
        state = move @ state
    np.testing.assert_allclose(found, step * total, rtol=2e-3)
    alone = linear_activity(
        one_brain(), FixedStimulus(), time_constants={"visual": 3.0}
    )
    np.testing.assert_allclose(
        correlation_times(alone, alone.read), 1 / np.diag(alone.drift)
    )
    with pytest.raises(UserError, match="variance"):
        correlation_times(FILM, 0 * FILM.read)
    with pytest.raises(UserError, match="read"):
        correlation_times(FILM, np.ones((1, 3)))
