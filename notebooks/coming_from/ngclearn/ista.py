# %% [markdown]
# # Iterative thresholding (ISTA)
#
# The other half of ngc-learn's exhibit of sparse coding: after every step of the cells each code moves towards zero by a
# threshold and stops there (Daubechies, Defrise & De Mol 2004). The corner that this gives the energy is no Gaussian
# error, and no density of this package has it. But inference takes any optax transformation, and a threshold is one: it sees
# the point and the step. So latents and learning are ISTA's; `infer(...).energy` is that of the smooth part, and a
# posterior of such a network would know nothing of the threshold.
#
# The exhibit's constants: $\tau = 20$ ms, $\Delta t = 1$ ms, $T = 300$, threshold 0.005, leak 0.005, codes of unit atoms, a
# synaptic rate of 0.01 on the sum over 250 patches. It shows filters, no numbers.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from flax import nnx
from sklearn.datasets import load_sample_images
from sklearn.linear_model import ElasticNet

import pcmodel
from pcmodel.learning import classical
from pcmodel.networks.layers.dense import identity

tau, dt, num_steps, threshold, leak = 20.0, 1.0, 300, 0.005, 0.005
rng = np.random.default_rng(0)


def soft(value, limit):
    """Towards zero by `limit`, and no further."""
    return jnp.sign(value) * jnp.maximum(jnp.abs(value) - limit, 0.0)


def thresholded(limit):
    """The optax transformation that thresholds the point that a step reaches."""

    def update(updates, state, params):
        reached = jax.tree.map(lambda u, at: soft(at + u, limit) - at, updates, params)
        return reached, state

    return optax.GradientTransformation(lambda _: optax.EmptyState(), update)


ista = pcmodel.StateDescent(
    optax.chain(optax.sgd(dt / tau), thresholded(threshold)),
    tolerance=0,
    max_steps=num_steps,
)


def network(dictionary):
    """Codes predict patches through the dictionary, (pixels, atoms); the leak is the precision of the codes' prior."""
    pixels, atoms = dictionary.shape
    layer = pcmodel.Dense(
        atoms, pixels, activation=identity, bias=False, rngs=nnx.Rngs(0)
    )
    layer.weight[...] = dictionary
    return pcmodel.Network(
        [layer], (pixels, atoms), log_precisions=[0.0, np.log(leak)], is_linear=True
    )


def unit_atoms(dictionary):
    return dictionary / np.linalg.norm(dictionary, axis=0)


# %% [markdown]
# ## The cells by hand, and where they come to rest
#
# The exhibit's cells see the error of one step before, which changes the course and not its end. The end is
# the minimum of $\tfrac12 |x - W z|^2 + \tfrac{\gamma}{2} |z|^2 + \lambda |z|_1$, with the leak $\gamma$ and $\lambda$ =
# threshold $\tau / \Delta t$ = 0.1; scikit-learn finds it by coordinate descent.

# %%
pixels, atoms = 36, 24
true = unit_atoms(rng.normal(size=(pixels, atoms)))


def patches_of(number):
    """Patches of three atoms each, and noise."""
    codes = np.zeros((number, atoms))
    for code in codes:
        code[rng.choice(atoms, 3, replace=False)] = rng.choice([-1, 1], 3)
    codes *= rng.uniform(0.5, 1.5, codes.shape)
    return codes @ true.T + 0.02 * rng.normal(size=(number, pixels)), codes


patches, codes = patches_of(2000)
few = patches[:5]
z = np.zeros((5, atoms))
for _ in range(num_steps):
    error = few - z @ true.T
    z = np.asarray(soft(z + dt / tau * (error @ true - leak * z), threshold))
found = pcmodel.infer(network(true), few, solver=ista).latents[1]
print(f"by hand and by descent differ by {np.abs(found - z).max():.1e}")
np.testing.assert_allclose(found, z, atol=1e-5)
assert np.array_equal(np.asarray(found) == 0, z == 0)

weight = threshold * tau / dt
rest = ElasticNet(
    alpha=(weight + leak) / pixels,
    l1_ratio=weight / (weight + leak),
    fit_intercept=False,
    tol=1e-10,
    max_iter=100_000,
)
longer = pcmodel.StateDescent(ista.optimiser, tolerance=0, max_steps=5000)
found = np.asarray(pcmodel.infer(network(true), few, solver=longer).latents[1])
exact = np.stack([rest.fit(true, patch).coef_ for patch in few])
print(
    f"at rest they differ from coordinate descent by {np.abs(found - exact).max():.1e}"
)
np.testing.assert_allclose(found, exact, atol=1e-4)
assert np.mean(exact == 0) > 0.5

# %% [markdown]
# ## Learning the atoms
#
# One call of `train`; the norm of the atoms is restored after each step, by another transformation. Sparse codes find the
# atoms that made the patches; with the threshold left out (a Gaussian code, which can be rotated) they are not found.


# %%
def normalised():
    """The transformation that gives every atom unit length again; atoms are the columns of a layer's weight."""

    def update(updates, state, params):
        def one(step, weight):
            moved = weight + step
            return moved / jnp.linalg.norm(moved, axis=0) - weight

        return jax.tree.map(one, updates, params), state

    return optax.GradientTransformation(lambda _: optax.EmptyState(), update)


def learn(patches, dictionary, solver, *, batch_size, epochs):
    """The dictionary after the Hebbian steps of so many epochs, and the network."""
    hebbian = optax.chain(optax.sgd(0.01 * batch_size), normalised())
    labels = {"layers": ("atoms",), "prior_mean": "still"}
    kinds = {"atoms": hebbian, "still": optax.set_to_zero()}
    return pcmodel.train(
        network(dictionary),
        patches,
        key=jax.random.key(0),
        learning=classical(optax.partition(kinds, labels), solver=solver),
        num_epochs=epochs,
        batch_size=batch_size,
    ).network


def recovered(dictionary):
    """Of every true atom the largest |cosine| with a learned one."""
    return np.abs(true.T @ unit_atoms(dictionary)).max(axis=1)


start = unit_atoms(rng.normal(size=(pixels, atoms)))
gaussian = pcmodel.StateDescent(optax.sgd(dt / tau), tolerance=0, max_steps=num_steps)
table = {"at first": start}
for name, solver in (("thresholds", ista), ("no thresholds", gaussian)):
    trained = learn(patches, start, solver, batch_size=250, epochs=60)
    table[name] = np.asarray(trained.layers[0].weight[...])
for name, dictionary in table.items():
    alike = recovered(dictionary)
    print(
        f"{name}: mean cosine {alike.mean():.3f}, atoms found (above 0.95) {np.sum(alike > 0.95)} of {atoms}"
    )
assert np.mean(recovered(table["thresholds"]) > 0.95) > 0.8
assert np.mean(recovered(table["no thresholds"]) > 0.95) < 0.2

# %% [markdown]
# ## Photographs
#
# The exhibit's images of nature are not part of scikit-learn; its two photographs are. Whitened (Olshausen & Field 1996),
# and cut into patches, they give local, oriented filters: each atom's weight lies in a small part of the patch, which that
# of a principal component does not.


# %%
def whitened(image):
    """Grey levels with a flat spectrum up to 0.4 of the sampling frequency, unit variance."""
    grey = image.mean(axis=2)
    vertical, horizontal = (np.fft.fftfreq(size) for size in grey.shape)
    frequency = np.hypot(vertical[:, None], horizontal)
    changed = np.fft.fft2(grey - grey.mean()) * frequency
    changed *= np.exp(-((frequency / 0.4) ** 4))
    flat = np.real(np.fft.ifft2(changed))
    return flat / flat.std()


side, number = 12, 25_000
photographs = [whitened(image) for image in load_sample_images().images]
cut = np.empty((number, side * side))
for row in range(number):
    picture = photographs[row % 2]
    i, j = (rng.integers(0, size - side) for size in picture.shape)
    patch = picture[i : i + side, j : j + side]
    cut[row] = (patch - patch.mean()).ravel()
scale = 0.5 / cut.std()
cut *= scale

begin = unit_atoms(rng.normal(size=(side * side, 100)))
trained = learn(cut, begin, ista, batch_size=250, epochs=6)
fields = np.asarray(trained.layers[0].weight[...])
codes = np.asarray(pcmodel.infer(trained, cut[:1000], solver=ista).latents[1])
explained = 1 - np.mean((cut[:1000] - codes @ fields.T) ** 2) / np.mean(cut[:1000] ** 2)
print(
    f"codes that are zero {np.mean(codes == 0):.2f}, variance explained {explained:.2f}"
)


def share(atoms):
    """The effective share of a patch that an atom fills, one over its participation: a third for noise."""
    return np.mean(1 / np.sum(unit_atoms(atoms) ** 4, axis=0)) / len(atoms)


components = np.linalg.svd(cut, full_matrices=False)[2][:100].T
print(
    f"share of the patch that an atom fills: {share(fields):.2f} (at first {share(begin):.2f}, "
    f"principal components {share(components):.2f})"
)
assert np.mean(codes == 0) > 0.5 and explained > 0.8
assert share(fields) < 0.7 * share(components)

# %%
figure, axes = plt.subplots(5, 20, figsize=(10, 2.7), layout="constrained")
for axis, field in zip(axes.ravel(), fields.T, strict=True):
    limit = np.abs(field).max()
    axis.imshow(field.reshape(side, side), cmap="RdBu_r", vmin=-limit, vmax=limit)
    axis.set_axis_off()
figure
