"""A series of times as one hierarchy, with tied layers and precisions, against the Kalman filter and smoother.

States are levels, each the parent of its successor and of what is seen of it: the first state is the only top, and
every time has an end.  Nothing in the package knows of time, so agreement rests on ties, parents and ends alone.
"""

import numpy as np
import pytest
from directed import Numbers, Shape, shape_of
from directed_networks import network_of
from time_oracles import (
    System,
    draw_sequences,
    draw_system,
    filter_forward,
    log_likelihood,
    smooth,
)

import pcmodel
from pcmodel.inference import BlockTridiagonal, Dual, GaussNewton


def unrolled(system: System, length: int) -> tuple[Shape, Numbers]:
    """Levels: what is seen at times T..1, then states T..1; every layer and precision is the first one of its kind."""
    states, sensors = len(system.initial_mean), len(system.observation_noise)
    parents = {t: (length + t,) for t in range(length)}
    parents |= {length + t: (length + t + 1,) for t in range(length - 1)}
    owners = {t: 0 for t in range(length)}
    owners |= {length + t: length for t in range(length - 1)}
    shape = shape_of(
        (sensors,) * length + (states,) * length,
        parents,
        kinds=("full",) * (2 * length),
        clamped={t: () for t in range(length)},
        layers=owners,
        precisions=owners,
    )
    seen = [[system.emission]] * length
    moves = [[system.transition]] * (length - 1)
    offsets = [np.zeros(sensors)] * length + [np.zeros(states)] * (length - 1)
    noises = [system.observation_noise] * length + [system.process_noise] * (length - 1)
    precisions = [np.linalg.inv(noise) for noise in noises]
    precisions.append(np.linalg.inv(system.initial_covariance))
    return shape, Numbers(
        [*seen, *moves, []], [*offsets, system.initial_mean], precisions, {}, {}, []
    )


def posterior_of(system: System, data: np.ndarray, **options):
    """The unrolled network's posterior, and the names of the states in the order of time."""
    length = len(data)
    shape, numbers = unrolled(system, length)
    network = network_of(shape, numbers)
    names = shape.names
    ends = {names[t]: data[length - 1 - t] for t in range(length)}
    states = [names[2 * length - 1 - t] for t in range(length)]
    return network, pcmodel.posterior(network, ends, **options), states


@pytest.mark.parametrize(
    "solver",
    [
        pytest.param(BlockTridiagonal(), id="blocks"),
        pytest.param(Dual(), id="dual", marks=pytest.mark.slow),
    ],
)
def test_the_posterior_of_a_series_is_the_smoother(solver):
    """Means, variances, lag-one covariances and likelihood of three sensors and two states at three times."""
    rng = np.random.default_rng(0)
    system = draw_system(rng, 2, 3)
    (data,) = draw_sequences(rng, system, [3])
    exact = smooth(system, data)
    network, found, states = posterior_of(system, data, solver=GaussNewton(solver))
    assert found.result.converged
    means = dict(zip(network.names, found.mean, strict=True))
    for t, state in enumerate(states):
        np.testing.assert_allclose(means[state], exact.means[t], rtol=1e-9, atol=1e-9)
        own = found.covariance(state, state)
        np.testing.assert_allclose(own, exact.covariances[t], rtol=1e-8, atol=1e-10)
        if t:
            lag = found.covariance(state, states[t - 1])
            np.testing.assert_allclose(lag, exact.lag_one[t - 1], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.log_evidence, exact.log_likelihood, rtol=1e-10)


@pytest.mark.slow
def test_a_sequence_cut_off_is_filtered():
    """The last state of every beginning has the filter's moments, and evidences add up."""
    rng = np.random.default_rng(1)
    system = draw_system(rng, 1, 2)
    (data,) = draw_sequences(rng, system, [3])
    exact = filter_forward(system, data)
    for length in (1, 2, 3):
        network, found, states = posterior_of(system, data[:length])
        means = dict(zip(network.names, found.mean, strict=True))
        mean, covariance = exact.means[length - 1], exact.covariances[length - 1]
        np.testing.assert_allclose(means[states[-1]], mean, rtol=1e-9)
        own = found.covariance(states[-1], states[-1])
        np.testing.assert_allclose(own, covariance, rtol=1e-9)
        whole = log_likelihood(system, [data[:length]])
        np.testing.assert_allclose(found.log_evidence, whole, rtol=1e-10)


@pytest.mark.slow
def test_a_long_series_is_smoothed_too():
    """Thirty times of three states, most of them seen in one number only."""
    rng = np.random.default_rng(2)
    system = draw_system(rng, 3, 1)
    (data,) = draw_sequences(rng, system, [30])
    exact = smooth(system, data)
    network, found, states = posterior_of(system, data)
    assert found.result.converged
    means = dict(zip(network.names, found.mean, strict=True))
    spread = dict(zip(network.names, found.variances, strict=True))
    for t, state in enumerate(states):
        np.testing.assert_allclose(means[state], exact.means[t], rtol=1e-7, atol=1e-8)
        variances = np.diagonal(exact.covariances[t])
        np.testing.assert_allclose(spread[state], variances, rtol=1e-8)
    np.testing.assert_allclose(found.log_evidence, exact.log_likelihood, rtol=1e-9)
