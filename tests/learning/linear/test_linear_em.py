"""Exact EM of linear hierarchies, step by step, against the textbook's EM of a linear dynamical system and against EM
of any directed hierarchy written out from the oracle's moments.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from directed import draw_numbers, shape_of
from directed_networks import network_of
from directed_oracles import truth
from em_oracle import Fixed, em_of
from flax import nnx
from time_oracles import (
    Learned,
    System,
    draw_sequences,
    draw_system,
    em_step,
    held_to,
    log_likelihood,
)

import pcmodel
from pcmodel.networks.layers.dense import Dense, identity

STEPS = 3
KNOWN = {
    "everything learned": (Learned(), {}),
    "scalar and diagonal noise": (
        Learned(process_noise="scalar", observation_noise="diagonal"),
        {},
    ),
    "transition and first state known": (
        Learned(transition=False, initial_mean=False, initial_covariance=False),
        {
            "fixed_layers": "state[1]",
            "fixed_precisions": "state[0]",
            "fixed_prior_means": "state[0]",
        },
    ),
    "emission known, diagonal and scalar noise": (
        Learned(emission=False, process_noise="diagonal", observation_noise="scalar"),
        {"fixed_layers": "seen[0]"},
    ),
    "noise known": (
        Learned(process_noise="known", observation_noise="known"),
        {"fixed_precisions": ("seen[0]", "state[1]")},
    ),
}
CHEAP = ("scalar and diagonal noise", "one layer, two precisions, an end seen in part")


def dear_are_slow(names):
    """The names, all but the cheap ones marked slow."""
    return [
        name if name in CHEAP else pytest.param(name, marks=pytest.mark.slow)
        for name in names
    ]


def as_precision(kind: str, covariance: np.ndarray) -> np.ndarray:
    """The precision of a noise covariance, in the form of its kind."""
    if kind in ("full", "known"):
        return np.linalg.inv(covariance)
    diagonal = 1 / np.diagonal(covariance)
    return diagonal if kind == "diagonal" else diagonal[0]


def dense_map(weight: np.ndarray) -> Dense:
    """A linear layer without bias."""
    below, above = weight.shape
    made = Dense(above, below, activation=identity, bias=False, rngs=nnx.Rngs(0))
    made.weight[...] = jnp.asarray(weight)
    return made


def network_over_time(system: System, learned: Learned, steps: int):
    """The system as a hierarchy over time."""
    states, sensors = len(system.initial_mean), len(system.observation_noise)
    return pcmodel.over_time(
        {
            "seen": pcmodel.Level(
                sensors,
                parents=["state"],
                layer=dense_map(system.emission),
                precision=as_precision(
                    learned.observation_noise, system.observation_noise
                ),
            ),
            "state": pcmodel.Level(
                states,
                parents=["state[-1]"],
                layer=dense_map(system.transition),
                precision=as_precision(learned.process_noise, system.process_noise),
            ),
        },
        steps,
        initial={
            "state": pcmodel.Level(
                states,
                precision=np.linalg.inv(system.initial_covariance),
                prior_mean=system.initial_mean,
            )
        },
        rngs=nnx.Rngs(0),
    )


def system_of(network) -> System:
    """The parameters that a network over time holds, read through its posterior-free parts."""
    place = {name: level for level, name in enumerate(network.names)}

    def noise(name: str) -> np.ndarray:
        value = np.asarray(network.log_precision[place[name]][...], float)
        width = network.widths[place[name]]
        if value.ndim < 2:
            return np.diag(np.exp(-np.broadcast_to(value, (width,))))
        lower = np.tril(value, -1) + np.diag(np.exp(np.diagonal(value) / 2))
        return np.linalg.inv(lower @ lower.T)

    return System(
        np.asarray(network.layers[place["state[1]"]].weight[...], float),
        np.asarray(network.layers[place["seen[0]"]].weight[...], float),
        noise("state[1]"),
        noise("seen[0]"),
        np.asarray(network.prior_mean[...], float),
        noise("state[0]"),
    )


@pytest.mark.parametrize("name", dear_are_slow(KNOWN))
def test_em_over_time_is_that_of_the_textbook(name):
    """Every parameter after three steps, and the likelihood before each of them, of five series of four times."""
    learned, fixed = KNOWN[name]
    rng = np.random.default_rng(0)
    sequences = draw_sequences(rng, draw_system(rng, 2, 3), [4] * 5)
    exact = draw_system(rng, 2, 3)
    if learned.process_noise != "known":
        noises = {
            "process_noise": held_to(learned.process_noise, exact.process_noise),
            "observation_noise": held_to(
                learned.observation_noise, exact.observation_noise
            ),
        }
        exact = exact._replace(**noises)
    network = network_over_time(exact, learned, 4)
    series = pcmodel.at_steps({"seen": np.array(sequences)})
    found = pcmodel.linear_em(network, series, num_steps=STEPS, **fixed)
    evidence = []
    for _ in range(STEPS):
        exact, value = em_step(exact, sequences, learned)
        evidence.append(value)
    evidence.append(log_likelihood(exact, sequences))
    np.testing.assert_allclose(found.log_evidence, evidence, rtol=1e-8)
    for ours, theirs in zip(system_of(found.network), exact, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9)


# name: shape, and what is fixed, by level.
HIERARCHIES = {
    "two parents and two tops": (
        shape_of(
            (4, 2, 2),
            {0: (2, 1)},
            kinds=("unit", "full", "scalar"),
            clamped={0: ()},
        ),
        Fixed(),
    ),
    "tied sums, a clamped top, a skip": (
        shape_of(
            (3, 3, 2, 2, 1),
            {0: (2, 3), 1: (2, 3), 2: (4,)},
            kinds=("unit", "unit", "full", "scalar", "scalar"),
            clamped={0: (), 1: (), 4: ()},
            layers={1: 0},
            precisions={1: 0},
        ),
        Fixed(layers=(2,), precisions=(3,), means=(4,)),
    ),
    "one layer, two precisions, an end seen in part": (
        shape_of(
            (3, 3, 2, 2),
            {0: (2,), 1: (3,)},
            kinds=("unit", "scalar", "full", "full"),
            clamped={0: (), 1: (0, 2)},
            layers={1: 0},
            precisions={3: 2},
        ),
        Fixed(),
    ),
}


@pytest.mark.parametrize("name", dear_are_slow(HIERARCHIES))
def test_em_of_directed_hierarchies_is_exact(name):
    """Weights, biases, precisions and prior means after two steps of EM on six examples, and the evidence on the way."""
    shape, fixed = HIERARCHIES[name]
    rng = np.random.default_rng(1)
    numbers = draw_numbers(rng, shape, span=0.5)._replace(gains={})
    examples = [
        {level: rng.normal(size=shape.widths[level]) for level in shape.masks}
        for _ in range(6)
    ]
    network, names = network_of(shape, numbers), shape.names
    clamp = {
        names[level]: pcmodel.Clamp(np.array([one[level] for one in examples]), mask)
        for level, mask in shape.masks.items()
    }
    found = pcmodel.linear_em(
        network,
        {},
        clamp=clamp,
        num_steps=2,
        fixed_layers=[names[level] for level in fixed.layers],
        fixed_precisions=[names[level] for level in fixed.precisions],
        fixed_prior_means=[names[level] for level in fixed.means],
    )
    evidence = []
    for _ in range(2):
        numbers, value = em_of(shape, numbers, examples, fixed)
        evidence.append(value)
    last = [truth(shape, numbers._replace(values=one)).log_evidence for one in examples]
    np.testing.assert_allclose(found.log_evidence, [*evidence, sum(last)], rtol=1e-8)
    expected = network_of(shape, numbers)
    for ours, theirs in zip(leaves_of(found.network), leaves_of(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


def leaves_of(network) -> list[np.ndarray]:
    """Layers as [W_1 .. W_k, sum of biases], log-precisions, prior means."""
    found = []
    for layer in network.layers:
        maps = getattr(layer, "maps", [layer])
        biases = [own.bias[...] for own in maps if own.bias is not None]
        found += [np.asarray(own.weight[...]) for own in maps]
        found.append(np.sum([np.asarray(b) for b in biases], axis=0))
    found += [np.asarray(own[...]) for own in network.log_precision]
    return [*found, np.asarray(network.prior_mean[...])]


def test_one_number_shared_by_levels_of_different_widths():
    """All levels given: the precision is one over the mean square of all residuals of ordinary regression."""
    rng = np.random.default_rng(5)
    top, wide, narrow = (rng.normal(size=(30, width)) for width in (2, 3, 1))
    narrow *= 4
    network = pcmodel.hierarchy(
        {
            "wide": pcmodel.Level(3, parents=["top"]),
            "narrow": pcmodel.Level(1, parents=["top"], precision="wide"),
            "top": pcmodel.Level(2),
        },
        activation=lambda x: x,
        rngs=nnx.Rngs(0),
    )
    given = {"wide": wide, "narrow": narrow, "top": top}
    learned = pcmodel.linear_em(network, given, num_steps=1).network
    regressors = np.hstack([top, np.ones((30, 1))])
    squares = [
        np.linalg.lstsq(regressors, seen, rcond=None)[1] for seen in (wide, narrow)
    ]
    expected = np.log(30 * 4 / np.concatenate(squares).sum())
    for level in (0, 1):
        np.testing.assert_allclose(learned.log_precision[level][...], expected, 1e-4)


def test_a_function_that_returns_its_argument_is_linear_in_hidden_levels_and_over_time():
    levels = {
        "seen": pcmodel.Level(1, parents=["middle"]),
        "middle": pcmodel.Level(1, parents=["top"]),
        "top": pcmodel.Level(1),
    }
    steps = {
        "seen": pcmodel.Level(1, parents=["state"]),
        "state": pcmodel.Level(1, parents=["state[-1]"]),
    }
    for network in (
        pcmodel.hierarchy(levels, activation=lambda x: x, rngs=nnx.Rngs(0)),
        pcmodel.over_time(steps, 3, activation=lambda x: x, rngs=nnx.Rngs(0)),
    ):
        assert network.is_linear
        seen = {network.names[0]: np.array([[0.1], [2.0], [-1.0], [0.5]])}
        first, second = pcmodel.linear_em(network, seen, num_steps=1).log_evidence
        assert second > first
    curved = pcmodel.hierarchy(
        levels, activation=lambda x: x + 0.1 * x**3, rngs=nnx.Rngs(0)
    )
    assert not curved.is_linear
