# %% [markdown]
# # The equilibrated energy of linear networks
#
# In a deep *linear* network the energy at the end of inference has a closed form (Innocenti et al. 2024): a mean squared
# error weighted by the covariance $S$ that the label has given the image,
#
# $$F^* = \frac{1}{2N}\sum_i r_i^\top S^{-1} r_i, \qquad S = I + \sum_{\ell=2}^{L} W_{L:\ell} W_{L:\ell}^\top .$$
#
# JPC compares it with the energy at the end of its ODE in training; it agrees within a line's width. So here, to six
# digits, with the activities and the Hessian of inference beside it. `--long` is JPC's width (300, MNIST).

# %%
import sys

import jax
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel.data.digits import one_hot
from pcmodel.data.standardisation import as_levels, standardise
from pcmodel.learning import classical
from pcmodel.networks.layers.dense import identity

jax.config.update("jax_enable_x64", True)
LONG = "--long" in sys.argv
data = pcmodel.load_images("mnist" if LONG else "digits")
width, rounds = (300, 10) if LONG else (20, 3)
scale = standardise(data.train_images)
images = as_levels(data.train_images[:640], scale)
labels = one_hot(data.train_labels)[:640]
network = pcmodel.dense(
    (10, *[width] * 4, images.shape[1]),
    activation=identity,
    scale=3**-0.5,
    rngs=nnx.Rngs(0),
)


# %%
def theory(network):
    """S, the residuals r of all images, and the energy; biases enter the residuals alone."""
    product, spread = np.eye(10), np.eye(10)
    for layer in network.layers[:-1]:
        product = product @ np.asarray(layer.weight[...])
        spread += product @ product.T
    residuals = labels - np.asarray(pcmodel.predict(network, images))
    each = 0.5 * np.sum(residuals.T * np.linalg.solve(spread, residuals.T), axis=0)
    return spread, residuals, each


def at_equilibrium(network):
    """The same energy after inference, without normalisers and the clamped image's own prior."""
    return pcmodel.energies(
        network,
        labels,
        clamp={"top": images},
        solver=pcmodel.Exact(),
        errors_only=True,
    ).total


for number in range(rounds):
    spread, residuals, wanted = theory(network)
    got = at_equilibrium(network)
    np.testing.assert_allclose(got, wanted, rtol=1e-7)
    print(f"after {10 * number} batches: {wanted.mean():.6f} and {got.mean():.6f}")
    network = pcmodel.train(
        network,
        labels,
        clamp={"top": images},
        key=jax.random.key(number),
        learning=classical(optax.adam(1e-3), solver=pcmodel.Exact()),
        num_epochs=1,
        batch_size=64,
    ).network

# %% [markdown]
# ## Where inference ends, and how curved it is there
#
# `jpc.compute_linear_activity_hessian` is the precision of the posterior of the hidden levels: block tridiagonal, with
# $I + W^\top W$ on its diagonal, $W$ the weights below. `compute_linear_activity_solution` is its mean. Both by hand, for
# one image.

# %%
belief = pcmodel.posterior(network, labels[0], clamp={"top": images[0]})
weights = [np.asarray(layer.weight[...]) for layer in network.layers]
biases = [np.asarray(layer.bias[...]) for layer in network.layers]
hessian, pull = np.zeros((4, width, 4, width)), np.zeros((4, width))
for level in range(4):
    hessian[level, :, level] = np.eye(width) + weights[level].T @ weights[level]
    pull[level] = biases[level + 1] - weights[level].T @ biases[level]
    if level < 3:
        hessian[level, :, level + 1] = -weights[level + 1]
        hessian[level + 1, :, level] = -weights[level + 1].T
pull[0] += weights[0].T @ labels[0]
pull[3] += weights[4] @ np.asarray(images[0])
hessian = hessian.reshape(4 * width, 4 * width)
solution = np.linalg.solve(hessian, pull.ravel()).reshape(4, width)
spreads = np.diag(np.linalg.inv(hessian)).reshape(4, width)
for level in range(4):
    np.testing.assert_allclose(belief.mean[level + 1], solution[level], atol=1e-8)
    np.testing.assert_allclose(belief.variances[level + 1], spreads[level], atol=1e-8)
curved = np.linalg.eigvalsh(hessian)
print(f"curvatures of inference from {curved[0]:.3f} to {curved[-1]:.2f}")
