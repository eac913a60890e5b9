"""A linear dynamical system: filter, smoother, likelihood and the textbook's EM, in numpy and in covariance form.

x_1 ~ N(m_1, V_1), x_t = A x_{t-1} + w with w ~ N(0, Q), and y_t = C x_t + v with v ~ N(0, R).  The maximisation step
is that of Ghahramani & Hinton (1996, CRG-TR-96-2), for many sequences, with noise covariances that may be held to
a scalar or to a diagonal, and with parameters that may be known.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve


class System(NamedTuple):
    """transition A (n, n); emission C (p, n); process_noise Q; observation_noise R; the first state's moments."""

    transition: np.ndarray
    emission: np.ndarray
    process_noise: np.ndarray
    observation_noise: np.ndarray
    initial_mean: np.ndarray
    initial_covariance: np.ndarray


class Filtered(NamedTuple):
    """Moments of x_t given y_1..y_t, and given y_1..y_{t-1}.  increments: log p(y_t | y_1..y_{t-1}), nats."""

    means: np.ndarray
    covariances: np.ndarray
    predicted_means: np.ndarray
    predicted_covariances: np.ndarray
    increments: np.ndarray

    @property
    def log_likelihood(self) -> float:
        return float(np.sum(self.increments))


class Smoothed(NamedTuple):
    """Moments of x_t given the whole sequence.  lag_one: (T - 1, n, n), the covariance of x_t (rows) with x_{t-1}."""

    means: np.ndarray
    covariances: np.ndarray
    lag_one: np.ndarray
    log_likelihood: float


class Learned(NamedTuple):
    """What EM changes; noise: "full", "diagonal", "scalar" or "known"."""

    transition: bool = True
    emission: bool = True
    process_noise: str = "full"
    observation_noise: str = "full"
    initial_mean: bool = True
    initial_covariance: bool = True


class Moments(NamedTuple):
    """Sums over times and sequences of expected second moments.

    now, before, across: of x_t x_t', x_{t-1} x_{t-1}', x_t x_{t-1}' for t > 1.  all_states: of x_t x_t' for every t.
    seen: of y_t x_t'.  data: of y_t y_t'.  steps, times: numbers of terms.
    """

    now: np.ndarray
    before: np.ndarray
    across: np.ndarray
    all_states: np.ndarray
    seen: np.ndarray
    data: np.ndarray
    steps: int
    times: int


def filter_forward(system: System, data: np.ndarray) -> Filtered:
    """The Kalman filter of one sequence, (T, p); the covariance update is Joseph's, which stays symmetric."""
    a, c, q, r, mean, covariance = system
    identity, found = np.eye(len(mean)), []
    for value in data:
        spread = c @ covariance @ c.T + r
        factor = cho_factor(spread, lower=True)
        gain = cho_solve(factor, c @ covariance).T
        surprise = value - c @ mean
        kept = identity - gain @ c
        after = mean + gain @ surprise
        narrowed = kept @ covariance @ kept.T + gain @ r @ gain.T
        log_det = 2 * np.sum(np.log(np.diagonal(factor[0])))
        squares = surprise @ cho_solve(factor, surprise)
        increment = -0.5 * (squares + log_det + len(value) * np.log(2 * np.pi))
        found.append((after, narrowed, mean, covariance, increment))
        mean, covariance = a @ after, a @ narrowed @ a.T + q
    return Filtered(*map(np.array, zip(*found, strict=True)))


def smooth(system: System, data: np.ndarray) -> Smoothed:
    """The Rauch-Tung-Striebel smoother of one sequence; Cov(x_t+1, x_t | all) = S_t+1 J_t'."""
    forward = filter_forward(system, data)
    mean, covariance = forward.means[-1], forward.covariances[-1]
    means, covariances, lags = [mean], [covariance], []
    for t in reversed(range(len(data) - 1)):
        ahead = forward.predicted_covariances[t + 1]
        gain = np.linalg.solve(ahead, system.transition @ forward.covariances[t]).T
        lags.append(covariance @ gain.T)
        mean = forward.means[t] + gain @ (mean - forward.predicted_means[t + 1])
        covariance = forward.covariances[t] + gain @ (covariance - ahead) @ gain.T
        means.append(mean)
        covariances.append(covariance)
    size = len(mean)
    lag_one = np.array(lags[::-1]).reshape(-1, size, size)
    return Smoothed(
        np.array(means[::-1]),
        np.array(covariances[::-1]),
        lag_one,
        forward.log_likelihood,
    )


def log_likelihood(system: System, sequences: Sequence[np.ndarray]) -> float:
    """log p of all sequences, nats."""
    return sum(filter_forward(system, data).log_likelihood for data in sequences)


def expected_moments(
    sequences: Sequence[np.ndarray], smoothed: Sequence[Smoothed]
) -> Moments:
    """The sufficient statistics of the maximisation step."""
    sums: list = [0.0] * 6
    for data, found in zip(sequences, smoothed, strict=True):
        means, spread = found.means, found.covariances
        squares = spread + np.einsum("ti,tj->tij", means, means)
        crosses = found.lag_one + np.einsum("ti,tj->tij", means[1:], means[:-1])
        terms = (
            squares[1:].sum(0),
            squares[:-1].sum(0),
            crosses.sum(0),
            squares.sum(0),
            data.T @ means,
            data.T @ data,
        )
        sums = [total + term for total, term in zip(sums, terms, strict=True)]
    lengths = [len(data) for data in sequences]
    return Moments(*sums, sum(lengths) - len(lengths), sum(lengths))


def held_to(kind: str, covariance: np.ndarray) -> np.ndarray:
    """The most likely covariance of a kind, from the full one."""
    if kind == "full":
        return (covariance + covariance.T) / 2
    if kind == "diagonal":
        return np.diag(np.diagonal(covariance))
    return np.eye(len(covariance)) * np.mean(np.diagonal(covariance))


def maximise(
    system: System,
    moments: Moments,
    firsts: Sequence[tuple[np.ndarray, np.ndarray]],
    learned: Learned,
) -> System:
    """The parameters that maximise the expected complete log likelihood; firsts: moments of x_1 by sequence."""
    a, c, q, r, mean, covariance = system
    if learned.transition:
        a = np.linalg.solve(moments.before, moments.across.T).T
    if learned.emission:
        c = np.linalg.solve(moments.all_states, moments.seen.T).T
    if learned.process_noise != "known":
        crossed = moments.across @ a.T
        left = moments.now - crossed - crossed.T + a @ moments.before @ a.T
        q = held_to(learned.process_noise, left / moments.steps)
    if learned.observation_noise != "known":
        crossed = moments.seen @ c.T
        left = moments.data - crossed - crossed.T + c @ moments.all_states @ c.T
        r = held_to(learned.observation_noise, left / moments.times)
    if learned.initial_mean:
        mean = np.mean([first for first, _ in firsts], axis=0)
    if learned.initial_covariance:
        around = [s + np.outer(m - mean, m - mean) for m, s in firsts]
        covariance = np.mean(around, axis=0)
    return System(a, c, q, r, mean, covariance)


class Step(NamedTuple):
    """One step of EM: the new parameters, and the log likelihood of the old ones."""

    system: System
    log_likelihood: float


def em_step(
    system: System, sequences: Sequence[np.ndarray], learned: Learned | None = None
) -> Step:
    """Smooth every sequence, then maximise."""
    smoothed = [smooth(system, data) for data in sequences]
    moments = expected_moments(sequences, smoothed)
    firsts = [(found.means[0], found.covariances[0]) for found in smoothed]
    value = sum(found.log_likelihood for found in smoothed)
    return Step(maximise(system, moments, firsts, learned or Learned()), value)


def expected_complete(
    system: System, sequences: Sequence[np.ndarray], smoothed: Sequence[Smoothed]
) -> float:
    """E log p(x, y | system) under smoothed moments, nats, written as quadratic forms of each time."""
    a, c, q, r, mean, covariance = system
    total = 0.0
    for data, found in zip(sequences, smoothed, strict=True):
        total += _expected_term(found.means[0] - mean, found.covariances[0], covariance)
        for t, value in enumerate(data):
            spread = found.covariances[t]
            total += _expected_term(value - c @ found.means[t], c @ spread @ c.T, r)
            if t:
                crossed = found.lag_one[t - 1] @ a.T
                spread = spread - crossed - crossed.T
                spread = spread + a @ found.covariances[t - 1] @ a.T
                error = found.means[t] - a @ found.means[t - 1]
                total += _expected_term(error, spread, q)
    return total


def _expected_term(error: np.ndarray, spread: np.ndarray, noise: np.ndarray) -> float:
    """E log N(e; 0, noise) with e of this mean and covariance."""
    second = np.outer(error, error) + spread
    _, log_det = np.linalg.slogdet(2 * np.pi * noise)
    return -0.5 * (np.trace(np.linalg.solve(noise, second)) + log_det)


def draw_system(rng: np.random.Generator, states: int, sensors: int) -> System:
    """Stable dynamics with correlated noise."""

    def covariance(size: int, scale: float) -> np.ndarray:
        root = rng.normal(size=(size, size)) / np.sqrt(size)
        return scale * (root @ root.T + 0.3 * np.eye(size))

    transition = rng.normal(size=(states, states))
    transition *= 0.9 / np.max(np.abs(np.linalg.eigvals(transition)))
    return System(
        transition,
        rng.normal(size=(sensors, states)),
        covariance(states, 0.3),
        covariance(sensors, 0.5),
        rng.normal(size=states),
        covariance(states, 1.0),
    )


def draw_sequences(
    rng: np.random.Generator, system: System, lengths: Sequence[int]
) -> list[np.ndarray]:
    """Data of a system, one array (T, p) a sequence."""
    a, c, q, r, mean, covariance = system
    sequences = []
    for length in lengths:
        state = rng.multivariate_normal(mean, covariance)
        values = []
        for _ in range(length):
            values.append(rng.multivariate_normal(c @ state, r))
            state = rng.multivariate_normal(a @ state, q)
        sequences.append(np.array(values))
    return sequences
