"""Independent numpy loops of the participant model, for comparison only."""

import math

import numpy as np


def log_normal(value, mean, variance):
    return -0.5 * ((value - mean) ** 2 / variance + math.log(2 * math.pi * variance))


def meet(mean, variance, observation, noise):
    """Posterior mean, variance and log evidence of a Gaussian belief and observation."""
    gain = variance / (variance + noise)
    evidence = log_normal(observation, mean, variance + noise)
    return mean + gain * (observation - mean), gain * noise, evidence


def kalman(outcomes, q, r):
    """Local-level filter whose first outcome is its first belief."""
    mean, variance = outcomes[0], r
    means, variances, gains = [mean], [variance], [1.0]
    for outcome in outcomes[1:]:
        predicted = variance + q
        gain = predicted / (predicted + r)
        mean = mean + gain * (outcome - mean)
        variance = (1.0 - gain) * predicted
        means.append(mean)
        variances.append(variance)
        gains.append(gain)
    return np.array(means), np.array(variances), np.array(gains)


def change_point(
    *, outcome, report, noise_sd, shown, helicopter, start, values, anchor
):
    """Reduced Bayesian agent, one trial at a time; `values` in natural units."""
    belief, spread, rows = 150.0, 300.0**2 / 12, []
    for t in range(len(outcome)):
        r = values["k"] * 250.0 * (noise_sd[t] ** 2 / 250.0) ** values["b"]
        sight = values["k"] * 250.0 * values["sighting"]
        before = 150.0 if start[t] else belief
        m, v = (report[t] if anchor == "report" else before), spread + values["q"]
        stay = [
            m + v / (v + r) * (outcome[t] - m),
            v * r / (v + r),
            log_normal(outcome[t], m, v + r),
        ]
        jump = [outcome[t], r, -math.log(300.0)]
        if shown[t]:
            for cause in (stay, jump):
                cause[2] += log_normal(helicopter[t], cause[0], cause[1] + sight)
                precision = 1 / cause[1] + 1 / sight
                cause[0] = (cause[0] / cause[1] + helicopter[t] / sight) / precision
                cause[1] = 1 / precision
        moved = values["h"] * math.exp(jump[2])
        kept = (1 - values["h"]) * math.exp(stay[2])
        p = 1.0 if start[t] else moved / (moved + kept)
        belief = p * jump[0] + (1 - p) * stay[0]
        spread = (
            p * jump[1] + (1 - p) * stay[1] + p * (1 - p) * (jump[0] - stay[0]) ** 2
        )
        rows.append((before, belief, spread, p))
    return np.array(rows).T
