# %% [markdown]
# # A decoder: images from causes that nobody names
#
# PCX's generative tutorial: no encoder, 64 causes at the top under no prior, three hidden levels, twenty steps of inference
# from zero; the test is the mean squared error of a reconstruction. It prints none. The bar here is the mean image, and
# principal components as many as there are causes bound from below what a *linear* decoder could do. `--long`: MNIST.

# %%
import sys

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel.data.standardisation import as_levels, unit_scale
from pcmodel.learning import classical

LONG = "--long" in sys.argv
data = pcmodel.load_images("mnist" if LONG else "digits")
width, causes, epochs, size = (256, 64, 4, 12_800) if LONG else (64, 8, 30, 1152)
images = as_levels(data.train_images[:size], unit_scale(1))
test_images = as_levels(data.test_images[:300], unit_scale(1))
network = pcmodel.dense(
    (images.shape[1], width, width, width, causes),
    activation=jnp.tanh,
    precisions=[1.0, 1.0, 1.0, 1.0, 1e-6],
    rngs=nnx.Rngs(0),
)
settle = pcmodel.StateDescent(
    optax.sgd(5e-2, momentum=0.1), tolerance=0, max_steps=20 if LONG else 50
)
result = pcmodel.train(
    network,
    images,
    key=jax.random.key(0),
    learning=classical(optax.adamw(1e-3), solver=settle),
    num_epochs=epochs,
    batch_size=128 if LONG else 32,
)

# %% [markdown]
# PCX reconstructs by a *forward* pass from the inferred causes: the errors of the levels between are dropped. So does
# `predict` from the top; `reconstruct` keeps them, and is closer to the image.

# %%
long_settle = pcmodel.StateDescent(optax.sgd(5e-2), tolerance=0, max_steps=300)
found = pcmodel.infer(result.network, test_images, solver=long_settle)
drawn = np.clip(pcmodel.predict(result.network, found.latents[-1]), 0, 1)
near = np.clip(pcmodel.predict(result.network, found.latents[1], level=1), 0, 1)


def off(images):
    return float(np.mean((np.asarray(images) - test_images) ** 2))


centre = np.mean(images, axis=0)
axes_ = np.linalg.svd(np.asarray(images - centre), full_matrices=False)[2][:causes]
linear = centre + (np.asarray(test_images) - centre) @ axes_.T @ axes_
print(f"mean image {off(np.broadcast_to(centre, test_images.shape)):.4f}")
print(
    f"from the causes {off(drawn):.4f}, from the level next to the image {off(near):.4f}"
)
print(f"{causes} principal components {off(linear):.4f}")
assert off(drawn) < 0.8 * off(np.broadcast_to(centre, test_images.shape))
assert off(near) < off(drawn)

# %%
side = data.image_shape[0]
figure, axes = plt.subplots(3, 8, figsize=(8, 3.2), layout="constrained")
for row, (name, some) in enumerate(
    (("image", test_images), ("from causes", drawn), ("reconstructed", near))
):
    for column in range(8):
        axes[row, column].imshow(np.reshape(some[column], (side, side)), cmap="gray")
        axes[row, column].set_axis_off()
    axes[row, 0].set_title(name, fontsize=8, loc="left")
figure
