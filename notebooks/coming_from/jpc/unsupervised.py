# %% [markdown]
# # Unsupervised predictive coding
#
# No labels: fifty causes at the top, which nothing clamps, predict the image through two rectifier levels. JPC draws the
# energy of each layer over the steps of inference, for many batches of training: within an inference it falls, and so
# does its end from batch to batch. The same is asserted here. `--long` is JPC's setting (MNIST, 300 units, 300 batches).

# %%
import sys

import jax
import matplotlib.pyplot as plt
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel.data.standardisation import as_levels, standardise
from pcmodel.learning import classical

LONG = "--long" in sys.argv
data = pcmodel.load_images("mnist" if LONG else "digits")
width, batches, epochs = (300, 300, 1) if LONG else (64, 18, 10)
scale = standardise(data.train_images)
images = as_levels(data.train_images[: 64 * batches], scale)
held_out = as_levels(data.test_images[:200], scale)
rate = 0.03 if LONG else 0.1


def settle(steps):
    return pcmodel.StateDescent(optax.sgd(rate), tolerance=0, max_steps=steps)


# %% [markdown]
# JPC has no prior on the top. Here every level has a precision; a millionth at the top is as good as none.

# %%
untrained = pcmodel.dense(
    (images.shape[1], width, width, 50),
    activation=jax.nn.relu,
    precisions=[1.0, 1.0, 1.0, 1e-6],
    scale=3**-0.5,
    rngs=nnx.Rngs(0),
)
result = pcmodel.train(
    untrained,
    images,
    key=jax.random.key(0),
    learning=classical(optax.adam(1e-3), solver=settle(100)),
    num_epochs=epochs,
    batch_size=64,
)


# %% [markdown]
# The squared errors of each level after so many steps, before and after training: halves of sums of squares, as JPC counts.


# %%
def energies_after(network, steps):
    found = pcmodel.energies(network, held_out, solver=settle(steps), errors_only=True)
    return [float(np.mean(found.levels[level])) for level in range(3)]


counts = (0, 1, 2, 5, 10, 20, 50, 100)
course = {
    name: np.array([energies_after(network, count) for count in counts])
    for name, network in (("before", untrained), ("after", result.network))
}
for name, energies in course.items():
    total = energies.sum(axis=1)
    print(f"{name} training: {total[0]:.1f} falls to {total[-1]:.1f} nats")
    assert np.all(np.diff(total) < 0)
# Inference alone explains little before training, and most of the image after it.
assert course["after"][-1].sum() < 0.5 * course["before"][-1].sum()

# %%
figure, axes = plt.subplots(1, 2, figsize=(7, 3), sharey=True, layout="constrained")
for axis, (name, energies) in zip(axes, course.items(), strict=True):
    for level, line in zip(("image", "hidden1", "hidden2"), energies.T, strict=True):
        axis.plot(counts, np.maximum(line, 1e-3), "o-", label=level)
    axis.set_yscale("log")
    axis.set_xscale("symlog")
    axis.set_xlim(-0.2, 120)
    axis.set_title(f"{name} training")
    axis.set_xlabel("steps of inference")
axes[0].set_ylabel("energy (nats per image)")
axes[0].legend()
figure
