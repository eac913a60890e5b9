"""Random and published designs for the tests of latent causes, and their distance from the oracle."""

import jax
import numpy as np

from pcmodel.memory import (
    CauseParameters,
    make_trials,
)


def clock(blocks, intervals):
    """A trial takes one unit; an interval adds to the gap between blocks."""
    now, times = 0.0, []
    for size, interval in zip(blocks, [0, *intervals], strict=True):
        now += interval
        for _ in range(size):
            times.append(now)
            now += 1.0
    return np.array(times)


def shocks(*numbers):
    """Alternating runs of trials with and without an outcome."""
    return np.concatenate([np.full(n, 1.0 - i % 2) for i, n in enumerate(numbers)])


def random_design(rng, *, least=1, most=12, features=None):
    """Trials, parameters by the oracle's names, and per-trial factors."""
    count = rng.integers(least, most + 1)
    features = features or rng.choice([1, 3])
    gaps = np.where(rng.random(count) < 0.7, 1.0, rng.uniform(0.3, 40.0, count))
    design = {
        "time": np.cumsum(gaps),
        "outcome": rng.integers(0, 2, count) * rng.uniform(0.5, 2.0),
        "stimuli": (rng.random((count, features)) < 0.7).astype(float),
        "gain": rng.uniform(0.2, 3.0, count),
        "plasticity": rng.uniform(0.0, 2.0, count),
        "amnesia": (rng.random(count) < 0.2) * rng.random(count),
    }
    parameters = {
        "alpha": 10.0 ** rng.uniform(-3, 1),
        "g": rng.uniform(0, 2),
        "eta": rng.uniform(0.02, 0.6),
        "w0": rng.normal() * 0.3,
        "sr": 10.0 ** rng.uniform(-2, 1),
        "sx": 10.0 ** rng.uniform(-1, 1),
        "theta": rng.uniform(0, 0.3),
        "lam": rng.uniform(0.01, 0.3),
    }
    return design, parameters


def as_trials(design):
    return make_trials(
        design["time"],
        design["outcome"],
        design["stimuli"],
        outcome_gain=design.get("gain", 1.0),
        learning_gain=design.get("plasticity", 1.0),
        amnesia=design.get("amnesia", 0.0),
    )


def as_parameters(oracle):
    return CauseParameters(
        concentration=oracle["alpha"],
        temporal_decay=oracle["g"],
        learning_rate=oracle["eta"],
        initial_weight=oracle["w0"],
        outcome_log_precision=-np.log(oracle["sr"]),
        stimulus_variance=oracle["sx"],
        response_threshold=oracle["theta"],
        response_scale=oracle["lam"],
    )


def differences(told, history):
    """Largest difference of every read-out, in the oracle's shapes, without padding."""
    count = len(told["V"])
    history = jax.tree.map(lambda a: np.asarray(a)[:count] if a.ndim else a, history)
    worst = [
        np.abs(history.prediction - told["V"]).max(),
        np.abs(history.response - told["CR"]).max(),
        np.abs(history.before - told["p"]).max(),
    ]
    for t, (qs, ws) in enumerate(zip(told["q"], told["w"], strict=True)):
        assert history.iterations[t] == len(qs)
        for i in range(history.posterior.shape[1]):
            last = min(i, len(qs) - 1)
            worst.append(np.abs(history.posterior[t, i] - qs[last]).max())
            worst.append(np.abs(history.weights[t, i].T - ws[last]).max())
    return max(worst)
