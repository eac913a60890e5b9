"""The equilibrium's gradient beside backpropagation's: against backpropagation written by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from api.mechanics import by_hand
from flax import nnx

import pcmodel


def backpropagated(model, image, label):
    """The gradient of precision_0 / 2 |label - f(image)|^2, by the chain rule in NumPy."""
    latents = by_hand.sweep(model, image)
    back = -model.precisions[0] * (label - latents[0])
    slopes = []
    for level, weight in enumerate(model.weights):
        slopes.append(
            (np.outer(back, by_hand.seen(level, model, latents[level + 1])), back)
        )
        back = weight.T @ back * (1 - np.tanh(latents[level + 1]) ** 2)
    return slopes


def cosine(one, other):
    one, other = (
        np.concatenate([np.ravel(part) for part in each]) for each in (one, other)
    )
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


@pytest.mark.parametrize("hidden", [0.5, 30.0])
def test_both_gradients_and_their_angle_are_those_by_hand(hidden):
    precisions = (2.0, hidden, 2 * hidden, 1.0)
    network, (labels, images) = by_hand.network_of(precisions), by_hand.examples(4)
    found = pcmodel.compare_with_backpropagation(network, labels, clamp={"top": images})
    model = by_hand.by_hand(network, precisions)
    mode = pcmodel.infer(network, labels, clamp={"top": images}).latents
    own = [by_hand.weight_slopes(model, by_hand.example_of(mode, i)) for i in range(4)]
    other = [backpropagated(model, images[i], labels[i]) for i in range(4)]
    for level in range(3):
        first, second = (
            [
                np.mean([slopes[level][part] for slopes in each], axis=0)
                for part in (0, 1)
            ]
            for each in (own, other)
        )
        np.testing.assert_allclose(
            found.backpropagation["layers"][level]["weight"], second[0], rtol=1e-10
        )
        np.testing.assert_allclose(
            found.equilibrium["layers"][level]["weight"], first[0], rtol=1e-5, atol=1e-9
        )
        np.testing.assert_allclose(
            found.cosine[level], cosine(first, second), rtol=1e-7
        )
        ratio = np.linalg.norm(
            np.concatenate([first[0].ravel(), first[1]])
        ) / np.linalg.norm(np.concatenate([second[0].ravel(), second[1]]))
        np.testing.assert_allclose(found.norm_ratio[level], ratio, rtol=1e-6)
    # The prior of the clamped top is in both alike.
    np.testing.assert_allclose(
        (found.cosine["top"], found.norm_ratio["top"]), 1.0, rtol=1e-12
    )


def test_the_cosine_tends_to_one_with_the_hidden_precisions():
    """Whittington & Bogacz: errors of hidden levels that cost much hardly move them."""
    network_at = [by_hand.network_of((1.0, p, p, 1.0)) for p in (1.0, 10.0, 100.0, 1e8)]
    labels, images = by_hand.examples(4)
    found = [
        pcmodel.compare_with_backpropagation(
            network, labels, clamp={"top": images}
        ).cosine["hidden1"]
        for network in network_at
    ]
    assert np.all(np.diff(found) > 0) and found[0] < 0.999
    np.testing.assert_allclose(found[-1], 1.0, atol=1e-12)


def test_a_categorical_label_is_compared_with_cross_entropy():
    network = pcmodel.mlp_classifier(
        4,
        (3,),
        2,
        activation=jnp.tanh,
        likelihood=pcmodel.Categorical(),
        rngs=nnx.Rngs(0),
    )
    _, images = by_hand.examples(3, (2, 4))
    labels = np.eye(2)[[0, 1, 1]]
    found = pcmodel.compare_with_backpropagation(network, labels, clamp={"top": images})
    weights = pcmodel.weights_of(network)

    def loss(weights):
        def one(image, label):
            first, second = weights["layers"][1], weights["layers"][0]
            hidden = first["weight"] @ image + first["bias"]
            logits = second["weight"] @ jnp.tanh(hidden) + second["bias"]
            return jax.nn.logsumexp(logits) - jnp.sum(label * logits)

        return jnp.mean(jax.vmap(one)(images, labels))

    expected = jax.grad(loss)(weights)["layers"]
    for one, other in zip(found.backpropagation["layers"], expected, strict=True):
        np.testing.assert_allclose(
            one["weight"], other["weight"], rtol=1e-10, atol=1e-14
        )


def test_a_gradient_of_zero_has_no_angle_and_small_ones_have():
    network = pcmodel.linear_gaussian([np.array([[2.0]])], [1.0, 1.0])
    found = pcmodel.compare_with_backpropagation(network, np.zeros(1))
    assert np.isnan(found.cosine["data"]) and np.isnan(found.total_cosine)
    with jax.enable_x64(False):
        network = pcmodel.linear_gaussian([np.array([[2.0]])], [1e-20, 1.0])
        network.prior_mean[...] = jnp.full(1, 1e-3, jnp.float32)
        found = pcmodel.compare_with_backpropagation(network, np.float32([1e-3]))
        np.testing.assert_allclose(found.cosine["data"], 1.0, rtol=1e-6)
        np.testing.assert_allclose(found.norm_ratio["data"], 1.0, rtol=1e-5)


def test_every_top_of_several_is_compared_by_its_own_prior_mean():
    """At the mode of a linear hierarchy the gradient of a prior mean is minus its precision times the top's error."""
    network = pcmodel.hierarchy(
        {
            "sum": pcmodel.Level(3, parents=["one", "two"], precision=2.0),
            "one": pcmodel.Level(2, precision=3.0),
            "two": pcmodel.Level(2, precision=0.5),
        },
        rngs=nnx.Rngs(0),
    )
    seen = np.array([1.0, -2.0, 0.5])
    found = pcmodel.compare_with_backpropagation(network, {"sum": seen})
    one, two = (np.asarray(own.weight[...], float) for own in network.layers[0].maps)
    spread = one @ one.T / 3 + two @ two.T / 0.5 + np.eye(3) / 2
    for name, own in (("one", one), ("two", two)):
        settled = -own.T @ np.linalg.solve(spread, seen)
        swept = -own.T @ (2.0 * seen)
        norms = np.linalg.norm(settled), np.linalg.norm(swept)
        cosine = settled @ swept / np.prod(norms)
        np.testing.assert_allclose(found.cosine[name], cosine, atol=1e-4)
        np.testing.assert_allclose(found.norm_ratio[name], norms[0] / norms[1], 1e-4)
