"""The energy against one written by hand, and against itself in other coordinates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hierarchies import random_precision, random_spd
from oracles import gained

import pcmodel
from pcmodel import Belief, Bernoulli, Categorical, Clamp, Gaussian, Modulation
from pcmodel.api.pose import pose
from pcmodel.inference.posterior import free_energy
from pcmodel.inference.whitened import objective, unroll, whitened_from_latents
from pcmodel.model.energy import (
    energy,
    latents_from_state,
    level_energies,
    normaliser,
    predictions,
    state_from_latents,
)
from pcmodel.model.generative import sweep
from pcmodel.networks.pure import as_model

WIDTHS = (4, 3, 2)
LIKELIHOODS = (Gaussian(), Bernoulli(), Categorical())


def tanh_network(seed=0, kinds=("unit", "full", "scalar"), likelihood=LIKELIHOODS[0]):
    rng = np.random.default_rng(seed)
    precisions = [
        random_precision(rng, kind, width)
        for kind, width in zip(kinds, WIDTHS, strict=True)
    ]
    if not isinstance(likelihood, Gaussian):
        precisions[0] = None
    network = pcmodel.dense(
        WIDTHS, precisions=precisions, likelihood=likelihood, rngs=nnx.Rngs(seed)
    )
    network.prior_mean[...] = jnp.array(rng.normal(size=WIDTHS[-1]))
    return network, precisions


def some_data(rng, likelihood):
    """A legal observation of the four data units."""
    if isinstance(likelihood, Gaussian):
        return rng.normal(size=4)
    return np.eye(4)[2] if isinstance(likelihood, Categorical) else np.eye(4)[1]


def energy_by_hand(network, precisions, gains, latents):
    """-log p(latents, data), one level at a time, in plain numpy."""
    x0, x1, x2 = (np.asarray(x) for x in latents)
    low, high = (
        (np.asarray(layer.weight[...]), np.asarray(layer.bias[...]))
        for layer in network.layers
    )
    logits = low[0] @ np.tanh(x1) + low[1]
    errors = [x0 - logits, x1 - (high[0] @ x2 + high[1])]
    errors.append(x2 - np.asarray(network.prior_mean[...]))
    total = 0.0
    for error, precision, gain in zip(errors, precisions, gains, strict=True):
        if precision is None:
            if isinstance(network.likelihood, Categorical):
                total -= gain * (x0 @ logits - np.log(np.exp(logits).sum()))
            else:
                probability = 1 / (1 + np.exp(-logits))
                total -= (
                    gain * np.log(np.where(x0 == 1, probability, 1 - probability)).sum()
                )
            continue
        matrix = gained(precision, gain, len(error))
        total += 0.5 * error @ matrix @ error
        total -= 0.5 * np.linalg.slogdet(matrix / (2 * np.pi))[1]
    return total


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda kind: kind.name)
def test_energy_is_the_one_written_by_hand(likelihood):
    """Prevents a wrong half, sign, normaliser, gain or tempering at any level."""
    rng = np.random.default_rng(0)
    network, precisions = tanh_network(likelihood=likelihood)
    gains = (0.7, 0.2, 3.0)
    problem = pose(
        network,
        some_data(rng, likelihood),
        modulation=Modulation(dict(enumerate(gains))),
    ).problem
    latents = (problem.inputs.values[0], rng.normal(size=3), rng.normal(size=2))
    latents = tuple(map(jnp.asarray, latents))
    expected = energy_by_hand(network, precisions, gains, latents)
    np.testing.assert_allclose(energy(problem, latents), expected, rtol=1e-12)


def test_descent_follows_the_precision_weighted_errors():
    """Prevents prediction errors from pulling a latent the wrong way.

    dE/dx_l = P_l e_l - J' P_{l-1} e_{l-1}, the equation of predictive coding.
    """
    rng = np.random.default_rng(1)
    network, precisions = tanh_network()
    problem = pose(network, rng.normal(size=4)).problem
    latents = (problem.inputs.values[0], jnp.array(rng.normal(size=3)), jnp.ones(2))
    below, own, _ = (
        gained(p, 1.0, w) @ np.asarray(x - mu)
        for p, w, x, mu in zip(
            precisions, WIDTHS, latents, predictions(problem, latents), strict=True
        )
    )
    weight = np.asarray(network.layers[0].weight[...])
    slope = weight * (1 - np.tanh(latents[1]) ** 2)
    gradient = jax.grad(lambda x: energy(problem, (latents[0], x, latents[2])))
    np.testing.assert_allclose(gradient(latents[1]), own - slope.T @ below, rtol=1e-10)


def hard_problem(likelihood):
    """Partly clamped levels with full precisions, beliefs over two groups of levels."""
    rng = np.random.default_rng(2)
    network, _ = tanh_network(kinds=("full", "full", "unit"), likelihood=likelihood)
    mask = np.array([True, False, True, True])
    if isinstance(likelihood, Categorical):
        mask[:] = True
    joint = Belief.from_covariance(
        jnp.array(rng.normal(size=5)), jnp.array(random_spd(rng, 5)), (1, 2)
    )
    return pose(
        network,
        prior=[joint, Belief.of(rng.normal(size=3), 2.0, level=1)]
        if isinstance(likelihood, Bernoulli)
        else joint,
        modulation=Modulation({0: 0.5, 1: 2.0, 2: rng.uniform(0.5, 2, size=2)}),
        clamp={
            0: Clamp(some_data(rng, likelihood), mask),
            1: Clamp(rng.normal(size=3), np.array([False, True, False])),
        },
    ).problem


@pytest.mark.parametrize(
    "likelihood", [Gaussian(), Categorical()], ids=lambda k: k.name
)
def test_both_coordinates_hold_the_same_energy(likelihood):
    """Prevents solvers in different coordinates from minimising different models."""
    problem = hard_problem(likelihood)
    size = problem.structure.num_free
    whitened = jnp.array(np.random.default_rng(3).normal(size=size))
    latents = unroll(problem, whitened).latents
    np.testing.assert_allclose(
        objective(problem, whitened) + normaliser(problem),
        energy(problem, latents),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        whitened_from_latents(problem, latents), whitened, rtol=1e-10
    )
    state = state_from_latents(problem.structure, latents)
    for back, latent in zip(latents_from_state(problem, state), latents, strict=True):
        np.testing.assert_array_equal(back, latent)
    terms = level_energies(problem, latents)
    np.testing.assert_allclose(jnp.sum(terms), energy(problem, latents), rtol=1e-14)


def test_two_beliefs_about_the_top_are_refused():
    """Prevents a prior from being counted twice."""
    with pytest.raises(pcmodel.UserError, match="top"):
        hard_problem_with_two_tops()


def hard_problem_with_two_tops():
    network, _ = tanh_network()
    top = Belief.of(np.zeros(2), 1.0)
    return pose(network, np.zeros(4), prior=[top, top])


def test_errors_are_zero_after_a_sweep():
    """Prevents inference from starting anywhere but at the model's own expectation."""
    network, _ = tanh_network()
    pure = as_model(network)
    latents = sweep(pure.model, pure.weights)
    problem = pose(network).problem
    for latent, prediction in zip(latents, predictions(problem, latents), strict=True):
        np.testing.assert_array_equal(latent, prediction)
    start = unroll(problem, jnp.zeros(sum(WIDTHS))).latents
    for latent, begun in zip(latents, start, strict=True):
        np.testing.assert_allclose(begun, latent, rtol=1e-15)


@pytest.mark.slow
def test_the_order_of_hidden_units_means_nothing():
    """Prevents any quantity from depending on how hidden units are numbered."""
    rng = np.random.default_rng(4)
    network, _ = tanh_network(kinds=("unit", "unit", "unit"))
    order = np.array([2, 0, 1])
    other = nnx.clone(network)
    other.layers[0].weight[...] = network.layers[0].weight[...][:, order]
    other.layers[1].weight[...] = network.layers[1].weight[...][order]
    other.layers[1].bias[...] = network.layers[1].bias[...][order]
    other.log_precision[1][...] = network.log_precision[1][...][order]
    data = rng.normal(size=4)
    values = []
    for each in (network, other):
        found = pcmodel.infer(each, data)
        values.append(
            (found.energy, free_energy(pose(each, data).problem, found.whitened))
        )
    np.testing.assert_allclose(values[0], values[1], rtol=1e-10)
