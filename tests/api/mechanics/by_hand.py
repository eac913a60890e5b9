"""Predictive coding written by hand in NumPy, of three maps and any precisions: the oracle of these tests.

Level 0 is predicted by W_0 tanh(x_1) + b_0, level 1 by W_1 tanh(x_2) + b_1, level 2 by W_2 x_3 + b_2, as `dense` does it.
"""

from typing import NamedTuple

import numpy as np
from flax import nnx

import pcmodel


class ByHand(NamedTuple):
    """Weights, biases, one precision per level, and the prior mean of the top."""

    weights: list
    biases: list
    precisions: list
    prior: np.ndarray


WIDTHS = (4, 3, 5, 2)
PRECISIONS = (2.0, 0.7, 5.0, 1.5)


def network_of(precisions=PRECISIONS, widths=WIDTHS, seed=0):
    """A dense network with biases and a prior mean other than zero."""
    network = pcmodel.dense(widths, precisions=precisions, rngs=nnx.Rngs(seed))
    rng = np.random.default_rng(seed)
    for layer, width in zip(network.layers, widths[:-1], strict=True):
        layer.bias[...] = np.asarray(rng.normal(size=width), layer.bias.dtype)
    prior = rng.normal(size=widths[-1])
    network.prior_mean[...] = np.asarray(prior, network.prior_mean.dtype)
    return network


def in_single_precision(network, precisions=PRECISIONS):
    """The same network in float32; to be called without float64."""
    single = network_of(precisions, network.widths)
    for own, other in zip(single.layers, network.layers, strict=True):
        own.weight[...] = np.asarray(other.weight[...], np.float32)
        own.bias[...] = np.asarray(other.bias[...], np.float32)
    single.prior_mean[...] = np.asarray(network.prior_mean[...], np.float32)
    return single


def by_hand(network, precisions=PRECISIONS):
    return ByHand(
        [np.asarray(layer.weight[...], float) for layer in network.layers],
        [np.asarray(layer.bias[...], float) for layer in network.layers],
        list(precisions),
        np.asarray(network.prior_mean[...], float),
    )


def seen(level, model, above):
    """What a layer reads of the level above: its hyperbolic tangent, of the top the level itself."""
    return above if level == len(model.weights) - 1 else np.tanh(above)


def errors(model, latents):
    below = [
        latents[level]
        - model.weights[level] @ seen(level, model, latents[level + 1])
        - model.biases[level]
        for level in range(len(model.weights))
    ]
    return [*below, latents[-1] - model.prior]


def pulls(model, latents):
    """dE / dx of every level: its own weighted error, less what it explains of the level below."""
    weighted = [
        p * e for p, e in zip(model.precisions, errors(model, latents), strict=True)
    ]
    found = [weighted[0]]
    for level in range(1, len(latents)):
        back = model.weights[level - 1].T @ weighted[level - 1]
        if level < len(latents) - 1:
            back = back * (1 - np.tanh(latents[level]) ** 2)
        found.append(weighted[level] - back)
    return found


def error_energies(model, latents):
    return [
        0.5 * p * np.sum(e**2)
        for p, e in zip(model.precisions, errors(model, latents), strict=True)
    ]


def energies(model, latents):
    """With the normalisers of a Gaussian of each level's width."""
    return [
        own + 0.5 * len(x) * np.log(2 * np.pi / p)
        for own, x, p in zip(
            error_energies(model, latents), latents, model.precisions, strict=True
        )
    ]


def weight_slopes(model, latents):
    """dE / dW and dE / db of every layer, at these latents."""
    weighted = [
        p * e for p, e in zip(model.precisions, errors(model, latents), strict=True)
    ]
    return [
        (
            -np.outer(weighted[level], seen(level, model, latents[level + 1])),
            -weighted[level],
        )
        for level in range(len(model.weights))
    ]


def sweep(model, top):
    """Every level at its prediction."""
    latents = [np.asarray(top, float)]
    for level in reversed(range(len(model.weights))):
        above = seen(level, model, latents[0])
        latents.insert(0, model.weights[level] @ above + model.biases[level])
    return latents


def examples(number=3, widths=WIDTHS, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(number, widths[0])), rng.normal(size=(number, widths[-1]))


def random_latents(number, widths=WIDTHS, seed=2):
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=(number, width)) for width in widths)


def example_of(latents, number):
    return [np.asarray(level[number], float) for level in latents]
