"""Training a recognition network: what it learns, and what it saves inference."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from hierarchies import network_of, random_hierarchy
from oracles import KnownUnits, exact_posterior

import pcmodel
from pcmodel.api.batching import compiled
from pcmodel.api.learning import train_recognition as amortising
from pcmodel.inference import ConjugateGradient, GaussNewton
from pcmodel.networks.layers.dense import identity

WIDTHS = (5, 3, 2)
HELD = optax.set_to_zero()
HIERARCHY = random_hierarchy(
    np.random.default_rng(3), WIDTHS, ("unit", "scalar", "full")
)


def drawn(network, num, seed=0):
    return np.asarray(pcmodel.sample(network, jax.random.key(seed), num)[0])


@pytest.mark.slow
def test_in_a_linear_network_it_becomes_the_exact_posterior_mean():
    """Held out, to a thousandth of a posterior standard deviation: prevents targets of other
    examples, or a loss with another minimum."""
    network = network_of(HIERARCHY)
    start = pcmodel.recognition_for(network, activation=identity, rngs=nnx.Rngs(0))
    done = pcmodel.train_recognition(
        start,
        network,
        drawn(network, 66),
        key=jax.random.key(1),
        num_epochs=1000,
        batch_size=22,
        optimiser=optax.adam(optax.cosine_decay_schedule(0.05, 3000)),
    )
    assert done.converged == 1 and done.loss.shape == (1000,)
    others = drawn(network, 8, seed=1)
    guess = pcmodel.recognise(done.recognition, others)
    for example, data in enumerate(others):
        exact = exact_posterior(HIERARCHY, [KnownUnits(0, np.arange(5), data)])
        own = np.concatenate([level[example] for level in guess[1:]])
        spread = np.sqrt(np.diag(exact.covariance)[5:])
        assert np.all(np.abs(own - exact.mean[5:]) < 1e-3 * spread)


@pytest.mark.slow
@pytest.mark.parametrize(("tolerance", "share"), [(1e-1, 0.8), (1e-3, 0.95)])
def test_in_a_tanh_network_inference_needs_fewer_products_from_the_guess(
    tolerance, share
):
    """Counted on data it has not seen, to the same tolerance and the same modes: prevents a guess that costs
    more than it saves.  The longer inference runs anyway, the less a start is worth."""
    network = pcmodel.dense((10, 6, 3), precisions=(10, 4, 1), rngs=nnx.Rngs(0))
    data = drawn(network, 576)
    solver = GaussNewton(ConjugateGradient(), tolerance=tolerance)
    start = pcmodel.recognition_for(network, rngs=nnx.Rngs(1))
    done = pcmodel.train_recognition(
        start,
        network,
        data[:512],
        key=jax.random.key(1),
        num_epochs=200,
        optimiser=optax.adam(optax.cosine_decay_schedule(1e-2, 1600)),
        solver=GaussNewton(ConjugateGradient(), tolerance=1e-3),
    )
    unseen = data[512:]
    swept = pcmodel.infer(network, unseen, solver=solver)
    guess = pcmodel.recognise(done.recognition, unseen)
    guessed = pcmodel.infer(network, unseen, solver=solver, initial=guess)
    assert np.all(swept.converged & guessed.converged)
    np.testing.assert_allclose(guessed.energy, swept.energy, atol=tolerance**2)
    saved = np.asarray(swept.products) - np.asarray(guessed.products)
    assert saved.mean() > 3 * saved.std() / np.sqrt(len(saved))
    assert guessed.products.mean() < share * swept.products.mean()


def test_one_step_is_that_of_the_mean_loss_over_the_batch():
    """Prevents a gradient of a sum, of another scale, or of a batch other than all of it.

    One linear layer W: the gradient is 2 Pi / n times the mean of (W y - x) y'.
    """
    weight = np.random.default_rng(0).normal(size=(4, 3))
    network = pcmodel.linear_gaussian([weight], [2.0, 0.7])
    start = pcmodel.recognition_for(network, activation=identity, rngs=nnx.Rngs(0))
    data, rate = drawn(network, 6), 0.1
    done = pcmodel.train_recognition(
        start,
        network,
        data,
        key=jax.random.key(0),
        num_epochs=1,
        batch_size=6,
        optimiser=optax.sgd(rate),
    )
    curvature = 2.0 * weight.T @ weight + 0.7 * np.eye(3)
    modes = np.linalg.solve(curvature, 2.0 * weight.T @ data.T).T
    before = np.asarray(start.layers[0].weight[...])
    away = data @ before.T - modes
    np.testing.assert_allclose(done.loss, [0.7 * np.mean(away**2)], rtol=1e-8)
    expected = before - rate * 2 * 0.7 / 3 * away.T @ data / 6
    np.testing.assert_allclose(
        done.recognition.layers[0].weight[...], expected, rtol=1e-8
    )


def test_an_epoch_sees_every_example_once():
    """Prevents batches that overlap or leave some out, and targets of other examples: with weights held
    the loss is the mean over all, however they are ordered; a last part of a batch is left out."""
    network = network_of(HIERARCHY)
    start = pcmodel.recognition_for(network, rngs=nnx.Rngs(0))
    data = drawn(network, 6)
    data = (
        data * np.where(np.arange(6) == 0, 30, 1)[:, None]
    )  # none can stand in for it

    def loss(batch_size):
        return pcmodel.train_recognition(
            start,
            network,
            data,
            key=jax.random.key(0),
            num_epochs=3,
            batch_size=batch_size,
            optimiser=HELD,
        ).loss

    np.testing.assert_allclose(loss(2), np.repeat(loss(6)[0], 3), rtol=1e-9)
    # Two of six are left out, others in every epoch.
    assert np.ptp(loss(4)) > 1e-5 * loss(6)[0]


def test_another_network_and_data_compile_nothing():
    """Prevents a sweep over seeds from compiling each time; the network given is not changed."""
    counts = []
    for seed in range(3):
        network = pcmodel.dense((4, 3), rngs=nnx.Rngs(seed))
        start = pcmodel.recognition_for(network, rngs=nnx.Rngs(seed))
        before = np.asarray(start.layers[0].weight[...])
        pcmodel.train_recognition(
            start,
            network,
            drawn(network, 8, seed),
            key=jax.random.key(seed),
            num_epochs=2,
            batch_size=4,
        )
        np.testing.assert_array_equal(start.layers[0].weight[...], before)
        counts.append((compiled._cache_size(), amortising._epoch._cache_size()))
    assert len(set(counts)) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"observations": np.zeros(4)}, r"\(examples, width\)"),
        ({"observations": np.zeros((8, 3))}, "4 units"),
        ({"batch_size": 9}, "batches of 1 to 8"),
        ({"num_epochs": 0}, "1 epoch or more"),
        ({"widths": (4, 2)}, r"levels of \(4, 2\)"),
        ({"widths": (5, 3)}, "data of another width"),
        ({"optimiser": optax.sgd(1e200)}, "loss is not finite in epoch"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(options, words):
    """Prevents a traceback, or a guess for another network, after a long wait."""
    network = pcmodel.dense((4, 3), rngs=nnx.Rngs(0))
    given = {
        "observations": np.ones((8, 4)),
        "num_epochs": 3,
        "batch_size": 8,
    } | options
    other = pcmodel.dense(given.pop("widths", (4, 3)), rngs=nnx.Rngs(0))
    start = pcmodel.recognition_for(other, rngs=nnx.Rngs(0))
    with pytest.raises(pcmodel.UserError, match=words):
        pcmodel.train_recognition(
            start, network, given.pop("observations"), key=jax.random.key(0), **given
        )


def test_where_the_default_solver_does_not_arrive_it_says_so():
    """Prevents half-done inference from being learned in silence."""
    network = pcmodel.dense((4, 3, 2), scale=2.0, rngs=nnx.Rngs(0))
    start = pcmodel.recognition_for(network, rngs=nnx.Rngs(0))
    done = pcmodel.train_recognition(
        start,
        network,
        drawn(network, 8),
        key=jax.random.key(0),
        num_epochs=1,
        batch_size=8,
        solver=GaussNewton(ConjugateGradient(), max_iterations=1),
    )
    assert done.converged == 0 and jnp.isfinite(done.loss).all()


def test_labels_clamped_during_inference_are_what_the_top_guess_learns():
    """Prevents the label from being inferred, or left out of the target, when it is known (hybrid PC, supervised).

    One step of plain descent is the gradient of the mean squared distance, written out in NumPy.
    """
    rng = np.random.default_rng(5)
    network = pcmodel.linear_gaussian(
        [rng.normal(size=(4, 3)), rng.normal(size=(3, 2))], [3.0, 1.0, 1.0]
    )
    guesser = pcmodel.recognition_for(network, activation=identity, rngs=nnx.Rngs(1))
    data, labels = rng.normal(size=(5, 4)), rng.normal(size=(5, 2))
    rate = 0.1
    done = pcmodel.train_recognition(
        guesser,
        network,
        data,
        clamp={"top": labels},
        key=jax.random.key(0),
        num_epochs=1,
        batch_size=5,
        optimiser=optax.sgd(rate),
    ).recognition
    v0, v1 = (np.array(layer.weight[...]) for layer in guesser.layers)
    middle = pcmodel.infer(network, data, clamp={"top": labels}).latents[1]
    guess = data @ v0.T
    off, off_top = guess - middle, guess @ v1.T - labels
    units = 5 * len(data)  # 3 + 2 units above the data
    np.testing.assert_allclose(
        done.layers[1].weight[...],
        v1 - rate * 2 * off_top.T @ guess / units,
        rtol=1e-7,
    )
    np.testing.assert_allclose(
        done.layers[0].weight[...],
        v0 - rate * 2 * (off + off_top @ v1).T @ data / units,
        rtol=1e-6,
    )
