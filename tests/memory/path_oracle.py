"""The posterior over causes by adding up all partitions of the trials; numpy and loops, nothing of the package."""

import math

import numpy as np


def partitions(count):
    """All ways to give trials causes, causes numbered in the order in which they appear."""
    if count == 0:
        return [()]
    found = []
    for path in partitions(count - 1):
        found += [(*path, k) for k in range(max(path, default=-1) + 2)]
    return found


def log_normal(value, mean, variance):
    return -0.5 * (value - mean) ** 2 / variance - 0.5 * math.log(
        2 * math.pi * variance
    )


def enumerate_paths(
    time, outcome, stimuli, p, *, gain=None, plasticity=None, amnesia=None
):
    """Predictions, newness, p(together), expected causes and log evidence, exactly."""
    count = len(time)
    gain, plasticity, amnesia = (
        np.full(count, default) if given is None else given
        for given, default in ((gain, 1.0), (plasticity, 1.0), (amnesia, 0.0))
    )
    predictions, newness = [], []
    for t in range(count):
        weights, values, fresh = [], [], []
        for path in partitions(t + 1):
            log_x, log_xr, value = follow(
                path, time, outcome, stimuli, p, gain, plasticity, amnesia
            )
            weights.append((log_x, log_xr))
            values.append(value)
            fresh.append(path[-1] not in path[:-1])
        before, after = (np.exp(each) for each in np.transpose(weights))
        predictions.append(before @ values / before.sum())
        newness.append(after @ np.array(fresh, float) / after.sum())
    paths = np.array(partitions(count))
    share = after / after.sum()
    together = np.einsum("n,nst->st", share, paths[:, :, None] == paths[:, None])
    return {
        "V": np.array(predictions),
        "newness": np.array(newness),
        "together": together,
        "causes": share @ (paths.max(axis=1) + 1),
        "evidence": math.log(after.sum()),
    }


def follow(path, time, outcome, stimuli, p, gain, plasticity, amnesia):
    """log p(path, stimuli) with all outcomes but the last, with it too, and the last trial's prediction."""
    log_p, w = 0.0, {}
    last = len(path) - 1
    for t, k in enumerate(path):
        old = {}
        for s in range(t):
            age = (time[t] - time[s]) ** -p["g"]
            old[path[s]] = old.get(path[s], 0.0) + age
        new = p["alpha"] if t else 1.0
        log_p += math.log(old.get(k, new) / (sum(old.values()) + new))
        mine = [s for s in range(t) if path[s] == k]
        for d, x in enumerate(stimuli[t]):
            mean = sum(stimuli[s][d] for s in mine) / (len(mine) + p["sx"])
            spread = p["sx"] / (len(mine) + p["sx"]) + p["sx"]
            log_p += log_normal(x, mean, spread)
        weights = w.setdefault(k, np.full(len(stimuli[t]), p["w0"]))
        value = float(stimuli[t] @ weights)
        before = log_p
        log_p += log_normal(outcome[t], value, p["sr"] / gain[t])
        # How long the last trial is reconsidered changes nothing that is asked here.
        rounds = 0 if t == last else min(3, max(1, int(time[t + 1] - time[t])))
        for _ in range(rounds):
            error = outcome[t] - stimuli[t] @ w[k]
            w[k] = w[k] + p["eta"] * plasticity[t] * stimuli[t] * error
            w[k] = w[k] * (1 - amnesia[t])
    return before, log_p, value
