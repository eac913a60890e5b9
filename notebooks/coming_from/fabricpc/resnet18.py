# %% [markdown]
# # ResNet-18
#
# FabricPC's demo: ResNet-18 for small images, no batch normalisation, 32 to 256 channels, learned by 120 steps of inference at a
# rate of 0.1 with clipped gradients and AdamW at a warmed-up cosine. It prints 33.7 % on CIFAR-10's test images after two
# epochs on a GPU (950 s). `resnet18` has one level per block, where FabricPC has one per convolution and per sum: what a block
# computes between its two convolutions is not inferred here.
#
# `--long` is FabricPC's setting, on CIFAR-10, and meant for a GPU; it has not been run in full. The small setting is the same
# code with fewer channels on digits of 8 x 8, beside backpropagation.

# %%
import sys
import time

import jax
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel.data.digits import one_hot
from pcmodel.data.standardisation import as_levels, standardise
from pcmodel.learning import Backpropagation, classical

LONG = "--long" in sys.argv
data = pcmodel.load_images("cifar10" if LONG else "digits")
channels, size, epochs, batch, num_steps, rate = (
    ((32, 64, 128, 256), 50_000, 2, 256, 120, 1e-3)
    if LONG
    else ((4, 8, 8, 16), 1152, 4, 32, 20, 5e-3)
)
scale = standardise(data.train_images)
images = as_levels(data.train_images[:size], scale)
labels = one_hot(data.train_labels)[:size]
test_images, test_labels = (
    as_levels(data.test_images[:1000], scale),
    data.test_labels[:1000],
)


# %%
def network():
    """Levels from the label: block8 to block1, stem, image; unit precisions."""
    return pcmodel.resnet18(
        data.image_shape,
        channels=channels,
        activation=jax.nn.relu,
        likelihood=pcmodel.Categorical(),
        precisions=[None, *[1.0] * 10],
        rngs=nnx.Rngs(0),
    )


def number_of_weights(network):
    leaves = jax.tree.leaves(pcmodel.weights_of(network)["layers"])
    return sum(leaf.size for leaf in leaves)


whole = pcmodel.resnet18(channels=(32, 64, 128, 256), rngs=nnx.Rngs(0))
print(
    f"{number_of_weights(whole)} weights at FabricPC's sizes (FabricPC's has 2795210)"
)
print(f"levels: {', '.join(whole.names)}")
assert number_of_weights(whole) == 2_795_210

# %% [markdown]
# The clip is of one example's whole gradient; FabricPC clips each node apart.

# %%
descent = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1))
settle = pcmodel.StateDescent(descent, tolerance=0, max_steps=num_steps)
total = epochs * (len(labels) // batch)
schedule = optax.warmup_cosine_decay_schedule(
    0.0, rate, int(0.05 * total), total, 0.01 * rate
)
optimiser = optax.adamw(schedule, weight_decay=0.01)
ways = {
    "predictive coding": classical(optimiser, solver=settle),
    "backpropagation": classical(optimiser, rule=Backpropagation()),
}
reached = {}
for name, learning in ways.items():
    begun = time.perf_counter()
    trained = pcmodel.train(
        network(),
        labels,
        clamp={"image": images},
        key=jax.random.key(0),
        learning=learning,
        num_epochs=epochs,
        batch_size=batch,
    ).network
    named = pcmodel.predict(trained, test_images).argmax(1)
    reached[name] = float(np.mean(named == test_labels))
    seconds = time.perf_counter() - begun
    print(f"{name}: {100 * reached[name]:.1f} % in {seconds:.0f} s")
if not LONG:
    assert min(reached.values()) > 0.85
