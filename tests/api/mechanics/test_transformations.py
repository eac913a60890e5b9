"""Under `jit`, `vmap` and `grad`, as inside a program of one's own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from api.mechanics import by_hand
from flax import nnx

import pcmodel
from pcmodel.api.mechanics.gradients import _gradients


def test_seeds_are_mapped_in_a_loop_of_ones_own():
    """`vmap` over weights: each is what it is alone."""
    networks = [by_hand.network_of(seed=seed) for seed in range(3)]
    images, labels = by_hand.examples(2)
    weights = [pcmodel.weights_of(network) for network in networks]
    together = jax.tree.map(lambda *leaves: jnp.stack(leaves), *weights)

    @jax.jit
    @jax.vmap
    def slopes(weights):
        network = pcmodel.with_weights(networks[0], weights)
        found = pcmodel.energy_and_gradients(network, images, clamp={"top": labels})
        return found.energy, found.weights["layers"][1]["weight"]

    energies, gradients = slopes(together)
    for number, network in enumerate(networks):
        alone = pcmodel.energy_and_gradients(network, images, clamp={"top": labels})
        np.testing.assert_allclose(energies[number], alone.energy, rtol=1e-10)
        own = alone.weights["layers"][1]["weight"]
        np.testing.assert_allclose(gradients[number], own, rtol=1e-6, atol=1e-10)


def test_a_second_batch_and_a_second_network_are_not_compiled_again():
    images, labels = by_hand.examples(2)
    for seed in range(3):
        network = by_hand.network_of(seed=seed)
        pcmodel.energy_and_gradients(network, images + seed, clamp={"top": labels})
        if seed == 0:
            before = _gradients._cache_size()
    assert _gradients._cache_size() == before


def test_the_derivative_in_the_data_is_that_of_the_energy_of_the_mode():
    """Latents of the mode are fixed by derivatives, and clamped values in them must not be."""
    network, (images, labels) = by_hand.network_of(), by_hand.examples(2)

    def total(label):
        return pcmodel.energies(network, images[0], clamp={"top": label}).total

    found = jax.grad(total)(labels[0])
    steps = 1e-5 * np.eye(2)
    expected = [(total(labels[0] + h) - total(labels[0] - h)) / 2e-5 for h in steps]
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_latents_are_moved_by_an_optimiser_of_ones_own():
    """A loop over `latents` gradients ends where `infer` does, and leaves clamped units alone."""
    network, (images, labels) = by_hand.network_of(), by_hand.examples(2)
    clamp = {"top": labels}

    @jax.jit
    def step(latents):
        found = pcmodel.energy_and_gradients(
            network, images, clamp=clamp, latents=latents
        )
        return jax.tree.map(lambda x, pull: x - 0.05 * pull, latents, found.latents)

    latents = pcmodel.ByLevel(
        network.names,
        [images, *map(jnp.asarray, by_hand.random_latents(2)[1:3]), labels],
    )
    for _ in range(800):
        latents = step(latents)
    mode = pcmodel.infer(network, images, clamp=clamp).latents
    for one, other in zip(latents.entries, mode, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(latents["data"], images)


@pytest.mark.parametrize("batch", [1, 3])
def test_one_example_and_a_batch_of_it_are_the_same(batch):
    """Prevents a mean, a sum or an axis from depending on the size of the batch."""
    network, (images, labels) = by_hand.network_of(), by_hand.examples(1)
    alone = pcmodel.energy_and_gradients(network, images[0], clamp={"top": labels[0]})
    many = pcmodel.energy_and_gradients(
        network, np.repeat(images, batch, axis=0), clamp={"top": labels[0]}
    )
    for one, other in zip(
        jax.tree.leaves(
            (alone.energy, alone.weights, alone.log_precisions, alone.rounding)
        ),
        jax.tree.leaves(
            (many.energy, many.weights, many.log_precisions, many.rounding)
        ),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-12)
    for one, other in zip(alone.at.entries, many.at.entries, strict=True):
        np.testing.assert_allclose(
            np.broadcast_to(one, (batch, len(one))), other, rtol=1e-7
        )


def test_units_of_discrete_data_that_are_missing_have_no_energy():
    network = pcmodel.dense(
        (3, 4, 2),
        likelihood=pcmodel.Bernoulli(),
        precisions=[None, 2.0, 1.0],
        rngs=nnx.Rngs(0),
    )
    data = pcmodel.Clamp(np.array([1.0, 0.0, 1.0]), np.array([True, False, True]))
    point = (np.zeros(3), np.arange(4.0) / 4, np.ones(2))
    found = pcmodel.energy_and_gradients(network, clamp={0: data}, latents=point)
    layer = network.layers[0]
    logits = np.asarray(layer.weight[...]) @ np.tanh(point[1]) + np.asarray(
        layer.bias[...]
    )
    mean = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(
        found.level_energies["data"], -np.log(mean[[0, 2]]).sum(), rtol=1e-12
    )
    slope = np.where([True, False, True], mean - 1, 0)
    np.testing.assert_allclose(found.weights["layers"][0]["bias"], slope, rtol=1e-12)
    np.testing.assert_allclose(found.at["data"], [1.0, mean[1], 1.0], rtol=1e-12)
    assert not np.any(found.latents["data"]) and found.log_precisions[0] is None
