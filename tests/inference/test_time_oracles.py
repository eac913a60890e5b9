"""The oracles of time against one dense Gaussian over a whole short sequence, and EM against its definition."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from time_oracles import (
    Learned,
    System,
    draw_sequences,
    draw_system,
    em_step,
    expected_complete,
    filter_forward,
    log_likelihood,
    smooth,
)


def dense(system: System, length: int):
    """Mean and covariance of (x_1..x_T, y_1..y_T), by multiplying out powers of the transition."""
    a, c, q, r, mean, covariance = system
    n, p = len(mean), len(r)
    noises = [covariance] + [q] * (length - 1)
    reach = np.zeros((length, length, n, n))
    for t in range(length):
        for s in range(t + 1):
            reach[t, s] = np.linalg.matrix_power(a, t - s)
    states = np.concatenate([reach[t, 0] @ mean for t in range(length)])
    spread = np.zeros((length * n, length * n))
    for t in range(length):
        for u in range(length):
            spread[t * n : (t + 1) * n, u * n : (u + 1) * n] = sum(
                reach[t, s] @ noises[s] @ reach[u, s].T for s in range(min(t, u) + 1)
            )
    see = np.kron(np.eye(length), c)
    whole = np.block(
        [
            [spread, spread @ see.T],
            [see @ spread, see @ spread @ see.T + np.kron(np.eye(length), r)],
        ]
    )
    assert whole.shape == (length * (n + p), length * (n + p))
    return np.concatenate([states, see @ states]), whole


@pytest.mark.parametrize(
    ("states", "sensors", "length"), [(1, 1, 1), (2, 3, 5), (3, 1, 6)]
)
def test_the_smoother_is_conditioning_of_one_gaussian(states, sensors, length):
    """Means, covariances, lag-one covariances and the likelihood of short sequences."""
    rng = np.random.default_rng(states)
    system = draw_system(rng, states, sensors)
    (data,) = draw_sequences(rng, system, [length])
    mean, whole = dense(system, length)
    size = states * length
    hidden, cross, seen = whole[:size, :size], whole[:size, size:], whole[size:, size:]
    surprise = data.ravel() - mean[size:]
    after = mean[:size] + cross @ np.linalg.solve(seen, surprise)
    left = hidden - cross @ np.linalg.solve(seen, cross.T)
    blocks = left.reshape(length, states, length, states).transpose(0, 2, 1, 3)
    found = smooth(system, data)
    np.testing.assert_allclose(found.means.ravel(), after, rtol=1e-9, atol=1e-10)
    for t in range(length):
        np.testing.assert_allclose(found.covariances[t], blocks[t, t], atol=1e-11)
        if t:
            lag = found.lag_one[t - 1]
            np.testing.assert_allclose(lag, blocks[t, t - 1], atol=1e-11)
    exact = multivariate_normal(mean[size:], seen).logpdf(data.ravel())
    np.testing.assert_allclose(found.log_likelihood, exact, rtol=1e-11)


def test_the_filter_is_the_smoother_of_the_past():
    """Every filtered moment is the last smoothed one of the sequence cut there; so are the increments."""
    rng = np.random.default_rng(4)
    system = draw_system(rng, 2, 2)
    (data,) = draw_sequences(rng, system, [5])
    forward = filter_forward(system, data)
    before = 0.0
    for t in range(5):
        mean, whole = dense(system, t + 1)
        size = 2 * (t + 1)
        gain = np.linalg.solve(whole[size:, size:], whole[size:, size - 2 : size]).T
        surprise = data[: t + 1].ravel() - mean[size:]
        np.testing.assert_allclose(
            forward.means[t], mean[size - 2 : size] + gain @ surprise, rtol=1e-9
        )
        value = multivariate_normal(mean[size:], whole[size:, size:])
        value = value.logpdf(data[: t + 1].ravel())
        np.testing.assert_allclose(forward.increments[t], value - before, rtol=1e-8)
        before = value


OPTIONS = {
    "everything": Learned(),
    "diagonal": Learned(process_noise="diagonal", observation_noise="diagonal"),
    "scalar": Learned(process_noise="scalar", observation_noise="scalar"),
    "transition known": Learned(transition=False, process_noise="scalar"),
    "emission known": Learned(emission=False, observation_noise="diagonal"),
    "noise known": Learned(process_noise="known", observation_noise="known"),
    "start known": Learned(initial_mean=False, initial_covariance=False),
    "first mean known": Learned(initial_mean=False),
}


def directions(system: System, learned: Learned, rng) -> list[System]:
    """Small changes of each parameter that is learned, within its kind."""
    whole = []

    def change(name: str, kind: str | bool) -> None:
        if kind in (False, "known"):
            return
        value = getattr(system, name)
        noise = rng.normal(size=value.shape)
        if isinstance(kind, str) or name == "initial_covariance":
            noise = noise + noise.T
        if kind == "diagonal":
            noise = np.diag(np.diagonal(noise))
        if kind == "scalar":
            noise = np.eye(len(noise)) * noise[0, 0]
        zero = System(*(np.zeros_like(part) for part in system))
        whole.append(zero._replace(**{name: noise}))

    for name in System._fields:
        change(name, getattr(learned, name))
    return whole


def moved(system: System, direction: System, step: float) -> System:
    return System(*(x + step * d for x, d in zip(system, direction, strict=True)))


def slope(function, system: System, direction: System, step: float = 1e-5) -> float:
    """Central difference along a direction."""
    ahead, behind = (function(moved(system, direction, s)) for s in (step, -step))
    return (ahead - behind) / (2 * step)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_step_of_em_maximises_what_it_should(name):
    """The expected complete log likelihood is stationary and highest there; what is known has not moved."""
    rng = np.random.default_rng(5)
    learned = OPTIONS[name]
    truth = draw_system(rng, 2, 3)
    sequences = draw_sequences(rng, truth, [6, 4, 9, 5])
    system = draw_system(rng, 2, 3)
    smoothed = [smooth(system, data) for data in sequences]

    def value(at: System) -> float:
        return expected_complete(at, sequences, smoothed)

    after = em_step(system, sequences, learned).system
    chosen = directions(after, learned, rng)
    assert chosen and value(after) > value(system)
    for direction in chosen:
        assert abs(slope(value, after, direction)) < 1e-4
        for step in (-1e-2, 1e-2):
            assert value(moved(after, direction, step)) < value(after)
    for field in System._fields:
        if getattr(learned, field) in (False, "known"):
            np.testing.assert_array_equal(getattr(after, field), getattr(system, field))


def test_the_expected_complete_likelihood_has_the_slope_of_the_likelihood():
    """Fisher's identity, at the parameters whose smoother it is: the E-step and both likelihoods belong together."""
    rng = np.random.default_rng(6)
    system = draw_system(rng, 2, 2)
    sequences = draw_sequences(rng, draw_system(rng, 2, 2), [5, 7])
    smoothed = [smooth(system, data) for data in sequences]
    for direction in directions(system, Learned(), rng):
        ours = slope(
            lambda at: expected_complete(at, sequences, smoothed), system, direction
        )
        exact = slope(lambda at: log_likelihood(at, sequences), system, direction)
        np.testing.assert_allclose(ours, exact, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", OPTIONS)
def test_em_never_loses_likelihood(name):
    """Forty steps on twelve short sequences of two states, from another system."""
    rng = np.random.default_rng(7)
    learned = OPTIONS[name]
    sequences = draw_sequences(rng, draw_system(rng, 2, 2), [6] * 12)
    system, values = draw_system(rng, 2, 2), []
    for _ in range(40):
        system, value = em_step(system, sequences, learned)
        values.append(value)
    assert np.all(np.diff(values) > -1e-9)
    assert values[-1] - values[0] > 1.0
