# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Inside a learning step
#
# How inference settles, how far the gradient at the equilibrium is from backpropagation's, what the curvature says of
# both, and ten seeds at once. A small classifier: the label (level 0) is predicted from the image (the top).

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel.data.digits import load_digits_split, one_hot
from pcmodel.report.steps import inference_figure
from pcmodel.report.style import level_colours

data = load_digits_split()
images = np.asarray(data.train_images[:64], np.float32)
labels = one_hot(data.train_labels[:64])
given = {"clamp": {"top": images}}


def classifier(seed=0, hidden=1.0):
    return pcmodel.dense(
        (10, 24, 24, 64),
        precisions=[1.0, hidden, hidden, 1.0],
        names=("label", "hidden1", "hidden2", "image"),
        rngs=nnx.Rngs(seed),
    )


network = classifier()

# %% [markdown]
# ## How inference settles
#
# The label is wrong at first: all error is at the bottom. Descent spreads it over the hidden levels, whose activities
# move before any weight does (prospective configuration).

# %%
spectrum = pcmodel.latent_spectrum(network, labels, **given)
fastest = 2 / float(spectrum.eigenvalues.max())
steps = pcmodel.inference_steps(
    network,
    labels,
    **given,
    num_steps=80,
    solver=pcmodel.StateDescent(optax.sgd(fastest / 4)),
    errors_only=True,
)
mode = pcmodel.energies(network, labels, **given, errors_only=True)
assert np.all(np.diff(np.mean(steps.energy, axis=0)) <= 0)
assert abs(float(steps.energy[:, -1].mean() / mode.total.mean()) - 1) < 0.05
inference_figure(steps, heading="At a quarter of 2 / λmax of the stiffest example")

# %% [markdown]
# A rate above $2 / \lambda_{\max}$ never settles, one below does: the largest eigenvalue over the batch says where.

# %%
norms = {}
for factor in (0.25, 0.9, 1.1):
    course = pcmodel.inference_steps(
        network,
        labels,
        **given,
        num_steps=80,
        solver=pcmodel.StateDescent(optax.sgd(factor * fastest)),
    )
    norms[factor] = np.asarray(course.gradient_norm.max(axis=0))
assert norms[0.25][-1] < norms[0.25][0] < norms[1.1][-1]

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
left.hist(np.ravel(spectrum.eigenvalues), bins=40, color="#3FA38A")
left.set_xlabel("eigenvalue of the Hessian in the latents")
left.set_ylabel("number, all examples")
for factor, norm in norms.items():
    right.semilogy(norm, label=f"{factor:g} of 2 / λmax")
right.set_xlabel("step")
right.set_ylabel("largest norm of the gradient")
right.legend(frameon=False)
figure

# %% [markdown]
# ## Beside backpropagation
#
# The cosine between the gradient at the equilibrium and backpropagation's, for the layer that predicts each level. It
# tends to 1 where hidden precisions are high against the label's. Single precision, up to $10^8$.

# %%
hidden = 10.0 ** np.arange(-2, 9)
cosines, lost = [], []
for precision in hidden:
    both = pcmodel.compare_with_backpropagation(
        classifier(hidden=precision), labels, **given
    )
    cosines.append([float(both.cosine[level]) for level in range(3)])
    lost.append(max(float(share) for share in both.rounding.values()))
cosines = np.array(cosines)
assert np.all(cosines[-1] > 1 - 1e-5) and np.all(cosines[2] < 0.99)
assert max(lost) < 0.01

# %%
figure, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
for level, colour in enumerate(level_colours(4)[:3]):
    axis.semilogx(
        hidden, cosines[:, level], "o-", color=colour, label=network.names[level]
    )
axis.set_xlabel("precision of the hidden levels (that of the label is 1)")
axis.set_ylabel("cosine with backpropagation")
figure.legend(loc="outside upper center", ncols=3, frameon=False)
figure

# %% [markdown]
# ## A loop of one's own, and its landscape
#
# Adam on the two lower layers, plain descent on the uppermost, nothing on the prior. Before and after, the Hessian of the
# energy of the mode in the weights: its most negative eigenvalue is the way out of a saddle.

# %%
weights = pcmodel.weights_of(network)
labelled = {"layers": ("adam", "adam", "sgd"), "prior_mean": "still"}
kinds = {"adam": optax.adam(5e-3), "sgd": optax.sgd(0.02), "still": optax.set_to_zero()}
optimiser = optax.partition(kinds, labelled)
state = optimiser.init(weights)


@jax.jit
def step(weights, state):
    at = pcmodel.with_weights(network, weights)
    found = pcmodel.energy_and_gradients(at, labels, **given, errors_only=True)
    updates, state = optimiser.update(found.weights, state, weights)
    return optax.apply_updates(weights, updates), state, found.level_energies


course = []
for _ in range(60):
    weights, state, energies = step(weights, state)
    course.append([float(energy) for energy in energies.values()])
course = np.array(course)
trained = pcmodel.with_weights(network, weights)
assert course[-1].sum() < 0.5 * course[0].sum()
np.testing.assert_array_equal(trained.prior_mean[...], network.prior_mean[...])

# %%
few = {"clamp": {"top": images[:16]}}
landscapes = {
    "before": pcmodel.weight_spectrum(network, labels[:16], **few, num_steps=30),
    "after": pcmodel.weight_spectrum(trained, labels[:16], **few, num_steps=30),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for level, colour in enumerate(level_colours(4)[:3]):
    left.plot(course[:, level], color=colour, label=network.names[level])
left.set_xlabel("step of learning")
left.set_ylabel("energy of errors, nats per example")
left.legend(frameon=False)
for place, (when, found) in enumerate(landscapes.items()):
    values = np.asarray(found.eigenvalues)
    right.plot(values, np.full(len(values), place), "|", ms=18, label=when)
right.set_yticks([0, 1], landscapes)
right.set_ylim(-0.6, 1.6)
right.axvline(0, color="0.7", lw=1, zorder=0)
right.set_xlabel("eigenvalues in the weights (30 Lanczos steps)")
figure

# %% [markdown]
# ## Ten seeds in one program

# %%
learning = pcmodel.Learning(optax.adam(1e-2), variance_floor=0.01)
results = pcmodel.train_seeds(
    [classifier(seed, hidden=10.0) for seed in range(10)],
    one_hot(data.train_labels[:320]),
    clamp={"top": np.asarray(data.train_images[:320])},
    key=jax.random.key(0),
    learning=learning,
    num_epochs=25,
    batch_size=32,
)
curves = np.array([result.curve.energy for result in results])
right_labels = [
    np.mean(
        np.argmax(pcmodel.predict(result.network, data.test_images), axis=1)
        == data.test_labels
    )
    for result in results
]
assert not any(result.stopped for result in results)
assert np.mean(right_labels) > 0.7
assert jnp.all(curves[:, -1] < curves[:, 0])

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
left.plot(np.arange(1, 26), curves.T, color="#3FA38A", lw=1)
left.set_xlabel("epoch")
left.set_ylabel("energy, nats per example")
right.plot(right_labels, "o", color="#0B3C73")
right.axhline(np.mean(right_labels), color="0.6", lw=1)
right.set_xlabel("seed")
right.set_ylabel("test accuracy")
right.set_xticks(range(10))
figure
