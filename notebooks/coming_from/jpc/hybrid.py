# %% [markdown]
# # Hybrid predictive coding
#
# A second, bottom-up network guesses where inference will end (Tschantz et al. 2023): fast by the guess, better by the
# steps that follow. The generator learns first, with labels clamped; then the guess learns to reach its equilibria. JPC
# trains both on each batch, and prints 82.1 % for the guess and 83.0 % after inference. `--long` is its setting.

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
width, batches, epochs = (300, 300, 1) if LONG else (64, 18, 10)
scale = standardise(data.train_images)
images = as_levels(data.train_images[: 64 * batches], scale)
labels = one_hot(data.train_labels)[: 64 * batches]
test_images = as_levels(data.test_images[:500], scale)
rate = 0.02 if LONG else 0.2


def settle(steps):
    return pcmodel.StateDescent(optax.sgd(rate), tolerance=0, max_steps=steps)


generator = pcmodel.dense(
    (images.shape[1], width, width, 10),
    activation=jax.nn.relu,
    scale=3**-0.5,
    rngs=nnx.Rngs(0),
)
generator = pcmodel.train(
    generator,
    images,
    clamp={"top": labels},
    key=jax.random.key(0),
    learning=classical(optax.adam(1e-3), solver=settle(50)),
    num_epochs=epochs,
    batch_size=64,
).network

# %% [markdown]
# `recognition_for` makes the amortiser; `clamp` gives it the labels, so that its last layer learns to name digits.

# %%
guesser = pcmodel.train_recognition(
    pcmodel.recognition_for(generator, activation=jax.nn.relu, rngs=nnx.Rngs(1)),
    generator,
    images,
    clamp={"top": labels},
    key=jax.random.key(1),
    num_epochs=3 if LONG else 20,
    optimiser=optax.adam(1e-3),
    solver=settle(50),
).recognition
guess = pcmodel.recognise(guesser, test_images)


# %% [markdown]
# Three answers: the guess, few steps of inference from it, and the same steps without it.


# %%
def accuracy_of(tops):
    return float(np.mean(np.asarray(tops).argmax(1) == data.test_labels[:500]))


few = settle(50 if LONG else 20)
relaxed = pcmodel.relax("top", 1e-3)
hybrid = pcmodel.infer(
    generator, test_images, modulation=relaxed, solver=few, initial=guess
)
alone = pcmodel.infer(generator, test_images, modulation=relaxed, solver=few)
print(f"guess {100 * accuracy_of(guess[-1]):.1f} % (JPC 82.1 %)")
print(f"guess and inference {100 * accuracy_of(hybrid.latents[-1]):.1f} % (JPC 83.0 %)")
print(f"inference alone {100 * accuracy_of(alone.latents[-1]):.1f} %")
lower = float(np.mean(hybrid.energy < alone.energy))
print(f"energy lower with the guess in {100 * lower:.0f} % of the images")
assert accuracy_of(guess[-1]) > (0.75 if LONG else 0.85)
assert lower > 0.9
