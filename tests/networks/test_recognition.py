"""Recognition: what it guesses, what it learns, and what it cannot change."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from hierarchies import network_of, random_hierarchy

import pcmodel
from pcmodel.networks.layers.dense import identity
from pcmodel.networks.pure import as_model
from pcmodel.networks.recognition import (
    as_recognition_model,
    recognition_loss,
    with_recognition_weights,
)

WIDTHS = (5, 3, 2)
KINDS = ("unit", "scalar", "full")


@pytest.fixture(scope="module")
def linear():
    """A linear-Gaussian network and 64 examples drawn from it."""
    network = network_of(random_hierarchy(np.random.default_rng(3), WIDTHS, KINDS))
    return network, np.asarray(pcmodel.sample(network, jax.random.key(0), 64)[0])


def mean_loss(model, weights, inferred, log_precisions):
    losses = jax.vmap(lambda one: recognition_loss(model, weights, one, log_precisions))
    return jnp.mean(losses(inferred))


@pytest.mark.slow
def test_trained_recognition_is_the_exact_posterior_mean(linear):
    """A linear-Gaussian posterior mean is affine in the data: trained on 64 examples, the
    guess must be right on others too. Prevents a guess of another level, or a loss
    whose minimum lies elsewhere."""
    network, data = linear
    recognition = pcmodel.recognition_for(
        network, activation=identity, rngs=nnx.Rngs(0)
    )
    model, weights = as_recognition_model(recognition)
    inferred = pcmodel.infer(network, data, solver=pcmodel.Exact()).latents
    log_precisions = as_model(network).log_precisions
    optimiser = optax.lbfgs(memory_size=30)

    def loss(weights):
        return mean_loss(model, weights, inferred, log_precisions)

    def step(carry, _):
        weights, state = carry
        value, gradient = optax.value_and_grad_from_state(loss)(weights, state=state)
        updates, state = optimiser.update(
            gradient, state, weights, value=value, grad=gradient, value_fn=loss
        )
        return (optax.apply_updates(weights, updates), state), value

    start = (weights, optimiser.init(weights))
    (weights, _), losses = jax.jit(lambda c: jax.lax.scan(step, c, length=250))(start)
    assert losses[0] > 0.1 and losses[-1] < 1e-20
    trained = with_recognition_weights(recognition, weights)
    others = np.asarray(pcmodel.sample(network, jax.random.key(1), 8)[0])
    guess = pcmodel.recognise(trained, others)
    exact = pcmodel.infer(network, others, solver=pcmodel.Exact()).latents
    for mine, theirs in zip(guess, exact, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-8)
    started = pcmodel.infer(network, others, initial=guess)
    swept = pcmodel.infer(network, others)
    assert np.all(started.iterations <= swept.iterations)
    np.testing.assert_allclose(started.energy, swept.energy, rtol=1e-6)


def test_the_loss_is_the_mean_squared_whitened_distance(linear):
    """Prevents a precise level from counting like a vague one, or level 0 from counting."""
    network, data = linear
    recognition = pcmodel.recognition_for(network, rngs=nnx.Rngs(0))
    model, weights = as_recognition_model(recognition)
    log_precisions = as_model(network).log_precisions
    inferred = tuple(level[0] for level in pcmodel.infer(network, data[:1]).latents)
    found = recognition_loss(model, weights, inferred, log_precisions)
    hierarchy = random_hierarchy(np.random.default_rng(3), WIDTHS, KINDS)
    level, total = np.asarray(inferred[0]), 0.0
    for index, layer in enumerate(recognition.layers):
        active = np.tanh(level) if index else level
        level = np.asarray(layer.weight[...]) @ active
        precision = np.asarray(hierarchy.precisions[index + 1])
        full = (
            precision
            if precision.ndim == 2
            else np.diag(np.broadcast_to(precision, level.shape))
        )
        distance = level - np.asarray(inferred[index + 1])
        total += distance @ full @ distance
    np.testing.assert_allclose(found, total / sum(WIDTHS[1:]), rtol=1e-9)


def test_targets_and_precisions_are_not_learned(linear):
    """Prevents latents from being drawn towards a bad guess, or precisions from falling to
    please it."""
    network, data = linear
    model, weights = as_recognition_model(
        pcmodel.recognition_for(network, rngs=nnx.Rngs(0))
    )
    inferred = tuple(level[0] for level in pcmodel.infer(network, data[:1]).latents)
    log_precisions = as_model(network).log_precisions
    arguments = (weights, inferred, log_precisions)
    own, *others = jax.grad(
        lambda *given: recognition_loss(model, *given), argnums=(0, 1, 2)
    )(*arguments)
    assert all(np.any(leaf) for leaf in jax.tree.leaves(own))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(others))


def test_one_example_and_a_batch_are_guessed_alike(linear):
    """Prevents a batch from being read as one wide example."""
    network, data = linear
    recognition = pcmodel.recognition_for(network, rngs=nnx.Rngs(0))
    batch = pcmodel.recognise(recognition, data[:3])
    for index in range(3):
        one = pcmodel.recognise(recognition, data[index])
        for mine, theirs in zip(one, batch, strict=True):
            np.testing.assert_allclose(mine, theirs[index], rtol=1e-10)
    np.testing.assert_array_equal(batch[0], data[:3])


def test_what_cannot_be_recognised_is_refused(linear):
    """Prevents a traceback for data of another width."""
    network, data = linear
    recognition = pcmodel.recognition_for(network, rngs=nnx.Rngs(0))
    for wrong in (data[:, :4], data[None], np.full(5, np.nan)):
        with pytest.raises(pcmodel.UserError, match="data of"):
            pcmodel.recognise(recognition, wrong)
    alone = pcmodel.Network([], (2,), log_precisions=[0.0], names=("data",))
    with pytest.raises(pcmodel.UserError, match="one level"):
        pcmodel.recognition_for(alone, rngs=nnx.Rngs(0))


def test_a_hierarchy_that_branches_has_no_recognition_of_chains():
    """Prevents levels from being guessed from what is not their child."""
    network = pcmodel.hierarchy(
        {
            "a": pcmodel.Level(2, parents=["top"]),
            "b": pcmodel.Level(2, parents=["top"]),
            "top": pcmodel.Level(2),
        },
        rngs=nnx.Rngs(0),
    )
    with pytest.raises(pcmodel.UserError, match="needs a chain"):
        pcmodel.recognition_for(network, rngs=nnx.Rngs(0))
