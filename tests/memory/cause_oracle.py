"""The latent-cause model as loops over Python's floats, written from the paper's equations alone.

Causes stand in a list of slots; everything else is dictionaries and sums. No code is shared with the package.
"""

import math

import numpy as np
from scipy.stats import norm

PAPER = {
    "alpha": 0.1,
    "g": 1.0,
    "eta": 0.3,
    "w0": 0.0,
    "sr": 0.4,
    "sx": 1.0,
    "theta": 0.02,
    "lam": 0.01,
}


def log_normal(value, mean, variance):
    return -0.5 * (value - mean) ** 2 / variance - 0.5 * math.log(
        2 * math.pi * variance
    )


def normalised(logs):
    """Probabilities from logs; -inf is an impossible cause."""
    best = max(logs)
    weights = [math.exp(each - best) for each in logs]
    return [each / sum(weights) for each in weights]


def log(number):
    return math.log(number) if number > 0 else -math.inf


def walk(
    time,
    outcome,
    stimuli,
    *,
    slots=15,
    most=3,
    soft=False,
    gain=None,
    plasticity=None,
    amnesia=None,
    **changed,
):
    """V, response, p before the outcome, q and w after every iteration, and the responsibilities, of every trial."""
    p = PAPER | changed
    count, features = np.shape(stimuli)
    gain, plasticity, amnesia = (
        [default] * count if given is None else list(given)
        for given, default in ((gain, 1.0), (plasticity, 1.0), (amnesia, 0.0))
    )
    w = [[p["w0"]] * features for _ in range(slots)]
    belongs = []  # per trial: share of every slot
    told = {"V": [], "CR": [], "p": [], "q": [], "w": [], "z": belongs}
    for t in range(count):
        x = [float(each) for each in stimuli[t]]
        logs = []
        for k in range(slots):
            logs.append(
                prior_log(k, t, time, belongs, p)
                + stimulus_log(k, x, stimuli, belongs, p)
            )
        before = normalised(logs)
        predicted = [
            sum(a * b for a, b in zip(x, w[k], strict=True)) for k in range(slots)
        ]
        value = sum(before[k] * predicted[k] for k in range(slots))
        told["V"].append(value)
        told["CR"].append(norm.cdf((value - p["theta"]) / p["lam"]))
        told["p"].append(before)
        if t == count - 1:
            rounds = 1
        else:
            rounds = min(most, max(1, math.floor((time[t + 1] - time[t]) * 1.00001)))
        qs, ws = [], []
        for _ in range(rounds):
            predicted = [
                sum(a * b for a, b in zip(x, w[k], strict=True)) for k in range(slots)
            ]
            q = normalised(
                [
                    logs[k] + log_normal(outcome[t], predicted[k], p["sr"] / gain[t])
                    for k in range(slots)
                ]
            )
            for k in range(slots):
                error = outcome[t] - predicted[k]
                for d in range(features):
                    w[k][d] += p["eta"] * plasticity[t] * x[d] * q[k] * error
                    w[k][d] *= 1 - amnesia[t] * q[k]
            qs.append(q)
            ws.append([list(each) for each in w])
        told["q"].append(qs)
        told["w"].append(ws)
        belongs.append(
            q if soft else [float(k == q.index(max(q))) for k in range(slots)]
        )
    return told


def prior_log(k, t, time, belongs, p):
    """Trials of the cause, each weighted by age^-g; a new cause has alpha and takes the first slot without trials."""
    terms = [
        -p["g"] * math.log(time[t] - time[s]) + log(belongs[s][k]) for s in range(t)
    ]
    is_first = 1.0
    for j in range(k + 1):
        empty = math.prod(1.0 - belongs[s][j] for s in range(t))
        is_first *= empty if j == k else 1.0 - empty
    terms.append((log(p["alpha"]) if t else 0.0) + log(is_first))
    best = max(terms)
    if best == -math.inf:
        return best
    return best + math.log(sum(math.exp(each - best) for each in terms))


def stimulus_log(k, x, stimuli, belongs, p):
    number = sum(z[k] for z in belongs)
    total = 0.0
    for d in range(len(x)):
        summed = sum(z[k] * stimuli[s][d] for s, z in enumerate(belongs))
        spread = p["sx"] / (number + p["sx"]) + p["sx"]
        total += log_normal(x[d], summed / (number + p["sx"]), spread)
    return total
