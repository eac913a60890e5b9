"""Inference step by step: against predictive coding by hand."""

import jax
import numpy as np
import optax
import pytest
from api.mechanics import by_hand
from flax import nnx

import pcmodel


def descended(model, start, rate, num_steps):
    """Latents of every step; the first and the last level are clamped."""
    course = [[np.array(level) for level in start]]
    for _ in range(num_steps):
        pulls = by_hand.pulls(model, course[-1])
        now = [np.array(level) for level in course[-1]]
        for level in range(1, len(now) - 1):
            now[level] = now[level] - rate * pulls[level]
        course.append(now)
    return course


def test_state_descent_is_predictive_coding_by_hand():
    """Prevents a step that is lost or recorded twice, and errors or energies of another step."""
    network, (images, labels) = by_hand.network_of(), by_hand.examples(2)
    latents = by_hand.random_latents(2)
    found = pcmodel.inference_steps(
        network,
        images,
        clamp={"top": labels},
        initial=latents,
        num_steps=7,
        solver=pcmodel.StateDescent(optax.sgd(0.03)),
    )
    bare = pcmodel.inference_steps(
        network,
        images,
        clamp={"top": labels},
        initial=latents,
        num_steps=7,
        solver=pcmodel.StateDescent(optax.sgd(0.03)),
        errors_only=True,
    )
    model = by_hand.by_hand(network)
    for number in range(2):
        start = by_hand.example_of((images, *latents[1:3], labels), number)
        course = descended(model, start, 0.03, 7)
        for step, at in enumerate(course):
            wrong = by_hand.errors(model, at)
            energies = by_hand.energies(model, at)
            pulls = by_hand.pulls(model, at)[1:3]
            for level in range(4):
                close(found.latents[level][number, step], at[level])
                close(found.errors[level][number, step], wrong[level])
                close(found.level_energies[level][number, step], energies[level])
            close(found.energy[number, step], np.sum(energies))
            close(
                bare.energy[number, step],
                np.sum(by_hand.error_energies(model, at)[:-1]),
            )
            close(
                found.gradient_norm[number, step], np.linalg.norm(np.concatenate(pulls))
            )
    assert found.energy.shape == (2, 8)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_error_descent_moves_whitened_errors():
    """One linear map: E = z^2 / 2 + P (y - w (m + z / sqrt Q))^2 / 2 in z, by hand."""
    network = pcmodel.linear_gaussian(
        [np.array([[0.8]])], [3.0, 4.0], prior_mean=np.array([0.5])
    )
    found = pcmodel.inference_steps(
        network,
        np.array([2.0]),
        num_steps=6,
        solver=pcmodel.ErrorDescent(optax.sgd(0.1)),
        initial=(np.array([2.0]), np.array([0.5])),
    )
    z, expected = 0.0, []
    for _ in range(7):
        expected.append(0.5 + z / 2)
        z = z - 0.1 * (z - 3.0 * (0.8 / 2) * (2.0 - 0.8 * (0.5 + z / 2)))
    close(found.latents["top"][:, 0], expected)
    close(found.errors["top"][:, 0], np.array(expected) - 0.5)


@pytest.mark.parametrize(
    "solver",
    [pcmodel.StateDescent(optax.sgd(0.05)), pcmodel.ErrorDescent(optax.sgd(0.1))],
)
def test_the_end_is_the_mode(solver):
    network, (images, labels) = by_hand.network_of(), by_hand.examples(2)
    found = pcmodel.inference_steps(
        network, images, clamp={"top": labels}, num_steps=1500, solver=solver
    )
    mode = pcmodel.infer(network, images, clamp={"top": labels})
    for steps, level in zip(found.latents.entries, mode.latents, strict=True):
        np.testing.assert_allclose(steps[:, -1], level, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(found.energy[:, -1], mode.energy, rtol=1e-10)
    assert np.all(found.gradient_norm[:, -1] < 1e-6)


def test_step_0_is_the_start():
    """A linear network starts at the sweep, where the errors of free units are 0."""
    network = pcmodel.linear_gaussian(
        [np.array([[0.8]]), np.array([[2.0]])],
        [3.0, 4.0, 1.0],
        prior_mean=np.array([0.5]),
    )
    found = pcmodel.inference_steps(network, np.array([2.0]), num_steps=1)
    close(found.latents["hidden1"][0], [1.0])
    close(found.errors["hidden1"][0], [0.0])
    close(found.errors["data"][0], [2.0 - 0.8])


def test_errors_of_discrete_data_are_of_their_means():
    network = pcmodel.dense(
        (2, 3), likelihood=pcmodel.Bernoulli(), precisions=[None, 1.0], rngs=nnx.Rngs(0)
    )
    top = np.array([0.1, -0.2, 0.3])
    found = pcmodel.inference_steps(
        network, np.array([1.0, 0.0]), num_steps=1, initial=(np.zeros(2), top)
    )
    layer = network.layers[0]
    logits = np.asarray(layer.weight[...]) @ top + np.asarray(layer.bias[...])
    close(found.errors["data"][0], np.array([1.0, 0.0]) - 1 / (1 + np.exp(-logits)))


def test_langevin_noise_draws_the_posterior():
    """Unadjusted Langevin steps on a Gaussian: their stationary covariance is H^-1 (1 - rate H / 2)^-1, by its closed form.

    Prevents noise of another size, noise that the examples share, and draws of the mode alone.
    """
    rate, network = (
        0.1,
        pcmodel.linear_gaussian(
            [np.array([[1.0]])], [3.0, 2.0], prior_mean=np.array([0.4])
        ),
    )
    noisy = optax.chain(
        optax.sgd(rate), optax.add_noise(2 * rate, 0.0, key=jax.random.key(1))
    )
    found = pcmodel.inference_steps(
        network,
        np.full((400, 1), 1.5),
        num_steps=400,
        solver=pcmodel.StateDescent(noisy),
    )
    draws = np.asarray(found.latents["top"][:, 50:, 0])
    curvature, mean = 5.0, (3.0 * 1.5 + 2.0 * 0.4) / 5.0
    variance = 1 / (curvature * (1 - rate * curvature / 2))
    # Successive steps correlate by 1 - rate H = 0.5, so a chain of 350 is worth about 350 / 3 draws.
    num = 400 * 350 / 3
    assert abs(draws.mean() - mean) < 4 * (variance / num) ** 0.5
    assert abs(draws.var() / variance - 1) < 4 * (2 / num) ** 0.5
    assert abs(np.corrcoef(draws[::2, -1], draws[1::2, -1])[0, 1]) < 4 / 200**0.5


def test_decay_and_clipping_are_the_optimisers():
    """Decay of activities d adds d x / 2 to the energy of a Gaussian; clipping holds each example apart."""
    network = pcmodel.linear_gaussian(
        [np.array([[1.0]])], [3.0, 2.0], prior_mean=np.array([0.4])
    )
    data = np.array([[1.5], [300.0]])
    decayed = optax.chain(optax.add_decayed_weights(0.7), optax.sgd(0.05))
    found = pcmodel.inference_steps(
        network, data, num_steps=400, solver=pcmodel.StateDescent(decayed)
    )
    close(found.latents["top"][:, -1], (3 * data + 2 * 0.4) / 5.7)
    clipped = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1))
    found = pcmodel.inference_steps(
        network, data, num_steps=2, solver=pcmodel.StateDescent(clipped)
    )
    # Pulls of 3 (1.5 - 0.4) and of 3 (300 - 0.4) are both above 1.
    close(found.latents["top"][:, :, 0], [[0.4, 0.5, 0.6]] * 2)


def test_a_course_of_no_number_of_steps_is_refused():
    network = by_hand.network_of()
    with pytest.raises(pcmodel.UserError, match="num_steps"):
        pcmodel.inference_steps(network, np.zeros(4), num_steps=0)
    with pytest.raises(pcmodel.UserError, match="would take"):
        pcmodel.inference_steps(network, np.zeros(4), num_steps=10**15)
    with pytest.raises(pcmodel.UserError, match="solver"):
        pcmodel.inference_steps(network, np.zeros(4), solver=pcmodel.GaussNewton())
