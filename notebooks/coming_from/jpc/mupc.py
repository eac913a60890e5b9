# %% [markdown]
# # muPC: a hundred layers
#
# Residual layers with multipliers $1/\sqrt{D}$, $1/\sqrt{N L}$ and $1/N$ (Innocenti, Achour & Buckley 2025). JPC trains 30
# layers of 128 units on MNIST to 93.3 % in 900 batches, FabricPC (tanh, cross-entropy, three epochs) prints 92.0 % at 8
# blocks and 82.2 % at 128. `--long` trains JPC's network.

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

LONG = "--long" in sys.argv

# %% [markdown]
# ## Why it works: the equilibrated energy tends to the loss
#
# In a linear network $F^* = \tfrac12 \langle r^\top S^{-1} r \rangle$, and the loss is the same with $S = I$. With muPC's
# initial weights each residual map adds $1/L$ to the variance, so that on average
#
# $$\langle S \rangle = \Bigl(1 + \tfrac1N \sum_{k=0}^{L-2} (1 + 1/L)^k\Bigr) I
#   = \Bigl(1 + \tfrac LN \bigl[(1 + 1/L)^{L-1} - 1\bigr]\Bigr) I .$$
#
# Wide against deep, predictive coding has the gradient of backpropagation; deep against wide it has not.


# %%
def spread_of_label(width, layers):
    """The mean of the diagonal of S, with the maps read off the untrained network."""
    network = pcmodel.residual_mlp(
        4, width, layers - 1, 20, activation=identity, rngs=nnx.Rngs(layers)
    )
    product = np.eye(width)
    readout = network.layers[0]
    product = readout.scaling.multiplier * np.asarray(readout.weight[...])
    total = product @ product.T
    for layer in network.layers[1:-1]:
        inner = layer.branch
        step = inner.scaling.multiplier * np.asarray(inner.weight[...])
        product = product + product @ step
        total += product @ product.T
    return 1 + np.trace(total) / len(total)


print("width  layers   S of the network   S of the formula")
for width, layers in ((32, 8), (32, 64), (128, 8), (128, 64)):
    got = spread_of_label(width, layers)
    wanted = 1 + layers / width * ((1 + 1 / layers) ** (layers - 1) - 1)
    print(f"{width:5}  {layers:6}   {got:16.3f}   {wanted:16.3f}")
    assert abs(got - wanted) < 0.15 * (wanted - 1)

# %% [markdown]
# ## Training
#
# JPC's rates of inference are of the *mean* energy of a batch: 0.5 there is 0.5 / 64 for an example. Its layers have no
# biases; here they are held at zero. With `pcmodel.scale_by_depth` after Adam one rate would suit every depth.

# %%
data = pcmodel.load_images("mnist" if LONG else "digits")
depth, width, batches, epochs = (29, 128, 900, 1) if LONG else (12, 64, 18, 10)
scale = standardise(data.train_images)
images = as_levels(data.train_images[: 64 * batches], scale)
labels = one_hot(data.train_labels)[: 64 * batches]
network = pcmodel.residual_mlp(images.shape[1], width, depth, 10, rngs=nnx.Rngs(0))


def kind_of(path, _):
    return "weight" if "weight" in str(path[-1]) else "still"


by_kind = {"weight": optax.adam(0.1), "still": optax.set_to_zero()}
trained = pcmodel.train(
    network,
    labels,
    clamp={"image": images},
    key=jax.random.key(0),
    learning=classical(
        optax.partition(
            by_kind, lambda weights: jax.tree_util.tree_map_with_path(kind_of, weights)
        ),
        solver=pcmodel.StateDescent(
            optax.sgd(0.5 / 64), tolerance=0, max_steps=len(network.layers)
        ),
    ),
    num_epochs=epochs,
    batch_size=64,
).network
test_images = as_levels(data.test_images, scale)
named = pcmodel.predict(trained, test_images).argmax(1)
accuracy = np.mean(named == data.test_labels)
print(f"test accuracy at {depth + 1} layers: {100 * accuracy:.1f} % (JPC 93.3 %)")
assert accuracy > 0.9
