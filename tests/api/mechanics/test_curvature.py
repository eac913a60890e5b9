"""Curvature: against closed forms of linear networks, `jax.hessian` of an energy by hand, and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from api.mechanics import by_hand
from flax import nnx
from jax.flatten_util import ravel_pytree

import pcmodel


def energy_by_hand(model, free, image, label):
    """The energy of hidden levels 1 and 2 of `by_hand`, in jax for its derivatives."""
    levels = (image, free[:3], free[3:], label)
    total = 0.0
    for level in range(3):
        above = levels[level + 1] if level == 2 else jnp.tanh(levels[level + 1])
        error = levels[level] - model.weights[level] @ above - model.biases[level]
        total += 0.5 * model.precisions[level] * jnp.sum(error**2)
    return total


@pytest.mark.parametrize("at", ["mode", "elsewhere"])
def test_the_hessian_in_latents_is_that_of_the_energy_by_hand(at):
    """Prevents derivatives with respect to clamped units, another order of levels, and Gauss-Newton for Hessian."""
    network, (images, labels) = by_hand.network_of(), by_hand.examples(2)
    model = by_hand.by_hand(network)
    latents = pcmodel.infer(network, images, clamp={"top": labels}).latents
    if at == "elsewhere":
        latents = by_hand.random_latents(2)
    found = pcmodel.latent_hessian(
        network, images, clamp={"top": labels}, latents=latents
    )
    spectrum = pcmodel.latent_spectrum(
        network, images, clamp={"top": labels}, latents=latents
    )
    np.testing.assert_array_equal(found.levels, [1, 1, 1, 2, 2, 2, 2, 2])
    np.testing.assert_array_equal(found.units, [0, 1, 2, 0, 1, 2, 3, 4])
    for number in range(2):
        free = np.concatenate([latents[1][number], latents[2][number]])
        expected = jax.hessian(
            lambda x, n=number: energy_by_hand(model, x, images[n], labels[n])
        )(free)
        np.testing.assert_allclose(found.matrix[number], expected, rtol=1e-7, atol=1e-9)
        values = np.linalg.eigvalsh(expected)
        np.testing.assert_allclose(
            spectrum.eigenvalues[number], values, rtol=1e-7, atol=1e-9
        )
    assert spectrum.is_complete and not np.any(spectrum.bounds)


def test_two_over_the_largest_eigenvalue_is_where_descent_becomes_unstable():
    network = pcmodel.linear_gaussian([np.array([[1.0, 0.5], [0.0, 2.0]])], [3.0, 1.0])
    largest = float(pcmodel.latent_spectrum(network, np.ones(2)).eigenvalues[-1])
    for factor, grows in ((0.99, False), (1.01, True)):
        solver = pcmodel.StateDescent(optax.sgd(factor * 2 / largest))
        steps = pcmodel.inference_steps(
            network, np.ones(2), num_steps=400, solver=solver
        )
        assert (steps.gradient_norm[-1] > steps.gradient_norm[0]) == grows


def test_ritz_values_beyond_the_dense_limit_are_within_their_bounds():
    """A network of 60 free units as if it were too large: extreme values as by all, each within its bound of one."""
    widths = (8, 30, 30, 4)
    network, (images, labels) = (
        by_hand.network_of((2.0, 0.7, 5.0, 1.5), widths),
        by_hand.examples(2, widths),
    )
    whole = pcmodel.latent_spectrum(network, images, clamp={"top": labels})
    found = pcmodel.latent_spectrum(
        network, images, clamp={"top": labels}, most_dense=10, num_steps=25
    )
    assert found.eigenvalues.shape == (2, 25) and not found.is_complete
    for number in range(2):
        values = np.asarray(whole.eigenvalues[number])
        ritz, bounds = found.eigenvalues[number], found.bounds[number]
        distance = np.abs(np.asarray(ritz)[:, None] - values[None]).min(axis=1)
        assert np.all(distance <= bounds + 1e-9)
        np.testing.assert_allclose(ritz[-1], values[-1], rtol=1e-6)
        # The mean under the estimated density is v'Hv of one random unit vector.
        mean = np.sum(found.weights[number] * ritz)
        assert abs(mean - values.mean()) < 4 * values.std() * np.sqrt(2 / 60)
        np.testing.assert_allclose(np.sum(found.weights[number]), 1.0, rtol=1e-9)


def linear_mode_energy(weights, biases, precisions, prior, data):
    """-log evidence without its determinant: half the squared data in their marginal covariance."""
    covariance, mean = jnp.eye(len(prior)) / precisions[-1], prior
    for weight, bias, precision in zip(
        weights[::-1], biases[::-1], precisions[-2::-1], strict=True
    ):
        mean = weight @ mean + bias
        covariance = weight @ covariance @ weight.T + jnp.eye(len(bias)) / precision
    left = data - mean
    return 0.5 * left @ jnp.linalg.solve(covariance, left)


def test_the_weights_curvature_of_a_linear_network_has_a_closed_form():
    """The energy of the mode of a linear network is half the squared error in its marginal covariance."""
    rng = np.random.default_rng(5)
    network = pcmodel.linear_gaussian(
        [rng.normal(size=(3, 2)), rng.normal(size=(2, 2))],
        [2.0, 0.8, 1.7],
        prior_mean=rng.normal(size=2),
    )
    data = rng.normal(size=(4, 3))
    flat, back = ravel_pytree(pcmodel.weights_of(network))

    def mean_energy(flat):
        weights = back(flat)
        matrices = [layer["weight"] for layer in weights["layers"]]
        biases = [layer["bias"] for layer in weights["layers"]]
        return jnp.mean(
            jax.vmap(
                lambda y: linear_mode_energy(
                    matrices, biases, [2.0, 0.8, 1.7], weights["prior_mean"], y
                )
            )(data)
        )

    expected = jax.hessian(mean_energy)(flat)
    found = pcmodel.weight_hessian(network, data)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)
    values = np.linalg.eigvalsh(expected)
    spectrum = pcmodel.weight_spectrum(network, data)
    np.testing.assert_allclose(spectrum.eigenvalues, values, rtol=1e-7, atol=1e-9)
    some = pcmodel.weight_spectrum(network, data, most_dense=3, num_steps=12)
    np.testing.assert_allclose(
        np.asarray(some.eigenvalues)[[0, -1]], values[[0, -1]], rtol=1e-6
    )


def test_the_weights_curvature_is_the_slope_of_their_gradient():
    """A nonlinear network, one example: finite differences of the gradient at the mode."""
    network, (images, labels) = by_hand.network_of(), by_hand.examples(1)
    flat, back = ravel_pytree(pcmodel.weights_of(network))

    def slope(vector):
        moved = pcmodel.with_weights(network, back(vector))
        found = pcmodel.energy_and_gradients(moved, images[0], clamp={"top": labels[0]})
        return ravel_pytree(found.weights)[0]

    along = np.random.default_rng(6).normal(size=flat.shape)
    expected = (slope(flat + 1e-5 * along) - slope(flat - 1e-5 * along)) / 2e-5
    found = pcmodel.weight_hessian(network, images[0], clamp={"top": labels[0]})
    np.testing.assert_allclose(found @ along, expected, rtol=1e-5, atol=1e-7)


def test_without_free_units_the_curvature_is_that_of_the_weights_alone():
    network = pcmodel.linear_gaussian([np.array([[1.5]])], [4.0, 1.0])
    clamp = {"top": np.array([[2.0], [-1.0]])}
    found = pcmodel.weight_hessian(network, np.array([[1.0], [0.0]]), clamp=clamp)
    # Of 4 / 2 (y - w x - b)^2, in the order bias, weight; and of the prior mean 1.
    expected = 4 * np.array([[1.0, 0.5, 0.0], [0.5, 2.5, 0.0], [0.0, 0.0, 0.25]])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    with pytest.raises(pcmodel.UserError, match="no unit is free"):
        pcmodel.latent_spectrum(
            network, np.array([1.0]), clamp={"top": np.array([2.0])}
        )


def test_precisions_that_differ_by_1e8_keep_their_eigenvalues_in_single_precision():
    """One unit between two: its curvature is the sum of the precisions that hold it."""
    for low, high in ((1e-8, 1.0), (1.0, 1e8)):
        with jax.enable_x64(False):
            network = pcmodel.linear_gaussian([np.array([[3.0]])], [low, high])
            found = pcmodel.latent_hessian(network, np.float32([1.0]))
        np.testing.assert_allclose(found.matrix, [[9 * low + high]], rtol=1e-5)


def test_too_many_free_units_are_refused():
    network = pcmodel.dense((2, 4001, 2), rngs=nnx.Rngs(0))
    with pytest.raises(pcmodel.UserError, match="at most 4000"):
        pcmodel.weight_hessian(network, np.zeros(2))
