# %% [markdown]
# # Schedules of weight steps, and a convolutional network
#
# PCX's AlexNet tutorial trains by (T, T0, Ti): T steps of inference, the weights held for the first T0, then moved at every
# Ti-th, and once at the end. (T, T, -) is predictive coding, (T, 0, 1) incremental. `Incremental` takes the three; its last
# case is `Equilibrium`, which is asserted. The network is a small one of convolutions and max pooling;
# `pcmodel.vgg5` and `vgg7` are those of PCX's benchmark. PCX prints no accuracy. `--long` trains on 10,000 images of CIFAR-10.

# %%
import sys

import jax
import numpy as np
import optax
from flax import nnx

import pcmodel
from pcmodel.data.digits import one_hot
from pcmodel.data.standardisation import as_levels, standardise
from pcmodel.learning import Incremental, classical

LONG = "--long" in sys.argv
data = pcmodel.load_images("cifar10" if LONG else "digits")
size, epochs, batch = (10_000, 2, 128) if LONG else (1152, 4, 32)
scale = standardise(data.train_images)
images = as_levels(data.train_images[:size], scale)
test_images = as_levels(data.test_images[:500], scale)
labels = one_hot(data.train_labels)[:size]


# %%
def network():
    """Two 3 x 3 convolutions, the second and the readout from pooled maps, and the label's logits."""
    rngs, pool, act = nnx.Rngs(0), pcmodel.MaxPool(2), jax.nn.gelu
    first = pcmodel.Convolution(
        data.image_shape, 8, padding=1, activation=lambda x: x, rngs=rngs
    )
    second = pcmodel.Convolution(
        first.shape, 16, padding=1, pool=pool, activation=act, rngs=rngs
    )
    side = second.shape[0] // 2
    readout = pcmodel.Convolution(
        second.shape, 10, kernel=side, padding=0, pool=pool, activation=act, rngs=rngs
    )
    maps = [int(np.prod(layer.shape)) for layer in (second, first)]
    return pcmodel.Network(
        [readout, second, first],
        (10, *maps, images.shape[1]),
        log_precisions=[None, 0.0, 0.0, 0.0],
        likelihood=pcmodel.Categorical(),
        names=("label", "conv2", "conv1", "image"),
    )


def train(learning):
    return pcmodel.train(
        network(),
        labels,
        clamp={"image": images},
        key=jax.random.key(0),
        learning=learning,
        num_epochs=epochs,
        batch_size=batch,
    ).network


# %%
steps, descent = 5, optax.sgd(0.05)
adam = optax.adamw(2e-3)
settle = pcmodel.StateDescent(descent, tolerance=0, max_steps=steps)
learned = {"T steps, then the weights": train(classical(adam, solver=settle))}
for name, schedule in {
    "(T, T, -)": {"warmup": steps, "last": True},
    "(T, 0, 1)": {"last": True},
    "(T, 2, 2)": {"warmup": 2, "every": 2, "last": True},
}.items():
    rule = Incremental(steps, descent, at_sweep=True, **schedule)
    learned[name] = train(classical(adam, rule=rule))
for name, done in learned.items():
    named = pcmodel.predict(done, test_images).argmax(1)
    accuracy = np.mean(named == data.test_labels[:500])
    print(f"{name}: {100 * accuracy:.1f} %")
    assert accuracy > (0.35 if LONG else 0.75)
same = [
    np.allclose(a.weight[...], b.weight[...], atol=1e-5)
    for a, b in zip(
        learned["T steps, then the weights"].layers,
        learned["(T, T, -)"].layers,
        strict=True,
    )
]
assert LONG or all(same)  # over a thousand steps, roundings part the two
