# %% [markdown]
# # Supervised generative predictive coding
#
# JPC's second example turns the network round: labels predict images. Both ends are clamped in learning; a label is
# *inferred* from an image, and an image predicted from a label. `--long` is JPC's setting: MNIST, 300 units, 200 batches
# of 64, after which it prints 84.8 %.

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

LONG = "--long" in sys.argv
data = pcmodel.load_images("mnist" if LONG else "digits")
width, batches, epochs = (300, 200, 1) if LONG else (64, 18, 10)
rate, steps = (0.05, 200) if LONG else (0.2, 100)
settle = pcmodel.StateDescent(optax.sgd(rate), tolerance=0, max_steps=steps)
scale = standardise(data.train_images)
images = as_levels(data.train_images[: 64 * batches], scale)
labels = one_hot(data.train_labels)[: 64 * batches]

# %%
network = pcmodel.dense(
    (images.shape[1], width, width, 10),
    activation=jax.nn.relu,
    scale=3**-0.5,
    rngs=nnx.Rngs(0),
)
result = pcmodel.train(
    network,
    images,
    clamp={"top": labels},
    key=jax.random.key(0),
    learning=classical(optax.adam(1e-3), solver=settle),
    num_epochs=epochs,
    batch_size=64,
)

# %% [markdown]
# `settle` is inference as the field does it: so many steps down the energy. JPC infers a label under no prior, from a random
# beginning; here the network's own prior of the label (mean zero, unit precision) is relaxed to a thousandth.

# %%
found = pcmodel.infer(
    result.network,
    as_levels(data.test_images, scale),
    modulation=pcmodel.relax("top", 1e-3),
    solver=settle,
)
accuracy = np.mean(found.latents[-1].argmax(1) == data.test_labels)
print(f"labels inferred: {100 * accuracy:.1f} % (JPC prints 84.8 % on MNIST)")
assert accuracy > 0.8

# %% [markdown]
# The image that a label predicts, against the mean image of its class: what a network of squared errors should draw.

# %%
drawn = np.asarray(pcmodel.predict(result.network, np.eye(10)))
means = np.stack(
    [images[labels.argmax(1) == digit].mean(axis=0) for digit in range(10)]
)
closest = ((drawn[:, None] - means) ** 2).sum(-1).argmin(1)
print(f"digits that are drawn as themselves: {np.sum(closest == np.arange(10))} of 10")
assert np.sum(closest == np.arange(10)) >= 9
