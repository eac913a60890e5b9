"""Gradients for a loop of one's own: against NumPy, and in loops that must equal `train`."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from api.mechanics import by_hand
from flax import nnx
from hierarchies import mixed

import pcmodel
from pcmodel.learning import FixedHiddenPrecision, Frozen, PointEstimate
from pcmodel.networks.network import LogPrecision


def test_gradients_at_given_latents_are_those_by_hand():
    """Prevents a wrong sign, a sum for a mean over examples, and a gradient where nothing is free."""
    network, (images, labels) = by_hand.network_of(), by_hand.examples()
    latents = by_hand.random_latents(3)
    found = pcmodel.energy_and_gradients(
        network, images, clamp={"top": labels}, latents=latents
    )
    model, whole = by_hand.by_hand(network), (images, *latents[1:3], labels)
    each = [by_hand.example_of(whole, number) for number in range(3)]
    slopes = [by_hand.weight_slopes(model, own) for own in each]
    for level, layer in enumerate(found.weights["layers"]):
        weight, bias = (
            np.mean([s[level][part] for s in slopes], axis=0) for part in (0, 1)
        )
        np.testing.assert_allclose(layer["weight"], weight, rtol=1e-11)
        np.testing.assert_allclose(layer["bias"], bias, rtol=1e-11)
    prior = np.mean(
        [model.precisions[-1] * (model.prior - own[-1]) for own in each], axis=0
    )
    np.testing.assert_allclose(found.weights["prior_mean"], prior, rtol=1e-11)
    for number, own in enumerate(each):
        pulls = by_hand.pulls(model, own)
        for level in (1, 2):
            np.testing.assert_allclose(
                found.latents[level][number], pulls[level], rtol=1e-11
            )
    assert not np.any(found.latents["data"]) and not np.any(found.latents["top"])
    # dE / d log-precision of a level with one: half of (its weighted squared errors less its units).
    for level, own in enumerate(found.log_precisions):
        squares = [2 * by_hand.error_energies(model, at)[level] for at in each]
        expected = 0.5 * (np.mean(squares) - by_hand.WIDTHS[level])
        np.testing.assert_allclose(own, expected, rtol=1e-11)
    np.testing.assert_allclose(
        found.energy, np.mean([np.sum(by_hand.energies(model, own)) for own in each])
    )
    np.testing.assert_array_equal(found.at["top"], labels)


def test_gradients_at_the_mode_are_those_of_its_energy():
    """The envelope theorem: finite differences of the energy that `infer` reaches."""
    network, (images, labels) = by_hand.network_of(), by_hand.examples()
    found = pcmodel.energy_and_gradients(network, images, clamp={"top": labels})
    weights = pcmodel.weights_of(network)
    rng = np.random.default_rng(4)
    along = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), weights)

    def reached(size):
        moved = jax.tree.map(lambda leaf, way: leaf + size * way, weights, along)
        other = pcmodel.with_weights(network, moved)
        return np.mean(pcmodel.infer(other, images, clamp={"top": labels}).energy)

    slope = (reached(1e-4) - reached(-1e-4)) / 2e-4
    inner = sum(
        jax.tree.leaves(
            jax.tree.map(lambda g, way: jnp.sum(g * way), found.weights, along)
        )
    )
    np.testing.assert_allclose(inner, slope, rtol=1e-6)
    assert max(np.abs(level).max() for level in found.latents.entries) < 1e-7


def loop(network, images, labels, optimiser, steps):
    weights = pcmodel.weights_of(network)
    state = optimiser.init(weights)
    solver = PointEstimate().solver

    @jax.jit
    def step(weights, state):
        found = pcmodel.energy_and_gradients(
            pcmodel.with_weights(network, weights),
            images,
            clamp={"top": labels},
            solver=solver,
        )
        updates, state = optimiser.update(found.weights, state, weights)
        return optax.apply_updates(weights, updates), state, found.energy

    told = []
    for _ in range(steps):
        weights, state, energy = step(weights, state)
        told.append(float(energy))
    return weights, told


def test_a_loop_of_ones_own_is_training():
    """The same rule, optimiser and batches as `train`: the same weights."""
    network, (images, labels) = by_hand.network_of(), by_hand.examples(6)
    labelled = {"layers": ("fast", "still", "slow"), "prior_mean": "slow"}
    optimiser = optax.partition(
        {
            "fast": optax.adam(1e-2),
            "slow": optax.sgd(1e-2),
            "still": optax.set_to_zero(),
        },
        labelled,
    )
    weights, told = loop(network, images, labels, optimiser, 4)
    done = pcmodel.train(
        network,
        images,
        clamp={"top": labels},
        key=jax.random.key(0),
        num_epochs=4,
        batch_size=6,
        learning=pcmodel.Learning(
            optimiser,
            precision_step=Frozen(),
            e_step=PointEstimate(),
            gauge=FixedHiddenPrecision(),
        ),
    )
    trained = pcmodel.weights_of(done.network)
    for one, other in zip(
        jax.tree.leaves(weights), jax.tree.leaves(trained), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9)
    np.testing.assert_allclose(told, done.curve.energy, rtol=1e-9)
    np.testing.assert_array_equal(
        weights["layers"][1]["weight"], network.layers[1].weight[...]
    )


def test_flax_takes_its_own_gradient_of_the_energy():
    """`nnx.value_and_grad` of `energies` is the same gradient, in the form that `nnx.Optimizer` takes."""
    network, (images, labels) = by_hand.network_of(), by_hand.examples()
    weights_only = nnx.All(nnx.Param, nnx.Not(LogPrecision))

    def mean(network):
        return jnp.mean(pcmodel.energies(network, images, clamp={"top": labels}).total)

    value, slopes = nnx.value_and_grad(mean, argnums=nnx.DiffState(0, weights_only))(
        network
    )
    found = pcmodel.energy_and_gradients(network, images, clamp={"top": labels})
    np.testing.assert_allclose(value, found.energy, rtol=1e-12)
    for level, layer in enumerate(found.weights["layers"]):
        np.testing.assert_allclose(
            slopes["layers"][level]["weight"][...], layer["weight"], rtol=1e-11
        )
    before = by_hand.by_hand(network)
    optimiser = nnx.Optimizer(network, optax.sgd(0.1), wrt=weights_only)
    optimiser.update(network, slopes)
    moved = before.weights[1] - 0.1 * np.asarray(found.weights["layers"][1]["weight"])
    np.testing.assert_allclose(network.layers[1].weight[...], moved, rtol=1e-12)


def test_stacked_and_shared_layers_have_their_own_entries():
    """Five equal layers are one stack inside: their gradients come apart, and shared ones stand once."""
    widths, precisions = (3,) * 7, (1.0,) * 7
    network, (images, labels) = (
        by_hand.network_of(precisions, widths),
        by_hand.examples(2, widths),
    )
    found = pcmodel.energy_and_gradients(network, images, clamp={"top": labels})
    model = by_hand.by_hand(network, precisions)
    each = [by_hand.example_of(found.at.entries, number) for number in range(2)]
    for level, layer in enumerate(found.weights["layers"]):
        expected = np.mean(
            [by_hand.weight_slopes(model, own)[level][0] for own in each], axis=0
        )
        np.testing.assert_allclose(layer["weight"], expected, rtol=1e-9, atol=1e-12)
    again = pcmodel.with_weights(network, pcmodel.weights_of(network))
    np.testing.assert_array_equal(
        again.layers[3].weight[...], network.layers[3].weight[...]
    )
    layer = pcmodel.Dense(3, 3, rngs=nnx.Rngs(0))
    shared = pcmodel.Network([layer, layer], (3, 3, 3), log_precisions=[0.0] * 3)
    found = pcmodel.energy_and_gradients(shared, images, clamp={"top": labels})
    assert not jax.tree.leaves(found.weights["layers"][1])
    model = by_hand.ByHand(
        [np.asarray(layer.weight[...])] * 2,
        [np.asarray(layer.bias[...])] * 2,
        [1.0] * 3,
        np.zeros(3),
    )
    # Its gradient is the sum over both places; both layers read through tanh here, so only the lower is by hand.
    lower = [
        -np.outer(
            e[0] - model.weights[0] @ np.tanh(e[1]) - model.biases[0], np.tanh(e[1])
        )
        - np.outer(
            e[1] - model.weights[0] @ np.tanh(e[2]) - model.biases[0], np.tanh(e[2])
        )
        for e in (by_hand.example_of(found.at.entries, number) for number in range(2))
    ]
    np.testing.assert_allclose(
        found.weights["layers"][0]["weight"], np.mean(lower, axis=0), rtol=1e-9
    )


def test_slopes_of_a_modulation_are_part_of_the_gradient():
    network, (images, labels) = by_hand.network_of(), by_hand.examples()
    modulation = pcmodel.Modulation({"hidden1": 0.5}, slopes={"hidden1": 0.5})
    found = pcmodel.energy_and_gradients(
        network, images, clamp={"top": labels}, modulation=modulation
    )
    model = by_hand.by_hand(network)
    expected = [
        -2.0
        * np.outer(
            x[0] - model.weights[0] @ np.tanh(0.5 * x[1]) - model.biases[0],
            np.tanh(0.5 * x[1]),
        )
        for x in (by_hand.example_of(found.at.entries, number) for number in range(3))
    ]
    np.testing.assert_allclose(
        found.weights["layers"][0]["weight"], np.mean(expected, axis=0), rtol=1e-9
    )


def test_weights_of_another_network_are_refused():
    network, other = by_hand.network_of(), by_hand.network_of(widths=(4, 3, 4, 2))
    for wrong in (pcmodel.weights_of(other), {"layers": ()}, 3.0):
        with pytest.raises(pcmodel.UserError, match="not of this network"):
            pcmodel.with_weights(network, wrong)


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1.0, 1e4, 1e8])
def test_single_precision_at_extremes_is_right_or_says_what_it_lost(scale):
    """One map of one unit, the closed form of the gradient; an error that is a last digit is told as one."""
    with jax.enable_x64(False):
        network = mixed(lambda x: x)
        network.log_precision[1][...] = jnp.asarray(np.log(scale), jnp.float32)
        network.prior_mean[...] = jnp.full(1, 0.3, jnp.float32)
        found = pcmodel.energy_and_gradients(network, np.float32([1.7]))
    mode = (1.7 + scale * 0.3) / (1 + scale)
    weight, prior = -(1.7 - mode) * mode, -scale * (mode - 0.3)
    off = np.abs(found.weights["layers"][0]["weight"][0, 0] / weight - 1)
    assert off < 1e-5 + 2 * found.rounding["data"]
    assert found.rounding["data"] < 0.01 or scale < 1e-3
    np.testing.assert_allclose(found.weights["prior_mean"], prior, rtol=1e-4)
    assert found.rounding["top"] < 1e-6


@pytest.mark.parametrize("precision", [1.0, 1e4, 1e8, 1e12])
def test_single_precision_keeps_the_gradient_of_backpropagation(precision):
    """Hidden errors shrink as 1 / precision while their gradients stay: against the same in double precision."""
    precisions = (2.0, precision, precision, 1.0)
    network, (images, labels) = by_hand.network_of(precisions), by_hand.examples()
    exact = pcmodel.energy_and_gradients(network, images, clamp={"top": labels})
    with jax.enable_x64(False):
        single = by_hand.in_single_precision(network, precisions)
        found = pcmodel.energy_and_gradients(
            single, images.astype(np.float32), clamp={"top": labels.astype(np.float32)}
        )
    pairs = zip(found.weights["layers"], exact.weights["layers"], strict=True)
    for one, other in pairs:
        scale = np.abs(other["weight"]).max()
        np.testing.assert_allclose(
            one["weight"], other["weight"], rtol=1e-4, atol=2e-4 * scale
        )
    assert max(map(float, found.rounding.entries)) < 1e-5
